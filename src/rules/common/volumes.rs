// SPDX-License-Identifier: Apache-2.0
//! Rules about volumes and where they appear in containers.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{Volume, VolumeMount};
use serde_json::Value;

use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Component, Part, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C08", severity: Severity::Deny, schema: false, since: "0.1",
        title: "what is mounted is a volume of the pod",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::object(c08),
        example: Example {
            bad: "spec: {common: {volumeMounts: [{name: data, mountPath: /data}]}}",
            at: "spec.common.volumeMounts[0].name",
            good: "spec: {common: {volumes: [{name: data, emptyDir: {}}], volumeMounts: [{name: data, mountPath: /data}]}}",
            old: None,
        },
    },
    Rule {
        id: "C09", severity: Severity::Deny, schema: false, since: "0.1",
        title: "volumes have names of their own, and places that leave the image visible",
        consequence: "The API server refuses a name or a place that is given twice; a volume over / hides the whole image, and nothing starts.",
        check: Check::object(c09).or(Severity::Warn, "for a mountPath without its first slash"),
        example: Example {
            bad: "spec: {common: {volumes: [{name: data, emptyDir: {}}], volumeMounts: [{name: data, mountPath: /}]}}",
            at: "spec.common.volumeMounts[0].mountPath",
            good: "spec: {common: {volumes: [{name: data, emptyDir: {}}], volumeMounts: [{name: data, mountPath: /data}, {name: data, mountPath: /cache}]}}",
            old: None,
        },
    },
];

fn c08(subject: &Subject<'_>, report: &mut Report<'_>) {
    let common = subject.common();
    // Shared mounts appear in every pod, and so each of them needs the volume.
    let mut everywhere: Option<HashSet<&str>> = None;
    for component in subject.components().iter().filter(|component| component.has_shared_volumes()) {
        let here = volumes_of(subject, component);
        everywhere =
            Some(everywhere.map_or(here.clone(), |known| known.intersection(&here).copied().collect()));
    }
    if let Some(known) = &everywhere {
        laid_over(subject, None, known, report);
        unknown(report, "spec.common.volumeMounts", &common.volume_mounts, known);
        for (index, container) in common.init_containers.iter().enumerate() {
            let path = format!("spec.common.initContainers[{index}].volumeMounts");
            unknown(report, &path, container.volume_mounts.as_deref().unwrap_or_default(), known);
        }
    }
    for pool in &subject.pools {
        let component = Component { path: pool.path.clone(), part: Part::Worker(pool.spec) };
        let known = volumes_of(subject, &component);
        unknown(report, &format!("{}.volumeMounts", pool.path), &pool.spec.volume_mounts, &known);
        laid_over(subject, Some(&pool.path), &known, report);
        for (index, sidecar) in pool.spec.sidecars.iter().enumerate() {
            let path = format!("{}.sidecars[{index}].volumeMounts", pool.path);
            unknown(report, &path, sidecar.volume_mounts.as_deref().unwrap_or_default(), &known);
        }
    }
}

/// The mounts of a component's own pod template, or of the shared one.
fn laid_over(
    subject: &Subject<'_>,
    component: Option<&String>,
    known: &HashSet<&str>,
    report: &mut Report<'_>,
) {
    for laid in subject.laid_over.iter().filter(|laid| laid.component.as_ref() == component) {
        let mounts = laid.container.volume_mounts.as_deref().unwrap_or_default();
        // One without a name may be laid over another at its place.
        if mounts.iter().all(|mount| !mount.name.is_empty()) {
            unknown(report, &format!("{}.volumeMounts", laid.path), mounts, known);
        }
    }
}

fn unknown(report: &mut Report<'_>, path: &str, mounts: &[VolumeMount], known: &HashSet<&str>) {
    for (index, mount) in mounts.iter().enumerate() {
        let is_the_operators = mount.name.starts_with("celery-operator-");
        if !is_the_operators && !known.contains(mount.name.as_str()) {
            report.add(
                Kind::NotFound,
                format!("{path}[{index}].name"),
                "there is no volume of this name",
                "add it to spec.common.volumes",
            );
        }
    }
}

/// The names of the volumes of a component's pods.
fn volumes_of<'a>(subject: &Subject<'a>, component: &Component<'a>) -> HashSet<&'a str> {
    let common = subject.common();
    let shared = if component.has_shared_volumes() { common.volumes.as_slice() } else { &[] };
    let templates = [common.pod_template.as_ref(), component.pod_template()];
    let laid_over = templates.into_iter().flatten().flat_map(|template| {
        let volumes = template.0.pointer("/spec/volumes").and_then(Value::as_array);
        volumes.into_iter().flatten().filter_map(|volume| volume["name"].as_str())
    });
    shared.iter().chain(component.volumes()).map(|volume| volume.name.as_str()).chain(laid_over).collect()
}

fn c09(subject: &Subject<'_>, report: &mut Report<'_>) {
    let common = subject.common();
    twice(report, "spec.common.volumes", &common.volumes);
    misplaced(report, "spec.common.volumeMounts", &common.volume_mounts);
    // What a pool has takes the place of what is shared.
    for pool in &subject.pools {
        twice(report, &format!("{}.volumes", pool.path), &pool.spec.volumes);
        misplaced(report, &format!("{}.volumeMounts", pool.path), &pool.spec.volume_mounts);
    }
    for (path, container) in subject.containers().chain(subject.laid_over()) {
        let mounts = container.volume_mounts.as_deref().unwrap_or_default();
        misplaced(report, &format!("{path}.volumeMounts"), mounts);
    }
}

fn twice(report: &mut Report<'_>, path: &str, volumes: &[Volume]) {
    let mut names = HashSet::new();
    for (index, volume) in volumes.iter().enumerate() {
        if !names.insert(&volume.name) {
            let path = format!("{path}[{index}].name");
            report.add(Kind::Duplicate, path, "another volume of the pod has this name", "use another name");
        }
    }
}

fn misplaced(report: &mut Report<'_>, path: &str, mounts: &[VolumeMount]) {
    let mut places = HashSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let (path, place) = (format!("{path}[{index}].mountPath"), mount.mount_path.as_str());
        // In a template the later one is laid over the earlier one.
        if !places.insert(place) && !path.contains(".podTemplate.") {
            report.add(Kind::Duplicate, path, "another volume is already there", "use another folder");
        } else if !place.is_empty() && place.trim_matches('/').is_empty() {
            report.add(Kind::Invalid, path, "hides the whole image", "use a folder such as /data");
        } else if place.contains(':') {
            report.add(
                Kind::Invalid,
                path,
                "has a colon, which no runtime has to take",
                "use a folder such as /data",
            );
        } else if !place.starts_with('/') {
            // kubelet puts the slash in front by itself.
            report.graded(
                Severity::Warn,
                Kind::Invalid,
                path,
                "does not begin at the root",
                "write the slash in front of it",
            );
        }
    }
}
