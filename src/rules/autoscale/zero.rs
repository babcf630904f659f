// SPDX-License-Identifier: Apache-2.0
//! Rules about scaling to zero and back, and about tasks that a worker holds already.

use serde_json::Value;

use super::{Follower, followers};
use crate::celery::broker_url::Transport;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Seconds without tasks before the last pod goes, when nobody says otherwise.
const COOLDOWN: i32 = 300;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "A18", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a pool that goes to zero counts what its workers hold",
        consequence: "On Redis a running or delayed task is in no queue: the last pod goes while it works. includeUnacked counts the tasks that wait for their acknowledgement; with Celery's default a task is acknowledged before it runs, so that task_acks_late is needed too.",
        check: Check::object(a18),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, minReplicas: 0, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].minReplicas",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, minReplicas: 0, maxReplicas: 3, includeUnacked: true, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A19", severity: Severity::Warn, schema: false, since: "0.1",
        title: "RabbitMQ has no queue that nobody declares",
        consequence: "The first worker declares its queue. When somebody deletes it while there are no pods, KEDA cannot read it and starts none.",
        check: Check::object(a19),
        example: Example {
            bad: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, minReplicas: 0, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].minReplicas",
            good: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, minReplicas: 1, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A20", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the last pod stays as long as a task may run",
        consequence: "The queue is empty while the last task runs, and the pod that runs it is taken away.",
        check: Check::object(a20),
        example: Example {
            bad: "spec: {common: {broker: {url: '$(BROKER)'}, env: [{name: BROKER, valueFrom: {secretKeyRef: {name: broker, key: url}}}]}, workerSpec: {queues: [mail], timeLimit: 1800, gracefulShutdown: {timeoutSeconds: 1800}}, scaleTargetRef: [{kind: worker, minReplicas: 0, maxReplicas: 3, cooldownPeriod: 600, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].cooldownPeriod",
            good: "spec: {common: {broker: {url: '$(BROKER)'}, env: [{name: BROKER, valueFrom: {secretKeyRef: {name: broker, key: url}}}]}, workerSpec: {queues: [mail], timeLimit: 1800, gracefulShutdown: {timeoutSeconds: 1800}}, scaleTargetRef: [{kind: worker, minReplicas: 0, maxReplicas: 3, cooldownPeriod: 1800, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A22", severity: Severity::Deny, schema: true, since: "0.1",
        title: "idleReplicas is 0",
        consequence: "Kubernetes' autoscaler sets its own minimum at once, so that no other number ever holds.",
        check: Check::field(&["spec.scaleTargetRef[].idleReplicas"], "use 0, or leave it out: any other number gives way to minReplicas at once"),
        example: Example {
            bad: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, minReplicas: 3, maxReplicas: 5, idleReplicas: 1, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].idleReplicas",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, minReplicas: 3, maxReplicas: 5, idleReplicas: 0, includeUnacked: true, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A25", severity: Severity::Warn, schema: false, since: "0.1",
        title: "what workers hold is counted for one pool alone",
        consequence: "A Redis database has one hash of unacknowledged tasks: every pool scales for the tasks of all.",
        check: Check::object(a25),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, workerPools: [{name: slow, queues: [orders]}], scaleTargetRef: [{kind: worker, maxReplicas: 3, includeUnacked: true, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].includeUnacked",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, includeUnacked: true, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A26", severity: Severity::Deny, schema: false, since: "0.1",
        title: "on RabbitMQ only the management API counts what workers hold",
        consequence: "The protocol itself tells only the messages that wait.",
        check: Check::object(a26),
        example: Example {
            bad: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, includeUnacked: true, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].includeUnacked",
            good: "spec: {common: {broker: {url: null, rabbitmq: {host: mq, usernameSecretRef: {name: mq, key: user}, managementUrl: 'http://mq:15672'}}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, includeUnacked: true, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
];

/// The field by which an autoscaler goes to zero.
fn way_to_zero(follower: &Follower<'_>) -> Option<String> {
    let field = match (follower.target.min_replicas, follower.target.idle_replicas) {
        (Some(0), _) => "minReplicas",
        (_, Some(0)) => "idleReplicas",
        _ => return None,
    };
    Some(format!("{}.{field}", follower.path))
}

fn counts_unacked(follower: &Follower<'_>) -> bool {
    follower.target.include_unacked == Some(true)
}

/// A task that is acknowledged at its start, as Celery does it by itself, is in no key of Redis while it runs.
fn a18(subject: &Subject<'_>, report: &mut Report<'_>) {
    if !subject.is_redis() {
        return;
    }
    let acks_late = subject.common().config.get("task_acks_late").map(|setting| &setting.0);
    for follower in followers(subject) {
        let fix = match (counts_unacked(&follower), acks_late) {
            (false, Some(Value::Bool(true))) => "set includeUnacked: true",
            (false, _) => "set includeUnacked and task_acks_late",
            (true, Some(Value::Bool(false))) => "set task_acks_late: true",
            // The application may say it.
            (true, _) => continue,
        };
        if let Some(path) = way_to_zero(&follower) {
            report.add(Kind::Invalid, path, "stops pods with running tasks", fix);
        }
    }
}

fn a19(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.transport() != Some(Transport::Amqp) {
        return;
    }
    for path in followers(subject).filter_map(|follower| way_to_zero(&follower)) {
        let message = "starts no pod if the queue is deleted: KEDA cannot read it";
        // KEDA knows no other number of idle pods than 0.
        let fix = if path.ends_with(".idleReplicas") { "remove it" } else { "use 1" };
        report.add(Kind::Invalid, path, message, fix);
    }
}

fn a20(subject: &Subject<'_>, report: &mut Report<'_>) {
    for follower in followers(subject) {
        let limit = follower.pool.and_then(|pool| pool.effective().time_limit().is());
        let (Some(limit), Some(_)) = (limit, way_to_zero(&follower)) else { continue };
        // What a worker holds keeps the pod, and what it has acknowledged already ends while the worker stops.
        let may_end = follower.pool.is_some_and(|pool| pool.is_warm() && f64::from(pool.grace()) >= limit);
        // SQS counts what is in flight unless it is told not to.
        let counts_by_itself =
            subject.transport() == Some(Transport::Sqs) && follower.target.include_unacked.is_none();
        if may_end && (counts_unacked(&follower) || counts_by_itself) {
            continue;
        }
        let written = follower.target.cooldown_period;
        if f64::from(written.unwrap_or(COOLDOWN)) < limit {
            let message = match written {
                Some(_) => "is below the time limit: tasks may be killed",
                None => "is 300, below the time limit: tasks may be killed",
            };
            let path = format!("{}.cooldownPeriod", follower.path);
            report.add(Kind::Invalid, path, message, format!("use {} or more", limit.ceil()));
        }
    }
}

fn a25(subject: &Subject<'_>, report: &mut Report<'_>) {
    if !subject.is_redis() || subject.pools.len() < 2 {
        return;
    }
    for follower in followers(subject).filter(counts_unacked) {
        let message = "also counts other pools' tasks";
        let path = format!("{}.includeUnacked", follower.path);
        report.add(Kind::Forbidden, path, message, "use a Celery with its own database per pool");
    }
}

fn a26(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.transport() != Some(Transport::Amqp) {
        return;
    }
    let typed = subject.broker().and_then(|broker| broker.rabbitmq.as_ref());
    if typed.is_some_and(|mq| mq.management_url.is_some() || mq.management_url_secret_ref.is_some()) {
        return;
    }
    let fix = match typed {
        Some(_) => "set spec.common.broker.rabbitmq.managementUrl",
        None => "set spec.common.broker.rabbitmq with managementUrl instead of a URL",
    };
    for follower in followers(subject).filter(counts_unacked) {
        let message = "needs RabbitMQ's management API";
        report.add(Kind::Forbidden, format!("{}.includeUnacked", follower.path), message, fix);
    }
}
