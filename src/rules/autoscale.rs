// SPDX-License-Identifier: Apache-2.0
//! Rules about autoscalers.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube_quantity::ParsedQuantity;

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::subject::Subject;
use crate::api::{DEFAULT_POOL, Metric, MetricName, Open, ScaleKind, ScaleTarget, TargetType, Word};
use crate::celery::broker_url::Transport;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "A01", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a target is worker or flower, once",
        consequence: "Two autoscalers on one Deployment undo each other's work.",
        check: Check::object(a01),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: beat, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            at: "spec.scaleTargetRef[0].kind",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A02", severity: Severity::Deny, schema: true, since: "0.1",
        title: "maxReplicas is set and not below minReplicas",
        consequence: "The autoscaler is refused and nothing scales.",
        check: Check::field(&["spec.scaleTargetRef[].maxReplicas"], "use 1 or more").and(a02),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, minReplicas: 5, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            at: "spec.scaleTargetRef[0].maxReplicas",
            good: "spec: {scaleTargetRef: [{kind: worker, minReplicas: 3, maxReplicas: 5, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A03", severity: Severity::Deny, schema: true, since: "0.1",
        title: "scaling to zero needs a queue to look at",
        consequence: "Without pods there is no cpu and no memory to measure: the pool would never come back.",
        check: Check::object(a03),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, minReplicas: 0, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            at: "spec.scaleTargetRef[0].minReplicas",
            good: "spec: {scaleTargetRef: [{kind: worker, minReplicas: 0, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
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
        id: "A05", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a metric is cpu, memory or task_queue_length",
        consequence: "No autoscaler knows the metric, and nothing scales.",
        check: Check::object(a05),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: message_queue, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].name",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A06", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a queue has no utilization",
        consequence: "KEDA accepts the object and then reports it as not ready.",
        check: Check::object(a06),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: Utilization, averageUtilization: 80}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].target.type",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A07", severity: Severity::Deny, schema: true, since: "0.1",
        title: "the type and the value of a target match",
        consequence: "Kubernetes accepts a mismatch, and the autoscaler never acts.",
        check: Check::object(a07),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].target",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A09", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a utilization is above zero",
        consequence: "The autoscaler is refused and nothing scales.",
        check: Check::field(&["spec.scaleTargetRef[].metrics[].target.averageUtilization"], "use a percentage such as 80"),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 0}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].target.averageUtilization",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
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
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].target.averageValue",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A13", severity: Severity::Deny, schema: true, since: "0.1",
        title: "Flower has no queue",
        consequence: "A user interface would be scaled by a backlog it does not work on.",
        check: Check::object(a13),
        example: Example {
            bad: "spec: {flowerSpec: {}, scaleTargetRef: [{kind: flower, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].name",
            good: "spec: {flowerSpec: {}, scaleTargetRef: [{kind: flower, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A14", severity: Severity::Deny, schema: false, since: "0.1",
        title: "task_queue_length needs a broker whose queues can be measured",
        consequence: "No trigger can be made, and the pool never scales.",
        check: Check::object(a14),
        example: Example {
            bad: "spec: {common: {broker: {url: 'mongodb://db/tasks'}}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].name",
            good: "spec: {common: {broker: {url: 'amqp://app@mq'}}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A27", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an autoscaler's target is there",
        consequence: "There is nothing to scale.",
        check: Check::object(a27),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: flower, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            at: "spec.scaleTargetRef[0].kind",
            good: "spec: {flowerSpec: {}, scaleTargetRef: [{kind: flower, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A28", severity: Severity::Deny, schema: false, since: "0.1",
        title: "who scales an object has a pool to scale, and no rival",
        consequence: "An autoscaler undoes the number at once; without a default pool, scaling creates one nobody wrote.",
        check: Check::scale(a28),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            at: "spec.replicas",
            good: "{}",
            old: None,
        },
    },
];

fn a01(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (path, target) in subject.targets() {
        unsupported(report, &target.kind, format!("{path}.kind"), "is not something that can be scaled");
        let key = (target.kind.written(), target.pool());
        if seen.contains(&key) {
            let message = format!("{} {:?} already has an autoscaler", key.0, key.1);
            report.add(Kind::Duplicate, path, message, "put all metrics into one entry");
        }
        seen.push(key);
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
                report.add(Kind::Duplicate, path, "the metric is there twice", "keep one of them");
            }
        }
    }
}

fn a05(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, metric) in metrics(subject) {
        let looks_like_a_queue =
            ["queue", "length", "message", "task"].iter().any(|part| metric.name.written().contains(part));
        let path = format!("{path}.name");
        if metric.name.known().is_none() && looks_like_a_queue {
            report.add(Kind::Unsupported, path, "is not a metric", "did you mean task_queue_length?");
        } else {
            unsupported(report, &metric.name, path, "is not a metric");
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
                let fix = "set type to Utilization or AverageValue";
                report.add(Kind::Required, format!("{path}.type"), "the type of the target is missing", fix);
            }
            (Some(written), None) => {
                unsupported(report, written, format!("{path}.type"), "is not a type of target");
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
        let message = format!("{other} does not go with the type {}", type_.as_str());
        let fix = if own_set { format!("remove {other}") } else { format!("set {own} instead") };
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
            report.add(Kind::Invalid, path, message, "use the tasks that may wait for each pod, such as 10");
        }
    }
}

fn a13(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, target) in
        subject.targets().filter(|(_, target)| target.kind.known() == Some(ScaleKind::Flower))
    {
        if let Some(index) = target.metrics.iter().position(is_queue) {
            let path = format!("{path}.metrics[{index}].name");
            report.add(Kind::Forbidden, path, "Flower works on no queue", "use cpu or memory");
        }
    }
}

fn a14(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(metric) = subject.queue_metric() else {
        return;
    };
    let Some(Ok(first)) = subject.urls.first() else {
        return;
    };
    if !matches!(first.transport, Transport::Redis | Transport::Amqp | Transport::Memory) {
        let message = format!("the queues of a {}:// URL cannot be measured", first.scheme);
        if first.transport == Transport::Sqs {
            let fix = "set spec.common.broker.sqs with its region instead of the URL";
            return report.add(Kind::Forbidden, format!("{metric}.name"), message, fix);
        }
        report.add(
            Kind::Forbidden,
            format!("{metric}.name"),
            message,
            "use cpu or memory, or Redis, RabbitMQ or SQS",
        );
    }
}

fn a27(subject: &Subject<'_>, report: &mut Report<'_>) {
    let spec = &subject.object.spec;
    for (path, target) in subject.targets() {
        match target.kind.known() {
            Some(ScaleKind::Flower) if spec.flower_spec.is_none() => {
                report.add(Kind::NotFound, format!("{path}.kind"), "there is no Flower", "set flowerSpec");
            }
            Some(ScaleKind::Worker) if !has_pool(subject, target) => {
                let (at, fix) = match target.pool() {
                    DEFAULT_POOL => ("kind", "set workerSpec"),
                    _ => ("pool", "leave pool out: workerSpec is the only pool"),
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
    let mut targets = subject.targets();
    let owner = targets
        .find(|(_, target)| target.kind.known() == Some(ScaleKind::Worker) && target.pool() == DEFAULT_POOL);
    if let Some((owner, _)) = owner {
        let fix = format!("change minReplicas and maxReplicas of {owner} instead");
        report.add(Kind::Forbidden, path, "an autoscaler owns the number of workers", fix);
    }
}

fn has_pool(subject: &Subject<'_>, target: &ScaleTarget) -> bool {
    target.pool() == DEFAULT_POOL && subject.object.spec.worker_spec.is_some()
}

fn metrics<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = (String, &'s Metric)> {
    subject.targets().flat_map(|(path, target)| {
        let metrics = target.metrics.iter().enumerate();
        metrics.map(move |(index, metric)| (format!("{path}.metrics[{index}]"), metric))
    })
}

fn is_queue(metric: &Metric) -> bool {
    metric.name.known() == Some(MetricName::TaskQueueLength)
}

fn target_type(metric: &Metric) -> Option<TargetType> {
    metric.target.type_.as_ref().and_then(Open::known)
}

fn is_positive(amount: &ParsedQuantity) -> bool {
    ParsedQuantity::try_from("0").is_ok_and(|zero| *amount > zero)
}

fn unsupported<T: Word>(report: &mut Report<'_>, word: &Open<T>, path: String, message: &str) {
    if word.known().is_none() {
        report.add(Kind::Unsupported, path, message, format!("use one of {}", T::supported()));
    }
}
