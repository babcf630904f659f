// SPDX-License-Identifier: Apache-2.0
//! What the API server refuses by itself, said before it gets the object: unknown fields, wrong types, values outside
//! of the schema.
//!
//! The source is the CustomResourceDefinition that is installed, read with the meaning Kubernetes gives it (a written
//! null is absent, defaults are filled in, integers or texts), so that a new field needs nothing here. CEL rules are
//! not evaluated: each is the static half of a rule of the catalogue.

mod compiled;
mod elsewhere;
mod hidden;
mod instead;
mod meant;
mod metadata;
mod pods;
mod scalar;
mod sentences;
mod walk;

use serde_json::Value;

use super::finding::{Finding, Kind, Severity};
use super::quoting::{quoted, value_at};
use super::rule::{Check, Example, Rule};
pub(super) use compiled::Schema;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: UNKNOWN, severity: Severity::Deny, schema: true, since: "0.1",
        title: "every field is one that the definition knows",
        consequence: "kubectl refuses the object; any other client has the field dropped without a word, and what it asked for never happens.",
        check: Check::schema(),
        example: Example { bad: "spec: {workerSpec: {numOfWorker: 3}}", at: "spec.workerSpec.numOfWorker", good: "spec: {workerSpec: {numOfWorkers: 3}}", old: None },
    },
    Rule {
        id: TYPE, severity: Severity::Deny, schema: true, since: "0.1",
        title: "every value has the type of its field",
        consequence: "The API server refuses the object. An unquoted version such as 5.10 is the number 5.1 to YAML.",
        check: Check::schema(),
        example: Example { bad: "spec: {workerSpec: {numOfWorkers: three}}", at: "spec.workerSpec.numOfWorkers", good: "spec: {workerSpec: {numOfWorkers: 3}}", old: None },
    },
    Rule {
        id: VALUE, severity: Severity::Deny, schema: true, since: "0.1",
        title: "every value keeps to what its field allows, and nothing required is missing",
        consequence: "The API server refuses the object.",
        check: Check::schema(),
        example: Example { bad: "spec: {common: {volumes: [{name: data, azureFile: {shareName: data}}]}}", at: "spec.common.volumes[0].azureFile.secretName", good: "spec: {common: {volumes: [{name: data, azureFile: {shareName: data, secretName: share}}]}}", old: None },
    },
    Rule {
        id: TWICE, severity: Severity::Warn, schema: false, since: "0.1",
        title: "an input has one Celery of a name in each namespace",
        consequence: "kubectl applies both, one after the other, and only what the last one says stays; a test of the first one told nothing.",
        check: Check::input(),
        example: Example { bad: "metadata: {name: shop}", at: "metadata.name", good: "metadata: {name: mall}", old: None },
    },
    Rule {
        id: FOREIGN, severity: Severity::Warn, schema: false, since: "0.1",
        title: "a Celery of an input is of the group celeryproject.org",
        consequence: "The object is another operator's, or nobody's: the API server refuses a kind that it does not know, and here nothing of it is judged.",
        check: Check::input(),
        example: Example { bad: "apiVersion: celery.io/v1", at: "apiVersion", good: "apiVersion: celeryproject.org/v1alpha1", old: None },
    },
    Rule {
        id: EMPTY, severity: Severity::Warn, schema: false, since: "0.1",
        title: "no setting in config is null",
        consequence: "The API server drops a null before anybody sees it, as kubectl does, so that Celery keeps its default: results expire after a day where result_expires: null was to keep them for ever. Behind -- the arguments of workers and beat can say it.",
        check: Check::input(),
        example: Example { bad: "spec: {common: {config: {result_expires: null}}}", at: "spec.common.config.result_expires", good: "spec: {workerSpec: {args: ['--', 'result.expires=(json)null']}}", old: None },
    },
];

/// A field that does not exist.
const UNKNOWN: &str = "S01";
/// A value of the wrong type.
const TYPE: &str = "S02";
/// A value outside of the schema.
const VALUE: &str = "S03";
/// A name that an earlier document of the input has.
const TWICE: &str = "S04";
/// A setting that is null.
const EMPTY: &str = "C80";
/// A Celery of somebody else's group.
const FOREIGN: &str = "S07";

/// An object as the schema sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The object as it would be stored: without nulls and unknown fields, with defaults; values of a wrong type are
    /// left out, so that the rules can judge the rest.
    pub object: Value,
    /// What is against the schema.
    pub findings: Vec<Finding>,
    /// The fields that were left out because of their type, or because they were written under another name.
    pub dropped: Vec<String>,
}

/// Reads an object by the schema. `written` gives the text of a scalar at a path as it stands in the source, where
/// that is known: the number 5.1 may have been written as `5.10`.
#[must_use]
pub fn reading(object: &Value, written: &dyn Fn(&str) -> Option<String>) -> Reading {
    walk::reading(Schema::celery(), object, written)
}

/// A finding about an object that was meant to be a Celery and has another `apiVersion` or `kind`.
#[must_use]
pub fn misnamed(object: &Value, field: &str, meant: &str) -> Finding {
    let value = value_at(object, field);
    let (kind, message) = match &value {
        None => (Kind::Required, "is missing".to_owned()),
        Some(_) => (Kind::Unsupported, format!("is not the {field} of a Celery")),
    };
    Finding {
        rule: VALUE,
        severity: Severity::Deny,
        schema: true,
        path: field.to_owned(),
        place: field.to_owned(),
        kind,
        value,
        message,
        fix: format!("use {meant}"),
    }
}

/// A finding about a Celery of another group: somebody may have a kind of this name, so that it is left alone.
#[must_use]
pub fn foreign(written: &str) -> Finding {
    let path = "apiVersion".to_owned();
    Finding {
        rule: FOREIGN,
        severity: Severity::Warn,
        schema: false,
        place: path.clone(),
        path,
        kind: Kind::Unsupported,
        value: Some(quoted(written)),
        message: "is of another group, and nothing of the object is judged".to_owned(),
        fix: format!("write {} if it is meant for this operator", crate::api::API_VERSION),
    }
}

/// A finding about an object whose name an earlier one of the input has, which stands at `first`.
#[must_use]
pub fn twice(name: &str, first: &str) -> Finding {
    let path = "metadata.name".to_owned();
    Finding {
        rule: TWICE,
        severity: Severity::Warn,
        schema: false,
        place: path.clone(),
        path,
        kind: Kind::Duplicate,
        value: Some(quoted(name)),
        message: format!("is the name of the Celery at {first} too, and only the last one applied stays"),
        fix: "rename or remove one of them".to_owned(),
    }
}

impl Reading {
    /// The findings of the schema and those of the rules as one list: what a rule has found is not told twice, and what
    /// a rule only found because a value of the wrong type was left out is not told at all.
    #[must_use]
    pub fn with(self, rules: Vec<Finding>) -> Vec<Finding> {
        let Self { findings, dropped, .. } = self;
        let follows = |finding: &Finding| {
            let missing = finding.kind == Kind::Required;
            dropped.iter().any(|path| within(&finding.path, path) || (missing && within(path, &finding.path)))
        };
        let rules: Vec<Finding> = rules.into_iter().filter(|finding| !follows(finding)).collect();
        let told = |finding: &Finding| {
            finding.rule == VALUE && rules.iter().any(|other| within(&other.path, &finding.path))
        };
        let mut all: Vec<Finding> = findings.into_iter().filter(|finding| !told(finding)).collect();
        all.extend(rules);
        all
    }
}

/// Whether a path is another one or below it.
fn within(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests;
