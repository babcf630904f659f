// SPDX-License-Identifier: Apache-2.0
//! What Celery makes of a word behind `--`.

use thiserror::Error;

use super::{Kind, Setting, Unknown, setting};
use crate::celery::python;

/// The longest text that Python converts to a whole number.
const LONGEST: usize = 4300;

/// A value as Celery has it in the end.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number of any size, in digits.
    Whole(String),
    /// A number, possibly infinite.
    Number(f64),
    /// True or false.
    Flag(bool),
    /// What a JSON text says.
    Json(serde_json::Value),
}

/// Why Celery does not start with a word, or starts as if it were not there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// No `=`.
    #[error("has no \"=\"")]
    NoValue,
    /// A name without a namespace; some settings have none and cannot be set this way.
    #[error("has a name without a namespace")]
    NoNamespace,
    /// Not a setting of this release. With a cast Celery starts all the same, and the word has no effect.
    #[error("{0}")]
    Unknown(Unknown),
    /// A cast that Celery does not know.
    #[error("has the cast ({0}), which Celery does not know")]
    Cast(String),
    /// A setting that Celery cannot read without a cast.
    #[error("needs a cast such as ({0})")]
    CastNeeded(&'static str),
    /// A value of another kind.
    #[error("has a value that is not {0}")]
    Value(&'static str),
}

/// The setting that a word sets, and its value, as a worker of a release reads it; a release is a minor of Celery 5.
///
/// # Errors
/// What is wrong with the word.
pub fn reading(word: &str, minor: u8) -> Result<(&'static Setting, Value), Fault> {
    let (name, value) = word.split_once('=').ok_or(Fault::NoValue)?;
    let mut name = name.to_lowercase().replace('.', "_");
    if name.starts_with('_') {
        // What is left out in front is the namespace of the program.
        name = format!("worker{name}");
    }
    if !name.contains('_') {
        return Err(Fault::NoNamespace);
    }
    let found = setting(&name, minor).map_err(Fault::Unknown);
    if let Some((cast, text)) = cast(value) {
        let value = converted(cast, text)?;
        return found.map(|setting| (setting, value));
    }
    let setting = found?;
    let kind = setting.kind_in(minor);
    if !setting.takes_plain_words(minor) {
        return Err(Fault::CastNeeded(cast_of(kind)));
    }
    let value = match kind {
        Kind::Flag => converted("bool", value),
        Kind::Whole => converted("int", value),
        Kind::Number => converted("float", value),
        // Python makes an empty table of an empty text.
        Kind::Table if value.is_empty() => converted("dict", "{}"),
        Kind::Table | Kind::List | Kind::Names | Kind::Bytes => Err(Fault::CastNeeded(cast_of(kind))),
        Kind::Text | Kind::Any => converted("string", value),
    };
    value.map(|value| (setting, value))
}

/// `(name)` at the beginning, and what follows it.
fn cast(value: &str) -> Option<(&str, &str)> {
    let (name, text) = value.strip_prefix('(')?.split_once(')')?;
    let is_word = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_word.then_some((name, text))
}

fn converted(cast: &str, text: &str) -> Result<Value, Fault> {
    match cast {
        "string" | "any" => Ok(Value::Text(text.to_owned())),
        "int" => python::whole(text)
            .filter(|_| text.len() <= LONGEST)
            .map(Value::Whole)
            .ok_or(Fault::Value("a whole number")),
        "float" => python::float(text).map(Value::Number).ok_or(Fault::Value("a number")),
        "bool" => python::truth(text).map(Value::Flag).ok_or(Fault::Value("true or false")),
        "dict" | "list" | "tuple" | "json" => {
            serde_json::from_str(text).map(Value::Json).map_err(|_| Fault::Value("JSON"))
        }
        _ => Err(Fault::Cast(cast.to_owned())),
    }
}

fn cast_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Any | Kind::Bytes => "string",
        Kind::Whole => "int",
        Kind::Number => "float",
        Kind::Flag => "bool",
        Kind::Table => "dict",
        Kind::List | Kind::Names => "list",
    }
}
