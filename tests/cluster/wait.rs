// SPDX-License-Identifier: Apache-2.0
//! Waiting is asking again until the answer is right, with a deadline that only a failure reaches.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

/// Generous: on a busy machine everything takes longer, and nobody waits for it when it works.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

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
    mut look: impl FnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        match look() {
            Ok(answer) => return answer,
            Err(seen) if Instant::now() >= deadline => {
                panic!("{what}: not within {} s; last seen: {seen:.4000}", within.as_secs())
            }
            Err(_) => thread::sleep(POLL),
        }
    }
}
