// SPDX-License-Identifier: Apache-2.0
//! What a rule found, and the words it is told in.

use std::fmt;

use serde_json::Value;

use super::path;
use super::quoting::{one_of, quoted, sentence, shown_path, value_at};
use crate::api::{Open, Word};

/// Most findings of one object: nobody reads more, and an answer has a size.
const MAX_FINDINGS: usize = 500;

/// What a finding means for the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Cannot work, loses work, or opens a door.
    Deny,
    /// Works, but probably not as meant.
    Warn,
}

impl Severity {
    /// `deny` or `warn`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
        }
    }
}

/// The first words of a message, in the forms Kubernetes uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The value cannot be used.
    Invalid,
    /// A value is missing.
    Required,
    /// The field must not be set here.
    Forbidden,
    /// The value names something that is not there.
    NotFound,
    /// The value is there twice.
    Duplicate,
    /// The value is not on a list.
    Unsupported,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Invalid => "Invalid value",
            Self::Required => "Required value",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "Not found",
            Self::Duplicate => "Duplicate value",
            Self::Unsupported => "Unsupported value",
        }
    }

    /// The reason of a cause, as the API server's own validation gives it.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "FieldValueInvalid",
            Self::Required => "FieldValueRequired",
            Self::Forbidden => "FieldValueForbidden",
            Self::NotFound => "FieldValueNotFound",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Unsupported => "FieldValueNotSupported",
        }
    }
}

/// One breach of one rule at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Id of the rule.
    pub rule: &'static str,
    /// What it means for the request.
    pub severity: Severity,
    /// Whether schema or CEL refuse it too.
    pub schema: bool,
    /// The field, as it finds its way through the object: `spec.scaleTargetRef[0].kind`. Nobody is to see it as it is.
    pub path: String,
    /// The field by list keys, so that it stays the same when items move; no more to be seen than the path.
    pub place: String,
    /// How the message begins.
    pub kind: Kind,
    /// The value as it may be shown: cut, without credentials.
    pub value: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

impl Finding {
    /// Whether two findings are about the same thing.
    #[must_use]
    pub fn same_matter(&self, other: &Self) -> bool {
        (self.rule, &self.place, &self.value) == (other.rule, &other.place, &other.value)
    }

    /// The same with nothing in its sentences that may be a password and stands in the object.
    pub(super) fn veiled(self, raw: &Value) -> Self {
        let veiled = |text: &str| sentence(text, raw, &self.path);
        Self { message: veiled(&self.message), fix: veiled(&self.fix), ..self }
    }

    /// The path as it may be shown: people write passwords where the name of a field belongs.
    #[must_use]
    pub fn shown_path(&self) -> String {
        shown_path(&self.path)
    }

    /// The place as it may be shown.
    #[must_use]
    pub fn shown_place(&self) -> String {
        shown_path(&self.place)
    }

    /// The text behind the path: `Invalid value: "x": is not …; write … [C04]`.
    #[must_use]
    pub fn text(&self) -> String {
        let value = self.value.as_ref().map(|value| format!(" \"{value}\":")).unwrap_or_default();
        format!("{}:{value} {}; {} [{}]", self.kind.words(), self.message, self.fix, self.rule)
    }

    /// The whole warning without its rule: `spec.common.celeryApp: "tasks.py" looks like a file name; use "tasks"`. What
    /// works has not the form of an error.
    #[must_use]
    pub fn warning(&self) -> String {
        let value = self.value.as_ref().map(|value| format!("\"{value}\" ")).unwrap_or_default();
        format!("{}: {value}{}; {}", self.shown_path(), self.message, self.fix)
    }
}

/// In the words of kubectl: a denial as the cause of a refusal, a warning as a warning.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.severity {
            Severity::Deny => write!(f, "{}: {}", self.shown_path(), self.text()),
            Severity::Warn => write!(f, "{} [{}]", self.warning(), self.rule),
        }
    }
}

/// What every finding takes over from its rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    pub(super) also: Option<Severity>,
    pub(super) schema: bool,
}

/// Where a rule's function leaves its findings.
#[derive(Debug)]
pub(super) struct Report<'r> {
    origin: Origin,
    raw: &'r Value,
    findings: &'r mut Vec<Finding>,
}

impl<'r> Report<'r> {
    pub(super) fn new(origin: Origin, raw: &'r Value, findings: &'r mut Vec<Finding>) -> Self {
        Self { origin, raw, findings }
    }

    /// Adds a finding of the rule's own severity; the value is read from the object where the kind shows one.
    pub(super) fn add(
        &mut self,
        kind: Kind,
        path: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.graded(self.origin.severity, kind, path, message, fix);
    }

    /// Adds a finding of a severity that is not the rule's own.
    pub(super) fn graded(
        &mut self,
        severity: Severity,
        kind: Kind,
        path: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let path = path.into();
        let is_absent = || path::at(self.raw, &path).is_none_or(Value::is_null);
        if kind == Kind::Unsupported && is_absent() {
            let missing = "is missing".to_owned();
            return self.push(severity, Kind::Required, path, None, missing, fix.into());
        }
        let value = match kind {
            Kind::Required | Kind::Forbidden => None,
            _ => value_at(self.raw, &path),
        };
        self.push(severity, kind, path, value, message.into(), fix.into());
    }

    /// Adds a finding that is a warning, whatever the severity of the rule.
    pub(super) fn warn(
        &mut self,
        kind: Kind,
        path: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.graded(Severity::Warn, kind, path, message, fix);
    }

    /// Adds a finding about a value that may hold credentials: it is not shown.
    pub(super) fn add_hidden(
        &mut self,
        severity: Severity,
        path: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.push(severity, Kind::Invalid, path.into(), None, message.into(), fix.into());
    }

    /// Adds a finding that shows a value prepared by the rule: one with credentials masked.
    pub(super) fn add_shown(
        &mut self,
        severity: Severity,
        path: impl Into<String>,
        shown: &str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.push(severity, Kind::Invalid, path.into(), Some(quoted(shown)), message.into(), fix.into());
    }

    /// Tells of a word that is not on the list of its field.
    pub(super) fn unsupported<T: Word>(&mut self, word: &Open<T>, path: String, message: &str) {
        if word.known().is_none() {
            self.add(Kind::Unsupported, path, message, one_of(&T::supported()));
        }
    }

    /// The object as it was written.
    #[must_use]
    pub(super) fn raw(&self) -> &'r Value {
        self.raw
    }

    /// The severity of the rule at hand.
    #[must_use]
    pub(super) fn severity(&self) -> Severity {
        self.origin.severity
    }

    fn push(
        &mut self,
        severity: Severity,
        kind: Kind,
        path: String,
        value: Option<String>,
        message: String,
        fix: String,
    ) {
        if self.findings.len() >= MAX_FINDINGS {
            return;
        }
        let place = path::place(self.raw, &path);
        let Origin { id, severity: main, also, schema } = self.origin;
        debug_assert!(
            severity == main || Some(severity) == also,
            "{id} does not say that it may {}",
            severity.as_str()
        );
        let finding = Finding { rule: id, severity, schema, path, place, kind, value, message, fix };
        self.findings.push(finding.veiled(self.raw));
    }
}
