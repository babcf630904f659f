// SPDX-License-Identifier: Apache-2.0
//! Numbers as Python's `int()` and `float()` read them: blanks around them, a sign, `_` between digits, and the
//! digits of every script.

/// An integer; one that does not fit is cut to the nearest that does.
#[must_use]
pub fn int(text: &str) -> Option<i64> {
    let text = ascii(text)?;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) || digits.len() > MOST_DIGITS {
        return None;
    }
    let limit = if negative { i64::MIN } else { i64::MAX };
    let signed = if negative { format!("-{digits}") } else { digits.to_owned() };
    Some(signed.parse().unwrap_or(limit))
}

/// A number; `nan`, `inf` and `infinity` are some too.
#[must_use]
pub fn float(text: &str) -> Option<f64> {
    ascii(text)?.parse().ok()
}

/// More of them Python does not turn into an integer.
const MOST_DIGITS: usize = 4300;

/// The text without the blanks around it and without its underscores, every digit as an ASCII one; `None` when an
/// underscore does not stand between two digits.
fn ascii(text: &str) -> Option<String> {
    let text: String = text.trim().chars().map(|c| digit(c).unwrap_or(c)).collect();
    let between = |(at, _)| {
        let bytes = text.as_bytes();
        let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        is_digit(usize::checked_sub(at, 1)) && is_digit(Some(at + 1))
    };
    text.match_indices('_').all(between).then(|| text.replace('_', ""))
}

/// The ASCII digit of the same worth.
fn digit(c: char) -> Option<char> {
    let zero = *ZEROS.get(ZEROS.partition_point(|zero| *zero <= u32::from(c)).checked_sub(1)?)?;
    char::from_digit(u32::from(c) - zero, 10)
}

/// The code points of every decimal zero; the nine other digits follow each.
const ZEROS: &[u32] = &[
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x1_04A0,
    0x1_0D30, 0x1_1066, 0x1_10F0, 0x1_1136, 0x1_11D0, 0x1_12F0, 0x1_1450, 0x1_14D0, 0x1_1650, 0x1_16C0,
    0x1_1730, 0x1_18E0, 0x1_1950, 0x1_1C50, 0x1_1D50, 0x1_1DA0, 0x1_6A60, 0x1_6AC0, 0x1_6B50, 0x1_D7CE,
    0x1_D7D8, 0x1_D7E2, 0x1_D7EC, 0x1_D7F6, 0x1_E140, 0x1_E2F0, 0x1_E950, 0x1_FBF0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_python() {
        for (text, expected) in [
            (" 5 ", 5),
            ("+5", 5),
            ("-0", 0),
            ("1_000", 1000),
            ("007", 7),
            ("\u{663}", 3),
            ("\u{85}5\u{2003}", 5),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", i64::MIN),
        ] {
            assert_eq!(int(text), Some(expected), "{text:?}");
        }
        for text in
            ["", "-", "+-5", "1__0", "_1", "1_", "+ 5", "5.0", "\u{1c}5", "\u{b2}", "0x1", "1e3", "five"]
        {
            assert_eq!(int(text), None, "{text:?}");
        }
        assert_eq!(int(&"9".repeat(4301)), None);
    }

    #[test]
    fn numbers_of_python() {
        for (text, expected) in
            [("1_0.0", 10.0), ("1e1_0", 1e10), (".5", 0.5), ("5.", 5.0), (" -INF ", f64::NEG_INFINITY)]
        {
            assert_eq!(float(text).map(f64::to_bits), Some(expected.to_bits()), "{text:?}");
        }
        assert!(float("nan").unwrap().is_nan());
        for text in ["", ".", "1e", "1_e5", "1._5", "+_1", "1,5", "0x1p3", "infinit", "\u{1c}5"] {
            assert_eq!(float(text), None, "{text:?}");
        }
    }
}
