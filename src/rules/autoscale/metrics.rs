// SPDX-License-Identifier: Apache-2.0
//! Rules about the metrics of autoscalers and their targets.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube_quantity::ParsedQuantity;

use super::is_queue;
use crate::api::{Metric, Open, ScaleKind, TargetType, Word};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "A05", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a metric is cpu, memory or task_queue_length",
        consequence: "No autoscaler knows the metric, and nothing scales.",
        check: Check::object(a05),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: message_queue, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].name",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A06", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a queue has no utilization",
        consequence: "KEDA accepts the object and then reports it as not ready.",
        check: Check::object(a06),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: Utilization, averageUtilization: 80}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].target.type",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A07", severity: Severity::Deny, schema: true, since: "0.1",
        title: "the type and the value of a target match",
        consequence: "Kubernetes accepts a mismatch, and the autoscaler never acts.",
        check: Check::object(a07),
        example: Example {
            bad: "spec: {workerSpec: {resources: {requests: {cpu: 500m}}}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].target",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A10", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an amount of cpu or memory is a quantity above zero",
        consequence: "The autoscaler is refused, or fails inside KEDA without a word in its status.",
        check: Check::object(a10),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 80%}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].target.averageValue",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 800m}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A11", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a queue length is a whole number above zero",
        consequence: "KEDA reports the autoscaler as not ready, and nothing scales.",
        check: Check::object(a11),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].target.averageValue",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A13", severity: Severity::Deny, schema: true, since: "0.1",
        title: "Flower has no queue",
        consequence: "A user interface would be scaled by a backlog it does not work on.",
        check: Check::object(a13),
        example: Example {
            bad: "spec: {flowerSpec: {auth: {allowUnauthenticated: true}}, scaleTargetRef: [{kind: flower, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].name",
            good: "spec: {flowerSpec: {auth: {allowUnauthenticated: true}}, scaleTargetRef: [{kind: flower, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            old: None,
        },
    },
];

fn a05(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, metric) in metrics(subject) {
        let looks_like_a_queue =
            ["queue", "length", "message", "task"].iter().any(|part| metric.name.written().contains(part));
        let path = format!("{path}.name");
        if metric.name.known().is_none() && looks_like_a_queue {
            report.add(Kind::Unsupported, path, "is not a metric", "did you mean task_queue_length?");
        } else {
            report.unsupported(&metric.name, path, "is not a metric");
        }
    }
}

fn a06(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, metric) in metrics(subject) {
        if is_queue(metric) && target_type(metric) == Some(TargetType::Utilization) {
            let message = "a queue has no utilization";
            report.add(
                Kind::Invalid,
                format!("{path}.target.type"),
                message,
                "use AverageValue with averageValue",
            );
        }
    }
}

fn a07(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, metric) in metrics(subject) {
        let target = &metric.target;
        let path = format!("{path}.target");
        match (&target.type_, target_type(metric)) {
            (None, _) => {
                // Of the other one A06 tells.
                let is_queue = is_queue(metric);
                let fix = if is_queue {
                    "set type to AverageValue"
                } else {
                    "set type to Utilization or AverageValue"
                };
                report.add(Kind::Required, format!("{path}.type"), "the type of the target is missing", fix);
            }
            (Some(written), None) => {
                report.unsupported(written, format!("{path}.type"), "is not a type of target");
            }
            (_, Some(TargetType::Utilization)) if is_queue(metric) => {} // A06 tells.
            (_, Some(type_)) => mismatch(
                report,
                path,
                type_,
                target.average_value.is_some(),
                target.average_utilization.is_some(),
            ),
        }
    }
}

fn mismatch(report: &mut Report<'_>, path: String, type_: TargetType, value: bool, utilization: bool) {
    let (own, own_set, other, other_set) = match type_ {
        TargetType::Utilization => ("averageUtilization", utilization, "averageValue", value),
        TargetType::AverageValue => ("averageValue", value, "averageUtilization", utilization),
    };
    if other_set {
        let message = format!("{other} does not go with type {}", type_.as_str());
        let fix = match type_ {
            _ if own_set => format!("remove {other}"),
            TargetType::Utilization => format!("set type: AverageValue, or replace it by {own}"),
            // Not every metric has a utilization.
            TargetType::AverageValue => format!("set {own} instead"),
        };
        report.add(Kind::Forbidden, path, message, fix);
    } else if !own_set {
        report.add(
            Kind::Required,
            path,
            format!("the type {} needs {own}", type_.as_str()),
            format!("set {own}"),
        );
    }
}

fn a10(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, metric) in metrics(subject) {
        let Some(value) = metric.target.average_value.as_ref().filter(|_| !is_queue(metric)) else {
            continue;
        };
        let path = format!("{path}.target.averageValue");
        match ParsedQuantity::try_from(value) {
            Err(_) => report.add(Kind::Invalid, path, "is not a quantity", "use one such as 500m or 200Mi"),
            Ok(amount) if !is_positive(&amount) => {
                report.add(Kind::Invalid, path, "is not above zero", "use a quantity such as 500m or 200Mi");
            }
            Ok(_) => {}
        }
    }
}

fn a11(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, metric) in metrics(subject) {
        let Some(Quantity(value)) = metric.target.average_value.as_ref().filter(|_| is_queue(metric)) else {
            continue;
        };
        if !value.parse::<i64>().is_ok_and(|tasks| tasks >= 1) {
            let path = format!("{path}.target.averageValue");
            let message = "is not a whole number of tasks above zero";
            report.add(
                Kind::Invalid,
                path,
                message,
                "use the number of tasks that may wait for each pod, such as 10",
            );
        }
    }
}

fn a13(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, target) in
        subject.targets().filter(|(_, target)| target.kind.known() == Some(ScaleKind::Flower))
    {
        if let Some(index) = target.metrics.iter().position(is_queue) {
            let path = format!("{path}.metrics[{index}].name");
            report.add(Kind::Forbidden, path, "Flower consumes no queue", "use cpu or memory");
        }
    }
}

fn metrics<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = (String, &'s Metric)> {
    subject.targets().flat_map(|(path, target)| {
        let metrics = target.metrics.iter().enumerate();
        metrics.map(move |(index, metric)| (format!("{path}.metrics[{index}]"), metric))
    })
}

fn target_type(metric: &Metric) -> Option<TargetType> {
    metric.target.type_.as_ref().and_then(Open::known)
}

fn is_positive(amount: &ParsedQuantity) -> bool {
    ParsedQuantity::try_from("0").is_ok_and(|zero| *amount > zero)
}
