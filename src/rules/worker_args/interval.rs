// SPDX-License-Identifier: Apache-2.0
//! How often a worker says that it is there.

use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// The option.
const OPTION: &str = "--heartbeat-interval";

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W63", severity: Severity::Warn, schema: false, since: "0.1",
        title: "time passes between two heartbeats",
        consequence: "With fewer seconds than none a worker sends heartbeats without a pause: one of 5.2 and one of 5.7 was seen to take a whole cpu while it had no task.",
        check: Check::object(w63),
        example: Example { bad: "spec: {workerSpec: {args: ['--heartbeat-interval', '-1']}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['--heartbeat-interval', '0']}}", old: None },
    },
];

/// With 0 a worker takes its own number.
fn w63(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let (seconds, path) = match pool.said.last(OPTION) {
            Some(used) => (pool.said.int(OPTION).is(), pool.arg(used.value_at)),
            None => (pool.spec.heartbeat_interval.map(i64::from), format!("{}.heartbeatInterval", pool.path)),
        };
        if seconds.is_some_and(|seconds| seconds < 0) {
            report.add(Kind::Invalid, path, "sends heartbeats without a pause", "use 1 or more");
        }
    }
}
