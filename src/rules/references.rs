// SPDX-License-Identifier: Apache-2.0
//! Keys of Secrets and `ConfigMap`s that an object names, where the input has those too.

use std::collections::BTreeSet;

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
        title: "a Secret or ConfigMap of the input has the keys that are named",
        consequence: "No container that needs the key starts: CreateContainerConfigError, \"couldn't find key\".",
        check: Check::of_facts(s05).or(Severity::Warn, "when it has no key at all, since somebody may be about to fill it"),
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
        title: "a Secret or ConfigMap that is named is not one of the input, misspelt",
        consequence: "No container that needs it starts: CreateContainerConfigError, \"secret not found\" or \"configmap not found\".",
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

/// What holds keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Secret,
    Map,
}

impl Holder {
    fn kind(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::Map => "ConfigMap",
        }
    }
}

/// A key of a Secret or `ConfigMap` that the object cannot do without.
struct Reference<'v> {
    holder: Holder,
    /// Where the name stands.
    name_path: String,
    /// Where the key stands.
    key_path: String,
    name: &'v str,
    /// Empty where all keys are named.
    key: &'v str,
}

fn s05(subject: &Subject<'_>, report: &mut Report<'_>) {
    for reference in references(subject, report.raw()) {
        let there = match reference.holder {
            Holder::Secret => subject.facts.secret_keys.get(reference.name).map(|keys| &keys.there),
            Holder::Map => subject.facts.config_maps.get(reference.name),
        };
        let Some(there) = there.filter(|there| !there.contains(reference.key) && is_key(reference.key))
        else {
            continue;
        };
        let fix = match closest::of(reference.key, there.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => "add it there, or name another".to_owned(),
        };
        // Somebody else may be about to fill one that is empty.
        let severity = if there.is_empty() { Severity::Warn } else { report.severity() };
        let message = format!("is no key of that {} in this input", reference.holder.kind());
        report.graded(severity, Kind::NotFound, reference.key_path, message, fix);
    }
}

fn s06(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (reference, keys) in known(subject, report.raw()) {
        if let Some(key) = keys.unreadable.first() {
            let message = format!("data.{key:.40} of the Secret is not base64");
            let fix = "encode it, or move it to stringData";
            report.add(Kind::Forbidden, reference.name_path, message, fix);
        }
    }
}

fn s08(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut told = BTreeSet::new();
    for Reference { holder, name_path, name, .. } in references(subject, report.raw()) {
        let names: Vec<&str> = match holder {
            Holder::Secret => subject.facts.secret_keys.keys().map(String::as_str).collect(),
            Holder::Map => subject.facts.config_maps.keys().map(String::as_str).collect(),
        };
        // Of a volume several items may be named.
        if names.contains(&name) || !told.insert(name_path.clone()) {
            continue;
        }
        if let Some(near) = closest::slip(name, names.into_iter()) {
            let message = format!("is no {} of this input", holder.kind());
            report.add(Kind::NotFound, name_path, message, format!("did you mean {near}?"));
        }
    }
}

/// Every reference to a Secret or a `ConfigMap`, as far as some are known: outside of the command line nobody knows any.
fn references<'s>(subject: &'s Subject<'_>, raw: &'s Value) -> Vec<Reference<'s>> {
    let mut found = Vec::new();
    if !subject.facts.secret_keys.is_empty() || !subject.facts.config_maps.is_empty() {
        gather(&raw["spec"], "spec", &mut found);
    }
    found
}

/// The references to Secrets whose keys are known.
fn known<'s>(subject: &'s Subject<'_>, raw: &'s Value) -> Vec<(Reference<'s>, &'s SecretKeys)> {
    let secrets = &subject.facts.secret_keys;
    references(subject, raw)
        .into_iter()
        .filter(|one| one.holder == Holder::Secret)
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
                // All of the keys are named by naming none.
                let whole = ["secretRef", "configMapRef"].contains(&field.as_str()).then_some("");
                let is_needed = value.get("optional") != Some(&Value::Bool(true));
                match (text("name"), text("key").or(whole), holder(field)) {
                    (Some(name), Some(key), Some(holder)) => {
                        let (name_path, key_path) = (format!("{path}.name"), format!("{path}.key"));
                        found.extend(is_needed.then_some(Reference {
                            holder,
                            name_path,
                            key_path,
                            name,
                            key,
                        }));
                    }
                    _ if ["secret", "configMap"].contains(&field.as_str()) && value.is_object() => {
                        found.extend(of_volume(field, value, &path).into_iter().filter(|_| is_needed));
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

/// What the value of a field refers to.
fn holder(field: &str) -> Option<Holder> {
    if field == "secretRef" || field.ends_with("SecretRef") || field == "secretKeyRef" {
        Some(Holder::Secret)
    } else {
        ["configMapRef", "configMapKeyRef"].contains(&field).then_some(Holder::Map)
    }
}

/// What a volume of a Secret or a `ConfigMap` names, a projected one too: the object, and the keys of its items.
fn of_volume<'v>(field: &str, value: &'v Value, path: &str) -> Vec<Reference<'v>> {
    let holder = if field == "secret" { Holder::Secret } else { Holder::Map };
    let named = ["secretName", "name"].into_iter().find_map(|at| Some((at, value.get(at)?.as_str()?)));
    let Some((at, name)) = named else { return Vec::new() };
    let of = |key_path: String, key: &'v str| Reference {
        holder,
        name_path: format!("{path}.{at}"),
        key_path,
        name,
        key,
    };
    let items = value["items"].as_array().into_iter().flatten().enumerate().take(limits::ITEMS);
    let keys: Vec<Reference<'v>> = items
        .filter_map(|(index, item)| Some(of(format!("{path}.items[{index}].key"), item["key"].as_str()?)))
        .collect();
    if keys.is_empty() { vec![of(String::new(), "")] } else { keys }
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
                "{common: {volumes: [{name: a, secret: {secretName: shop-brokr}}]}}",
                "spec.common.volumes[0].secret.secretName",
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

    #[test]
    fn config_maps_are_judged_as_secrets_are() {
        let keys = ["LEVEL".to_owned(), "app.ini".to_owned()].into();
        let facts = Facts { config_maps: [("shop-settings".to_owned(), keys)].into(), ..Facts::default() };
        let found = |overlay: &str| {
            let object = example::object(&format!("spec: {{common: {overlay}}}")).expect("is YAML");
            let findings = check(&object, None, &facts).expect("a Celery");
            let told = findings.iter().filter(|one| ["S05", "S08"].contains(&one.rule));
            told.map(|one| format!("{} {}; {}", one.path, one.message, one.fix)).collect::<Vec<_>>()
        };
        let variable = |name: &str, key: &str| {
            found(&format!(
                "{{env: [{{name: A, valueFrom: {{configMapKeyRef: {{name: {name}, key: {key}}}}}}}]}}"
            ))
        };
        let of_env = "spec.common.env[0].valueFrom.configMapKeyRef";
        let no_key = "is no key of that ConfigMap in this input";
        assert_eq!(
            variable("shop-settings", "LEVL"),
            [format!("{of_env}.key {no_key}; did you mean LEVEL?")]
        );
        assert_eq!(
            variable("shop-setings", "LEVEL"),
            [format!("{of_env}.name is no ConfigMap of this input; did you mean shop-settings?")]
        );
        let volume = |items: &str| {
            found(&format!(
                "{{volumes: [{{name: a, configMap: {{name: shop-settings, items: [{items}]}}}}]}}"
            ))
        };
        assert_eq!(
            volume("{key: app.ini, path: a}, {key: app.in, path: b}"),
            [format!("spec.common.volumes[0].configMap.items[1].key {no_key}; did you mean app.ini?")]
        );
        assert_eq!(variable("shop-settings", "LEVEL"), [""; 0]);
        assert_eq!(variable("other", "LEVEL"), [""; 0]);
        assert_eq!(found("{envFrom: [{configMapRef: {name: shop-settings}}]}"), [""; 0]);
        assert_eq!(found("{volumes: [{name: a, configMap: {name: shop-settings}}]}"), [""; 0]);
    }
}
