// SPDX-License-Identifier: Apache-2.0
//! The rule about what workers are told of the broker and Flower is not.

use std::collections::BTreeSet;

use super::options::options;
use crate::celery::broker_url::Transport;
use crate::celery::expansion::expands;
use crate::effective::broker::is_usual;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B57", severity: Severity::Warn, schema: false, since: "0.1",
        title: "Flower looks under the keys of the workers, and speaks as they do",
        consequence: "Settings and transport options reach workers and beat alone. Where the application does not set the same, Flower looks under other keys: with another prefix it sees neither workers nor tasks, with another separator or fanout_prefix, with another exchange, or without json among the forms of messages, it gets no answers; without broker_use_ssl, the authority of a RabbitMQ or the name of the master behind Sentinels it does not reach the broker. Where the application sets the same, the annotation celeryproject.org/ignore-rules with B57 says so.",
        check: Check::object(b57),
        example: Example {
            bad: "spec: {common: {broker: {url: null, redis: {host: cache, keyPrefix: 'shop:'}}}, flowerSpec: {auth: {allowUnauthenticated: true}}}",
            at: "spec.common.broker.redis.keyPrefix",
            good: "spec: {common: {broker: {url: null, redis: {host: cache, db: 3}}}, flowerSpec: {auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
];

/// Settings that workers have, and Flower too, to understand each other: the forms of messages, where they go, and TLS.
const OF_FLOWER: [&str; 4] = ["accept_content", "broker_use_ssl", "control_exchange", "task_serializer"];

fn b57(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.object.spec.flower_spec.is_none() {
        return;
    }
    let (message, fix) = ("does not reach Flower", "set it in the application too");
    let deafened = subject.pools.iter().filter_map(|pool| pool.effective().deafened_by());
    let (shared, others): (Vec<&str>, Vec<&str>) = deafened.partition(|name| OF_FLOWER.contains(name));
    // Whoever watches reads events, and asks for answers.
    let exchange = other_name(subject, "event_exchange", "celeryev").then_some("event_exchange");
    let mut places: BTreeSet<String> = BTreeSet::new();
    for name in shared.into_iter().chain(exchange) {
        places.insert(place(subject, name).unwrap_or_else(|| format!("spec.common.config.{name}")));
    }
    // Those of the object's own fields are told of below.
    if !others.is_empty() {
        places.extend(place(subject, "broker_transport_options"));
    }
    let rabbitmq = subject.broker().and_then(|broker| broker.rabbitmq.as_ref());
    let authority = rabbitmq.and_then(|rabbitmq| rabbitmq.tls.as_ref()?.ca_secret_ref.as_ref());
    places.extend(authority.map(|_| "spec.common.broker.rabbitmq.tls.caSecretRef".to_owned()));
    if subject.is_redis() {
        places.extend(of_redis(subject));
    }
    for path in places {
        report.add(Kind::Forbidden, path, message, fix);
    }
}

/// The fields and transport options by which Redis has other keys, or is found by its name.
fn of_redis(subject: &Subject<'_>) -> Vec<String> {
    let redis = subject.broker().and_then(|broker| broker.redis.as_ref());
    let typed = redis.into_iter().flat_map(|redis| {
        let is_found = redis.sentinel.is_some();
        [("keyPrefix", redis.key_prefix.is_some()), ("sep", redis.sep.is_some()), ("sentinel", is_found)]
    });
    let typed = typed.filter(|(_, is_written)| *is_written);
    let typed = typed.map(|(field, _)| format!("spec.common.broker.redis.{field}"));
    let has_sentinels = subject.transport() == Some(Transport::Sentinel);
    let written = options(subject)
        .filter(|(_, name, value)| match *name {
            "global_keyprefix" | "sep" => !value.is_null(),
            "fanout_prefix" => !is_usual(value),
            "master_name" => has_sentinels && !value.is_null(),
            _ => false,
        })
        .map(|(path, ..)| path);
    typed.chain(written).collect()
}

/// Where a setting stands behind the arguments of a pool.
fn place(subject: &Subject<'_>, name: &str) -> Option<String> {
    subject.pools.iter().find_map(|pool| Some(pool.arg(pool.said.setting(name)?.at)))
}

/// Whether `config` gives something another name than Celery does by itself.
fn other_name(subject: &Subject<'_>, setting: &str, usual: &str) -> bool {
    let name = subject.common().config.get(setting).and_then(|setting| setting.0.as_str());
    name.is_some_and(|name| name != usual && !expands(name))
}
