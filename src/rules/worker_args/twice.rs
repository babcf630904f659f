// SPDX-License-Identifier: Apache-2.0
//! Options that are said twice: only the last one counts, and nobody is told.

use std::collections::HashMap;

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
        let mut before: HashMap<&str, &Occurrence<'_>> = HashMap::new();
        for used in &pool.said.occurrences {
            match before.insert(used.option.name(), used) {
                // Of one word with a thousand short options one finding is enough.
                Some(before) if before.at == used.at => {}
                Some(before) => twice(subject, pool, before, used, report),
                None => beside_a_field(subject, pool, &written, used, report),
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

fn beside_a_field(
    subject: &Subject<'_>,
    pool: &Pool<'_>,
    written: &Value,
    used: &Occurrence<'_>,
    report: &mut Report<'_>,
) {
    let Some((field, value)) = field(written, used) else { return };
    let said = used.value.unwrap_or_default();
    let same = match value {
        Value::String(text) => text.eq_ignore_ascii_case(said),
        Value::Array(names) => names.iter().filter_map(Value::as_str).eq(said.split(',')),
        Value::Bool(on) => *on && used.value.is_none(),
        // A number of the field against digits on the command line.
        value => value.as_f64().is_some_and(|number| said.parse() == Ok(number)),
    };
    let severity = if same { Severity::Warn } else { super::severity(subject, report) };
    let message = format!("{} and {field} set the same", used.name);
    report.graded(severity, Kind::Forbidden, pool.arg(used.at), message, "keep one of them");
}

/// The field that is written and says the same as an option, with its value.
fn field<'w>(written: &'w Value, used: &Occurrence<'_>) -> Option<(&'static str, &'w Value)> {
    let (field, _) = FIELDS.iter().find(|(_, options)| options.contains(&used.option.name()))?;
    Some((field, written.get(field)?))
}
