// SPDX-License-Identifier: Apache-2.0
//! Waiting that fails the test when its deadline comes.

use std::fmt::Display;
use std::time::Duration;

/// Generous: on a busy machine everything takes longer, and nobody waits for it when it works.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Asks until there is an answer; `Err` says what was seen instead, for the message of the failure.
#[track_caller]
pub(crate) fn until<T, E: Display>(what: &str, look: impl FnMut() -> Result<T, E>) -> T {
    until_within(DEADLINE, what, look)
}

/// The same, where something slow is waited for.
#[track_caller]
pub(crate) fn until_within<T, E: Display>(
    within: Duration,
    what: &str,
    look: impl FnMut() -> Result<T, E>,
) -> T {
    match testbed::until(what, within, look) {
        Ok(answer) => answer,
        Err(missed) => panic!("{missed}"),
    }
}
