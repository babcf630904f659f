// SPDX-License-Identifier: Apache-2.0
//! The verdict on one object: what the schema and the rules find, with lines.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde_json::Value;

use crate::api::{API_VERSION, GROUP};
use crate::celery::closest;
use crate::cli::input::{Object, RENDER_FIRST};
use crate::cli::print;
use crate::defaults::{self, Moment};
use crate::rules::{self, Facts, Finding, Severity, schema};

use super::facts::Known;

/// A finding and its line.
#[derive(Debug)]
pub(in crate::cli) struct Located {
    /// From 1.
    pub(in crate::cli) line: usize,
    /// What was found.
    pub(in crate::cli) finding: Finding,
}

/// What is to be said about one Celery.
#[derive(Debug)]
pub(in crate::cli) struct Verdict {
    /// The file it stands in.
    pub(in crate::cli) file: Arc<str>,
    /// Its namespace, the one of the command line when it names none.
    pub(in crate::cli) namespace: String,
    /// Its name, empty when it has none.
    pub(in crate::cli) name: String,
    /// The line of its name; `None` when the API server is to make one up.
    name_line: Option<usize>,
    /// As it would be stored; null when it is no Celery of ours.
    pub(in crate::cli) object: Value,
    /// In the order of the lines.
    pub(in crate::cli) findings: Vec<Located>,
}

impl Verdict {
    /// Whether the object would be refused.
    pub(in crate::cli) fn is_denied(&self) -> bool {
        self.count(Severity::Deny) > 0
    }

    /// How many findings have this severity.
    pub(in crate::cli) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|located| located.finding.severity == severity).count()
    }
}

/// The verdict on a Celery; `None` for an object of another kind.
pub(super) fn verdict(object: Object, default: &str, known: &mut Known) -> Option<Verdict> {
    let Object { file, node, value, list } = object;
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let (version, kind) = (text("/apiVersion").unwrap_or_default(), text("/kind").unwrap_or_default());
    let namespace = text("/metadata/namespace").unwrap_or(default).to_owned();
    let name =
        text("/metadata/name").or_else(|| text("/metadata/generateName")).unwrap_or_default().to_owned();
    let written = |path: &str| node.text_at(path).map(str::to_owned);
    let is_ours = version.split_once('/').is_some_and(|(group, _)| group == GROUP);
    let (object, mut findings) = if (version, kind) == (API_VERSION, "Celery") {
        known.beside(&namespace, &name, |facts| judged(&value, &written, facts))
    } else {
        // It is never stored as one of ours.
        (Value::Null, vec![misnamed(&value, list.as_deref())?])
    };
    let name_line = text("/metadata/name").filter(|_| is_ours).map(|_| node.line_at("metadata.name"));
    // In quotes a template is a text, and only the rules stumble over it.
    for finding in &mut findings {
        if node.text_at(&finding.path).is_some_and(|text| text.contains("{{")) {
            finding.fix = format!("{}, or if this is a Helm template, {RENDER_FIRST}", finding.fix);
        }
    }
    findings.sort_by_cached_key(|finding| {
        (node.line_at(&finding.path), finding.severity, finding.path.clone(), finding.rule)
    });
    Some(Verdict {
        file,
        namespace,
        name,
        name_line,
        object,
        findings: findings
            .into_iter()
            .map(|finding| Located { line: node.line_at(&finding.path), finding })
            .collect(),
    })
}

/// Warns of every object that has the name of an earlier one.
pub(super) fn tell_names_apart(verdicts: &mut [Verdict]) {
    let mut first: HashMap<(String, String), String> = HashMap::new();
    for verdict in verdicts {
        let Some(line) = verdict.name_line else { continue };
        match first.entry((verdict.namespace.clone(), verdict.name.clone())) {
            Entry::Vacant(entry) => {
                entry.insert(format!("{}:{line}", print::file(&verdict.file)));
            }
            Entry::Occupied(first) => {
                let finding = schema::twice(&verdict.name, first.get());
                let at = verdict.findings.partition_point(|located| located.line < line);
                verdict.findings.insert(at, Located { line, finding });
            }
        }
    }
}

/// The object as it would be stored, and everything that is wrong with it.
fn judged(value: &Value, written: &dyn Fn(&str) -> Option<String>, facts: &Facts) -> (Value, Vec<Finding>) {
    let mut reading = schema::reading(value, written);
    let object = std::mem::take(&mut reading.object);
    let additions = defaults::absent(&object, Moment::Creation);
    let object = defaults::defaulted(object, &additions);
    // What is left after wrong types were taken out can be decoded; should it not, the schema's findings remain.
    let findings = rules::check(&object, None, facts).unwrap_or_default();
    let findings = reading.with(findings);
    (object, findings)
}

/// What is wrong with the version or the kind of an object that was meant to be a Celery, perhaps an item of a list of them.
/// Anybody may have a kind of this name in a group of their own; where no group is named it is nobody else's.
fn misnamed(object: &Value, list: Option<&str>) -> Option<Finding> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    let not = |field: &str, meant: &str| Some(schema::misnamed(object, field, meant));
    // An item without a version is of its list's.
    let said = if object.get("apiVersion").is_none() { list.unwrap_or_default() } else { version };
    let is_celery = kind == "Celery" || kind.is_empty() && list.is_some();
    match said.split_once('/').map(|(group, _)| group).filter(|group| !group.is_empty()) {
        Some(GROUP) if version == API_VERSION => {
            let is_known = ["CeleryList", "CeleryPolicy", "CeleryPolicyList"].contains(&kind);
            not("kind", "Celery").filter(|_| !is_known)
        }
        Some(GROUP) => not("apiVersion", API_VERSION),
        _ if !is_celery => None,
        Some(group) if closest::of(group, [GROUP].into_iter()).is_none() => Some(schema::foreign(said)),
        _ => not("apiVersion", API_VERSION),
    }
}
