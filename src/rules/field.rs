// SPDX-License-Identifier: Apache-2.0
//! From garde's report on the types to findings of the catalogue.

use garde::Validate as _;
use serde_json::Value;

use super::catalogue;
use super::finding::{Finding, Kind, Severity};
use super::path;
use super::quoting::value_at;
use crate::api::CelerySpec;

/// How the name of a Secret is written.
const NAME: &str = "use lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit";

/// What garde finds in the fields, each under the rule that names the field.
pub(super) fn findings(spec: &CelerySpec, raw: &Value) -> Vec<Finding> {
    let Err(report) = spec.validate() else {
        return Vec::new();
    };
    report.iter().map(|(at, error)| finding(&json_path(&at.to_string()), error.message(), raw)).collect()
}

fn finding(path: &str, message: &str, raw: &Value) -> Finding {
    let pattern = path::pattern(path);
    let rule = catalogue::rules().find(|rule| rule.check.fields.contains(&pattern.as_str()));
    // A test sees to it that every guarded field has its rule; should one slip through, it is denied all the same.
    let (id, severity, schema, fix) = rule
        .map_or(("C00", Severity::Deny, true, "correct the value"), |rule| {
            (rule.id, rule.severity, rule.schema, rule.check.fix)
        });
    let value = value_at(raw, path);
    let is_there = path::at(raw, path).is_some_and(|value| !value.is_null());
    let fix = of_secret(&pattern, is_there).unwrap_or(fix);
    let kind = if is_there { Kind::Invalid } else { Kind::Required };
    let bound = bound(message);
    Finding {
        rule: id,
        severity,
        // Bounds and required fields are in the schema, whatever else the rule is about.
        schema: schema || bound.is_some() || kind == Kind::Required,
        path: path.to_owned(),
        place: path::place(raw, path),
        kind,
        value,
        message: match kind {
            Kind::Required => "is missing".to_owned(),
            _ => bound.unwrap_or_else(|| message.to_owned()),
        },
        fix: fix.to_owned(),
    }
    .veiled(raw)
}

/// How a reference to a Secret is mended: its name and its key belong to one rule and have different letters.
fn of_secret(pattern: &str, is_there: bool) -> Option<&'static str> {
    let is = |ends: [&str; 2]| ends.iter().any(|end| pattern.ends_with(end));
    if is(["SecretRef.key", ".secretRef.key"]) {
        return Some("name the key, in letters, digits, '-', '_' and '.'");
    }
    let is_name = is(["SecretRef.name", ".secretRef.name"]) || pattern.ends_with("ecretName");
    is_name.then_some(if is_there { NAME } else { "name a Secret of this namespace" })
}

/// garde names Rust fields; messages name those of the YAML.
fn json_path(rust: &str) -> String {
    let mut path = String::from("spec.");
    let mut capital = false;
    for letter in rust.chars() {
        match letter {
            '_' => capital = true,
            letter if capital => {
                path.extend(letter.to_uppercase());
                capital = false;
            }
            letter => path.push(letter),
        }
    }
    // The fields of a named pool stand beside its name, not below it.
    match path.split_once("].spec.") {
        Some((pool, field)) => format!("{pool}].{field}"),
        None => path,
    }
}

/// garde's own words for a range, as a part of our sentence; `None` for the words of a custom grammar.
fn bound(message: &str) -> Option<String> {
    let bounds = ["lower than ", "greater than "];
    bounds.iter().any(|start| message.starts_with(start)).then(|| format!("is {message}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bounds_and_what_is_missing_are_in_the_schema_whatever_the_rule() {
        let there = json!({"spec": {"common": {"celeryApp": "x"}}});
        let schema = |message: &str, raw: &Value| finding("spec.common.celeryApp", message, raw).schema;
        assert!(!schema("is wrong", &there));
        assert!(schema("lower than 1", &there) && schema("is wrong", &json!({})));
    }
}
