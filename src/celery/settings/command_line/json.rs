// SPDX-License-Identifier: Apache-2.0
//! Whether Python's `json.loads` reads a text: JSON, and three numbers that are none.

use serde::de::IgnoredAny;

/// Whether it does.
pub(super) fn is_json(text: &str) -> bool {
    let reads = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    reads(text) || reads(&with_nulls(text))
}

/// `NaN`, `Infinity` and `-Infinity` as `null`, outside strings.
fn with_nulls(text: &str) -> String {
    let mut plain = String::new();
    let (mut quoted, mut escaped, mut rest) = (false, false, text);
    while let Some(letter) = rest.chars().next() {
        let number = ["NaN", "Infinity", "-Infinity"].into_iter().find(|name| rest.starts_with(name));
        if let Some(number) = number.filter(|_| !quoted) {
            plain.push_str("null");
            rest = &rest[number.len()..];
            continue;
        }
        quoted ^= letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        plain.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_reads() {
        for text in ["{}", "[NaN, -Infinity]", "\"NaN\"", "1e999", "\"\\ud800\"", " {\"a\\\"NaN\": Infinity}"]
        {
            assert!(is_json(text), "{text}");
        }
        for text in ["", "{", "{'a': 1}", "nan", "True", "[1,]", "\"\n\"", "NaNN", "-NaN"] {
            assert!(!is_json(text), "{text}");
        }
    }
}
