// SPDX-License-Identifier: Apache-2.0
//! Options that are said twice: only the last one counts, and nobody is told.

use serde_json::Value;

use super::super::finding::{Kind, Report, Severity};
use super::super::rule::{Check, Example, Rule};
use super::super::subject::{Pool, Subject};
use crate::celery::options::Kind as ValueKind;
use crate::celery::reading::Occurrence;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W14", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an option is said once, in a field or in args",
        consequence: "The last one wins and nobody is told: -Q a -Q b consumes b alone.",
        check: Check::object(w14),
        example: Example { bad: "spec: {workerSpec: {args: ['-Q', a, '-Q', b]}}", at: "spec.workerSpec.args[2]", good: "spec: {workerSpec: {args: ['-Q', 'a,b']}}", old: None },
    },
];

/// The fields that are options of the worker.
const FIELDS: &[(&str, &[&str])] = &[
    ("queues", &["--queues"]),
    ("excludeQueues", &["--exclude-queues"]),
    ("concurrency", &["--concurrency"]),
    ("pool", &["--pool"]),
    ("prefetchMultiplier", &["--prefetch-multiplier"]),
    ("disablePrefetch", &["--disable-prefetch"]),
    ("logLevel", &["--loglevel"]),
    ("maxTasksPerChild", &["--max-tasks-per-child"]),
    ("maxMemoryPerChild", &["--max-memory-per-child"]),
    ("timeLimit", &["--time-limit"]),
    ("softTimeLimit", &["--soft-time-limit"]),
    ("optimization", &["--optimization"]),
    ("taskEvents", &["--task-events"]),
    ("gossip", &["--without-gossip"]),
    ("mingle", &["--without-mingle"]),
    ("heartbeat", &["--without-heartbeat"]),
    ("heartbeatInterval", &["--heartbeat-interval"]),
    ("nodeName", &["--hostname"]),
    ("poolStartMethod", &["--pool-start-method"]),
];

/// The field of a worker pool that is an option of the worker.
pub(in crate::rules) fn field_of(option: &str) -> Option<&'static str> {
    FIELDS.iter().find(|(_, options)| options.contains(&option)).map(|(field, _)| *field)
}

fn w14(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let written = serde_json::to_value(pool.spec).unwrap_or_default();
        for (index, used) in pool.said.occurrences.iter().enumerate() {
            let before =
                pool.said.occurrences[..index].iter().rev().find(|before| before.option == used.option);
            if let Some(before) = before {
                twice(subject, pool, before, used, report);
            } else if let Some(field) = field(&written, used) {
                let message = format!("{} and {field} set the same", used.name);
                report.add(Kind::Forbidden, pool.arg(used.at), message, "keep one of them");
            }
        }
    }
}

fn twice(
    subject: &Subject<'_>,
    pool: &Pool<'_>,
    before: &Occurrence<'_>,
    used: &Occurrence<'_>,
    report: &mut Report<'_>,
) {
    let name = used.name;
    if used.value == before.value {
        let message = format!("{name} is there twice");
        return report.graded(
            Severity::Warn,
            Kind::Forbidden,
            pool.arg(used.at),
            message,
            "keep one of them",
        );
    }
    let severity = super::severity(subject, report);
    let message = format!("{name} is there twice, and only the last one counts");
    let fix = if used.option.kind == ValueKind::List { "join them by a comma" } else { "keep one of them" };
    report.graded(severity, Kind::Forbidden, pool.arg(used.at), message, fix);
}

/// The field that is written and says the same as an option.
fn field(written: &Value, used: &Occurrence<'_>) -> Option<&'static str> {
    let (field, _) = FIELDS.iter().find(|(_, options)| options.contains(&used.option.name()))?;
    written.get(field).is_some().then_some(*field)
}
