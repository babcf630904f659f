// SPDX-License-Identifier: Apache-2.0
//! Whether a message says once more what was said before: whoever refuses a child may put the number of the request, or
//! the time of day, into every answer.

/// Shortest word that may be such a number.
const SHORTEST: usize = 8;
/// How many digits it has at least: a name has fewer.
const DIGITS: usize = 3;

/// Whether two messages differ at most in words that are numbers of requests or times. What was said first stays then,
/// so that nothing is written for it.
pub(super) fn says_the_same(before: &str, now: &str) -> bool {
    let (mut before, mut now) = (words(before), words(now));
    loop {
        match (before.next(), now.next()) {
            (None, None) => return true,
            (Some(old), Some(new)) if old == new || is_passing(old) && is_passing(new) => {}
            _ => return false,
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| letter.is_whitespace() || "()[]{}<>\"'`,;=".contains(letter))
}

fn is_passing(word: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:+".contains(letter);
    word.len() >= SHORTEST
        && word.chars().all(is_plain)
        && word.chars().filter(char::is_ascii_digit).count() >= DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_number_of_a_request_says_the_same_and_another_word_does_not() {
        for (before, now, same) in [
            (
                "denied (request 3f2504e0-4f89-11d3-9a0c-0305e82c3301)",
                "denied (request 9b2d04e0-4f89-11d3-9a0c-0305e82c3aaa)",
                true,
            ),
            ("at 2026-05-01T12:00:00Z: no", "at 2026-05-01T12:00:09Z: no", true),
            ("id=1732354921", "id=1732354999", true),
            ("the same", "the same", true),
            ("denied (request 3f2504e0-4f89)", "refused (request 3f2504e0-4f89)", false),
            ("denied by deny-latest-1", "denied by deny-latest-2", false),
            ("exceeded quota: used: pods=2", "exceeded quota: used: pods=3", false),
            ("denied", "denied twice", false),
            ("denied 1732354921", "denied", false),
            ("", "x", false),
        ] {
            assert_eq!(says_the_same(before, now), same, "{before}, {now}");
        }
    }
}
