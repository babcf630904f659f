// SPDX-License-Identifier: Apache-2.0
//! Options that stand in the arguments twice, or in a field too.

use crate::rules::args::{WORKER_FIELDS, repeated};
use crate::rules::finding::{Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W14", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an option is said once, in a field or in args",
        consequence: "The last one wins and nobody is told: -Q a -Q b consumes b alone.",
        check: Check::object(w14).or(Severity::Warn, "when both say the same, for Celery 4, and for a release that is newer than the operator"),
        example: Example { bad: "spec: {workerSpec: {args: ['-Q', a, '-Q', b]}}", at: "spec.workerSpec.args[2]", good: "spec: {workerSpec: {args: ['-Q', 'a,b']}}", old: None },
    },
];

fn w14(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let written = serde_json::to_value(pool.spec).unwrap_or_default();
        repeated(subject, &pool.path, &pool.said, &written, WORKER_FIELDS, report);
    }
}
