// SPDX-License-Identifier: Apache-2.0
//! Words that are not final yet: whoever starts the command puts a variable in the place of `$(NAME)`.

/// Whether a word contains `$(NAME)`. `$$` stands for one `$` and begins nothing.
#[must_use]
pub fn expands(word: &str) -> bool {
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        let behind = &rest[at + 1..];
        if behind.strip_prefix('(').is_some_and(|name| name.contains(')')) {
            return true;
        }
        rest = behind.strip_prefix('$').unwrap_or(behind);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

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
