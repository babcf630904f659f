// SPDX-License-Identifier: Apache-2.0
//! Words that are not final yet: whoever starts the command puts a variable in the place of `$(NAME)`.

/// Whether a word contains `$(NAME)`. `$$` stands for one `$` and begins nothing.
#[must_use]
pub fn expands(word: &str) -> bool {
    each(word).next().is_some()
}

/// The variables that a word contains, in their order.
#[must_use]
pub fn names(word: &str) -> Vec<&str> {
    each(word).collect()
}

/// The same one by one, for words of which nobody wants to read the whole.
pub fn each(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        loop {
            let behind = &rest[rest.find('$')? + 1..];
            match behind.strip_prefix('(').map(|name| name.split_once(')')) {
                Some(Some((name, after))) => {
                    rest = after;
                    return Some(name);
                }
                // Nothing closes it, and nothing behind it can be closed either.
                Some(None) => return None,
                None => rest = behind.strip_prefix('$').unwrap_or(behind),
            }
        }
    })
}

/// Longest text that is put together, in bytes: a few variables full of one another would fill any memory.
const LONGEST: usize = 8 * 1024;

/// The text as whoever starts the command makes it, where every variable in it is known and it is not longer than any
/// word that is judged: `$$` is one `$`.
#[must_use]
pub fn expanded(word: &str, known: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut text = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        rest = if let Some((name, after)) = behind.strip_prefix('(').and_then(|name| name.split_once(')')) {
            text.push_str(&known(name)?);
            if text.len() > LONGEST {
                return None;
            }
            after
        } else {
            text.push('$');
            behind.strip_prefix('$').unwrap_or(behind)
        };
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        assert_eq!(names("redis://$(HOST):$(PORT)/$$(A)"), ["HOST", "PORT"]);
        assert_eq!(names("$$$(A)$(B"), ["A"]);
    }

    #[test]
    fn a_text_is_whole_where_all_is_known() {
        let known = |name: &str| (name == "HOST").then(|| "cache".to_owned());
        for (word, text) in [
            ("redis://$(HOST)/0", Some("redis://cache/0")),
            ("$$(HOST)$", Some("$(HOST)$")),
            ("$(HOST", Some("$(HOST")),
            ("${HOST}$(HOST)", Some("${HOST}cache")),
            ("$(HOST)$(PORT)", None),
            ("", Some("")),
        ] {
            assert_eq!(expanded(word, known).as_deref(), text, "{word}");
        }
    }

    #[test]
    fn what_is_longer_than_any_word_is_not_put_together() {
        let filled = |times: usize| expanded(&"$(A)".repeat(times), |_| Some("x".repeat(1024)));
        assert_eq!(filled(8).map(|text| text.len()), Some(LONGEST));
        assert_eq!(filled(9), None);
    }

    #[test]
    fn only_a_closed_name_expands() {
        for word in ["$(A)", "x$(A)y", "$$$(A)", "$($(A)"] {
            assert!(expands(word), "{word}");
        }
        for word in ["", "$A", "$$(A)", "$(A", "(A)", "$ (A)"] {
            assert!(!expands(word), "{word}");
        }
    }
}
