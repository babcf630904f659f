// SPDX-License-Identifier: Apache-2.0
//! Which queues a worker's arguments select.

/// The queue that Celery uses when nobody names one.
pub const DEFAULT_QUEUE: &str = "celery";

/// The queues of the last `-Q` or `--queues`, as Celery takes them: the last one wins, names are separated by commas
/// and kept as they are, each once. `None` when the arguments name none, so that the application decides.
#[must_use]
pub fn selected(args: &[String]) -> Option<Vec<String>> {
    let mut list = None;
    let mut words = args.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        if word == "-Q" || word == "--queues" {
            list = words.next().or(list);
        } else if let Some(value) = word.strip_prefix("--queues=") {
            list = Some(value);
        } else if let Some(value) = word.strip_prefix("-Q") {
            list = Some(value);
        }
    }
    let list = list?;
    let mut names: Vec<String> = Vec::new();
    for name in list.split(',').filter(|name| !name.is_empty()) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(args: &[&str]) -> Option<Vec<String>> {
        selected(&args.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn every_spelling_is_read() {
        let expected = Some(vec!["a".to_owned(), "b".to_owned()]);
        for args in [
            &["-Q", "a,b"][..],
            &["-Qa,b"],
            &["--queues", "a,b"],
            &["--queues=a,b"],
            &["-c", "2", "-Q", "a,b"],
        ] {
            assert_eq!(of(args), expected, "{args:?}");
        }
    }

    #[test]
    fn the_last_one_wins_and_settings_are_not_options() {
        assert_eq!(of(&["-Q", "a", "-Q", "b"]), Some(vec!["b".to_owned()]));
        assert_eq!(of(&["--", "-Q", "a"]), None);
        assert_eq!(of(&["-c", "4"]), None);
        assert_eq!(of(&["-Q"]), None);
        assert_eq!(of(&["-Q", ","]), None);
        assert_eq!(of(&["-Q", "a,,b,a"]), Some(vec!["a".to_owned(), "b".to_owned()]));
    }
}
