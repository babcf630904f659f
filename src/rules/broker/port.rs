// SPDX-License-Identifier: Apache-2.0
//! The rule about ports on which by default something else listens than the broker that is asked for.

use super::super::finding::{Kind, Report, Severity};
use super::super::rule::{Check, Example, Rule};
use super::super::subject::Subject;
use super::good;
use crate::celery::broker_url::{Listener, Service, Transport};
use crate::rules::path::BROKER_URL;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B65", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the port is one of this broker, not of another service",
        consequence: "Something else answers: the worker retries for ever, or waits for words that never come.",
        check: Check::object(b65),
        example: Example {
            bad: "spec: {common: {broker: {url: 'amqp://app@mq:15672'}}}",
            at: BROKER_URL,
            good: "spec: {common: {broker: {url: 'amqp://app@mq:5672'}}}",
            old: None,
        },
    },
];

/// Tells of the first such port only.
fn b65(subject: &Subject<'_>, report: &mut Report<'_>) {
    for endpoint in good(subject) {
        let asked = match endpoint.transport {
            Transport::Amqp if endpoint.tls() => Service::AMQP_TLS,
            Transport::Amqp => Service::AMQP,
            Transport::Redis => Service::REDIS,
            _ => continue,
        };
        if let Some((who, fix)) = endpoint.port.and_then(|port| stranger(port, asked)) {
            return report.add(
                Kind::Forbidden,
                subject.broker_place(),
                format!("names the port of {who}"),
                fix,
            );
        }
    }
    let Some(broker) = subject.broker() else { return };
    let redis = broker.redis.as_ref().filter(|redis| redis.host.is_some());
    let redis = redis.map(|redis| ("redis", redis.port, Service::REDIS));
    let rabbitmq = broker.rabbitmq.as_ref().map(|rabbitmq| {
        ("rabbitmq", rabbitmq.port, if rabbitmq.tls.is_some() { Service::AMQP_TLS } else { Service::AMQP })
    });
    for (field, port, asked) in redis.into_iter().chain(rabbitmq) {
        let port = port.and_then(|port| u16::try_from(port).ok());
        if let Some((who, fix)) = port.and_then(|port| stranger(port, asked)) {
            let path = format!("spec.common.broker.{field}.port");
            report.add(Kind::Forbidden, path, format!("is the port of {who}"), fix);
        }
    }
}

/// Who listens on a port instead of the broker that is asked for, and what to write.
fn stranger(port: u16, asked: Service) -> Option<(&'static str, String)> {
    let use_own = || format!("use {}", asked.port);
    match Listener::of(port)? {
        Listener::Management => Some(("RabbitMQ's management API", use_own())),
        Listener::Broker(Service::SENTINEL) if asked == Service::REDIS => {
            Some(("Sentinel", "use sentinel:// or redis.sentinel".to_owned()))
        }
        Listener::Broker(Service::SENTINEL) => Some(("Sentinel", use_own())),
        // With TLS and without it is a matter of other rules.
        Listener::Broker(Service::AMQP | Service::AMQP_TLS) if asked == Service::REDIS => {
            Some(("RabbitMQ", use_own()))
        }
        Listener::Broker(Service::REDIS) if asked != Service::REDIS => Some(("Redis", use_own())),
        Listener::Broker(_) => None,
    }
}
