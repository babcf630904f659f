// SPDX-License-Identifier: Apache-2.0
//! The structural schema in the form that is walked.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::metadata;
use super::scalar::{Number, Text};
use crate::api::crd;

/// A schema; absent bounds are open.
#[derive(Debug, Default)]
pub(in crate::rules) struct Schema {
    pub(super) form: Form,
    pub(super) default: Option<Value>,
    /// The values that are allowed; empty: all.
    pub(super) words: Vec<Value>,
}

/// What a value may be.
#[derive(Debug, Default)]
pub(super) enum Form {
    /// Whatever JSON can say.
    #[default]
    Any,
    /// Fields with schemas of their own.
    Object(Box<Fields>),
    /// Items of one schema.
    List(Box<Items>),
    /// A text.
    Text(Box<Text>),
    /// A whole number or any number.
    Number(Number),
    /// True or false.
    Truth,
    /// A whole number or a text, as quantities and ports are.
    NumberOrText,
}

/// What an object may hold.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) known: BTreeMap<String, Schema>,
    /// Schema of fields under names of the user's own.
    pub(super) others: Option<Schema>,
    /// Whether fields without a schema stay.
    pub(super) open: bool,
    pub(super) required: Vec<String>,
    pub(super) max: Option<u64>,
}

/// What a list may hold.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) item: Schema,
    pub(super) min: Option<u64>,
    pub(super) max: Option<u64>,
    /// Fields by which items differ.
    pub(super) keys: Vec<String>,
    /// Whether no item may be there twice.
    pub(super) distinct: bool,
}

impl Schema {
    /// The schema of a Celery, metadata included and status left out: the API server takes no status from users.
    pub(in crate::rules) fn celery() -> &'static Self {
        static CELERY: LazyLock<Schema> = LazyLock::new(celery);
        &CELERY
    }

    /// Most characters of a text; none where it may be of any length, or is no text.
    pub(in crate::rules) fn longest_text(&self) -> Option<u64> {
        if let Form::Text(text) = &self.form { text.max } else { None }
    }

    /// The schema of a list's items, and how many there may be.
    pub(in crate::rules) fn items(&self) -> Option<(&Self, Option<u64>)> {
        if let Form::List(items) = &self.form { Some((&items.item, items.max)) } else { None }
    }

    /// Most entries of a map.
    pub(in crate::rules) fn most_entries(&self) -> Option<u64> {
        if let Form::Object(fields) = &self.form { fields.max } else { None }
    }

    /// The schema of a field or of a map's entry.
    pub(in crate::rules) fn field(&self, name: &str) -> Option<&Self> {
        let Form::Object(fields) = &self.form else { return None };
        fields.known.get(name).or(fields.others.as_ref())
    }
}

fn celery() -> Schema {
    let definition = crd::definition();
    let version = definition.spec.versions.first();
    let schema = version.and_then(|version| version.schema.as_ref()?.open_api_v3_schema.as_ref());
    let schema = schema.and_then(|schema| serde_json::to_value(schema).ok()).unwrap_or_default();
    let mut root = compiled(&schema);
    if let Form::Object(fields) = &mut root.form {
        for name in ["apiVersion", "kind"] {
            fields.known.insert(name.to_owned(), compiled(&serde_json::json!({"type": "string"})));
        }
        fields.known.insert("metadata".to_owned(), compiled(&metadata::schema()));
        fields.known.insert("status".to_owned(), Schema::default());
    }
    root
}

/// A schema from its JSON.
pub(super) fn compiled(schema: &Value) -> Schema {
    let count = |key: &str| schema.get(key).and_then(Value::as_u64);
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    let flag = |key: &str| schema.get(key).and_then(Value::as_bool).unwrap_or_default();
    let form = match type_of(schema) {
        _ if flag("x-kubernetes-int-or-string") => Form::NumberOrText,
        // What may be in there is for the rules to say, and so is what else was written in its place.
        Some("object")
            if flag("x-kubernetes-preserve-unknown-fields") && schema.get("properties").is_none() =>
        {
            Form::Any
        }
        Some("object") => Form::Object(Box::new(fields(schema))),
        Some("array") => Form::List(Box::new(Items {
            item: schema.get("items").map(compiled).unwrap_or_default(),
            min: count("minItems"),
            max: count("maxItems"),
            keys: words(schema.get("x-kubernetes-list-map-keys")),
            distinct: schema.get("x-kubernetes-list-type").is_some_and(|kind| kind == "set"),
        })),
        Some("string") => Form::Text(Box::new(Text {
            min: count("minLength"),
            max: count("maxLength"),
            pattern: text("pattern").and_then(|pattern| Regex::new(pattern).ok()),
            is_time: text("format") == Some("date-time"),
        })),
        Some(number @ ("integer" | "number")) => Form::Number(Number {
            whole: number == "integer",
            min: schema.get("minimum").and_then(Value::as_f64),
            max: schema.get("maximum").and_then(Value::as_f64),
            range: Number::range(text("format")),
        }),
        Some("boolean") => Form::Truth,
        _ => Form::Any,
    };
    let listed = schema.get("enum").and_then(Value::as_array);
    Schema {
        form,
        default: schema.get("default").cloned(),
        words: listed.into_iter().flatten().filter(|word| !word.is_null()).cloned().collect(),
    }
}

/// The type; of a type that may also be null, the other one.
fn type_of(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

fn fields(schema: &Value) -> Fields {
    let known = schema.get("properties").and_then(Value::as_object);
    let others = schema.get("additionalProperties").filter(|others| others.is_object());
    let any = schema.get("additionalProperties").is_some_and(|others| *others == Value::Bool(true));
    let open =
        schema.get("x-kubernetes-preserve-unknown-fields").is_some_and(|open| *open == Value::Bool(true));
    Fields {
        known: known.into_iter().flatten().map(|(name, schema)| (name.clone(), compiled(schema))).collect(),
        others: others.map(compiled),
        open: open || any,
        required: words(schema.get("required")),
        max: schema.get("maxProperties").and_then(Value::as_u64),
    }
}

fn words(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
