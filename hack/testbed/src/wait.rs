// SPDX-License-Identifier: Apache-2.0
//! Waiting is asking again until the answer is right, with a deadline that only a failure reaches.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

/// Also how exactly a moment is measured that is waited for.
const POLL: Duration = Duration::from_millis(20);

/// Asks until there is an answer; `Err` says what was seen instead.
///
/// # Errors
/// When there is none in time: what was waited for, and what was seen last.
pub fn until<T, E: Display>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> Result<T, E>,
) -> Result<T, String> {
    let deadline = Instant::now() + within;
    loop {
        match look() {
            Ok(answer) => return Ok(answer),
            Err(seen) if Instant::now() >= deadline => {
                return Err(format!("{what}: not within {} s; last seen: {seen:.4000}", within.as_secs()));
            }
            Err(_) => thread::sleep(POLL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_is_returned_and_what_does_not_is_told() {
        let mut looks = 0;
        let third = until("the third look", Duration::from_secs(30), || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(looks) }
        });
        assert_eq!(third, Ok(3));
        let never: Result<(), String> = until("an end", Duration::ZERO, || Err("nothing"));
        assert_eq!(never, Err("an end: not within 0 s; last seen: nothing".to_owned()));
    }
}
