// SPDX-License-Identifier: Apache-2.0
//! Rules about values that the command line takes and Celery cannot work with.

use serde_json::Value;

use super::taken;
use crate::celery::broker_url::Transport;
use crate::celery::number;
use crate::celery::settings::unfit;
use crate::celery::version::Release;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path::inner;
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Below this many KiB lies what a child has after its first task.
const IDLE: i64 = 64 * 1024;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C44", severity: Severity::Deny, schema: false, since: "0.1",
        title: "settings in config have values that Celery can work with",
        consequence: "The worker ends or replaces its children as soon as it starts, or no task can be sent, or no control queue can be declared.",
        check: Check::object(c44).or(Severity::Warn, "for Celery 4, for a release that is newer than the operator, and where the application may set what is missing"),
        example: Example { bad: "spec: {common: {config: {task_default_rate_limit: 10/min}}}", at: "spec.common.config.task_default_rate_limit", good: "spec: {common: {config: {task_default_rate_limit: 10/m}}}", old: None },
    },
    Rule {
        id: "C49", severity: Severity::Warn, schema: false, since: "0.1",
        title: "worker_max_memory_per_child is more than an idle child uses",
        consequence: "The child process is replaced after every task: Celery counts KiB.",
        check: Check::object(c49),
        example: Example { bad: "spec: {common: {config: {worker_max_memory_per_child: 200}}}", at: "spec.common.config.worker_max_memory_per_child", good: "spec: {common: {config: {worker_max_memory_per_child: 200000}}}", old: None },
    },
];

fn c44(subject: &Subject<'_>, report: &mut Report<'_>) {
    let severity = release::refusal(subject, report.severity());
    for (name, value, path) in taken(subject) {
        let Some(found) = unfit(name, value) else { continue };
        if !has_effect(subject, name) {
            continue;
        }
        report.graded(severity, Kind::Invalid, inner(path, &found.within), found.message, found.fix);
    }
    durable_and_exclusive(subject, severity, report);
}

/// No queue can be both. Exclusive is what those of commands are since 5.7 unless somebody says otherwise, which the
/// application may.
fn durable_and_exclusive(subject: &Subject<'_>, severity: Severity, report: &mut Report<'_>) {
    let set = |name: &str| taken(subject).find(|(known, _, _)| *known == name);
    let is_true = |value: &Value| *value == Value::Bool(true);
    let Some((_, durable, path)) = set("control_queue_durable") else { return };
    if !is_true(durable) {
        return;
    }
    match set("control_queue_exclusive") {
        Some((_, exclusive, path)) if is_true(exclusive) => {
            let message = "cannot go with control_queue_durable";
            report.graded(severity, Kind::Forbidden, path, message, "set one of them to false");
        }
        None if subject.celery.newest() >= Release::V5_7 => {
            let message = "ends Celery 5.7, whose control queues are exclusive";
            let fix = "set control_queue_exclusive: false too";
            report.graded(Severity::Warn, Kind::Forbidden, path, message, fix);
        }
        _ => {}
    }
}

/// Whether anybody reads a setting that not every worker does.
fn has_effect(subject: &Subject<'_>, name: &str) -> bool {
    match name {
        "worker_redirect_stdouts_level" => redirects(subject),
        // Only a list of brokers has an order.
        "broker_failover_strategy" => subject.urls.len() > 1,
        "broker_connection_timeout" | "broker_heartbeat_checkrate" | "broker_login_method" => {
            subject.transport() == Some(Transport::Amqp)
        }
        _ => true,
    }
}

/// Whether prints of tasks go to the log, as they do unless somebody says otherwise.
fn redirects(subject: &Subject<'_>) -> bool {
    let written = subject.common().config.get("worker_redirect_stdouts");
    written.is_none_or(|written| written.0 == Value::Bool(true))
}

fn c49(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (_, value, path) in taken(subject).filter(|(name, ..)| *name == "worker_max_memory_per_child") {
        let kibibytes = value.as_i64().or_else(|| value.as_str().and_then(number::int));
        if !super::has_field(subject, "maxMemoryPerChild")
            && kibibytes.is_some_and(|count| (1..IDLE).contains(&count))
        {
            let fix = format!("use {IDLE} or more: it counts KiB");
            report.add(Kind::Forbidden, path, "is less than an idle child uses", fix);
        }
    }
}
