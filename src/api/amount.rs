// SPDX-License-Identifier: Apache-2.0
//! Amounts of cpu and memory as numbers, for comparisons that need no exactness.

use kube_quantity::ParsedQuantity;

/// Cpus or bytes; `None` for what is no quantity.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    ParsedQuantity::try_from(text).ok()?.to_bytes_f64()
}

/// The amount of memory that was meant by a text that is none: `200Mi` for `200MB` or `200 MiB`.
#[must_use]
pub fn memory(text: &str) -> Option<String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (digits, unit) = text.split_at(end);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "k" | "kb" | "ki" | "kib" => "Ki",
        "m" | "mb" | "mi" | "mib" => "Mi",
        "g" | "gb" | "gi" | "gib" => "Gi",
        "t" | "tb" | "ti" | "tib" => "Ti",
        _ => return None,
    };
    let written = format!("{digits}{unit}");
    ((1..=12).contains(&digits.len()) && number(text).is_none() && number(&written).is_some())
        .then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_numbers() {
        for (text, expected) in [("1.5", 1.5), ("100m", 0.1), ("1Ki", 1024.0), ("2k", 2000.0), ("0", 0.0)] {
            let found = number(text).expect(text);
            assert!((found - expected).abs() < 1e-9, "{text}: {found}");
        }
        for (text, meant) in [
            ("200MB", Some("200Mi")),
            ("1.5 gb", Some("1.5Gi")),
            ("1 Gi", Some("1Gi")),
            ("512Mi", None),
            ("512", None),
            ("MB", None),
            ("1.2.3MB", None),
            ("many", None),
        ] {
            assert_eq!(memory(text).as_deref(), meant, "{text}");
        }
        for text in ["", "x", "1 Gi", "1GB"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
