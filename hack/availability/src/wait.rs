// SPDX-License-Identifier: Apache-2.0
//! Waiting is asking again until the answer is right, with a deadline that only a failure reaches.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;

/// Generous: on a busy machine everything takes longer, and nobody waits for it when it works.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Also how exactly a moment is measured that is waited for.
const POLL: Duration = Duration::from_millis(20);

/// Asks until there is an answer; `Err` says what was seen instead.
///
/// # Errors
/// When there is none in time.
pub(crate) fn until<T, E: Display>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> Result<T, E>,
) -> Result<T, Error> {
    let deadline = Instant::now() + within;
    loop {
        match look() {
            Ok(answer) => return Ok(answer),
            Err(seen) if Instant::now() >= deadline => {
                return Err(
                    format!("{what}: not within {} s; last seen: {seen:.2000}", within.as_secs()).into()
                );
            }
            Err(_) => thread::sleep(POLL),
        }
    }
}
