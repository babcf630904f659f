// SPDX-License-Identifier: Apache-2.0
//! Amounts of cpu and memory as numbers, for comparisons that need no exactness.

use kube_quantity::ParsedQuantity;

/// Cpus or bytes; `None` for what is no quantity.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    ParsedQuantity::try_from(text).ok()?.to_bytes_f64()
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
        for text in ["", "x", "1 Gi", "1GB"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
