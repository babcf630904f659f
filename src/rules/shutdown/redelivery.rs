// SPDX-License-Identifier: Apache-2.0
//! Rules about brokers that give a task out again when it takes too long.

use serde_json::Value;

use super::{time_limit, time_limit_place};
use crate::celery::broker_url::Transport;
use crate::effective::{self, Effective};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Seconds after which RabbitMQ closes the channel of an unacknowledged task, unless it is configured otherwise.
const RABBITMQ: f64 = 1800.0;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "G10", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a task ends before the broker gives it out again",
        consequence: "The task runs a second time, beside the first or after it. On SQS broker.transportOptions.visibility_timeout counts only where kombu makes the queue: one that exists keeps its own VisibilityTimeout.",
        check: Check::object(g10),
        example: Example {
            bad: "spec: {workerSpec: {timeLimit: 7200, gracefulShutdown: {timeoutSeconds: 7200}}}",
            at: "spec.workerSpec.timeLimit",
            good: "spec: {common: {broker: {transportOptions: {visibility_timeout: 7200}}}, workerSpec: {timeLimit: 7200, gracefulShutdown: {timeoutSeconds: 7200}}}",
            old: None,
        },
    },
    Rule {
        id: "G11", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a task ends before RabbitMQ loses patience",
        consequence: "RabbitMQ closes the channel with PRECONDITION_FAILED; tasks that are acknowledged late run a second time. Where the broker's consumer_timeout is higher, the annotation celeryproject.org/ignore-rules with G11 says so.",
        check: Check::object(g11),
        example: Example {
            bad: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {timeLimit: 3600, gracefulShutdown: {timeoutSeconds: 3600}}}",
            at: "spec.workerSpec.timeLimit",
            good: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {timeLimit: 1800, gracefulShutdown: {timeoutSeconds: 1800}}}",
            old: None,
        },
    },
];

fn g10(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(visibility) = visibility_timeout(subject) else { return };
    let is_sqs = subject.transport() == Some(Transport::Sqs);
    for pool in &subject.pools {
        let limit = time_limit(pool).filter(|limit| *limit > visibility);
        let (path, message, fix) = match (limit, f64::from(pool.grace()) > visibility) {
            (Some(_), _) => (
                time_limit_place(pool),
                if is_sqs {
                    format!("is over {visibility} s")
                } else {
                    format!("is over visibility_timeout, {visibility}: tasks rerun")
                },
                if is_sqs {
                    "raise visibility_timeout and VisibilityTimeout of old queues"
                } else {
                    "raise it in transportOptions"
                },
            ),
            // The end of a pod is told of only where somebody asked for that much time.
            (None, true) if pool.spec.graceful_shutdown.is_some() => (
                Some(format!("{}.gracefulShutdown.timeoutSeconds", pool.path)),
                format!("is over {visibility}, the visibility_timeout"),
                "raise that one",
            ),
            _ => continue,
        };
        let Some(path) = path else { continue };
        report.add(Kind::Invalid, path, message, fix);
    }
}

/// Seconds after which the broker gives an unacknowledged task out again.
fn visibility_timeout(subject: &Subject<'_>) -> Option<f64> {
    let is_sqs = subject.transport() == Some(Transport::Sqs);
    let default = match subject.transport()? {
        Transport::Redis | Transport::RedisSocket | Transport::Sentinel => 3600.0,
        Transport::Sqs => 1800.0,
        _ => return None,
    };
    match effective::broker::transport_options(subject.common()) {
        Effective::Absent => Some(default),
        Effective::Unclear => None,
        Effective::Is(options) => match options.get("visibility_timeout") {
            None => Some(default),
            // Digits in quotes are as good as a number there.
            Some(Value::String(text)) if is_sqs => text.parse::<u32>().ok().map(f64::from),
            Some(value) => value.as_f64(),
        },
    }
}

fn g11(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.transport() != Some(Transport::Amqp) {
        return;
    }
    for pool in &subject.pools {
        if time_limit(pool).is_some_and(|limit| limit > RABBITMQ)
            && let Some(path) = time_limit_place(pool)
        {
            report.add(
                Kind::Invalid,
                path,
                "is over RabbitMQ's default consumer_timeout, 1800 s",
                "raise it on the broker",
            );
        }
    }
}
