// SPDX-License-Identifier: Apache-2.0
//! What we accept: every rule once, asked by the webhook, the reconciler and the command line alike.
//!
//! A rule is one entry of an area's `RULES` table: id, severity, what would happen without it, the check, and a bad
//! and a good example that a test runs. Field rules are garde attributes on the types of [`crate::api`]; their entry
//! names the fields. Faults of argument lists are found once; an entry names those that are its own. Cross-field rules are
//! plain functions. All end in one list of [`Finding`]s.
//!
//! An area stands on the ground (the subject, the report, the readings of arguments, variables and Secrets) and on
//! nothing beside it: what two areas need moves down there. `tests/floors.rs` has the list and holds it.

mod args;
mod argument;
mod autoscale;
mod backend;
mod beat;
mod breach;
mod broker;
pub mod catalogue;
mod common;
mod config;
mod credentials;
mod environment;
pub mod example;
mod facts;
mod field;
mod finding;
mod flower;
mod folders;
mod ignored;
mod misnamed;
mod monitors;
mod overheard;
mod path;
mod placeholder;
mod pods;
mod pools;
mod probes;
mod queue_names;
mod quoting;
mod references;
mod release;
mod replicas;
mod rule;
pub mod schema;
mod secret;
mod shell;
mod shutdown;
mod signs;
mod size;
mod subject;
mod variables;
mod volume;
mod within;
mod worker;
mod worker_args;

use serde::Deserialize as _;
use serde_json::Value;
use thiserror::Error;

use crate::api::Celery;
pub use facts::{Facts, SecretKeys, SecretTexts};
pub use finding::{Finding, Kind, Severity};
pub use rule::{Check, Example, Rule};

use finding::Report;
pub(crate) use overheard::overheard;
pub(crate) use quoting::{acts, quoted, shown_name, visible};
use subject::Subject;

/// The object does not have the types of the schema, so that no rule can look at it. The API server refuses such an
/// object with a message of its own.
#[derive(Debug, Error)]
#[error("the object does not have the form of a Celery: a field has a value of the wrong type")]
pub struct NotACelery(#[from] serde_json::Error);

/// Everything that is wrong with an object, the worst first; the order is stable.
///
/// With `old`, the object it replaces, a finding that `old` already had (same rule, same place, same value) is a
/// warning: nobody is kept from changing a label because of a rule that came later.
///
/// Warnings of rules that the object asks not to hear of are left out.
///
/// `facts` is what is known beside the object; what nobody knows is no finding.
///
/// # Errors
/// [`NotACelery`] when the new object cannot be decoded. An undecodable old object counts as having no findings, and
/// so does an object with lists longer than the schema allows: the API server refuses it.
pub fn check(new: &Value, old: Option<&Value>, facts: &Facts) -> Result<Vec<Finding>, NotACelery> {
    // Before anything is made of it: three bytes of a list can become thousands of a typed object.
    if size::is_oversized(new) {
        return Ok(Vec::new());
    }
    let typed = Celery::deserialize(new)?;
    let old = old.filter(|old| !size::is_oversized(old));
    let typed_old = old.and_then(|old| Celery::deserialize(old).ok());
    let mut findings = all(&typed, typed_old.as_ref(), new, facts);
    if let (Some(old), Some(typed_old)) = (old, &typed_old) {
        let known = all(typed_old, None, old, facts);
        for finding in &mut findings {
            if known.iter().any(|before| before.same_matter(finding)) {
                finding.severity = Severity::Warn;
            }
        }
    }
    findings.sort_by(|a, b| (a.severity, &a.path, a.rule).cmp(&(b.severity, &b.path, b.rule)));
    Ok(findings)
}

/// Makes what the rules read from, the schema with its patterns above all, by judging an example. Otherwise it is made
/// when it is first needed, and takes longer than a request: all that come first would wait for it together.
pub fn prepare() {
    let _ = example::object(PREPARED).map(|example| check(&example, None, &Facts::default()));
}

/// An example that has the rules read everything that is made once.
const PREPARED: &str = "spec: {workerSpec: {podTemplate: {spec: {nodeSelector: {disk: ssd}}}}}";

/// Whether the schema refuses an object: only the rules that it knows too are asked, which takes a part of the time that
/// [`check`] takes.
///
/// # Errors
/// [`NotACelery`] when the new object cannot be decoded.
pub fn is_refused_by_schema(new: &Value, old: Option<&Value>) -> Result<bool, NotACelery> {
    if size::is_oversized(new) {
        return Ok(false);
    }
    let typed = Celery::deserialize(new)?;
    let typed_old = old.filter(|old| !size::is_oversized(old)).and_then(|old| Celery::deserialize(old).ok());
    let facts = Facts::default();
    let subject = Subject::new(&typed, typed_old.as_ref(), &facts);
    let mut findings = field::findings(&typed.spec, new);
    for rule in catalogue::rules().filter(|rule| rule.schema) {
        if let Some(check) = rule.check.object {
            check(&subject, &mut Report::new(rule.origin(), new, &mut findings));
        }
    }
    Ok(findings.iter().any(|finding| finding.schema && finding.severity == Severity::Deny))
}

/// What speaks against scaling an object through its `scale` sub-resource. An object that cannot be decoded is not
/// judged.
#[must_use]
pub fn check_scale(object: &Value) -> Vec<Finding> {
    let Ok(typed) = Celery::deserialize(object) else { return Vec::new() };
    let facts = Facts::default();
    let subject = Subject::new(&typed, None, &facts);
    let mut findings = Vec::new();
    for rule in catalogue::rules() {
        if let Some(check) = rule.check.scale {
            check(&subject, &mut Report::new(rule.origin(), object, &mut findings));
        }
    }
    ignored::heard(&typed, findings)
}

fn all(object: &Celery, old: Option<&Celery>, raw: &Value, facts: &Facts) -> Vec<Finding> {
    let subject = Subject::new(object, old, facts);
    let mut findings = field::findings(&object.spec, raw);
    findings.extend(argument::findings(&subject, raw));
    for rule in catalogue::rules() {
        if let Some(check) = rule.check.object {
            check(&subject, &mut Report::new(rule.origin(), raw, &mut findings));
        }
    }
    ignored::heard(object, findings)
}

#[cfg(test)]
mod tests;
