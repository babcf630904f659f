// SPDX-License-Identifier: Apache-2.0
//! What an unquoted word means: a text, a number, a truth value or nothing.
//!
//! kubectl and every client in Go read YAML 1.1, where `yes` is true and `010` is eight. What they send is what the
//! webhook judges, so this reads the same.

use serde_json::{Number, Value};

/// What a plain word means.
pub(super) fn resolved(word: &str) -> Value {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ => number(word).unwrap_or_else(|| Value::String(word.to_owned())),
    }
}

fn number(word: &str) -> Option<Value> {
    let first = word.chars().next()?;
    if !(first.is_ascii_digit() || ['+', '-', '.'].contains(&first)) {
        return None;
    }
    // A float that begins with a point may not have underscores.
    let digits = if first == '.' { word.to_owned() } else { word.replace('_', "") };
    integer(&digits).or_else(|| float(&digits))
}

/// An integer as Go reads it without a base: `12`, `-12`, `0x1f`, `0o17`, `017`, `0b11`.
fn integer(digits: &str) -> Option<Value> {
    let (negative, magnitude) = match digits.as_bytes().first()? {
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        _ => (false, digits),
    };
    let lower = magnitude.to_ascii_lowercase();
    let (base, body) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if body.is_empty() || body.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(body, base).ok()?;
    if negative {
        i64::try_from(-i128::from(magnitude)).ok().map(Value::from)
    } else {
        Some(Value::from(magnitude))
    }
}

/// A float; one without a fraction is an integer in the JSON that Go writes.
fn float(digits: &str) -> Option<Value> {
    let body = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let is_float = body.chars().all(|c| c.is_ascii_digit() || ".eE+-".contains(c))
        && body.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && body.contains(|c: char| c.is_ascii_digit());
    let value: f64 = digits.parse().ok().filter(|value: &f64| is_float && value.is_finite())?;
    #[allow(clippy::cast_possible_truncation)] // below 2^53 nothing is lost
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return Some(Value::from(value as i64));
    }
    Number::from_f64(value).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_mean_what_kubectl_sends() {
        for (word, meaning) in [
            ("three", json!("three")),
            ("", json!(null)),
            ("~", json!(null)),
            ("yes", json!(true)),
            ("off", json!(false)),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("+1", json!(1)),
            ("010", json!(8)),
            ("08", json!(8)),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("5.10", json!(5.1)),
            ("3.0", json!(3)),
            (".5", json!(0.5)),
            ("1e3", json!(1000)),
            ("5.5.3", json!("5.5.3")),
            ("1:30", json!("1:30")),
            ("2024-01-01", json!("2024-01-01")),
            ("-", json!("-")),
            ("-c", json!("-c")),
            ("--", json!("--")),
            ("+-1", json!("+-1")),
            ("0x", json!("0x")),
            ("1e999", json!("1e999")),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("inf", json!("inf")),
            (".inf", json!(".inf")),
            ("800m", json!("800m")),
        ] {
            assert_eq!(resolved(word), meaning, "{word}");
        }
    }
}
