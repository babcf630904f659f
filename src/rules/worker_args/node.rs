// SPDX-License-Identifier: Apache-2.0
//! The name of a node.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::EnvVar;

use crate::celery::broker_url::Transport;
use crate::celery::expansion::expands;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::shell::is_for_a_shell;
use crate::rules::subject::{Pool, Subject};
use crate::rules::variables;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W29", severity: Severity::Deny, schema: false, since: "0.1",
        title: "every pod has a node name of its own",
        consequence: "With RabbitMQ the second worker of a name ends with RESOURCE_LOCKED, so that a rollout never ends; with Redis two workers answer as one.",
        check: Check::object(w29).or(Severity::Warn, "when the pool has one pod that no broker keeps from being replaced, for Celery 4, and for a release that is newer than the operator"),
        example: Example { bad: "spec: {workerSpec: {numOfWorkers: 2, nodeName: mail}}", at: "spec.workerSpec.nodeName", good: "spec: {workerSpec: {numOfWorkers: 2, nodeName: mail@%h}}", old: None },
    },
    Rule {
        id: "W61", severity: Severity::Warn, schema: false, since: "0.1",
        title: "HOSTNAME is the name of the pod where a probe pings the worker",
        consequence: "Celery asks the system for the name of its host and the probe takes the variable: it pings a worker that does not exist, and the container is restarted for ever.",
        check: Check::object(w61),
        example: Example {
            bad: "spec: {workerSpec: {env: [{name: HOSTNAME, value: shop.example.com}]}}",
            at: "spec.workerSpec.env[0].name",
            good: "spec: {workerSpec: {env: [{name: HOSTNAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: PUBLIC_HOSTNAME, value: shop.example.com}]}}",
            old: None,
        },
    },
];

fn w29(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let Some((path, name)) = name(pool) else { continue };
        // A variable may hold another name in every pod; of one that nobody expands another rule tells.
        if is_of_the_host(name) || expands(name) || is_for_a_shell(name) {
            continue;
        }
        let severity = if_shared(subject, pool, report.severity());
        report.graded(severity, Kind::Invalid, path, "is the same in every pod", "add %h, as in mail@%h");
    }
}

/// Whether the name of the host is a part of a node's name: `%h` and `%n` come from it, and Celery takes it where nothing
/// stands behind the `@`, so that an empty name is `celery@` and the host.
pub(super) fn is_of_the_host(node: &str) -> bool {
    let host = node.split_once('@').map_or(node, |(_, host)| host);
    host.is_empty() || node.contains("%h") || node.contains("%n")
}

/// What it means that all pods of a pool have one name; `worst` where two of them meet.
pub(super) fn if_shared(subject: &Subject<'_>, pool: &Pool<'_>, worst: Severity) -> Severity {
    if subject.may_be_many(pool) || blocks_its_own_rollout(subject, pool) {
        release::refusal(subject, worst)
    } else {
        Severity::Warn
    }
}

fn w61(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_asked = |pool: &&Pool<'_>| {
        let pool = pool.effective();
        pool.is_pinged() && pool.node_name().is().is_some_and(|node| is_of_the_host(&node))
    };
    let asked: Vec<&Pool<'_>> = subject.pools.iter().filter(is_asked).collect();
    let mut places: BTreeSet<String> = BTreeSet::new();
    for pool in &asked {
        let named = subject.env_of(pool).filter(|(_, variable)| is_another_host(variable));
        places.extend(named.map(|(at, _)| at));
    }
    let laid = variables::laid_over(subject);
    let laid = laid.iter().filter(|place| place.reaches_workers && is_another_host(place.variable));
    places.extend(laid.map(|place| place.path.clone()).filter(|_| !asked.is_empty()));
    for at in places {
        let message = "the probe that pings takes it for the pod's name";
        report.add(Kind::Forbidden, format!("{at}.name"), message, "use another name");
    }
}

/// Whether a variable takes the place of the name that every container knows its pod by.
fn is_another_host(variable: &EnvVar) -> bool {
    let field = variable.value_from.as_ref().and_then(|from| from.field_ref.as_ref());
    variable.name == "HOSTNAME" && field.is_none_or(|field| field.field_path != "metadata.name")
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
