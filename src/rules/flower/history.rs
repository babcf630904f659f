// SPDX-License-Identifier: Apache-2.0
//! Rules about what Flower remembers: in memory, on a volume, and in how many pods.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube_quantity::ParsedQuantity;

use super::given::{Flower, Given, PATH};
use crate::api::ScaleKind;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;
use crate::rules::volume;

/// Tasks for which the usual memory no longer suffices: about 4.4 KiB each.
const MANY_TASKS: i64 = 100_000;
/// The memory that Flower gets unless told otherwise.
const USUAL_MEMORY: &str = "512Mi";
/// The file that Flower writes unless told otherwise.
const USUAL_FILE: &str = "flower";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "F20", severity: Severity::Warn, schema: false, since: "0.1",
        title: "Flower has one pod",
        consequence: "Each pod has a history of its own, so that every reload may show another one, and each asks all workers again.",
        check: Check::object(f20),
        example: Example {
            bad: "spec: {flowerSpec: {replicas: 2, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.replicas",
            good: "spec: {flowerSpec: {replicas: 1, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F21", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a history on a volume has one writer",
        consequence: "Two pods write one file and destroy it.",
        check: Check::object(f21),
        example: Example {
            bad: "spec: {flowerSpec: {replicas: 2, persistence: {size: 1Gi}, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.replicas",
            good: "spec: {flowerSpec: {persistence: {size: 1Gi}, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F22", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a history that shall last lies on a volume",
        consequence: "Nothing is said until Flower ends; then the file cannot be written, or is gone with the container.",
        check: Check::object(f22).or(Severity::Warn, "when the file lies in the working directory of the container"),
        example: Example {
            bad: "spec: {flowerSpec: {args: ['--persistent=True', '--db=/data/flower'], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {common: {volumes: [{name: data, persistentVolumeClaim: {claimName: flower}}], volumeMounts: [{name: data, mountPath: /data}]}, flowerSpec: {args: ['--persistent=True', '--db=/data/flower'], auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F23", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the history is written now and then",
        consequence: "It is written on a clean stop only: a pod that is killed loses all of it.",
        check: Check::object(f23),
        example: Example {
            bad: "spec: {flowerSpec: {persistence: {size: 1Gi, saveIntervalSeconds: 0}, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.persistence.saveIntervalSeconds",
            good: "spec: {flowerSpec: {persistence: {size: 1Gi, saveIntervalSeconds: 30}, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F33", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the memory of Flower holds as many tasks as it shall remember",
        consequence: "Flower needs about 4.4 KiB for each task and is killed when its memory is full.",
        check: Check::object(f33),
        example: Example {
            bad: "spec: {flowerSpec: {maxTasks: 100000, resources: {limits: {memory: 256Mi}}, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.maxTasks",
            good: "spec: {flowerSpec: {maxTasks: 100000, resources: {limits: {memory: 1Gi}}, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F38", severity: Severity::Deny, schema: true, since: "0.1",
        title: "persistence is an existing claim or a new one, at a folder",
        consequence: "One of the two is ignored; at a folder that is none the container never starts. A size of 10 is ten bytes: storage rounds it up to its least, pays no heed, or never makes the volume.",
        check: Check::object(f38).or(Severity::Warn, "for storageClass and retain beside an existing claim, and for a size that lacks its unit"),
        example: Example {
            bad: "spec: {flowerSpec: {persistence: {existingClaim: flower, size: 1Gi}, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.persistence",
            good: "spec: {flowerSpec: {persistence: {existingClaim: flower, path: /var/lib/flower}, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F39", severity: Severity::Deny, schema: true, since: "0.1",
        title: "what Flower counts is not negative",
        consequence: "Flower remembers nothing, or ends with an error that names no field.",
        check: Check::field(
            &[
                "spec.flowerSpec.maxTasks", "spec.flowerSpec.maxWorkers", "spec.flowerSpec.purgeOfflineWorkersSeconds",
                "spec.flowerSpec.inspectTimeoutMs", "spec.flowerSpec.persistence.saveIntervalSeconds",
            ],
            "use a number above zero",
        ),
        example: Example {
            bad: "spec: {flowerSpec: {maxTasks: 0, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.maxTasks",
            good: "spec: {flowerSpec: {maxTasks: 1000, purgeOfflineWorkersSeconds: 0, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
];

/// Whether a file shall last that is not the one of `persistence`, and where that is said.
fn persistent_option(flower: &Flower<'_>) -> Option<String> {
    let option = flower.option("persistent");
    let is_on = flower.spec.persistence.is_none() && option.switch() == Some(true);
    option.text().filter(|_| is_on).map(|(_, place)| place.path().to_owned())
}

fn keeps_a_file(flower: &Flower<'_>) -> bool {
    flower.spec.persistence.is_some() || persistent_option(flower).is_some()
}

fn f20(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    if flower.spec.replicas.is_some_and(|replicas| replicas > 1) && !keeps_a_file(&flower) {
        report.add(Kind::Invalid, format!("{PATH}.replicas"), "gives each pod a history of its own", "use 1");
    }
}

fn f21(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    if !keeps_a_file(&flower) {
        return;
    }
    let message = "two pods would corrupt one history file";
    if flower.spec.replicas.is_some_and(|replicas| replicas > 1) {
        report.add(Kind::Invalid, format!("{PATH}.replicas"), message, "use 1, or remove persistence");
    }
    for (path, target) in subject.targets() {
        let scales = target.kind.known() == Some(ScaleKind::Flower);
        if scales && target.max_replicas.is_some_and(|most| most > 1) {
            report.add(Kind::Invalid, format!("{path}.maxReplicas"), message, "use 1, or remove persistence");
        }
    }
}

fn f22(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let Some(path) = persistent_option(&flower) else { return };
    let option = flower.option("db");
    let file = match &option {
        Given::Text(file, _) => file,
        Given::Absent => USUAL_FILE,
        Given::Unknown | Given::Hidden(_) => return,
    };
    let fix = "set flowerSpec.persistence instead";
    if !file.starts_with('/') {
        let message = "the history lies in the container and ends with it";
        report.graded(Severity::Warn, Kind::Forbidden, path, message, fix);
    } else if !flower.mounts().iter().any(|mount| volume::holds(mount, file)) {
        report.add(Kind::Forbidden, path, "no volume holds the file of the history", fix);
    }
}

fn f23(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let persistence = flower.spec.persistence.as_ref();
    if persistence.and_then(|persistence| persistence.save_interval_seconds) == Some(0) {
        let path = format!("{PATH}.persistence.saveIntervalSeconds");
        report.add(Kind::Invalid, path, "saves on a clean stop only", "use 60");
    }
}

fn f33(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let option = flower.option("max_tasks");
    let from_option =
        option.text().and_then(|(text, place)| Some((text.parse().ok()?, place.path().to_owned())));
    let written = flower.spec.max_tasks.map(|tasks| (i64::from(tasks), format!("{PATH}.maxTasks")));
    let Some((_, path)) = written.or(from_option).filter(|(tasks, _)| *tasks >= MANY_TASKS) else { return };
    let limits = flower.spec.resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let is_small = |limit: &Quantity| {
        let usual = ParsedQuantity::try_from(USUAL_MEMORY);
        matches!((ParsedQuantity::try_from(limit), usual), (Ok(limit), Ok(usual)) if limit < usual)
    };
    if limits.and_then(|limits| limits.get("memory")).is_some_and(is_small) {
        let message = "needs more memory than resources.limits.memory";
        report.add(Kind::Forbidden, path, message, "lower it or raise the limit to 1Gi");
    }
}

fn f38(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let Some(persistence) = &flower.spec.persistence else { return };
    let path = format!("{PATH}.persistence");
    let claim = volume::Claim {
        existing: persistence.existing_claim.as_deref(),
        size: persistence.size.as_ref(),
        storage_class: persistence.storage_class.as_deref(),
        retain: persistence.retain,
    };
    claim.judge(&path, report);
    if persistence.path.as_deref().is_some_and(|folder| !volume::is_mountable(folder)) {
        let message = "is not a folder at which a volume can appear";
        report.add(Kind::Invalid, format!("{path}.path"), message, "use one such as /data/flower");
    }
}
