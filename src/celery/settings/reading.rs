// SPDX-License-Identifier: Apache-2.0
//! The value that a word gives to a setting.

use thiserror::Error;

use super::{Setting, Unknown, setting};
use crate::celery::expansion::expands;
use crate::celery::number;
use crate::celery::settings::command_line::{self, Defect, Type};
use crate::celery::version::Release;

/// A value as Celery has it in the end.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number; one that does not fit is cut to the nearest that does.
    Whole(i64),
    /// A number, possibly infinite.
    Number(f64),
    /// True or false.
    Flag(bool),
    /// What a JSON text says; a whole number in it that 64 bits do not hold is the nearest float.
    Json(serde_json::Value),
    /// A text whose value is not known here: it has a variable in it, or numbers that only Python takes for JSON.
    Unread(String),
}

/// Why Celery does not start with a word, or starts as if it were not there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// No `=`, or no namespace before the name; some settings have none and cannot be set this way.
    #[error("is not namespace.key=value")]
    NotASetting,
    /// Not a setting of this release. With a cast Celery starts all the same, and the word has no effect.
    #[error("{0}")]
    Unknown(Unknown),
    /// A cast that Celery does not know.
    #[error("has a cast that Celery does not know")]
    Cast,
    /// A setting that Celery cannot read without a cast.
    #[error("needs a cast such as (json)")]
    CastNeeded,
    /// A value of another kind.
    #[error("has a value that is not {0}")]
    Value(&'static str),
}

/// The setting that a word sets, and its value, as a worker of a release reads it.
///
/// # Errors
/// What is wrong with the word.
pub fn reading(word: &str, release: Release) -> Result<(&'static Setting, Value), Fault> {
    let read = command_line::setting(0, word, "worker", release);
    let (name, value) = match read {
        Ok(read) => (read.name, converted(read.cast, read.row.map(|row| row.kind), read.value)),
        Err(Defect::NotASetting) => return Err(Fault::NotASetting),
        Err(Defect::UnknownCast) => return Err(Fault::Cast),
        Err(Defect::Cast) => return Err(Fault::Value("what its cast says")),
        Err(Defect::Value(Type::Empty | Type::Castable)) => return Err(Fault::CastNeeded),
        Err(Defect::Value(Type::Int)) => return Err(Fault::Value("a whole number")),
        Err(Defect::Value(Type::Float)) => return Err(Fault::Value("a number")),
        Err(Defect::Value(Type::Bool | Type::Text | Type::Any)) => {
            return Err(Fault::Value("true or false"));
        }
        // Known after all, when it only looks as if it had a namespace.
        Err(Defect::Unknown | Defect::OtherRelease(_)) => {
            setting(&name(word), release).map_err(Fault::Unknown)?;
            return Err(Fault::CastNeeded);
        }
    };
    let setting = setting(&name, release).map_err(Fault::Unknown)?;
    Ok((setting, value))
}

/// The name in a word, as the application would write it.
fn name(word: &str) -> String {
    let name = word.split('=').next().unwrap_or_default().to_lowercase().replace('.', "_");
    if name.starts_with('_') { format!("worker{name}") } else { name }
}

fn converted(cast: Option<&str>, declared: Option<Type>, text: &str) -> Value {
    let unread = || Value::Unread(text.to_owned());
    if expands(text) {
        return unread();
    }
    let json = |text| serde_json::from_str(text).map_or_else(|_| unread(), Value::Json);
    match (cast, declared) {
        (Some("int"), _) | (None, Some(Type::Int)) => number::int(text).map_or_else(unread, Value::Whole),
        (Some("float"), _) | (None, Some(Type::Float)) => {
            number::float(text).map_or_else(unread, Value::Number)
        }
        (Some("bool"), _) | (None, Some(Type::Bool)) => truth(text).map_or_else(unread, Value::Flag),
        (Some("dict" | "list" | "tuple" | "json"), _) => json(text),
        // Python makes an empty table of an empty text, which is the only one it can read here.
        (None, Some(Type::Empty)) => json("{}"),
        _ => Value::Text(text.to_owned()),
    }
}

/// The text as Celery reads true and false.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "on" => Some(true),
        "false" | "no" | "0" | "off" => Some(false),
        _ => None,
    }
}
