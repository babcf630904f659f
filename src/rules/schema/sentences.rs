// SPDX-License-Identifier: Apache-2.0
//! The sentences for values of a wrong type: what to write instead.

use serde_json::{Number, Value};

use super::compiled::{Form, Schema};
use super::scalar::Breach;
use crate::celery::settings;
use crate::celery::version::Release;
use crate::rules::quoting::quoted;
use crate::rules::shell;

/// Most items that are written out for a list.
pub(super) const MAX_ITEMS: usize = 8;

/// The path of a field, as Kubernetes writes it: names of the user's own in brackets.
pub(super) fn below(at: &str, name: &str, known: bool) -> String {
    match (at.is_empty(), known && !name.contains(['.', '/', '['])) {
        (true, _) => name.to_owned(),
        (false, true) => format!("{at}.{name}"),
        (false, false) => format!("{at}[{name}]"),
    }
}

/// What is wrong with a value of the wrong type at a path; `written` is its text in the source.
pub(super) fn wrong(schema: &Schema, value: &Value, at: &str, written: Option<String>) -> Breach {
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
            (format!("{is}, the field takes a string"), format!("quote it: \"{}\"", quoted(&written)))
        }
        (Form::Number(_) | Form::NumberOrText, Value::String(text)) if text.trim().parse::<i64>().is_ok() => {
            (format!("{is}, the field takes {takes}"), format!("write {} without quotes", text.trim()))
        }
        (Form::Truth, Value::String(text)) if ["true", "false"].contains(&text.to_lowercase().as_str()) => (
            format!("{is}, the field takes {takes}"),
            format!("write {} without quotes", text.to_lowercase()),
        ),
        (Form::List(items), Value::String(_) | Value::Object(_)) => {
            let fix = listed(&items.item, value, at)
                .unwrap_or_else(|| "put each item into a line that begins with \"- \"".to_owned());
            (format!("{is}, the field takes {takes}"), fix)
        }
        (Form::Number(_), Value::String(text)) if is_duration(at) && seconds(text).is_some() => {
            let seconds = seconds(text).unwrap_or_default();
            (format!("{is}, the field takes {takes}"), format!("write seconds, such as {seconds}"))
        }
        (Form::Number(_) | Form::NumberOrText, Value::Number(number)) if is_huge(number) => {
            ("has too many digits".to_owned(), "use a smaller number".to_owned())
        }
        (Form::NumberOrText, Value::Number(number)) => {
            let fix = amount(at, number.as_f64().unwrap_or_default(), &plain(value));
            (wrong_kind(schema, value), fix)
        }
        _ => (wrong_kind(schema, value), format!("write {}", form(schema))),
    }
}

/// How Celery is told that a setting has no value, where a null cannot say it.
pub(super) fn nothing(setting: &str) -> String {
    let word = settings::word(setting, &Value::Null, Release::NEWEST).ok();
    word.map_or_else(
        || "set it in the application".to_owned(),
        |word| format!("write \"--\", \"{word}\" in args"),
    )
}

/// Whether a whole number has more digits than fit.
fn is_huge(number: &Number) -> bool {
    number.is_f64() && number.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// How a number with a fraction is written where whole numbers and texts are taken: half a core is 500m.
fn amount(at: &str, number: f64, written: &str) -> String {
    let thousandths = number * 1000.0;
    let is_whole = (1.0..1e9).contains(&thousandths) && (thousandths - thousandths.round()).abs() < 1e-6;
    if is_whole && at.ends_with("[cpu]") {
        return format!("write {thousandths:.0}m, or put it in quotes: \"{written}\"");
    }
    format!("put it in quotes: \"{written}\"")
}

/// That a value is not what its field takes.
pub(super) fn wrong_kind(schema: &Schema, value: &Value) -> String {
    format!("{}, the field takes {}", noun(value), takes(schema))
}

/// What a field takes, as it would be written: `{name: …, key: …}`.
pub(super) fn form(schema: &Schema) -> String {
    let Form::Object(fields) = &schema.form else { return takes(schema).to_owned() };
    let written = |name: &String| {
        let schema = fields.known.get(name)?;
        let is_form = matches!(&schema.form, Form::Object(fields) if !fields.required.is_empty());
        Some(format!("{name}: {}", if is_form { form(schema) } else { "…".to_owned() }))
    };
    // What has nothing that is required and a name is hardly more than that name.
    let name = "name".to_owned();
    let only = (fields.required.is_empty() && fields.known.contains_key(&name)).then_some(&name);
    let mut names: Vec<&String> = fields.required.iter().chain(only).collect();
    names.sort_by_key(|name| *name != "name");
    let parts: Vec<String> = names.into_iter().filter_map(written).collect();
    if parts.is_empty() { takes(schema).to_owned() } else { format!("{{{}}}", parts.join(", ")) }
}

/// The list that a text or a mapping stands for, when it can be written without quoting anything.
fn listed(item: &Schema, value: &Value, at: &str) -> Option<String> {
    match (&item.form, value) {
        (Form::Text(_), Value::String(text)) => {
            if at.ends_with("args") || at.ends_with("command") {
                return shell::listed(text).map(|list| format!("write a list of words: {list}"));
            }
            let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
            let told = (1..=MAX_ITEMS).contains(&parts.len()) && parts.iter().all(|part| is_plain(part));
            told.then(|| {
                let parts: Vec<String> = parts.iter().map(|part| format!("\"{part}\"")).collect();
                format!("write [{}]", parts.join(", "))
            })
        }
        (Form::Object(fields), Value::Object(object)) if fields.known.contains_key("name") => {
            // Either a single item without its dash, or items under their names.
            let name =
                object.get("name").map_or_else(|| object.keys().next().map(String::as_str), Value::as_str);
            name.filter(|name| is_plain(name)).map(|name| format!("write a list: - name: {name}"))
        }
        _ => None,
    }
}

/// Whether a text means itself in YAML between quotes and without.
pub(super) fn is_plain(text: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "_.,-".contains(letter);
    !text.is_empty() && text.len() <= 64 && text.chars().all(is_letter)
}

/// Whether the field at a path is one of seconds, as its name says.
fn is_duration(at: &str) -> bool {
    let name = at.rsplit('.').next().unwrap_or_default().to_lowercase();
    ["time", "interval", "period", "seconds", "countdown"].iter().any(|part| name.contains(part))
}

/// The seconds of a duration such as `5m` or `1h30m`.
fn seconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut sum: Option<u64> = None;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (digits, unit) = rest.split_at(end);
        let factor = match unit.trim_start().chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            _ => return None,
        };
        let part = digits.parse::<u64>().ok()?.checked_mul(factor)?;
        sum = sum.unwrap_or_default().checked_add(part).map(Some)?;
        rest = unit.trim_start().get(1..)?.trim_start();
    }
    sum
}

/// What a value is.
fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "is empty",
        Value::Bool(_) => "is a truth value",
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() != 0.0) => {
            "is a number with a fraction"
        }
        Value::Number(_) => "is a number",
        Value::String(_) => "is a string",
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
        Form::Text(_) => "a string",
        Form::Number(number) if number.whole => "a whole number",
        Form::Number(_) => "a number",
        Form::Truth => "true or false",
        Form::NumberOrText => "a whole number or a string",
    }
}

/// A value as a text without quotes.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
