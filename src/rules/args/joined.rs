// SPDX-License-Identifier: Apache-2.0
//! Words that hold several: what stands in one line of a shell was written as one element.

use crate::celery::command::Command;
use crate::celery::version::Release;

/// What a word with blanks in it was probably meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Joined {
    /// `-Q a,b -c 1`: Celery takes all of it for one value.
    Value,
    /// `--loglevel info`: Celery looks for an option of that name.
    Name,
}

/// Whether a word of a command holds an option together with its value or with further options.
pub(in crate::rules) fn joined(command: Command, word: &str) -> Option<Joined> {
    let mut parts = word.split_whitespace();
    let first = parts.next()?;
    if !word.contains(char::is_whitespace) {
        return None;
    }
    let is_option = |part: &str| {
        let name = part.split('=').next().unwrap_or_default();
        Release::ALL.iter().any(|release| command.options().find(name, *release).is_some())
    };
    let begins = word.starts_with(first) && is_option(first) && first.find('=').is_none();
    match parts.by_ref().any(is_option) {
        _ if begins && first.starts_with("--") => Some(Joined::Name),
        true => Some(Joined::Value),
        false if begins && word.trim_end() != first => Some(Joined::Value),
        false => None,
    }
}

/// Whether a word holds several.
pub(in crate::rules) fn is_joined(command: Command, word: &str) -> bool {
    joined(command, word).is_some()
}

/// What to write instead of such a word, where none of its parts can be a secret.
pub(in crate::rules) fn parted(command: Command, word: &str) -> Option<String> {
    let is_plain =
        word.chars().all(|c| c.is_ascii_alphanumeric() || " \t,-_=./".contains(c)) && word.len() <= 40;
    let first = word.split_whitespace().next().unwrap_or_default();
    let name = first.split('=').next().unwrap_or_default();
    let is_known = command.options().find(name, Release::NEWEST).is_some();
    let parts = rejoined(word);
    // A list that goes on nowhere is not right either way.
    let is_whole = parts.iter().all(|part| !part.ends_with(','));
    let parts: Vec<String> = parts.iter().map(|part| format!("{part:?}")).collect();
    (is_plain && is_known && is_whole).then(|| format!("write {}", parts.join(", ")))
}

/// The parts of a word between blanks; those that a comma joins are one list, in which a blank would be part of a name.
fn rejoined(word: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in word.split_whitespace() {
        match parts.last_mut() {
            Some(last) if last.ends_with(',') || part.starts_with(',') => last.push_str(part),
            _ => parts.push(part.to_owned()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_told_from_joined_words() {
        for (word, expected) in [
            ("-Q a,b", Some(Joined::Value)),
            ("-Qa -c 1", Some(Joined::Value)),
            ("--queues=a -c 1", Some(Joined::Value)),
            ("worker -Q a", Some(Joined::Value)),
            ("--loglevel info", Some(Joined::Name)),
            ("--queues=a, b", None),
            ("-Q", None),
            ("-E ", None),
            ("a b", None),
            ("", None),
            (" ", None),
            ("--nosuch x", None),
        ] {
            assert_eq!(joined(Command::Worker, word), expected, "{word:?}");
        }
        for (word, expected) in
            [("--scheduler django", Some(Joined::Name)), ("-S django", Some(Joined::Value)), ("-Q a", None)]
        {
            assert_eq!(joined(Command::Beat, word), expected, "{word:?}");
        }
    }

    #[test]
    fn a_list_is_put_together_again() {
        for (word, expected) in [
            ("-Q a,b -c 1", Some(r#"write "-Q", "a,b", "-c", "1""#)),
            ("-Q a, b -c 1", Some(r#"write "-Q", "a,b", "-c", "1""#)),
            ("-Q a , b", Some(r#"write "-Q", "a,b""#)),
            ("-c 1 -Q a,", None),
        ] {
            assert_eq!(parted(Command::Worker, word).as_deref(), expected, "{word:?}");
        }
    }
}
