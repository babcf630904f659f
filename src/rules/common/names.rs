// SPDX-License-Identifier: Apache-2.0
//! Rules about names: the prefix that every child's name begins with, and the object's own.

use crate::api::{Celery, is_dns_label};
use crate::names;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Longest prefix with which every derived name still fits.
const MAX_APP_NAME: usize = names::MAX - "-celery-broker".len();

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C13", severity: Severity::Deny, schema: true, since: "0.1",
        title: "appName begins every name, so it is a DNS label",
        consequence: "The Service cannot be created on every supported Kubernetes.",
        check: Check::field(&["spec.common.appName"], "use lower-case letters, digits and '-', begin with a letter and end with a letter or digit").and(c13),
        example: Example { bad: "spec: {common: {appName: My_App}}", at: "spec.common.appName", good: "spec: {common: {appName: my-app}}", old: None },
    },
    Rule {
        id: "C14", severity: Severity::Deny, schema: true, since: "0.1",
        title: "names made from appName fit into 63 characters",
        consequence: "Names and labels end at 63 characters; a child could not be created.",
        check: Check::object(c14),
        example: Example { bad: "spec: {common: {appName: a23456789-123456789-123456789-123456789-123456789-x}}", at: "spec.common.appName", good: "spec: {common: {appName: a23456789-123456789-123456789-123456789-123456789}}", old: None },
    },
    Rule {
        id: "C15", severity: Severity::Deny, schema: true, since: "0.1",
        title: "appName never changes",
        consequence: "Children of the old name stay behind, and a Deployment's selector cannot change.",
        check: Check::object(c15),
        example: Example { bad: "spec: {common: {appName: other}}", at: "spec.common.appName", good: "spec: {common: {appName: shop}}", old: Some("spec: {common: {appName: shop}}") },
    },
    Rule {
        id: "C16", severity: Severity::Warn, schema: false, since: "0.1",
        title: "appName belongs to one Celery of the namespace",
        consequence: "Both would write the same Deployments; the operator keeps the younger one waiting instead.",
        check: Check::object(c16),
        example: Example { bad: "spec: {common: {appName: mall}}", at: "spec.common.appName", good: "spec: {common: {appName: shop}}", old: None },
    },
    Rule {
        id: "C21", severity: Severity::Warn, schema: false, since: "0.1",
        title: "no pool has the name of another Celery's child",
        consequence: "The one that comes second waits, since the operator never takes another one's Deployment.",
        check: Check::object(c21),
        example: Example {
            bad: "spec: {workerPools: [{name: hall-flower}]}",
            at: "spec.workerPools[0].name",
            good: "spec: {workerPools: [{name: hall}]}",
            old: None,
        },
    },
    Rule {
        id: "C23", severity: Severity::Deny, schema: true, since: "0.1",
        title: "metadata.name is a label value",
        consequence: "The name is a label of every child, and labels end at 63 characters.",
        check: Check::object(c23),
        example: Example {
            bad: "{metadata: {name: a23456789-123456789-123456789-123456789-123456789-123456789-abcd}, spec: {common: {appName: shop}}}",
            at: "metadata.name",
            good: "{metadata: {name: a23456789-123456789-123456789-123456789-123456789-123456789-abc}, spec: {common: {appName: shop}}}",
            old: None,
        },
    },
];

fn c13(subject: &Subject<'_>, report: &mut Report<'_>) {
    let name = subject.object.metadata.name.as_deref().unwrap_or_default();
    // An object without any name is refused as such.
    if name.is_empty() && subject.object.metadata.generate_name.is_none() {
        return;
    }
    if subject.common().app_name.is_none() && !is_dns_label(name) {
        let why = match name {
            "" => "a generated metadata.name is not known yet and cannot serve as the prefix of names",
            _ => "metadata.name cannot serve as the prefix of names",
        };
        report.add(
            Kind::Required,
            "spec.common.appName",
            why,
            "set appName: lower-case letters, digits and '-', beginning with a letter, ending with a letter or digit",
        );
    }
}

fn c14(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(app) = effective_app_name(subject.object) else {
        return;
    };
    if app.len() > MAX_APP_NAME {
        let derived = names::broker_secret(app).len();
        if app.len() <= names::MAX {
            report.add(
                Kind::Invalid,
                "spec.common.appName",
                format!("names made from it have up to {derived} characters, {} are allowed", names::MAX),
                format!("use at most {MAX_APP_NAME} characters"),
            );
        }
        return;
    }
    for pool in &subject.pools {
        let derived = names::worker(app, pool.name).len();
        if derived > names::MAX {
            let room = pool.name.len().saturating_sub(derived - names::MAX);
            report.add(
                Kind::Invalid,
                format!("{}.name", pool.path),
                format!("makes a name of {derived} characters with appName, {} are allowed", names::MAX),
                format!("use at most {room} characters"),
            );
        }
    }
}

fn c15(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(old) = subject.old.and_then(effective_app_name) else {
        return;
    };
    if effective_app_name(subject.object).is_some_and(|new| new != old) {
        report.add(
            Kind::Forbidden,
            "spec.common.appName",
            format!("field is immutable, it is {old:?}"),
            "create a new Celery for another name",
        );
    }
}

fn c16(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(app) = effective_app_name(subject.object) else {
        return;
    };
    let mut others = neighbours(subject).filter(|(_, prefix)| *prefix == app);
    if let Some((other, _)) = others.next() {
        let message = format!("is in use by Celery {}, so this one will not run", quoted(other));
        report.add(Kind::Duplicate, "spec.common.appName", message, "choose another");
    }
}

fn c21(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(app) = effective_app_name(subject.object) else {
        return;
    };
    for pool in &subject.pools {
        let derived = names::worker(app, pool.name);
        let mut others = neighbours(subject).filter(|(_, prefix)| *prefix != app && makes(prefix, &derived));
        if let Some((other, _)) = others.next() {
            let message = format!("may collide with a Deployment of Celery {}", quoted(other));
            report.add(Kind::Duplicate, format!("{}.name", pool.path), message, "choose another name");
        }
    }
}

/// Whether a Deployment of this name may be one of the Celery with this prefix. Its parts are not known here.
fn makes(prefix: &str, deployment: &str) -> bool {
    deployment
        .strip_prefix(prefix)
        .is_some_and(|rest| ["-worker", "-flower", "-beat"].contains(&rest) || rest.starts_with("-worker-"))
}

/// The other Celery objects of the namespace with their prefixes.
fn neighbours<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = (&'s str, &'s str)> {
    let own = subject.object.metadata.name.as_deref();
    let others = subject.facts.neighbours.iter().filter(move |(name, _)| Some(name.as_str()) != own);
    others.map(|(name, prefix)| (name.as_str(), prefix.as_str()))
}

/// A name for a warning, which has to be short.
fn quoted(name: &str) -> String {
    let shown: String = name.chars().take(24).collect();
    let dots = if shown.len() < name.len() { "…" } else { "" };
    format!("\"{shown}{dots}\"")
}

fn c23(subject: &Subject<'_>, report: &mut Report<'_>) {
    let name = subject.object.metadata.name.as_deref().unwrap_or_default();
    if name.len() > names::MAX {
        report.add(
            Kind::Invalid,
            "metadata.name",
            format!("has {} characters and is a label of every child", name.len()),
            format!("use at most {} characters", names::MAX),
        );
    }
}

/// The prefix of names: what is written, else the object's own name.
fn effective_app_name(object: &Celery) -> Option<&str> {
    object.spec.common.app_name.as_deref().or(object.metadata.name.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(quoted("a23456789012345678901234"), "\"a23456789012345678901234\"");
        assert_eq!(quoted("a234567890123456789012345"), "\"a23456789012345678901234…\"");
    }
}
