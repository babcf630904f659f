// SPDX-License-Identifier: Apache-2.0
//! Words that are not final yet: whoever starts the command puts a variable in the place of `$(NAME)`.

/// Whether a word contains `$(NAME)`. `$$` stands for one `$` and begins nothing.
#[must_use]
pub fn expands(word: &str) -> bool {
    !names(word).is_empty()
}

/// The variables that a word contains, in their order.
#[must_use]
pub fn names(word: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        let behind = &rest[at + 1..];
        match behind.strip_prefix('(').map(|name| name.split_once(')')) {
            Some(Some((name, after))) => {
                names.push(name);
                rest = after;
            }
            // Nothing closes it, and nothing behind it can be closed either.
            Some(None) => break,
            None => rest = behind.strip_prefix('$').unwrap_or(behind),
        }
    }
    names
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
    fn only_a_closed_name_expands() {
        for word in ["$(A)", "x$(A)y", "$$$(A)", "$($(A)"] {
            assert!(expands(word), "{word}");
        }
        for word in ["", "$A", "$$(A)", "$(A", "(A)", "$ (A)"] {
            assert!(!expands(word), "{word}");
        }
    }
}
