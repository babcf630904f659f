// SPDX-License-Identifier: Apache-2.0
//! The name of a node.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::EnvVar;

use crate::api::AnyObject;
use crate::celery::broker_url::Transport;
use crate::celery::expansion::expands;
use crate::celery::options::ValueKind;
use crate::celery::value::{Refusal, names_the_host, value};
use crate::celery::version::Target;
use crate::rules::args::letters;
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
    Rule {
        id: "W62", severity: Severity::Deny, schema: false, since: "0.1",
        title: "no template gives all pods one hostname where the node's name has it",
        consequence: "%h is the same in every pod: with RabbitMQ the second worker of a name ends with RESOURCE_LOCKED, so that a rollout never ends; with Redis two workers answer as one.",
        check: Check::object(w62).or(Severity::Warn, "when the pool has one pod that no broker keeps from being replaced, for Celery 4, and for a release that is newer than the operator"),
        example: Example {
            bad: "spec: {workerSpec: {numOfWorkers: 2, podTemplate: {spec: {hostname: mail}}}}",
            at: "spec.workerSpec.podTemplate.spec.hostname",
            good: "spec: {workerSpec: {numOfWorkers: 2, podTemplate: {spec: {hostNetwork: true}}}}",
            old: None,
        },
    },
];

/// The field, which no argument takes the place of, has the same letters as the option.
pub(super) fn w48(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in subject.pools.iter().filter(|pool| !pool.said.has("--hostname")) {
        let Some(name) = pool.spec.node_name.as_deref() else { continue };
        let refused = |release| match value(ValueKind::NodeName, name, release) {
            Err(Refusal::UnknownFormat(letter)) => Some(letter),
            _ => None,
        };
        let letters_of: Option<Vec<char>> =
            subject.celery.releases().iter().map(|release| refused(*release)).collect();
        if let Some(letter) = letters_of.and_then(|letters| letters.first().copied()) {
            let message = format!("has %{letter}, which stands for nothing");
            let severity = release::refusal(subject, Severity::Deny);
            report.graded(
                severity,
                Kind::Invalid,
                format!("{}.nodeName", pool.path),
                message,
                letters(subject.celery),
            );
        }
    }
}

fn w62(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut found: BTreeMap<String, Severity> = BTreeMap::new();
    for pool in &subject.pools {
        let node = pool.effective().node_name().is();
        // What stands for a variable may be another name in every pod.
        let is_of_it =
            |node: &String| is_of_the_host(node, subject.celery) && !expands(node) && !is_for_a_shell(node);
        let hostname = |template: &Option<AnyObject>| {
            template.as_ref().and_then(|template| template.0.pointer("/spec/hostname").cloned())
        };
        let own = hostname(&pool.spec.pod_template).map(|name| (pool.path.as_str(), name));
        let shared = || hostname(&subject.common().pod_template).map(|name| ("spec.common", name));
        // The template of a pool is laid over the shared one, and a null takes the field away.
        let Some((path, name)) = own.or_else(shared).filter(|_| node.as_ref().is_some_and(is_of_it)) else {
            continue;
        };
        if name.as_str().is_some_and(|name| !name.is_empty()) {
            let severity = if_shared(subject, pool, report.severity());
            let path = format!("{path}.podTemplate.spec.hostname");
            found.entry(path).and_modify(|worst| *worst = severity.min(*worst)).or_insert(severity);
        }
    }
    for (path, severity) in found {
        report.graded(severity, Kind::Invalid, path, "makes %h the same in every pod", "remove it");
    }
}

fn w29(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let Some((path, name)) = name(pool) else { continue };
        // A variable may hold another name in every pod; of one that nobody expands another rule tells.
        if is_of_the_host(name, subject.celery) || expands(name) || is_for_a_shell(name) {
            continue;
        }
        let severity = if_shared(subject, pool, report.severity());
        report.graded(severity, Kind::Invalid, path, "is the same in every pod", "add %h, as in mail@%h");
    }
}

/// Whether the name of the host is a part of a node's name: `%h` and `%n` come from it, and Celery takes it where nothing
/// stands behind the `@`, so that an empty name is `celery@` and the host. One release in question that does is enough.
pub(super) fn is_of_the_host(node: &str, celery: Target) -> bool {
    let host = node.split_once('@').map_or(node, |(_, host)| host);
    host.is_empty() || celery.releases().iter().any(|release| names_the_host(node, *release))
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
        pool.is_pinged() && pool.node_name().is().is_some_and(|node| is_of_the_host(&node, subject.celery))
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
        let message = "HOSTNAME misleads the Ping probe, which takes it for the pod's name";
        report.add(Kind::Forbidden, format!("{at}.name"), message, "rename it");
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
