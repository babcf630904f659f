// SPDX-License-Identifier: Apache-2.0
//! Rules about what config says of queues, where RabbitMQ or a release of Celery takes no notice of it.

use serde_json::Value;

use crate::celery::broker_url::Transport;
use crate::celery::version::{Release, Target};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Where queues are declared.
const PATH: &str = "spec.common.config.task_queues";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C121", severity: Severity::Warn, schema: false, since: "0.1",
        title: "limits of a queue in task_queues are queue_arguments before Celery 5.7",
        consequence: "Celery 5.4 and 5.6 were seen to drop the key: the queue is declared without it. RabbitMQ counts expires and message_ttl in milliseconds there.",
        check: Check::object(c121),
        example: Example {
            bad: "spec: {common: {broker: {url: 'amqp://app@mq'}, config: {task_queues: {mail: {max_priority: 9}}}}}",
            at: "spec.common.config.task_queues.mail.max_priority",
            good: "spec: {common: {broker: {url: 'amqp://app@mq'}, config: {task_queues: {mail: {queue_arguments: {x-max-priority: 9}}}}}}",
            old: None,
        },
    },
    Rule {
        id: "C122", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a quorum queue has no task_queue_max_priority",
        consequence: "A quorum queue knows no number of priorities: RabbitMQ refuses the queue or keeps no such order.",
        check: Check::object(c122),
        example: Example {
            bad: "spec: {common: {broker: {url: 'amqp://app@mq'}, config: {task_default_queue_type: quorum, task_queue_max_priority: 9}}}",
            at: "spec.common.config.task_queue_max_priority",
            good: "spec: {common: {broker: {url: 'amqp://app@mq'}, config: {task_default_queue_type: classic, task_queue_max_priority: 9}}}",
            old: None,
        },
    },
];

/// The keys, and what RabbitMQ calls them.
const LIMITS: [(&str, &str); 4] = [
    ("max_priority", "x-max-priority"),
    ("expires", "x-expires"),
    ("message_ttl", "x-message-ttl"),
    ("max_length", "x-max-length"),
];

fn c121(subject: &Subject<'_>, report: &mut Report<'_>) {
    let takes_them = matches!(subject.celery, Target::Known(Release::V5_7) | Target::Newer(_));
    if takes_them || subject.transport() != Some(Transport::Amqp) {
        return;
    }
    let queues = subject.common().config.get("task_queues").and_then(|written| written.0.as_object());
    for (name, queue) in queues.into_iter().flatten() {
        for (key, argument) in
            LIMITS.iter().filter(|(key, _)| queue.get(key).is_some_and(|value| !value.is_null()))
        {
            let path = path::entry(&path::entry(PATH, name), key);
            report.add(
                Kind::Forbidden,
                path,
                "is ignored before 5.7",
                format!("use queue_arguments.{argument}"),
            );
        }
    }
}

fn c122(subject: &Subject<'_>, report: &mut Report<'_>) {
    let config = |name: &str| subject.common().config.get(name).map(|written| &written.0);
    let is_quorum = config("task_default_queue_type").and_then(Value::as_str) == Some("quorum");
    let has_priorities = config("task_queue_max_priority").is_some_and(|value| !value.is_null());
    if is_quorum && has_priorities && subject.transport() == Some(Transport::Amqp) {
        let path = "spec.common.config.task_queue_max_priority";
        report.add(Kind::Forbidden, path, "is not for quorum queues", "remove it");
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::findings;

    #[test]
    fn limits_of_a_queue_depend_on_release_and_broker() {
        let count = |common: &str, id: &str| {
            let told = findings(&format!("spec: {{common: {{{common}}}}}"));
            told.iter().filter(|finding| finding.rule == id).count()
        };
        let queues = "config: {task_queues: {a: {max_priority: 9, expires: 60, message_ttl: 9, max_length: 9}, b: {}}}";
        let amqp = "broker: {url: 'amqp://app@mq'}";
        assert_eq!(count(&format!("{amqp}, {queues}"), "C121"), 4);
        assert_eq!(count(&format!("{amqp}, {queues}, celeryVersion: '5.4'"), "C121"), 4);
        assert_eq!(count(&format!("{amqp}, {queues}, celeryVersion: '5.7'"), "C121"), 0);
        assert_eq!(count(queues, "C121"), 0, "Redis has none of them");
        let quorum = "config: {task_default_queue_type: quorum, task_queue_max_priority: 9}";
        assert_eq!(count(&format!("{amqp}, {quorum}"), "C122"), 1);
        assert_eq!(count(quorum, "C122"), 0);
    }
}
