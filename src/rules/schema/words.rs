// SPDX-License-Identifier: Apache-2.0
//! The sentences for what is against the schema: what was probably meant.

use serde_json::Value;

use super::compiled::{Fields, Form, Schema};
use super::scalar::Breach;
use crate::rules::finding::quoted;

/// How many names are told where none is close.
const MAX_NAMES: usize = 8;
/// Least likeness of a name that is offered instead, from 0 to 1.
const ALIKE: f64 = 0.75;
/// Likeness from which a name is a typo and nothing else.
const TYPO: f64 = 0.95;
/// How deep a field is looked for that stands in the wrong place.
const DEEP: usize = 3;

/// What to write instead of a field that does not exist.
pub(super) fn meant(root: &Schema, fields: &Fields, name: &str) -> String {
    let lower = name.to_lowercase();
    let alike = fields
        .known
        .keys()
        .map(|known| (likeness(&known.to_lowercase(), &lower), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let mut elsewhere = Vec::new();
    places(root, name, "", DEEP, &mut elsewhere);
    match (elsewhere.as_slice(), alike) {
        // The same name in another place is meant more often than a similar one here.
        ([there], alike) if alike.is_none_or(|(alike, _)| alike < TYPO) => format!("did you mean {there}?"),
        (several @ [_, _, ..], None) if several.len() <= MAX_NAMES => {
            format!("did you mean one of {}?", several.join(", "))
        }
        (_, Some((_, known))) => format!("did you mean {known}?"),
        _ if fields.known.is_empty() => "remove it".to_owned(),
        _ => {
            let known: Vec<&str> = fields.known.keys().take(MAX_NAMES).map(String::as_str).collect();
            let more = if fields.known.len() > MAX_NAMES { ", …" } else { "" };
            format!("remove it; there are {}{more}", known.join(", "))
        }
    }
}

/// How alike two names are; one that is the beginning or the end of the other is.
fn likeness(one: &str, other: &str) -> f64 {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let contained = short.len() >= 3 && (long.starts_with(short) || long.ends_with(short));
    strsim::jaro_winkler(one, other).max(if contained { 0.8 } else { 0.0 })
}

/// The places of the schema that have a field of this name, lists and metadata left out.
fn places(schema: &Schema, name: &str, at: &str, deep: usize, found: &mut Vec<String>) {
    let Form::Object(fields) = &schema.form else { return };
    for (known, schema) in fields.known.iter().filter(|(known, _)| !at.is_empty() || *known != "metadata") {
        let path = below(at, known, true);
        if known == name {
            found.push(path.clone());
        }
        if deep > 1 {
            places(schema, name, &path, deep - 1, found);
        }
    }
}

/// The path of a field, as Kubernetes writes it: names of the user's own in brackets.
pub(super) fn below(at: &str, name: &str, known: bool) -> String {
    match (at.is_empty(), known && !name.contains(['.', '/', '['])) {
        (true, _) => name.to_owned(),
        (false, true) => format!("{at}.{name}"),
        (false, false) => format!("{at}[{name}]"),
    }
}

/// What is wrong with a value of the wrong type; `written` is its text in the source.
pub(super) fn wrong(schema: &Schema, value: &Value, written: Option<String>) -> Breach {
    let takes = takes(schema);
    let is = noun(value);
    match (&schema.form, value) {
        (Form::Text(_), Value::Number(_) | Value::Bool(_)) => {
            let meaning = plain(value);
            let written = written.unwrap_or_else(|| meaning.clone());
            let is = match value {
                _ if written == meaning => is.to_owned(),
                Value::Number(_) => format!("is the number {meaning} to YAML"),
                _ => format!("is {meaning} to YAML"),
            };
            (format!("{is}, the field takes a text"), format!("quote it: \"{}\"", quoted(&written)))
        }
        (Form::Number(_) | Form::NumberOrText, Value::String(text)) if text.trim().parse::<i64>().is_ok() => {
            (format!("{is}, the field takes {takes}"), format!("write {} without quotes", text.trim()))
        }
        (Form::Truth, Value::String(text)) if ["true", "false"].contains(&text.to_lowercase().as_str()) => (
            format!("{is}, the field takes {takes}"),
            format!("write {} without quotes", text.to_lowercase()),
        ),
        (Form::List(_), Value::String(_) | Value::Object(_)) => {
            let fix = "put each item into a line that begins with \"- \"";
            (format!("{is}, the field takes {takes}"), fix.to_owned())
        }
        _ => (format!("{is}, the field takes {takes}"), format!("write {takes}")),
    }
}

/// What a value is.
fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "is empty",
        Value::Bool(_) => "is a truth value",
        Value::Number(number) if number.is_f64() => "is a number with a fraction",
        Value::Number(_) => "is a number",
        Value::String(_) => "is a text",
        Value::Array(_) => "is a list",
        Value::Object(_) => "is a mapping",
    }
}

/// What a field takes.
fn takes(schema: &Schema) -> &'static str {
    match &schema.form {
        Form::Any => "anything",
        Form::Object(_) => "a mapping",
        Form::List(_) => "a list",
        Form::Text(_) => "a text",
        Form::Number(number) if number.whole => "a whole number",
        Form::Number(_) => "a number",
        Form::Truth => "true or false",
        Form::NumberOrText => "a whole number or a text",
    }
}

/// A value as a text without quotes.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
