// SPDX-License-Identifier: Apache-2.0
//! Rules about what belongs to the operator in every pod: its labels, and the names of its containers.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::annotations::OWN;
use crate::api::limits;
use crate::labels;
use crate::names;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Labels that selectors, Services and people's queries rely on.
const RESERVED: &[&str] =
    &[labels::NAME, labels::INSTANCE, labels::COMPONENT, labels::PART_OF, labels::MANAGER, labels::VERSION];
/// Names of the operator's containers.
const CONTAINERS: &[&str] = &[names::WORKER_CONTAINER, names::FLOWER_CONTAINER, names::BEAT_CONTAINER];

/// What in a patch takes away or replaces.
const DIRECTIVE: &str = "$patch";
/// Fields of the Deployment that have fields of their own here, by which they are set instead.
const OF_A_DEPLOYMENT: &[(&str, &str)] = &[
    ("replicas", "numOfWorkers"),
    ("strategy", "rolloutStrategy"),
    ("minReadySeconds", "minReadySeconds of the pool"),
    ("revisionHistoryLimit", "revisionHistoryLimit of the pool"),
    ("progressDeadlineSeconds", "progressDeadlineSeconds of the pool"),
    ("selector", "nothing: the operator chooses it"),
    ("template", "podTemplate itself"),
];

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C17", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the operator's labels and containers stay its own",
        consequence: "A Deployment whose selector does not match its own pods is refused; a second container of the same name too.",
        check: Check::object(c17).or(Severity::Warn, "for annotations that begin like the operator's own"),
        example: Example {
            bad: "spec: {common: {podLabels: {app.kubernetes.io/name: shop}}}",
            at: "spec.common.podLabels[app.kubernetes.io/name]",
            good: "spec: {common: {podLabels: {team: web, app.kubernetes.io/created-by: helm}}}",
            old: None,
        },
    },
];

fn c17(subject: &Subject<'_>, report: &mut Report<'_>) {
    let common = subject.common();
    labels(report, "spec.common.podLabels", common.pod_labels.keys());
    annotations(report, "spec.common.podAnnotations", &common.pod_annotations);
    if let Some(template) = &common.pod_template {
        pod_template(report, "spec.common.podTemplate", &template.0, &in_every_pod(subject));
    }
    for component in subject.components() {
        let Some(template) = component.pod_template() else { continue };
        pod_template(
            report,
            &format!("{}.podTemplate", component.path),
            &template.0,
            &[component.part.own_container()],
        );
    }
}

fn labels<'k>(report: &mut Report<'_>, path: &str, keys: impl Iterator<Item = &'k String>) {
    let reserved = keys.filter(|key| RESERVED.contains(&key.as_str()) || key.starts_with(OWN));
    for key in reserved.take(limits::ITEMS) {
        report.add(
            Kind::Forbidden,
            path::entry(path, key),
            "the operator sets this label and selects by it",
            "use a key of your own",
        );
    }
}

fn annotations(report: &mut Report<'_>, path: &str, annotations: &BTreeMap<String, String>) {
    for key in annotations.keys().filter(|key| key.starts_with(OWN)) {
        report.graded(
            Severity::Warn,
            Kind::Forbidden,
            path::entry(path, key),
            "is for the operator's own annotations",
            "use another key",
        );
    }
}

/// The containers of the operator that all of its pods have: what is laid over every pod may name no other.
fn in_every_pod(subject: &Subject<'_>) -> Vec<&'static str> {
    let components = subject.components();
    let is_in = |name: &str| components.iter().all(|component| component.part.own_container() == name);
    CONTAINERS.iter().copied().filter(|name| is_in(name)).collect()
}

/// What a template must leave alone. `laid_over`: the containers that its entries of these names are laid over.
fn pod_template(report: &mut Report<'_>, path: &str, template: &Value, laid_over: &[&str]) {
    if let Some(own) = template.pointer("/metadata/labels").and_then(Value::as_object) {
        labels(report, &format!("{path}.metadata.labels"), own.keys());
    }
    for (list, allowed) in [("containers", laid_over), ("initContainers", &[])] {
        let containers = template["spec"][list].as_array();
        for (index, container) in containers.into_iter().flatten().enumerate().take(limits::ITEMS) {
            let name = container["name"].as_str().unwrap_or_default();
            let is_taken_away = container.get(DIRECTIVE).is_some()
                && (container["name"].is_null() || allowed.contains(&name));
            if is_taken_away {
                wiped(report, format!("{path}.spec.{list}[{index}]"));
            } else if CONTAINERS.contains(&name) && !allowed.contains(&name) {
                // Of one kind of pods it is known which container is meant.
                let fix = match allowed {
                    [own] => format!("use {own:?} for the operator's own, or another name"),
                    _ => "use another name".to_owned(),
                };
                report.add(
                    Kind::Forbidden,
                    format!("{path}.spec.{list}[{index}].name"),
                    format!("{name:?} is the name of the operator's own container in other pods"),
                    fix,
                );
            }
        }
    }
    for (place, fields) in [(path.to_owned(), template), (format!("{path}.spec"), &template["spec"])] {
        for (field, instead) in OF_A_DEPLOYMENT {
            if fields.get(field).is_some_and(|value| !value.is_null()) {
                let message = "is a field of the Deployment, not of its pods";
                report.add(Kind::Forbidden, format!("{place}.{field}"), message, format!("use {instead}"));
            }
        }
    }
    for field in ["", "/metadata", "/metadata/labels", "/spec", "/spec/containers"] {
        let at = template.pointer(field);
        if at.is_some_and(|value| value.is_null() && !field.is_empty() || value.get(DIRECTIVE).is_some()) {
            wiped(report, format!("{path}{}", field.replace('/', ".")));
        }
    }
    let restart = template["spec"]["restartPolicy"].as_str();
    if restart.is_some_and(|policy| policy != "Always") {
        let message = "pods of a Deployment are always restarted";
        report.add(Kind::Forbidden, format!("{path}.spec.restartPolicy"), message, "remove it");
    }
}

fn wiped(report: &mut Report<'_>, path: String) {
    let message = "would take away what the operator puts there";
    report.add(Kind::Forbidden, path, message, "remove null and $patch from it");
}

/// Whether a field is one of the Deployment around the pods.
#[must_use]
pub(super) fn is_of_a_deployment(field: &str) -> bool {
    OF_A_DEPLOYMENT.iter().any(|(name, _)| *name == field)
}
