// SPDX-License-Identifier: Apache-2.0
//! Rules about what is scaled, between which bounds, and by whom else.

use std::collections::HashSet;

use crate::api::{DEFAULT_POOL, MetricName, ScaleKind, is_object_name};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::quoting::one_of;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Pool, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "A01", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a target is worker or flower, once",
        consequence: "Two autoscalers on one Deployment undo each other's work.",
        check: Check::object(a01),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: beat, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].kind",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A02", severity: Severity::Deny, schema: true, since: "0.1",
        title: "maxReplicas is set and not below minReplicas",
        consequence: "The autoscaler is refused and nothing scales.",
        check: Check::field(&["spec.scaleTargetRef[].maxReplicas"], "use 1 or more").and(a02),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, minReplicas: 5, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].maxReplicas",
            good: "spec: {scaleTargetRef: [{kind: worker, minReplicas: 3, maxReplicas: 5, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A03", severity: Severity::Deny, schema: true, since: "0.1",
        title: "scaling to zero needs a queue to look at",
        consequence: "Without pods there is no cpu and no memory to measure: the pool would never come back.",
        check: Check::object(a03),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, minReplicas: 0, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].minReplicas",
            good: "spec: {workerSpec: {queues: [mail]}, common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: redis}}, scaleTargetRef: [{kind: worker, minReplicas: 0, maxReplicas: 3, includeUnacked: true, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A04", severity: Severity::Deny, schema: true, since: "0.1",
        title: "there is a metric, and each only once",
        consequence: "Without metrics Kubernetes silently takes 80 % cpu; of two metrics of a name one is ignored.",
        check: Check::object(a04),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: []}]}",
            at: "spec.scaleTargetRef[0].metrics",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: memory, target: {type: Average Value, averageValue: 200Mi}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A27", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an autoscaler's target is there",
        consequence: "There is nothing to scale.",
        check: Check::object(a27),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: flower, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].kind",
            good: "spec: {flowerSpec: {auth: {allowUnauthenticated: true}}, scaleTargetRef: [{kind: flower, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A28", severity: Severity::Deny, schema: false, since: "0.1",
        title: "who scales an object has a pool to scale, and no rival",
        consequence: "An autoscaler undoes the number at once; without a default pool, scaling creates one nobody wrote.",
        check: Check::scale(a28),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            at: "spec.replicas",
            good: "{}",
            old: None,
        },
    },
];

fn a01(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    for (path, target) in subject.targets() {
        report.unsupported(&target.kind, format!("{path}.kind"), "is not something that can be scaled");
        let key = (target.kind.written(), target.pool());
        if !seen.insert(key) {
            let message = format!("{} {:?} already has an autoscaler", key.0, key.1);
            report.add(Kind::Duplicate, path, message, "put all metrics into one entry");
        }
    }
}

fn a02(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, target) in subject.targets() {
        let path = format!("{path}.maxReplicas");
        match (target.min_replicas, target.max_replicas) {
            (_, None) => {
                report.add(Kind::Required, path, "an autoscaler needs an upper bound", "set maxReplicas");
            }
            (Some(min), Some(max)) if min > max && max >= 1 => {
                let message = format!("is below minReplicas, which is {min}");
                report.add(Kind::Invalid, path, message, "raise maxReplicas or lower minReplicas");
            }
            _ => {}
        }
    }
}

fn a03(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, target) in subject.targets() {
        if target.min_replicas == Some(0) && !target.follows(MetricName::TaskQueueLength) {
            let message = "at zero pods there is no cpu and no memory to measure";
            report.add(
                Kind::Invalid,
                format!("{path}.minReplicas"),
                message,
                "use 1, or add task_queue_length",
            );
        }
    }
}

fn a04(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, target) in subject.targets() {
        if target.metrics.is_empty() {
            let message = "an autoscaler needs something to follow";
            report.add(
                Kind::Required,
                format!("{path}.metrics"),
                message,
                "add cpu, memory or task_queue_length",
            );
        }
        for (index, metric) in target.metrics.iter().enumerate() {
            if target.metrics[..index].iter().any(|before| before.name == metric.name) {
                let path = format!("{path}.metrics[{index}].name");
                report.add(Kind::Duplicate, path, "the metric is given twice", "keep one of them");
            }
        }
    }
}

fn a27(subject: &Subject<'_>, report: &mut Report<'_>) {
    let spec = &subject.object.spec;
    for (path, target) in subject.targets() {
        match target.kind.known() {
            Some(ScaleKind::Flower) if spec.flower_spec.is_none() => {
                report.add(Kind::NotFound, format!("{path}.kind"), "there is no Flower", "set flowerSpec");
            }
            Some(ScaleKind::Flower) if target.pool() != DEFAULT_POOL => {
                report.add(Kind::NotFound, format!("{path}.pool"), "Flower has no pools", "leave pool out");
            }
            Some(ScaleKind::Worker) if subject.pool_of(target).is_none() => {
                // Of the name of the pool that is meant another rule tells.
                let meant = |pool: &Pool<'_>| pool.name.to_lowercase().replace('_', "-") == target.pool();
                if subject.pools.iter().any(meant) {
                    continue;
                }
                let (at, fix) = match target.pool() {
                    DEFAULT_POOL => ("kind", "set workerSpec".to_owned()),
                    _ => ("pool", pools_to_choose_from(subject)),
                };
                report.add(Kind::NotFound, format!("{path}.{at}"), "there is no such worker pool", fix);
            }
            _ => {}
        }
    }
}

fn a28(subject: &Subject<'_>, report: &mut Report<'_>) {
    let path = "spec.replicas";
    if subject.object.spec.worker_spec.is_none() {
        report.add(
            Kind::Forbidden,
            path,
            "there is no default worker pool to scale",
            "set spec.workerSpec first",
        );
    }
    if let Some((owner, _)) = subject.target_of(DEFAULT_POOL) {
        let fix = format!("change minReplicas and maxReplicas of {owner} instead");
        report.add(Kind::Forbidden, path, "an autoscaler owns the number of workers", fix);
    }
}

fn pools_to_choose_from(subject: &Subject<'_>) -> String {
    let names = subject.pools.iter().map(|pool| pool.name).filter(|name| is_object_name(name));
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "add a pool of that name".to_owned() } else { one_of(&names.join(", ")) }
}
