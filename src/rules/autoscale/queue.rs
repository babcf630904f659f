// SPDX-License-Identifier: Apache-2.0
//! Rules about the queues that an autoscaler follows.

use std::collections::HashSet;

use super::{Follower, followers, priorities};
use crate::celery::broker_url::Transport;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Most lists that one autoscaler looks into: each is a trigger, all of them are one object.
const MAX_LISTS: usize = 100;

/// Bytes of a name for which a warning has no room.
const LONG: usize = 16;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "A14", severity: Severity::Deny, schema: false, since: "0.1",
        title: "task_queue_length needs a broker whose queues can be measured",
        consequence: "No trigger can be made, and the pool never scales.",
        check: Check::object(a14),
        example: Example {
            bad: "spec: {common: {broker: {url: 'mongodb://db/tasks'}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].name",
            good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: amqp}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A16", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an autoscaler follows queues that its pool consumes",
        consequence: "Pods are added for tasks that they do not take, and the backlog stays.",
        check: Check::object(a16).or(Severity::Warn, "when it is not known which queues the pool consumes"),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, queues: [mail, orders], metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].queues[1]",
            good: "spec: {workerSpec: {queues: [mail, orders]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, queues: [orders], metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A17", severity: Severity::Warn, schema: false, since: "0.1",
        title: "who follows queues knows their names",
        consequence: "The queue celery is counted, and an application with another default queue never scales.",
        check: Check::object(a17),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.workerSpec.queues",
            good: "spec: {workerSpec: {args: ['-Q', mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A31", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an autoscaler looks into at most 100 lists",
        consequence: "Every list is a trigger of one object, which the API server refuses when it grows too large.",
        check: Check::object(a31),
        example: Example {
            bad: "spec: {workerSpec: {queues: [q1, q2, q3, q4, q5, q6, q7, q8, q9, q10, q11, q12, q13, q14, q15, q16, q17, q18, q19, q20, q21, q22, q23, q24, q25, q26]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.workerSpec.queues",
            good: "spec: {workerSpec: {queues: [q1, q2, q3, q4, q5, q6, q7, q8, q9, q10, q11, q12, q13, q14, q15, q16, q17, q18, q19, q20, q21, q22, q23, q24, q25, q26]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, prioritySteps: [0], metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A32", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a queue to follow is named as it is, once",
        consequence: "KEDA cuts spaces off and looks into a queue of another name; a queue that is given twice counts twice.",
        check: Check::object(a32).or(Severity::Warn, "for a queue that is given twice"),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, queues: [' mail'], metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].queues[0]",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, queues: [mail], metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "W39", severity: Severity::Warn, schema: false, since: "0.1",
        title: "with a queue autoscaler a worker fetches no more than it runs",
        consequence: "Tasks that wait inside a pod are no backlog for the autoscaler, and other pods stay idle.",
        check: Check::object(w39),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail], prefetchMultiplier: 4}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.workerSpec.prefetchMultiplier",
            good: "spec: {workerSpec: {queues: [mail], prefetchMultiplier: 1}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
];

/// Told once, however many autoscalers follow: the cause is the broker.
fn a14(subject: &Subject<'_>, report: &mut Report<'_>) {
    let (Some(first), Some(transport)) = (followers(subject).next(), subject.transport()) else { return };
    let fix = match transport {
        // memory:// carries no task between pods at all, which another rule tells.
        Transport::Redis | Transport::Amqp | Transport::Memory => return,
        Transport::Sentinel | Transport::Sqs if has_parts(subject) => return,
        Transport::Sentinel => "describe it by spec.common.broker.redis.sentinel instead of a URL",
        Transport::Sqs => "set spec.common.broker.sqs with its region instead of a URL",
        Transport::RedisSocket | Transport::Other => "use cpu or memory, or Redis, RabbitMQ or SQS",
    };
    let message = format!(
        "this operator cannot measure the queues of a {}:// broker",
        subject.scheme.as_ref().map_or("", |scheme| scheme.name.as_str())
    );
    report.add(Kind::Forbidden, format!("{}.name", first.metric), message, fix);
}

/// Whether the broker is given by its parts.
fn has_parts(subject: &Subject<'_>) -> bool {
    subject.broker().is_some_and(|broker| broker.url.is_none() && broker.url_secret_ref.is_none())
}

fn a16(subject: &Subject<'_>, report: &mut Report<'_>) {
    for Follower { path, target, pool, .. } in followers(subject) {
        let (Some(pool), false) = (pool, target.queues.is_empty()) else { continue };
        let Some(consumed) = pool.queues() else {
            let message = "whether the pool consumes these is not known";
            let fix = format!("name them in {}.queues", pool.path);
            report.warn(Kind::Forbidden, format!("{path}.queues"), message, fix);
            continue;
        };
        let consumed: HashSet<&str> = consumed.iter().map(String::as_str).collect();
        for (index, name) in target.queues.iter().enumerate().filter(|(_, name)| is_readable(name)) {
            if !consumed.contains(name.as_str()) {
                let message = format!("is not consumed by pool {:?}", pool.name);
                let fix = "add it to the pool's queues, or remove it here";
                report.add(Kind::NotFound, format!("{path}.queues[{index}]"), message, fix);
            }
        }
    }
}

fn a17(subject: &Subject<'_>, report: &mut Report<'_>) {
    for Follower { target, pool, .. } in followers(subject) {
        if let Some(pool) = pool.filter(|pool| target.queues.is_empty() && pool.queues().is_none()) {
            let queue = pool.effective().counted_queues().concat();
            let shown = if queue.len() > LONG { "the default one" } else { &format!("{queue:?}") };
            let message = format!("no queue is named, so the autoscaler counts {shown}");
            report.add(Kind::Required, format!("{}.queues", pool.path), message, "list the queues");
        }
    }
}

fn a31(subject: &Subject<'_>, report: &mut Report<'_>) {
    for Follower { path, target, pool, .. } in followers(subject) {
        let (count, path) = match (target.queues.len(), pool) {
            (0, None) => continue,
            (0, Some(pool)) => {
                let count = pool.queues().map_or(1, |names| names.len());
                (count, format!("{}.{}", pool.path, pool.queues_field()))
            }
            (count, _) => (count, format!("{path}.queues")),
        };
        // Of a broker behind a Secret nobody knows whether its queues have a list for each priority.
        let lists = if subject.is_redis() { priorities::counted(subject, target).len() } else { 1 };
        if count * lists <= MAX_LISTS {
            continue;
        }
        let (message, fix) = match lists {
            1 => (format!("names {count} queues"), "follow fewer of them in scaleTargetRef"),
            _ => (
                format!("{count} queues x {lists} priorities make {} Redis lists", count * lists),
                "name fewer queues, or fewer prioritySteps ([0] where no task has a priority)",
            ),
        };
        report.add(Kind::Forbidden, path, format!("{message}, the maximum is {MAX_LISTS}"), fix);
    }
}

fn a32(subject: &Subject<'_>, report: &mut Report<'_>) {
    for Follower { path, target, .. } in followers(subject) {
        let mut seen: HashSet<&str> = HashSet::new();
        for (index, name) in target.queues.iter().enumerate() {
            let path = format!("{path}.queues[{index}]");
            if name.is_empty() {
                report.add(Kind::Required, path, "a queue has a name", "write it, or take the entry out");
            } else if !is_readable(name) {
                let message = "begins or ends with a space, which KEDA cuts off";
                report.add(Kind::Invalid, path, message, "name the queue without it");
            } else if !seen.insert(name) {
                report.warn(Kind::Duplicate, path, "is given twice and counts twice", "keep one of them");
            }
        }
    }
}

/// Whether KEDA reads the name as it is written.
fn is_readable(name: &str) -> bool {
    !name.is_empty() && name.trim() == name
}

fn w39(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in followers(subject).filter_map(|follower| follower.pool) {
        let fetches_ahead = pool.spec.prefetch_multiplier.is_some_and(|tasks| tasks > 1);
        if fetches_ahead && pool.spec.disable_prefetch != Some(true) {
            let path = format!("{}.prefetchMultiplier", pool.path);
            report.add(Kind::Invalid, path, "lets pods reserve tasks the autoscaler cannot see", "use 1");
        }
    }
}
