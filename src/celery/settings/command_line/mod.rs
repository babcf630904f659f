// SPDX-License-Identifier: Apache-2.0
//! Settings on the command line: `namespace.key=value`, one word each, behind `--` or between the options.
//!
//! The key's case does not count, `.` and `_` are alike, a leading one stands for the namespace of the command. The
//! value is turned into the declared type, or into that of a cast before it: `broker.transport_options=(dict){}`. With a
//! cast Celery takes any key, known or not.

mod json;
mod table;

use crate::celery::expansion::expands;
use crate::celery::version::Release;
use crate::celery::{closest, number};

/// What Celery declares about a setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// `worker`
    pub namespace: &'static str,
    /// `prefetch_multiplier`
    pub key: &'static str,
    /// What a value without a cast becomes.
    pub kind: Type,
    /// First release that has it.
    pub since: Release,
    /// Last release that has it; `None` while it lives.
    pub until: Option<Release>,
}

/// What a text becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A text.
    Text,
    /// An integer.
    Int,
    /// A number.
    Float,
    /// `true`, `yes`, `on`, `1` or their opposites, in any case.
    Bool,
    /// Whatever is written.
    Any,
    /// A dictionary, which no text is but the empty one: it needs a cast.
    Empty,
    /// Nothing Celery could make from a text without a cast.
    Castable,
}

impl Row {
    /// `worker.prefetch_multiplier`
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.namespace, self.key)
    }

    fn is_in(&self, release: Release) -> bool {
        release >= self.since && self.until.is_none_or(|until| release <= until)
    }
}

/// One setting as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<'a> {
    /// Position of the word.
    pub at: usize,
    /// The setting as the application knows it: `worker_prefetch_multiplier`.
    pub name: String,
    /// The type written before the value.
    pub cast: Option<&'a str>,
    /// The value behind the cast.
    pub value: &'a str,
    /// What this release declares about it; `None` when it does not know it.
    pub row: Option<&'static Row>,
}

/// Why a word is no setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// No `=`, or no namespace in front of the key.
    NotASetting,
    /// No such setting in any release; [`meant`] may know which one was to be.
    Unknown,
    /// A setting of another release.
    OtherRelease(&'static Row),
    /// A value that is not of the declared type.
    Value(Type),
    /// A cast that Celery does not know.
    UnknownCast,
    /// A value that its cast cannot read.
    Cast,
}

/// Every setting that Celery declares, of all releases; a setting that changed its type has a row for each.
#[must_use]
pub fn rows() -> &'static [Row] {
    table::ROWS
}

/// What a release makes of one word. `namespace` is what a leading `.` stands for.
///
/// # Errors
/// Why Celery refuses the word, or crashes over it.
pub fn setting<'a>(
    at: usize,
    word: &'a str,
    namespace: &str,
    release: Release,
) -> Result<Setting<'a>, Defect> {
    let (name, value) = word.split_once('=').ok_or(Defect::NotASetting)?;
    let name = name.to_lowercase().replace('.', "_");
    let (namespace, key) = parted(&name, namespace).ok_or(Defect::NotASetting)?;
    let rows = table::ROWS.iter().filter(|row| row.namespace == namespace && row.key == key);
    let here = rows.clone().find(|row| row.is_in(release));
    let setting = Setting { at, name: format!("{namespace}_{key}"), cast: None, value, row: here };
    if let Some((cast, value)) = cast(value) {
        // What a variable will put here is judged by nobody.
        if !expands(value) {
            readable(cast, value)?;
        }
        return Ok(Setting { cast: Some(cast), value, ..setting });
    }
    match (here, rows.clone().next_back()) {
        (Some(row), _) if expands(value) || reads(row.kind, value) => Ok(setting),
        (Some(row), _) => Err(Defect::Value(row.kind)),
        (None, Some(row)) => Err(Defect::OtherRelease(row)),
        (None, None) => Err(Defect::Unknown),
    }
}

/// Namespace and key of a name without dots.
fn parted<'n>(name: &'n str, namespace: &'n str) -> Option<(&'n str, &'n str)> {
    name.strip_prefix('_').map_or_else(|| name.split_once('_'), |key| Some((namespace, key)))
}

/// `(type)value`
fn cast(value: &str) -> Option<(&str, &str)> {
    let (cast, value) = value.strip_prefix('(')?.split_once(')')?;
    let is_word = !cast.is_empty() && cast.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_word.then_some((cast, value))
}

fn readable(cast: &str, value: &str) -> Result<(), Defect> {
    let kind = match cast {
        "string" | "any" => return Ok(()),
        "int" => Type::Int,
        "float" => Type::Float,
        "bool" => Type::Bool,
        "json" | "dict" | "list" | "tuple" => {
            return if json::is_json(value) { Ok(()) } else { Err(Defect::Cast) };
        }
        _ => return Err(Defect::UnknownCast),
    };
    if reads(kind, value) { Ok(()) } else { Err(Defect::Cast) }
}

fn reads(kind: Type, value: &str) -> bool {
    match kind {
        Type::Text | Type::Any => true,
        Type::Int => number::int(value).is_some(),
        Type::Float => number::float(value).is_some(),
        Type::Bool => {
            let words = ["true", "false", "yes", "no", "on", "off", "1", "0"];
            words.contains(&value.to_lowercase().as_str())
        }
        Type::Empty => value.is_empty(),
        Type::Castable => false,
    }
}

/// What was probably meant by a word that names no setting, as `namespace.key`: the nearest key in the namespace, else the
/// nearest of all settings. It is for whoever shows it, as to find it takes a while.
#[must_use]
pub fn meant(word: &str, namespace: &str, release: Release) -> Option<String> {
    let name = word.split('=').next().unwrap_or_default().to_lowercase().replace('.', "_");
    let (namespace, key) = parted(&name, namespace)?;
    let rows = || table::ROWS.iter().filter(|row| row.is_in(release));
    let keys = rows().filter(|row| row.namespace == namespace).map(|row| row.key);
    if let Some(key) = closest::of(key, keys) {
        return Some(format!("{namespace}.{key}"));
    }
    let names: Vec<String> = rows().map(Row::name).collect();
    closest::of(&format!("{namespace}.{key}"), names.iter().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::celery::closest::tests::measured;

    fn of(word: &str) -> Result<Setting<'_>, Defect> {
        setting(0, word, "worker", Release::V5_7)
    }

    #[test]
    fn every_spelling_of_a_key_is_read() {
        for word in ["worker.prefetch_multiplier=2", "WORKER_PREFETCH_MULTIPLIER=2", ".prefetch_multiplier=2"]
        {
            let setting = of(word).unwrap();
            assert_eq!((setting.name.as_str(), setting.value), ("worker_prefetch_multiplier", "2"));
            assert!(setting.row.is_some());
        }
    }

    #[test]
    fn a_cast_lets_any_key_pass() {
        let setting = of("no.such=(json){\"a\": [1, NaN]}").unwrap();
        assert_eq!((setting.cast, setting.row), (Some("json"), None));
        assert_eq!(of("broker.transport_options={}"), Err(Defect::Value(Type::Empty)));
        assert_eq!(of("broker.transport_options=(dict){a}"), Err(Defect::Cast));
        assert_eq!(of("broker.transport_options=(map){}"), Err(Defect::UnknownCast));
    }

    #[test]
    fn words_that_are_no_settings() {
        for word in ["worker", "", "-", "&&", "=1", "a=1"] {
            assert_eq!(of(word), Err(Defect::NotASetting), "{word}");
        }
        let mistyped = "worker.prefetch_multiplyer=1";
        let count = measured(|| assert_eq!(of(mistyped), Err(Defect::Unknown)));
        assert_eq!(count, 0, "who only asks whether it is one pays for no proposal");
        for word in [mistyped, ".prefetch_multiplyer=1", "wroker.prefetch_multiplier"] {
            let meant = meant(word, "worker", Release::V5_7);
            assert_eq!(meant.as_deref(), Some("worker.prefetch_multiplier"), "{word}");
        }
        assert_eq!(meant("no.such=1", "worker", Release::V5_7), None);
        assert_eq!(of("worker.prefetch_multiplier=two"), Err(Defect::Value(Type::Int)));
        let soft = "worker.soft_shutdown_timeout=25";
        assert!(of(soft).is_ok());
        assert!(matches!(setting(0, soft, "worker", Release::V5_4), Err(Defect::OtherRelease(_))));
    }
}
