// SPDX-License-Identifier: Apache-2.0
//! The word that sets a setting to a value.

use serde_json::Value as Json;
use thiserror::Error;

use super::reading::truth;
use super::{SettingKind, Unknown, extension, setting, undeclared};
use crate::celery::number;
use crate::celery::version::Release;

/// Settings that Celery's table calls texts, but that take a list or a table.
const MORE_THAN_TEXT: [&str; 4] =
    ["broker_url", "broker_read_url", "broker_write_url", "cassandra_auth_kwargs"];

/// Why no word can set a setting to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Not a setting of this release.
    #[error("{0}")]
    Unknown(Unknown),
    /// The command line cannot set it, whatever the value.
    #[error("cannot be set on the command line of Celery; the application must set it")]
    Unreachable,
    /// A value of another kind.
    #[error("needs {0}")]
    Value(&'static str),
}

/// The word that sets a setting of a release to a value, for behind `--` on the command line of a worker or beat.
///
/// # Errors
/// Why there is no such word.
pub fn word(name: &str, value: &Json, release: Release) -> Result<String, Refusal> {
    if extension(name).is_some() {
        return of_extension(name, value);
    }
    let (kind, plain) = if let Some(kind) = undeclared(name) {
        (kind, false)
    } else {
        let setting = setting(name, release).map_err(Refusal::Unknown)?;
        (setting.kind, setting.takes_plain_words())
    };
    // A name of one word has no namespace to put before the dot.
    let (namespace, rest) = name.split_once('_').ok_or(Refusal::Unreachable)?;
    let text = expressed(name, kind, plain, value)?;
    if text.contains('\0') {
        return Err(Refusal::Value("a value without a NUL"));
    }
    Ok(format!("{namespace}.{rest}={text}"))
}

/// Celery has no kind for it, so the value has to say its own.
fn of_extension(name: &str, value: &Json) -> Result<String, Refusal> {
    let (namespace, rest) = name.split_once('_').ok_or(Refusal::Unreachable)?;
    match value {
        Json::String(text) if text.contains('\0') => Err(Refusal::Value("a value without a NUL")),
        Json::String(text) => Ok(format!("{namespace}.{rest}=(string){text}")),
        other => Ok(format!("{namespace}.{rest}=(json){other}")),
    }
}

fn expressed(name: &str, kind: SettingKind, plain: bool, value: &Json) -> Result<String, Refusal> {
    if kind == SettingKind::Bytes {
        return Err(Refusal::Unreachable);
    }
    let cast = |cast: &str, text: &str| Ok(if plain { text.to_owned() } else { format!("({cast}){text}") });
    let json = |cast: &str| Ok(format!("({cast}){value}"));
    match (kind, value) {
        (_, Json::Null) => json("json"),
        (SettingKind::Flag, Json::Bool(flag)) => cast("bool", &flag.to_string()),
        (SettingKind::Flag, Json::String(text)) if truth(text).is_some() => cast("bool", text),
        (SettingKind::Flag, Json::Object(_)) if name == "broker_use_ssl" => json("dict"),
        (SettingKind::Flag, _) if name == "broker_use_ssl" => {
            Err(Refusal::Value("true, false or a table of names and values"))
        }
        (SettingKind::Flag, _) => Err(Refusal::Value("true or false")),
        (SettingKind::Whole, Json::Number(number)) if !number.is_f64() => cast("int", &number.to_string()),
        (SettingKind::Whole, Json::String(text)) if number::int(text).is_some() => cast("int", text),
        (SettingKind::Whole, _) => Err(Refusal::Value("a whole number")),
        (SettingKind::Number, Json::Number(number)) => cast("float", &number.to_string()),
        (SettingKind::Number, Json::String(text)) if number::float(text).is_some() => cast("float", text),
        (SettingKind::Number, _) => Err(Refusal::Value("a number")),
        (SettingKind::Table, Json::Object(_)) => json("dict"),
        (SettingKind::Table, _) => Err(Refusal::Value("a table of names and values")),
        (SettingKind::List, Json::Array(_)) => json("list"),
        (SettingKind::List, _) => Err(Refusal::Value("a list")),
        // A text that begins like a cast is told from one by a cast of its own.
        (SettingKind::Text | SettingKind::Any, Json::String(text)) if text.starts_with('(') => {
            Ok(format!("(string){text}"))
        }
        (SettingKind::Text | SettingKind::Any, Json::String(text)) => cast("string", text),
        (SettingKind::Text, Json::Number(_)) | (SettingKind::Any, _) => json("json"),
        (SettingKind::Text, Json::Array(_) | Json::Object(_)) if MORE_THAN_TEXT.contains(&name) => {
            json("json")
        }
        (SettingKind::Text | SettingKind::Bytes, _) => Err(Refusal::Value("a string")),
    }
}
