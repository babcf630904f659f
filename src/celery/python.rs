// SPDX-License-Identifier: Apache-2.0
//! Numbers and truth as Python reads them in a text.

/// The text as `float()` reads it: blanks around it are no matter, single underscores group digits.
pub(super) fn float(text: &str) -> Option<f64> {
    ungrouped(text.trim())?.parse().ok()
}

/// The text as `int()` reads it, in its plain form: an optional `-`, then digits without leading zeros.
pub(super) fn whole(text: &str) -> Option<String> {
    let text = ungrouped(text.trim())?;
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (if text.starts_with('-') { "-" } else { "" }, digits),
        None => ("", text.as_str()),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match digits.trim_start_matches('0') {
        "" => Some("0".to_owned()),
        digits => Some(format!("{sign}{digits}")),
    }
}

/// The text as Celery's `strtobool` reads it.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "on" => Some(true),
        "false" | "no" | "0" | "off" => Some(false),
        _ => None,
    }
}

/// Without the underscores between digits; `None` when one stands elsewhere.
fn ungrouped(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let grouped = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'_')
        .all(|(at, _)| digit(at.checked_sub(1)) && digit(Some(at + 1)));
    grouped.then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        for (text, number) in
            [("7", Some("7")), (" +07 ", Some("7")), ("-0", Some("0")), ("1_000", Some("1000"))]
        {
            assert_eq!(whole(text).as_deref(), number, "{text}");
        }
        for text in ["", "-", "1.0", "1__0", "_1", "1_", "0x1", "--1", "1 0"] {
            assert_eq!(whole(text), None, "{text}");
        }
        assert_eq!(float(" 1_0.5e1 "), Some(105.0));
        assert_eq!(float("inf"), Some(f64::INFINITY));
        for text in ["", "1_.5", "_1", "1,5", "ten"] {
            assert_eq!(float(text), None, "{text}");
        }
        assert_eq!((truth("On"), truth("NO"), truth("y")), (Some(true), Some(false), None));
    }
}
