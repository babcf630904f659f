// SPDX-License-Identifier: Apache-2.0
//! Rules about what only KEDA knows: whether it is there, and the fields that are handed to it.

use super::{Follower, followers, is_queue};
use crate::api::{Fallback, FallbackBehavior, Open, ScaleTarget};
use crate::celery::broker_url::Transport;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "A15", severity: Severity::Warn, schema: false, since: "0.1",
        title: "task_queue_length needs KEDA",
        consequence: "The pool keeps its number of pods until KEDA is installed.",
        check: Check::of_facts(a15),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].name",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A23", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a fallback is for queues that cannot be looked into",
        consequence: "KEDA refuses it without a queue and without both numbers. On Redis it never comes to it: pods are kept as they are.",
        check: Check::field(
            &["spec.scaleTargetRef[].fallback.failureThreshold", "spec.scaleTargetRef[].fallback.replicas"],
            "use 0 or more",
        ).and(a23).or(Severity::Warn, "with Redis, where a fallback has no effect"),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, fallback: {failureThreshold: 3, replicas: 2}, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].fallback",
            good: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, fallback: {failureThreshold: 3, replicas: 2, behavior: currentReplicas}, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A29", severity: Severity::Deny, schema: true, since: "0.1",
        title: "triggerAuthenticationRef names an object of one of two kinds",
        consequence: "KEDA finds no credentials, and the pool never scales.",
        check: Check::field(&["spec.scaleTargetRef[].triggerAuthenticationRef.name"], "set the name of the object").and(a29),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, triggerAuthenticationRef: {name: broker, kind: Secret}, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].triggerAuthenticationRef.kind",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, triggerAuthenticationRef: {name: broker, kind: ClusterTriggerAuthentication}, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A30", severity: Severity::Deny, schema: true, since: "0.1",
        title: "pollingInterval and cooldownPeriod are seconds above zero",
        consequence: "KEDA would ask the broker without a pause, or take the last pod away while its task begins.",
        check: Check::field(&["spec.scaleTargetRef[].pollingInterval", "spec.scaleTargetRef[].cooldownPeriod"], "use 1 or more seconds"),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, pollingInterval: 0, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].pollingInterval",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, pollingInterval: 5, cooldownPeriod: 60, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A34", severity: Severity::Warn, schema: false, since: "0.1",
        title: "fields about queues stand beside a task_queue_length metric",
        consequence: "An autoscaler of cpu and memory has no use for them and passes them over.",
        check: Check::object(a34),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, cooldownPeriod: 60, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].cooldownPeriod",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, cooldownPeriod: 60, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A36", severity: Severity::Deny, schema: true, since: "0.1",
        title: "activationValue is a number of tasks",
        consequence: "A number below zero is always passed, and the pool never goes to zero.",
        check: Check::field(&["spec.scaleTargetRef[].activationValue"], "use 0 or more"),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, activationValue: -1, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].activationValue",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, activationValue: 2, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A37", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a fallback has no fewer pods than minReplicas",
        consequence: "The autoscaler never goes below minReplicas: the smaller number of the fallback is never seen.",
        check: Check::object(a37),
        example: Example {
            bad: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, minReplicas: 2, maxReplicas: 3, fallback: {failureThreshold: 3, replicas: 1}, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].fallback.replicas",
            good: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, minReplicas: 2, maxReplicas: 3, fallback: {failureThreshold: 3, replicas: 2}, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
];

/// Told once, however many autoscalers need it.
fn a15(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.facts.keda != Some(false) {
        return;
    }
    if let Some(first) = followers(subject).next() {
        let path = format!("{}.name", first.metric);
        report.add(Kind::Forbidden, path, "KEDA is not installed", "install it, or use cpu or memory");
    }
}

fn a23(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, target) in subject.targets() {
        let Some(fallback) = &target.fallback else { continue };
        let path = format!("{path}.fallback");
        if fallback.behavior.as_ref().is_some_and(|behavior| behavior.known().is_none()) {
            let fix = "use static, currentReplicas, currentReplicasIfHigher or currentReplicasIfLower";
            report.add(Kind::Unsupported, format!("{path}.behavior"), "is not a behaviour of KEDA", fix);
        }
        let missing = missing(fallback);
        for (field, fix) in &missing {
            report.add(Kind::Required, format!("{path}.{field}"), "has no default", *fix);
        }
        if !target.metrics.iter().any(is_queue) {
            let message = "fallback works only with task_queue_length";
            report.add(Kind::Forbidden, path, message, "remove it, or add that metric");
        } else if subject.is_redis() && missing.is_empty() {
            let message = "has no effect with Redis, pods are kept as they are";
            report.warn(Kind::Forbidden, path, message, "remove it");
        }
    }
}

/// The fields that a fallback lacks, and what to write there.
fn missing(fallback: &Fallback) -> Vec<(&'static str, &'static str)> {
    let mut missing = Vec::new();
    if fallback.failure_threshold.is_none() {
        missing.push(("failureThreshold", "set the failed looks in a row that count, such as 3"));
    }
    if fallback.replicas.is_none() {
        missing.push(("replicas", "set the number of pods while the queue cannot be looked into"));
    }
    missing
}

/// With Redis a fallback has no effect at all, which A23 says; `currentReplicas` passes the number over.
fn a37(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.is_redis() {
        return;
    }
    for Follower { path, target, .. } in followers(subject) {
        let Some(fallback) = &target.fallback else { continue };
        let counts = fallback.behavior.as_ref().is_none_or(|behavior| {
            behavior.known().is_some_and(|known| known != FallbackBehavior::CurrentReplicas)
        });
        let least = target.min_replicas.unwrap_or(1);
        if counts && fallback.replicas.is_some_and(|replicas| (0..least).contains(&replicas)) {
            let message = "is below minReplicas, which wins";
            let fix = format!("use {least} or more");
            report.add(Kind::Invalid, format!("{path}.fallback.replicas"), message, fix);
        }
    }
}

fn a29(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, target) in subject.targets() {
        let kind = target.trigger_authentication_ref.as_ref().and_then(|reference| reference.kind.as_ref());
        if kind.is_some_and(|kind| Open::known(kind).is_none()) {
            report.add(
                Kind::Unsupported,
                format!("{path}.triggerAuthenticationRef.kind"),
                "is not a kind KEDA accepts here",
                "use TriggerAuthentication or ClusterTriggerAuthentication",
            );
        }
    }
}

fn a34(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, target) in subject.targets().filter(|(_, target)| !target.metrics.iter().any(is_queue)) {
        for (field, _) in about_queues(target).into_iter().filter(|(_, is_set)| *is_set) {
            let message = "has no effect without task_queue_length";
            report.add(Kind::Forbidden, format!("{path}.{field}"), message, "remove it");
        }
    }
    if !matches!(subject.transport(), Some(Transport::Amqp | Transport::Sqs)) {
        return;
    }
    for follower in followers(subject).filter(|follower| !follower.target.priority_steps.is_empty()) {
        let message = "has no effect, only Redis has lists of priorities";
        report.add(Kind::Forbidden, format!("{}.prioritySteps", follower.path), message, "remove it");
    }
}

/// The fields about queues and whether they are set; `fallback` has a rule of its own.
fn about_queues(target: &ScaleTarget) -> [(&'static str, bool); 8] {
    [
        ("pollingInterval", target.polling_interval.is_some()),
        ("cooldownPeriod", target.cooldown_period.is_some()),
        ("idleReplicas", target.idle_replicas.is_some()),
        ("activationValue", target.activation_value.is_some()),
        ("queues", !target.queues.is_empty()),
        ("includeUnacked", target.include_unacked == Some(true)),
        ("prioritySteps", !target.priority_steps.is_empty()),
        ("triggerAuthenticationRef", target.trigger_authentication_ref.is_some()),
    ]
}
