// SPDX-License-Identifier: Apache-2.0
//! Rules about names inside the values of settings, which Celery takes as they are and does not look for.

use serde_json::{Map, Value};

use super::taken;
use crate::celery::closest;
use crate::celery::settings::{Step, fields};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path::{entry, inner};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C117", severity: Severity::Warn, schema: false, since: "0.1",
        title: "names inside settings are spelt as Celery spells them",
        consequence: "Celery ignores what it does not know of a route or a queue, so that tasks go elsewhere; for every line of a log with an unknown field Python prints \"Formatting field not found in record\" instead.",
        check: Check::object(c117),
        example: Example { bad: "spec: {common: {config: {task_routes: {shop.mail: {queu: mail}}}}}", at: "spec.common.config.task_routes[shop.mail].queu", good: "spec: {common: {config: {task_routes: {shop.mail: {queue: mail}}}}}", old: None },
    },
];

/// What a route may say: where to, and whatever a task may be sent with.
const ROUTE: [&str; 32] = [
    "app_id",
    "chain",
    "compression",
    "content_encoding",
    "content_type",
    "correlation_id",
    "countdown",
    "declare",
    "delivery_mode",
    "eta",
    "exchange",
    "exchange_type",
    "expiration",
    "expires",
    "headers",
    "ignore_result",
    "immediate",
    "link",
    "link_error",
    "mandatory",
    "priority",
    "queue",
    "reply_to",
    "retry",
    "retry_policy",
    "routing_key",
    "serializer",
    "shadow",
    "soft_time_limit",
    "time_limit",
    "timeout",
    "user_id",
];
/// What a queue may say.
const QUEUE: [&str; 26] = [
    "alias",
    "auto_delete",
    "binding_arguments",
    "binding_key",
    "bindings",
    "consumer_arguments",
    "delivery_mode",
    "durable",
    "exchange",
    "exchange_arguments",
    "exchange_auto_delete",
    "exchange_delivery_mode",
    "exchange_durable",
    "exchange_type",
    "exclusive",
    "expires",
    "max_length",
    "max_length_bytes",
    "max_priority",
    "message_ttl",
    "no_ack",
    "no_declare",
    "queue_arguments",
    "queue_auto_delete",
    "queue_durable",
    "routing_key",
];
/// The fields of a record of Python's logging.
const RECORD: [&str; 23] = [
    "args",
    "asctime",
    "created",
    "exc_info",
    "exc_text",
    "filename",
    "funcName",
    "levelname",
    "levelno",
    "lineno",
    "message",
    "module",
    "msecs",
    "msg",
    "name",
    "pathname",
    "process",
    "processName",
    "relativeCreated",
    "stack_info",
    "taskName",
    "thread",
    "threadName",
];
/// What the format of tasks has besides.
const OF_TASKS: [&str; 2] = ["task_id", "task_name"];

fn c117(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, value, path) in taken(subject) {
        match (name, value) {
            ("task_queues", Value::Object(queues)) => entries(queues, &path, &QUEUE, report),
            ("task_routes", Value::Object(routes)) => entries(routes, &path, &ROUTE, report),
            ("task_routes", Value::Array(routers)) => {
                for (at, router) in routers.iter().enumerate() {
                    if let Value::Object(routes) = router {
                        let path = inner(path.clone(), &[Step::Item(at)]);
                        entries(routes, &path, &ROUTE, report);
                    }
                }
            }
            ("worker_log_format" | "worker_task_log_format", Value::String(format)) => {
                of_record(format, name == "worker_task_log_format", &path, report);
            }
            _ => {}
        }
    }
}

/// Tells of names that are nearly right; an application may read others.
fn entries(table: &Map<String, Value>, path: &str, known: &[&'static str], report: &mut Report<'_>) {
    for (name, item) in table {
        let keys = item.as_object().into_iter().flat_map(Map::keys);
        for key in keys.filter(|key| !known.contains(&key.as_str())) {
            if let Some(meant) = closest::of(key, known.iter().copied()) {
                let path = entry(&entry(path, name), key);
                report.add(Kind::Forbidden, path, "is unknown to Celery", format!("did you mean {meant}?"));
            }
        }
    }
}

/// The first field behind which nothing says how it is written, as the `s` of `%(message)s` does: Python raises a
/// `ValueError` for it.
fn endless(format: &str) -> Option<&str> {
    format.split("%(").skip(1).find_map(|rest| {
        let (field, behind) = rest.split_once(')')?;
        let kind =
            behind.trim_start_matches(|letter: char| letter.is_ascii_digit() || "#-+ .".contains(letter));
        // A blank may be a sign of the number behind it.
        let is_there = kind.starts_with(|letter: char| "diouxXeEfFgGcrsa".contains(letter));
        let is_apart = behind.starts_with(' ') && !kind.starts_with(['d', 'i', 'f']);
        (is_apart || !is_there).then_some(field)
    })
}

fn of_record(format: &str, is_of_tasks: bool, path: &str, report: &mut Report<'_>) {
    let more: &[&str] = if is_of_tasks { &OF_TASKS } else { &[] };
    let known = || RECORD.iter().chain(more).copied();
    if let Some(field) = endless(format) {
        let message = format!("has %({field:.24}) without the letter of its kind");
        report.add(Kind::Forbidden, path, message, format!("write %({field:.24})s"));
    }
    for field in fields(format).filter(|field| !known().any(|known| known == *field)) {
        if OF_TASKS.contains(&field) {
            let fix = "write it in worker_task_log_format";
            report.add(Kind::Forbidden, path, format!("has no {field} to show"), fix);
        } else if let Some(meant) = closest::of(field, known()) {
            report.add(Kind::Forbidden, path, "has an unknown field", format!("did you mean {meant}?"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::shop;
    use crate::rules::{Facts, check};

    #[test]
    fn names_that_are_nearly_right_are_told_with_the_right_one() {
        for (config, expected) in [
            ("task_routes: [{a: {queue: b, rooting_key: c}}]", vec!["task_routes[0].a.rooting_key"]),
            ("task_routes: {a: {queue: b, something_else: c}, d: e}", vec![]),
            ("task_queues: {mail: {durabel: true}}", vec!["task_queues.mail.durabel"]),
            ("task_queues: {mail: {routing_key: a, queue_arguments: {x-max-priority: 9}}}", vec![]),
            ("worker_log_format: '%(asctim)s %(message)s'", vec!["worker_log_format"]),
            ("worker_log_format: '%(task_id)s %(message)s'", vec!["worker_log_format"]),
            ("worker_log_format: '%(asctime)s %(message)'", vec!["worker_log_format"]),
            ("worker_log_format: '%(message) %(asctime)s'", vec!["worker_log_format"]),
            ("worker_log_format: '%(levelno) d %(levelname)-8.8s'", vec![]),
            ("worker_task_log_format: '%(task_id)s %(processName)-9s %(message)s'", vec![]),
            ("worker_log_format: '%(request_number)s %(message)s'", vec![]),
        ] {
            let object = shop(&format!("spec: {{common: {{config: {{{config}}}}}}}"));
            let findings = check(&object, None, &Facts::default()).expect("a Celery");
            let told: Vec<&str> =
                findings.iter().filter(|it| it.rule == "C117").map(|it| it.path.as_str()).collect();
            let expected: Vec<String> =
                expected.iter().map(|at| format!("spec.common.config.{at}")).collect();
            assert_eq!(told, expected, "{config}");
        }
    }
}
