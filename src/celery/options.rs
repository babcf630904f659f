// SPDX-License-Identifier: Apache-2.0
//! Whether arguments already say what the operator would otherwise choose.

/// Whether the worker's arguments contain an option, in any spelling click reads: `-c 4`, `-c4`, `--concurrency 4`,
/// `--concurrency=4`. What follows `--` are settings.
#[must_use]
pub fn contains(args: &[String], short: &str, long: &str) -> bool {
    args.iter().take_while(|word| *word != "--").any(|word| {
        let glued = |option: &str| word.strip_prefix(option).is_some_and(|rest| rest.starts_with('='));
        word == long
            || glued(long)
            || (!short.is_empty() && word.starts_with(short) && !word.starts_with("--"))
    })
}

/// The value of a Flower option: tornado takes `--name=value`, with `-` and `_` alike; the last one wins.
#[must_use]
pub fn flower_value<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    args.iter().rev().find_map(|word| {
        let (option, value) = word.strip_prefix("--")?.split_once('=')?;
        (option.replace('-', "_") == name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn every_spelling_of_an_option_is_seen() {
        for text in ["-c 4", "-c4", "--concurrency 4", "--concurrency=4", "-E -c 4"] {
            assert!(contains(&words(text), "-c", "--concurrency"), "{text}");
        }
        for text in ["", "-E", "--concurrency-x=4", "-- -c 4", "--c 4"] {
            assert!(!contains(&words(text), "-c", "--concurrency"), "{text}");
        }
    }

    #[test]
    fn flower_options_are_read_as_tornado_does() {
        let args = words("--url-prefix=a --url_prefix=b --port 1");
        assert_eq!(flower_value(&args, "url_prefix"), Some("b"));
        assert_eq!(flower_value(&args, "port"), None);
    }
}
