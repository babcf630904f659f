// SPDX-License-Identifier: Apache-2.0
//! Rules about a broker that is described by its parts.

use super::super::finding::{Kind, Report, Severity};
use super::super::rule::{Check, Example, Rule};
use super::super::subject::Subject;
use super::good;
use crate::celery::broker_url::{self, Transport};
use crate::rules::quoting::quoted;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B31", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a reference to a Secret has a name and a key",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::field(
            &[
                "spec.common.broker.urlSecretRef.name", "spec.common.broker.urlSecretRef.key",
                "spec.common.broker.redis.passwordSecretRef.name", "spec.common.broker.redis.passwordSecretRef.key",
                "spec.common.broker.rabbitmq.usernameSecretRef.name", "spec.common.broker.rabbitmq.usernameSecretRef.key",
                "spec.common.broker.rabbitmq.passwordSecretRef.name", "spec.common.broker.rabbitmq.passwordSecretRef.key",
            ],
            "set the name of a Secret of this namespace and one of its keys",
        ),
        example: Example { bad: "spec: {common: {broker: {url: null, urlSecretRef: {name: Broker_URL, key: url}, scheme: redis}}}", at: "spec.common.broker.urlSecretRef.name", good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: redis}}}", old: None },
    },
    Rule {
        id: "B41", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the host of a broker is a host and nothing more",
        consequence: "A port or a scheme in it makes a name that no resolver knows; the worker retries for ever.",
        check: Check::field(
            &["spec.common.broker.redis.host", "spec.common.broker.rabbitmq.host"],
            "use a name such as cache.shop.svc, and the field port for the port",
        ),
        example: Example { bad: "spec: {common: {broker: {url: null, redis: {host: 'cache:6380'}}}}", at: "spec.common.broker.redis.host", good: "spec: {common: {broker: {url: null, redis: {host: cache, port: 6380}}}}", old: None },
    },
    Rule {
        id: "B44", severity: Severity::Deny, schema: true, since: "0.1",
        title: "Redis is reached by its host or through Sentinel",
        consequence: "Nobody could tell which server is meant.",
        check: Check::object(b44),
        example: Example {
            bad: "spec: {common: {broker: {url: null, redis: {port: 6380}}}}",
            at: "spec.common.broker.redis",
            good: "spec: {common: {broker: {url: null, redis: {host: cache, port: 6380}}}}",
            old: None,
        },
    },
    Rule {
        id: "B45", severity: Severity::Deny, schema: true, since: "0.1",
        title: "prioritySteps are priorities from 0 to 9, each once",
        consequence: "Celery has no other priorities for Redis: a list of its own for them stays empty.",
        check: Check::object(b45),
        example: Example {
            bad: "spec: {common: {broker: {url: null, redis: {host: cache, prioritySteps: [0, 10]}}}}",
            at: "spec.common.broker.redis.prioritySteps[1]",
            good: "spec: {common: {broker: {url: null, redis: {host: cache, prioritySteps: [0, 9]}}}}",
            old: None,
        },
    },
    Rule {
        id: "B46", severity: Severity::Deny, schema: false, since: "0.1",
        title: "Sentinel has the name of its master and addresses",
        consequence: "The worker finds no server and retries for ever.",
        check: Check::object(b46),
        example: Example {
            bad: "spec: {common: {broker: {url: null, redis: {sentinel: {masterName: main, addresses: ['redis://a']}}}}}",
            at: "spec.common.broker.redis.sentinel.addresses[0]",
            good: "spec: {common: {broker: {url: null, redis: {sentinel: {masterName: main, addresses: ['a:26379']}}}}}",
            old: None,
        },
    },
    Rule {
        id: "B47", severity: Severity::Deny, schema: true, since: "0.1",
        title: "certReqs is a word that Celery knows",
        consequence: "The worker crashes with a KeyError.",
        check: Check::object(b47),
        example: Example {
            bad: "spec: {common: {broker: {url: null, redis: {host: cache, tls: {certReqs: strict}}}}}",
            at: "spec.common.broker.redis.tls.certReqs",
            good: "spec: {common: {broker: {url: null, redis: {host: cache, tls: {certReqs: required}}}}}",
            old: None,
        },
    },
    Rule {
        id: "B48", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the management API of RabbitMQ has one address, with http",
        consequence: "The autoscaler cannot ask it, and the pool never scales.",
        check: Check::object(b48),
        example: Example {
            bad: "spec: {common: {broker: {url: null, rabbitmq: {host: mq, usernameSecretRef: {name: mq, key: user}, managementUrl: 'mq:15672'}}}}",
            at: "spec.common.broker.rabbitmq.managementUrl",
            good: "spec: {common: {broker: {url: null, rabbitmq: {host: mq, usernameSecretRef: {name: mq, key: user}, managementUrl: 'http://mq:15672'}}}}",
            old: None,
        },
    },
    Rule {
        id: "B49", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the slash in front of a virtual host belongs to its name",
        consequence: "RabbitMQ answers NOT_ALLOWED when there is no virtual host of that name, and the worker ends.",
        check: Check::object(b49),
        example: Example {
            bad: "spec: {common: {broker: {url: null, rabbitmq: {host: mq, usernameSecretRef: {name: mq, key: user}, vhost: /shop}}}}",
            at: "spec.common.broker.rabbitmq.vhost",
            good: "spec: {common: {broker: {url: null, rabbitmq: {host: mq, usernameSecretRef: {name: mq, key: user}, vhost: shop}}}}",
            old: None,
        },
    },
];

const REDIS: &str = "spec.common.broker.redis";
const RABBITMQ: &str = "spec.common.broker.rabbitmq";

fn b44(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(redis) = subject.broker().and_then(|broker| broker.redis.as_ref()) else { return };
    let (kind, message) = match (&redis.host, &redis.sentinel) {
        (None, None) => (Kind::Required, "neither host nor sentinel is set"),
        (Some(_), Some(_)) => (Kind::Forbidden, "host and sentinel exclude each other"),
        _ => return,
    };
    report.add(kind, REDIS, message, "set exactly one of host, sentinel");
}

fn b45(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(redis) = subject.broker().and_then(|broker| broker.redis.as_ref()) else { return };
    for (index, step) in redis.priority_steps.iter().enumerate() {
        let path = format!("{REDIS}.prioritySteps[{index}]");
        if !(0..=9).contains(step) {
            report.add(Kind::Invalid, path, "is not a priority", "use numbers from 0 to 9");
        } else if redis.priority_steps[..index].contains(step) {
            report.add(Kind::Duplicate, path, "is given twice", "write every priority once");
        }
    }
}

fn b46(subject: &Subject<'_>, report: &mut Report<'_>) {
    let redis = subject.broker().and_then(|broker| broker.redis.as_ref());
    let Some(sentinel) = redis.and_then(|redis| redis.sentinel.as_ref()) else { return };
    if sentinel.master_name.trim().is_empty() {
        let path = format!("{REDIS}.sentinel.masterName");
        report.add(Kind::Required, path, "the sentinels know their server by a name", "set that name");
    }
    if sentinel.addresses.is_empty() {
        let path = format!("{REDIS}.sentinel.addresses");
        report.add(Kind::Required, path, "no sentinel is named", "list them as host:26379");
    }
    for (index, address) in sentinel.addresses.iter().enumerate() {
        if !is_address(address) {
            let path = format!("{REDIS}.sentinel.addresses[{index}]");
            report.add(Kind::Invalid, path, "is not the address of a sentinel", "write it as host:26379");
        }
    }
}

/// Whether a text is `host` or `host:port` and nothing more.
fn is_address(text: &str) -> bool {
    let is_plain = !text.contains(['/', '@', '?', '#', ';', ',', '%']);
    let read = || broker_url::parse(&format!("sentinel://{text}"));
    is_plain && read().iter().all(|read| read.as_ref().is_ok_and(|endpoint| !endpoint.host.is_empty()))
}

fn b47(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(broker) = subject.broker() else { return };
    let redis = broker.redis.as_ref().and_then(|redis| redis.tls.as_ref());
    let rabbitmq = broker.rabbitmq.as_ref().and_then(|rabbitmq| rabbitmq.tls.as_ref());
    for (tls, path) in [(redis, REDIS), (rabbitmq, RABBITMQ)] {
        if let Some(word) = tls.and_then(|tls| tls.cert_reqs.as_ref()) {
            report.unsupported(word, format!("{path}.tls.certReqs"), "is not a valid value");
        }
    }
}

fn b48(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(rabbitmq) = subject.broker().and_then(|broker| broker.rabbitmq.as_ref()) else { return };
    let Some(url) = &rabbitmq.management_url else { return };
    let path = format!("{RABBITMQ}.managementUrl");
    if rabbitmq.management_url_secret_ref.is_some() {
        let message = "managementUrl and managementUrlSecretRef exclude each other";
        report.add(Kind::Forbidden, path, message, "keep one");
        return;
    }
    let address = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    // What stands behind the scheme is read as Python reads every URL.
    let read = |rest: &str| broker_url::parse(&format!("amqp://{rest}")).into_iter().next();
    let is_good =
        address.and_then(read).is_some_and(|read| read.is_ok_and(|endpoint| !endpoint.host.is_empty()));
    if !is_good {
        let message = "is not the URL of a management API";
        report.add(Kind::Invalid, path, message, "write it as http://host:15672");
    }
}

fn b49(subject: &Subject<'_>, report: &mut Report<'_>) {
    let rabbitmq = subject.broker().and_then(|broker| broker.rabbitmq.as_ref());
    let vhost = rabbitmq.and_then(|rabbitmq| rabbitmq.vhost.as_deref()).unwrap_or_default();
    if vhost.len() > 1 && vhost.starts_with('/') {
        let path = format!("{RABBITMQ}.vhost");
        let shown = quoted(vhost);
        let message = format!("means the virtual host \"{shown:.40}\", slash included");
        let name = shown.strip_prefix('/').filter(|name| name.len() <= 40 && shown == vhost);
        let fix = format!("write {} if that is its name", name.unwrap_or("it without the slash"));
        report.add(Kind::Forbidden, path, message, fix);
    }
    // Whoever writes a slash encoded means it.
    let is_plain = subject.broker_url().is_some_and(|url| !url.to_ascii_uppercase().contains("%2F"));
    let named = good(subject).filter(|endpoint| endpoint.transport == Transport::Amqp && is_plain);
    for vhost in named.map(|endpoint| endpoint.path.as_str()).filter(|vhost| vhost.len() > 1) {
        let (message, fix) = match (vhost.starts_with('/'), vhost.trim_matches('/')) {
            (true, name) => ("has a slash before its virtual host, which belongs to the name", name),
            (false, name) if vhost.ends_with('/') => {
                ("has a slash behind its virtual host, which belongs to the name", name)
            }
            _ => continue,
        };
        report.add(Kind::Forbidden, subject.broker_place(), message, format!("end it with /{fix:.24}"));
    }
}
