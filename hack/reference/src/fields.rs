// SPDX-License-Identifier: Apache-2.0
//! Every field of the definition.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use celery_operator::api::{crd, limits};
use serde_json::{Map, Value};

use crate::kubernetes::{self, Type};
use crate::markdown::{anchor, code, head, table};

const COLUMNS: &[&str] = &["Field", "Type", "Default", "Allowed", "Meaning"];

/// The page.
pub(crate) fn page() -> String {
    let definition = serde_json::to_value(crd::definition()).unwrap_or_default();
    let at = |pointer: &str| definition.pointer(pointer).cloned().unwrap_or_default();
    let kind = at("/spec/names/kind");
    let kind = kind.as_str().unwrap_or_default();
    let mut text = head(&format!("Fields of a {kind}"));
    let _ = write!(
        text,
        "\nA required field is marked with \\*. Texts have at most {} characters and lists at most {} items unless \
         something else is told. Types of Kubernetes are linked and not repeated here.\n",
        limits::TEXT,
        limits::ITEMS
    );
    let schema = at("/spec/versions/0/schema/openAPIV3Schema");
    let page = Page { types: kubernetes::types() };
    rules(&schema, &mut text);
    for name in ["spec", "status"] {
        if let Some(part) = schema.pointer(&format!("/properties/{name}")) {
            page.section(name, part, &mut text);
        }
    }
    text
}

struct Page {
    types: Vec<Type>,
}

impl Page {
    /// An object's fields as a table, then the objects among them as sections of their own.
    fn section(&self, path: &str, schema: &Value, text: &mut String) {
        let _ = writeln!(text, "\n## {path}\n");
        if let Some(description) = schema.get("description").and_then(Value::as_str) {
            let _ = writeln!(text, "{}\n", description.trim());
        }
        let fields = properties(schema);
        let required: BTreeSet<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let rows: Vec<Vec<String>> = fields
            .iter()
            .map(|(name, field)| {
                let mark = if required.contains(name.as_str()) { "\\*" } else { "" };
                vec![
                    format!("{}{mark}", code(name)),
                    self.type_of(&format!("{path}.{name}"), field),
                    field.get("default").map(shown).unwrap_or_default(),
                    allowed(field),
                    field.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
                ]
            })
            .collect();
        text.push_str(&table(COLUMNS, &rows));
        rules(schema, text);
        for (name, field) in fields {
            if let Some((path, inner)) = self.inner(&format!("{path}.{name}"), field) {
                self.section(&path, inner, text);
            }
        }
    }

    /// The object that a field holds, or its items do, with its path; `None` when it has no section of its own.
    fn inner<'s>(&self, path: &str, field: &'s Value) -> Option<(String, &'s Value)> {
        if let Some(items) = field.get("items") {
            return self.inner(&format!("{path}[]"), items);
        }
        let own = !properties(field).is_empty() && kubernetes::matching(&self.types, field).is_none();
        own.then(|| (path.to_owned(), field))
    }

    fn type_of(&self, path: &str, field: &Value) -> String {
        let is = |key: &str| field.get(key).is_some_and(|value| *value == Value::Bool(true));
        if is("x-kubernetes-int-or-string") {
            return "whole number or text".to_owned();
        }
        if let Some(known) = kubernetes::matching(&self.types, field) {
            return known.link.clone();
        }
        match field.get("type").and_then(Value::as_str) {
            Some("array") => {
                let items = field.get("items").unwrap_or(&Value::Null);
                format!("list of {}", self.type_of(&format!("{path}[]"), items))
            }
            Some("object") if !properties(field).is_empty() => format!("[object](#{})", anchor(path)),
            Some("object") => match field.get("additionalProperties").filter(|others| others.is_object()) {
                Some(others) => format!("map of {}", self.type_of(path, others)),
                None => "open object".to_owned(),
            },
            Some("string") => match field.get("format").and_then(Value::as_str) {
                Some("date-time") => "time".to_owned(),
                _ => "text".to_owned(),
            },
            Some("integer") => "whole number".to_owned(),
            Some("number") => "number".to_owned(),
            Some("boolean") => "true or false".to_owned(),
            _ => "anything".to_owned(),
        }
    }
}

/// The CEL rules of an object.
fn rules(schema: &Value, text: &mut String) {
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
    let rows: Vec<Vec<String>> = rules
        .into_iter()
        .flatten()
        .map(|rule| {
            let part = |key: &str| rule.get(key).and_then(Value::as_str).unwrap_or_default();
            let field = part("fieldPath").trim_start_matches('.');
            let field = if field.is_empty() { String::new() } else { code(field) };
            vec![field, part("message").to_owned(), code(part("rule"))]
        })
        .collect();
    if !rows.is_empty() {
        let _ = write!(
            text,
            "\nHeld by the API server itself, even with the webhooks away:\n\n{}",
            table(&["Field", "Message", "CEL"], &rows)
        );
    }
}

fn properties(schema: &Value) -> Vec<(&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter).collect()
}

fn shown(value: &Value) -> String {
    code(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// Words, bounds and forms.
fn allowed(field: &Value) -> String {
    let mut parts = Vec::new();
    if let Some(words) = field.get("enum").and_then(Value::as_array) {
        parts.push(words.iter().map(shown).collect::<Vec<String>>().join(", "));
    }
    let number = |key: &str| field.get(key).and_then(Value::as_f64);
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => parts.push(format!("{least} to {most}")),
        (Some(least), None) => parts.push(format!("{least} or more")),
        (None, Some(most)) => parts.push(format!("{most} or less")),
        (None, None) => {}
    }
    if let Some(pattern) = field.get("pattern").and_then(Value::as_str) {
        parts.push(code(pattern));
    }
    let count = |key: &str| field.get(key).and_then(Value::as_u64);
    let ordinary = |most: &u64, limit: usize| *most != limit as u64;
    if let Some(most) = count("maxLength").filter(|most| ordinary(most, limits::TEXT)) {
        parts.push(format!("at most {most} characters"));
    }
    if let Some(least) = count("minItems") {
        parts.push(format!("at least {least} {}", if least == 1 { "item" } else { "items" }));
    }
    if let Some(most) = count("maxItems").filter(|most| ordinary(most, limits::ITEMS)) {
        parts.push(format!("at most {most} items"));
    }
    if let Some(keys) = field.get("x-kubernetes-list-map-keys").and_then(Value::as_array) {
        let keys: Vec<String> = keys.iter().map(shown).collect();
        parts.push(format!("no two of the same {}", keys.join(" and ")));
    }
    parts.join("; ")
}
