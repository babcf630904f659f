// SPDX-License-Identifier: Apache-2.0
//! Rules about the names by which a part of a pod points at another part: containers whose resources are shown, and
//! claims.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Pod, has_field, items_at, pods};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "C61", severity: Severity::Deny, schema: false, since: "0.1",
        title: "resourceFieldRef shows a container of the pod",
        consequence: "The API server takes it; kubelet finds no such container, and the pod tries to start for ever.",
        check: Check::object(c61),
        example: Example {
            bad: "spec: {workerSpec: {env: [{name: CPUS, valueFrom: {resourceFieldRef: {containerName: worker, resource: limits.cpu}}}]}}",
            at: "spec.workerSpec.env[0].valueFrom.resourceFieldRef.containerName",
            good: "spec: {workerSpec: {env: [{name: CPUS, valueFrom: {resourceFieldRef: {containerName: celery, resource: limits.cpu}}}]}}",
            old: None,
        },
    },
    Rule {
        id: "C62", severity: Severity::Deny, schema: false, since: "0.1",
        title: "resources.claims names claims of the pod",
        consequence: "The API server refuses the Deployment; an older one drops the claim, and the container runs without its device.",
        check: Check::object(c62),
        example: Example {
            bad: "spec: {workerSpec: {resources: {claims: [{name: gpu}]}}}",
            at: "spec.workerSpec.resources.claims[0].name",
            good: "spec: {workerSpec: {resources: {claims: [{name: gpu}]}, podTemplate: {spec: {resourceClaims: [{name: gpu, resourceClaimTemplateName: gpu}]}}}}",
            old: None,
        },
    },
];

fn c61(subject: &Subject<'_>, report: &mut Report<'_>) {
    if !has_field(&report.raw()["spec"], "resourceFieldRef") {
        return;
    }
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    for pod in pods(subject, report.raw()) {
        for (at, name) in shown(&pod) {
            if !pod.names.contains(name) {
                told.entry(at).or_insert_with(|| listed(&pod));
            }
        }
    }
    for (at, names) in told {
        report.add(Kind::NotFound, at, "is no container of this pod", format!("use {names}"));
    }
}

/// The names of containers whose resources a pod shows.
fn shown<'r>(pod: &Pod<'r>) -> Vec<(String, &'r str)> {
    let of = |at: &str, source: &'r Value| {
        let name = source["resourceFieldRef"]["containerName"].as_str().filter(|name| !name.is_empty());
        name.map(|name| (format!("{at}.resourceFieldRef.containerName"), name))
    };
    let files = |at: String, volume: &'r Value| {
        let files = items_at(&format!("{at}.items"), &volume["items"]).into_iter();
        files.filter_map(move |(at, file)| of(&at, file)).collect::<Vec<_>>()
    };
    let env = pod.containers.iter().flat_map(|container| &container.env);
    let mut shown: Vec<_> =
        env.filter_map(|(at, variable)| of(&format!("{at}.valueFrom"), &variable["valueFrom"])).collect();
    for (at, volume) in &pod.volumes {
        shown.extend(files(format!("{at}.downwardAPI"), &volume["downwardAPI"]));
        for (at, source) in items_at(&format!("{at}.projected.sources"), &volume["projected"]["sources"]) {
            shown.extend(files(format!("{at}.downwardAPI"), &source["downwardAPI"]));
        }
    }
    shown
}

/// The containers of a pod for a message.
fn listed(pod: &Pod<'_>) -> String {
    let mut names: Vec<&str> = pod.names.iter().copied().collect();
    names.sort_unstable();
    names.truncate(4);
    names.join(" or ")
}

fn c62(subject: &Subject<'_>, report: &mut Report<'_>) {
    if !has_field(&report.raw()["spec"], "claims") {
        return;
    }
    let mut told = BTreeSet::new();
    for pod in pods(subject, report.raw()) {
        for (at, claim) in pod.containers.iter().flat_map(|container| &container.claims) {
            if !pod.claims.contains(super::name(claim)) {
                told.insert(format!("{at}.name"));
            }
        }
    }
    for at in told {
        let fix = "add it to podTemplate.spec.resourceClaims";
        report.add(Kind::NotFound, at, "the pod has no claim of this name", fix);
    }
}
