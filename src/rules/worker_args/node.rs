// SPDX-License-Identifier: Apache-2.0
//! The name of a node.

use crate::celery::broker_url::Transport;
use crate::celery::expansion::expands;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Pool, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W29", severity: Severity::Deny, schema: false, since: "0.1",
        title: "every pod has a node name of its own",
        consequence: "With RabbitMQ the second worker of a name ends with RESOURCE_LOCKED, so that a rollout never ends; with Redis two workers answer as one.",
        check: Check::object(w29).or(Severity::Warn),
        example: Example { bad: "spec: {workerSpec: {numOfWorkers: 2, nodeName: mail}}", at: "spec.workerSpec.nodeName", good: "spec: {workerSpec: {numOfWorkers: 2, nodeName: mail@%h}}", old: None },
    },
];

fn w29(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let Some((path, name)) = name(pool) else { continue };
        // %h and %n come from the pod; so does whatever a variable holds, as far as anybody knows.
        if name.contains("%h") || name.contains("%n") || expands(name) {
            continue;
        }
        let severity = if subject.may_be_many(pool) || blocks_its_own_rollout(subject, pool) {
            release::refusal(subject, report.severity())
        } else {
            Severity::Warn
        };
        report.graded(severity, Kind::Invalid, path, "is the same in every pod", "add %h, as in mail@%h");
    }
}

/// The written name and where it stands.
fn name<'a>(pool: &Pool<'a>) -> Option<(String, &'a str)> {
    if let Some(used) = pool.said.last("--hostname") {
        return Some((pool.arg(used.value_at), used.value?));
    }
    Some((format!("{}.nodeName", pool.path), pool.spec.node_name.as_deref()?))
}

/// RabbitMQ gives the queue of a node to one connection: the new pod ends while the old one lives.
fn blocks_its_own_rollout(subject: &Subject<'_>, pool: &Pool<'_>) -> bool {
    let strategy = pool.spec.rollout_strategy.as_ref().and_then(|strategy| strategy.type_.as_deref());
    subject.transport() == Some(Transport::Amqp) && strategy != Some("Recreate")
}
