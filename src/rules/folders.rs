// SPDX-License-Identifier: Apache-2.0
//! Rules about the folders that the operator itself mounts: whether pods can write to what outlives them, and whether
//! something else is mounted in the place of it.

use k8s_openapi::api::core::v1::VolumeMount;
use serde_json::Value;

use super::finding::{Kind, Report, Severity};
use super::path;
use super::rule::{Check, Example, Rule};
use super::subject::{Component, LaidOver, Part, Subject};
use crate::api::image::is_flower;
use crate::api::{BEAT_FOLDER, FLOWER_FOLDER, FlowerSpec, Probes, limits};
use crate::names::DATA_VOLUME;
use crate::resolve::{AUTHORITY_FOLDER, FLOWER_TLS_FOLDER, PROBE_FILES, PROBE_STATE};

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "C63", severity: Severity::Warn, schema: false, since: "0.1",
        title: "pods that are not root can write to a new volume",
        consequence: "With many storage classes a fresh volume belongs to root: beat or Flower ends with \"Permission denied\". With fsGroup kubelet gives it to that group. The image mher/flower runs as the user 1000.",
        check: Check::object(c63),
        example: Example {
            bad: "spec: {common: {securityContext: {runAsUser: 1000}}, beatSpec: {persistence: {size: 1Gi}}}",
            at: "spec.common.securityContext.fsGroup",
            good: "spec: {common: {securityContext: {runAsUser: 1000, fsGroup: 1000}}, beatSpec: {persistence: {size: 1Gi}}}",
            old: None,
        },
    },
    Rule {
        id: "C65", severity: Severity::Warn, schema: false, since: "0.1",
        title: "nothing is mounted in the place of the operator's own folders",
        consequence: "The operator leaves its own volume out: the claim of persistence stays empty, a certificate is missing, or the scripts that start Celery with its heartbeat are not there and no container starts.",
        check: Check::object(c65).or(Severity::Deny, "when the scripts of a Heartbeat probe would be hidden"),
        example: Example {
            bad: "spec: {common: {volumes: [{name: data, emptyDir: {}}], volumeMounts: [{name: data, mountPath: /data/beat}]}, beatSpec: {persistence: {size: 1Gi}}}",
            at: "spec.common.volumeMounts[0].mountPath",
            good: "spec: {common: {volumes: [{name: data, emptyDir: {}}], volumeMounts: [{name: data, mountPath: /data}]}, beatSpec: {persistence: {size: 1Gi}}}",
            old: None,
        },
    },
];

fn c63(subject: &Subject<'_>, report: &mut Report<'_>) {
    let common = subject.common();
    let has_group = common.security_context.as_ref().is_some_and(|context| context.fs_group.is_some());
    let as_root = common.runs_as_root();
    if as_root == Some(true) || has_group {
        return;
    }
    // Whoever prepares the volume in a container before has thought of it.
    let prepares = |mount: &VolumeMount| mount.name == DATA_VOLUME;
    let mut containers =
        subject.containers().map(|(_, one)| one).chain(subject.laid_over.iter().map(|laid| &laid.container));
    if containers.any(|container| container.volume_mounts.iter().flatten().any(prepares)) {
        return;
    }
    // What nobody says, the image of Flower's own project does.
    let is_other = |one: &Component<'_>| as_root == Some(false) || has_user_of_its_own(one);
    if let Some(component) = subject
        .components()
        .iter()
        .find(|one| has_new_claim(one) && is_other(one) && !is_laid_over(subject, one))
    {
        let whose = if matches!(component.part, Part::Beat(_)) { "beat" } else { "Flower" };
        let message = format!("{whose}'s new volume may belong to root alone");
        let fix = if has_user_of_its_own(component) { "set it to 1000" } else { "set it to the pod's group" };
        report.add(Kind::Required, "spec.common.securityContext.fsGroup", message, fix);
    }
}

/// Whether the container of a component has the image of Flower's own project, or a copy of it: the user in it is 1000.
fn has_user_of_its_own(component: &Component<'_>) -> bool {
    let Part::Flower(FlowerSpec { image: Some(image), .. }) = component.part else { return false };
    is_flower(image) && image.split('/').rev().nth(1) == Some("mher")
}

/// Whether the operator makes a claim for a component.
fn has_new_claim(component: &Component<'_>) -> bool {
    match component.part {
        Part::Worker(_) => false,
        Part::Beat(beat) => beat.persistence.as_ref().is_some_and(|it| it.existing_claim.is_none()),
        Part::Flower(flower) => flower.persistence.as_ref().is_some_and(|it| it.existing_claim.is_none()),
    }
}

/// Whether a template says who the pods of a component run as.
fn is_laid_over(subject: &Subject<'_>, component: &Component<'_>) -> bool {
    let templates = [subject.common().pod_template.as_ref(), component.pod_template()];
    templates.into_iter().flatten().any(|template| {
        let containers = template.0.pointer("/spec/containers").and_then(Value::as_array);
        template.0.pointer("/spec/securityContext").is_some()
            || containers.into_iter().flatten().any(|container| container.get("securityContext").is_some())
    })
}

/// A folder of the operator's, what comes of something else in its place, and how bad that is.
type Folder<'a> = (&'a str, Severity, &'static str);

fn c65(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut told: Vec<String> = Vec::new();
    for component in subject.components() {
        let folders = folders(subject, &component);
        if folders.is_empty() {
            continue;
        }
        for (at, place, is_read_only) in mounts(subject, &component, report.raw()) {
            let clash = folders.iter().find_map(|folder| clash(folder, place, is_read_only));
            if let Some((severity, message, fix)) = clash.filter(|_| !told.contains(&at)) {
                report.graded(severity, Kind::Forbidden, at.clone(), message, fix);
                told.push(at);
            }
        }
    }
}

/// What the operator mounts into the pods of a component.
fn folders<'a>(subject: &Subject<'_>, component: &Component<'a>) -> Vec<Folder<'a>> {
    let data = match component.part {
        Part::Worker(_) => None,
        Part::Beat(beat) => beat.persistence.as_ref().map(|_| BEAT_FOLDER),
        Part::Flower(flower) => {
            flower.persistence.as_ref().map(|it| it.path.as_deref().unwrap_or(FLOWER_FOLDER))
        }
    };
    let mut folders: Vec<Folder<'a>> = Vec::new();
    folders.extend(data.map(|folder| (folder, Severity::Warn, "hides the volume of persistence")));
    let probes = match component.part {
        Part::Worker(worker) => worker.probes.as_ref(),
        Part::Beat(beat) => beat.probes.as_ref(),
        Part::Flower(_) => None,
    };
    if probes.is_some_and(Probes::look_at_heartbeat) {
        let files = "takes the place of the scripts that the Heartbeat probe needs";
        folders.push((PROBE_FILES, Severity::Deny, files));
        folders.push((PROBE_STATE, Severity::Warn, "takes the place of the heartbeat's folder"));
    }
    if has_authority(subject) {
        folders.push((AUTHORITY_FOLDER, Severity::Warn, "takes the place of the broker's certificate"));
    }
    if matches!(component.part, Part::Flower(flower) if flower.tls.is_some()) {
        folders.push((FLOWER_TLS_FOLDER, Severity::Warn, "takes the place of Flower's certificate"));
    }
    folders
}

/// Whether the operator mounts the certificate of the broker's authority.
fn has_authority(subject: &Subject<'_>) -> bool {
    let Some(broker) = subject.broker() else { return false };
    let redis = broker.redis.as_ref().and_then(|redis| redis.tls.as_ref());
    let rabbitmq = broker.rabbitmq.as_ref().and_then(|rabbitmq| rabbitmq.tls.as_ref());
    redis.or(rabbitmq).is_some_and(|tls| tls.ca_secret_ref.is_some())
}

/// What a mount does to a folder. A volume around it does no harm unless nobody can make the folder in it.
fn clash(folder: &Folder<'_>, place: &str, is_read_only: bool) -> Option<(Severity, String, &'static str)> {
    let (own, severity, message) = *folder;
    let (own, place) = (own.trim_end_matches('/'), place.trim_end_matches('/'));
    if own == place {
        return Some((severity, message.to_owned(), "use another folder"));
    }
    let is_around = own.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
    (is_around && is_read_only && !place.is_empty())
        .then(|| (Severity::Warn, format!("is read-only, and {own} lies in it"), "use another folder"))
}

/// The places at which users mount something in a component's own container.
fn mounts<'r>(
    subject: &Subject<'_>,
    component: &Component<'_>,
    raw: &'r Value,
) -> Vec<(String, &'r str, bool)> {
    let mut lists = vec![format!("{}.volumeMounts", component.path)];
    if component.has_shared_volumes() {
        lists.push("spec.common.volumeMounts".to_owned());
    }
    let own = component.part.own_container();
    let is_of = |laid: &&LaidOver| {
        laid.container.name == own && laid.component.as_ref().is_none_or(|path| *path == component.path)
    };
    lists.extend(subject.laid_over.iter().filter(is_of).map(|laid| format!("{}.volumeMounts", laid.path)));
    let mut found = Vec::new();
    for list in lists {
        let mounts = path::at(raw, &list).and_then(Value::as_array);
        for (index, mount) in mounts.into_iter().flatten().enumerate().take(limits::ITEMS) {
            let is_own = mount["name"].as_str().is_some_and(|name| name.starts_with("celery-operator-"));
            if let Some(place) = mount["mountPath"].as_str().filter(|_| !is_own) {
                let is_read_only = mount["readOnly"] == Value::Bool(true);
                found.push((format!("{list}[{index}].mountPath"), place, is_read_only));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::shop;
    use crate::rules::{Facts, Severity, check};

    fn found(rule: &str, spec: &str) -> Vec<(Severity, String)> {
        let findings = check(&shop(&format!("spec: {{{spec}}}")), None, &Facts::default()).expect("a Celery");
        let of_rule = findings.into_iter().filter(|finding| finding.rule == rule);
        of_rule.map(|finding| (finding.severity, finding.path)).collect()
    }

    #[test]
    fn only_new_volumes_and_other_users_need_a_group() {
        let flower = "flowerSpec: {auth: {allowUnauthenticated: true}, persistence: {size: 1Gi}}";
        let beat = "beatSpec: {persistence: {size: 1Gi}}";
        for (common, specs) in [
            ("securityContext: {runAsNonRoot: true}", flower),
            ("securityContext: {runAsUser: 7}", beat),
            ("containerSecurityContext: {runAsUser: 7}", &format!("{beat}, {flower}")),
            ("securityContext: {runAsUser: 0}, containerSecurityContext: {runAsUser: 7}", beat),
            (
                "env: []",
                "flowerSpec: {image: 'quay.io/mher/flower:2.0', auth: {allowUnauthenticated: true}, persistence: {size: 1Gi}}",
            ),
        ] {
            let spec = format!("common: {{{common}}}, {specs}");
            assert_eq!(
                found("C63", &spec),
                [(Severity::Warn, "spec.common.securityContext.fsGroup".to_owned())],
                "{spec}"
            );
        }
        for spec in [
            beat,
            flower,
            "common: {securityContext: {runAsUser: 0}}, flowerSpec: {image: 'mher/flower:2.0', auth: {allowUnauthenticated: true}, persistence: {size: 1Gi}}",
            "common: {securityContext: {fsGroup: 7}}, flowerSpec: {image: 'mher/flower:2.0', auth: {allowUnauthenticated: true}, persistence: {size: 1Gi}}",
            "flowerSpec: {image: 'shop/flower:2.0', auth: {allowUnauthenticated: true}, persistence: {size: 1Gi}}",
            "common: {securityContext: {runAsUser: 0}}, beatSpec: {persistence: {size: 1Gi}}",
            "common: {securityContext: {runAsUser: 7}}, beatSpec: {persistence: {existingClaim: a}}",
            "common: {securityContext: {runAsUser: 7}}, beatSpec: {}",
            "common: {securityContext: {runAsUser: 7}}, beatSpec: {persistence: {}, podTemplate: {spec: {securityContext: {fsGroup: 7}}}}",
            "common: {securityContext: {runAsUser: 7}, initContainers: [{name: own, image: 'a:1', volumeMounts: [{name: celery-operator-data, mountPath: /data}]}]}, beatSpec: {persistence: {}}",
        ] {
            assert_eq!(found("C63", spec), [], "{spec}");
        }
    }

    #[test]
    fn the_places_of_the_operator_are_seen_wherever_something_is_mounted() {
        let volumes = "volumes: [{name: data, emptyDir: {}}]";
        let heartbeat = "probes: {liveness: {type: Heartbeat}}";
        let shared = |place: &str| format!("common: {{{volumes}, volumeMounts: [{{name: data, {place}}}]}}");
        let common = "spec.common.volumeMounts[0].mountPath";
        for (spec, severity, at) in [
            (
                format!("{}, workerSpec: {{{heartbeat}}}", shared("mountPath: /etc/celery-operator/probe/")),
                Severity::Deny,
                common,
            ),
            (
                format!("{}, beatSpec: {{{heartbeat}}}", shared("mountPath: /run/celery-operator")),
                Severity::Warn,
                common,
            ),
            (
                format!("{}, beatSpec: {{persistence: {{}}}}", shared("mountPath: /data, readOnly: true")),
                Severity::Warn,
                common,
            ),
            (
                format!(
                    "{}, flowerSpec: {{auth: {{allowUnauthenticated: true}}, persistence: {{path: /x}}}}",
                    shared("mountPath: /x")
                ),
                Severity::Warn,
                common,
            ),
            (
                format!(
                    "workerSpec: {{{volumes}, volumeMounts: [{{name: data, mountPath: /run/celery-operator}}], {heartbeat}}}"
                ),
                Severity::Warn,
                "spec.workerSpec.volumeMounts[0].mountPath",
            ),
            (
                format!(
                    "common: {{{volumes}}}, beatSpec: {{persistence: {{}}, podTemplate: {{spec: {{containers: [{{name: beat, volumeMounts: [{{name: data, mountPath: /data/beat}}]}}]}}}}}}"
                ),
                Severity::Warn,
                "spec.beatSpec.podTemplate.spec.containers[0].volumeMounts[0].mountPath",
            ),
        ] {
            assert_eq!(found("C65", &spec), [(severity, at.to_owned())], "{spec}");
        }
        let tls = "tls: {caSecretRef: {name: ca, key: ca.crt}}";
        let authority = format!(
            "common: {{broker: {{url: null, redis: {{host: cache, {tls}}}}}, {volumes}, volumeMounts: [{{name: data, mountPath: /etc/celery-operator/broker}}]}}"
        );
        assert_eq!(found("C65", &authority), [(Severity::Warn, common.to_owned())]);
        let flower = "flowerSpec: {tls: {secretName: web}, auth: {allowUnauthenticated: true}}";
        let flower = format!("{}, {flower}", shared("mountPath: /etc/celery-operator/flower-tls"));
        assert_eq!(found("C65", &flower), [(Severity::Warn, common.to_owned())]);
        for spec in [
            format!("{}, workerSpec: {{}}", shared("mountPath: /etc/celery-operator/probe")),
            format!("{}, beatSpec: {{}}", shared("mountPath: /data/beat")),
            format!("{}, beatSpec: {{persistence: {{}}}}", shared("mountPath: /data/beat/more")),
            format!("{}, beatSpec: {{persistence: {{}}}}", shared("mountPath: /data")),
            format!("{}, beatSpec: {{persistence: {{}}}}", shared("mountPath: /dat, readOnly: true")),
            format!(
                "{}, flowerSpec: {{auth: {{allowUnauthenticated: true}}, inheritVolumes: false, persistence: {{}}}}",
                shared("mountPath: /data/flower")
            ),
        ] {
            assert_eq!(found("C65", &spec), [], "{spec}");
        }
    }
}
