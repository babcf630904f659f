// SPDX-License-Identifier: Apache-2.0
//! Keys of Secrets that an object names, where the input has those Secrets too.

use serde_json::Value;

use super::facts::SecretKeys;
use super::finding::{Kind, Report, Severity};
use super::path;
use super::rule::{Check, Example, Rule};
use super::subject::Subject;
use crate::api::limits;
use crate::celery::closest;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "S05", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a Secret of the input has the keys that are named",
        consequence: "No container that needs the key starts: CreateContainerConfigError, \"couldn't find key\".",
        check: Check::of_facts(s05).or(Severity::Warn, "when the Secret has no key at all, since somebody may be about to fill it"),
        example: Example {
            bad: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: uri}, scheme: redis}}}",
            at: "spec.common.broker.urlSecretRef.key",
            good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: redis}}}",
            old: None,
        },
    },
    Rule {
        id: "S06", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a Secret of the input has base64 in data",
        consequence: "The API server refuses the Secret: \"illegal base64 data\", and no container that needs it starts.",
        check: Check::of_facts(s06),
        example: Example {
            bad: "spec: {common: {broker: {url: null, urlSecretRef: {name: garbled, key: url}, scheme: redis}}}",
            at: "spec.common.broker.urlSecretRef.name",
            good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: redis}}}",
            old: None,
        },
    },
    Rule {
        id: "S08", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a Secret that is named is not one of the input, misspelt",
        consequence: "No container that needs the Secret starts: CreateContainerConfigError, \"secret not found\".",
        check: Check::of_facts(s08),
        example: Example {
            bad: "spec: {common: {broker: {url: null, urlSecretRef: {name: brokr, key: url}, scheme: redis}}}",
            at: "spec.common.broker.urlSecretRef.name",
            good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: redis}}}",
            old: None,
        },
    },
];

/// Fields whose keys are the application's, and mean nothing here.
const OPEN: [&str; 2] = ["config", "transportOptions"];

/// A key of a Secret that the object cannot do without.
struct Reference<'v> {
    path: String,
    name: &'v str,
    key: &'v str,
}

fn s05(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (reference, keys) in known(subject, report.raw()) {
        if keys.there.contains(reference.key) || !is_key(reference.key) {
            continue;
        }
        let fix = match closest::of(reference.key, keys.there.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => "add it there, or name another".to_owned(),
        };
        // Somebody else may be about to fill one that is empty.
        let severity = if keys.there.is_empty() { Severity::Warn } else { report.severity() };
        let message = "is no key of that Secret in this input";
        report.graded(severity, Kind::NotFound, format!("{}.key", reference.path), message, fix);
    }
}

fn s06(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (reference, keys) in known(subject, report.raw()) {
        if let Some(key) = keys.unreadable.first() {
            let message = format!("data.{key:.40} of the Secret is not base64");
            let fix = "encode it, or move it to stringData";
            report.add(Kind::Forbidden, format!("{}.name", reference.path), message, fix);
        }
    }
}

fn s08(subject: &Subject<'_>, report: &mut Report<'_>) {
    let secrets = &subject.facts.secret_keys;
    for Reference { path, name, .. } in references(subject, report.raw()) {
        if secrets.contains_key(name) {
            continue;
        }
        if let Some(near) = closest::slip(name, secrets.keys().map(String::as_str)) {
            let message = "is no Secret of this input";
            report.add(Kind::NotFound, format!("{path}.name"), message, format!("did you mean {near}?"));
        }
    }
}

/// Every reference to a Secret, as far as Secrets are known: outside of the command line nobody knows any.
fn references<'s>(subject: &'s Subject<'_>, raw: &'s Value) -> Vec<Reference<'s>> {
    let mut found = Vec::new();
    if !subject.facts.secret_keys.is_empty() {
        gather(&raw["spec"], "spec", &mut found);
    }
    found
}

/// The references to Secrets whose keys are known.
fn known<'s>(subject: &'s Subject<'_>, raw: &'s Value) -> Vec<(Reference<'s>, &'s SecretKeys)> {
    let secrets = &subject.facts.secret_keys;
    references(subject, raw)
        .into_iter()
        .filter_map(|one| Some((secrets.get(one.name)?, one)))
        .map(|(keys, one)| (one, keys))
        .collect()
}

/// Every reference below a value. All of them look alike, those of pods and those of our own fields.
fn gather<'v>(value: &'v Value, path: &str, found: &mut Vec<Reference<'v>>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields.iter().filter(|(field, _)| !OPEN.contains(&field.as_str())) {
                let path = path::entry(path, field);
                let text = |name: &str| value.get(name).and_then(Value::as_str);
                // All of a Secret's keys are named by naming none.
                let whole = (field == "secretRef").then_some("");
                match (text("name"), text("key").or(whole)) {
                    (Some(name), Some(key)) if is_reference(field) => {
                        if value.get("optional") != Some(&Value::Bool(true)) {
                            found.push(Reference { path, name, key });
                        }
                    }
                    _ => gather(value, &path, found),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().take(limits::ITEMS) {
                gather(item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

fn is_reference(field: &str) -> bool {
    field == "secretRef" || field.ends_with("SecretRef") || field == "secretKeyRef"
}

/// Whether a text may be a key at all; of another one the rule of its field tells, and it may be a password.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

#[cfg(test)]
mod tests {
    use crate::rules::{Facts, SecretKeys, check, example};

    #[test]
    fn a_misspelt_secret_is_told_wherever_it_is_named() {
        let secret_keys = [("shop-broker".to_owned(), SecretKeys::default())].into();
        let facts = Facts { secret_keys, ..Facts::default() };
        let found = |overlay: &str| {
            let object = example::object(&format!("spec: {overlay}")).expect("is YAML");
            let findings = check(&object, None, &facts).expect("a Celery");
            findings.iter().filter(|one| one.rule == "S08").map(ToString::to_string).collect::<Vec<_>>()
        };
        for (overlay, path) in [
            (
                "{common: {envFrom: [{secretRef: {name: shop-brokr}}]}}",
                "spec.common.envFrom[0].secretRef.name",
            ),
            (
                "{workerSpec: {env: [{name: A, valueFrom: {secretKeyRef: {name: shop-brokr, key: a}}}]}}",
                "spec.workerSpec.env[0].valueFrom.secretKeyRef.name",
            ),
        ] {
            let told =
                format!("{path}: \"shop-brokr\" is no Secret of this input; did you mean shop-broker? [S08]");
            assert_eq!(found(overlay), [told]);
        }
        for name in ["shop-broker", "shop-flower", "broker"] {
            assert_eq!(
                found(&format!("{{common: {{envFrom: [{{secretRef: {{name: {name}}}}}]}}}}")),
                [""; 0]
            );
        }
    }
}
