// SPDX-License-Identifier: Apache-2.0
//! Rules about the broker: which one is meant, and whether pods can use it.

mod options;
mod parts;
mod port;
pub(super) mod secret;
mod sqs;
mod tls;
mod transports;
mod unlike_flower;
mod url;
mod user;
mod variables;

use super::finding::{Kind, Report, Severity};
use super::path::BROKER_URL;
use super::rule::{Check, Example, Rule};
use super::subject::Subject;
use super::variables as environment;
use crate::celery::broker_url::{Endpoint, Transport, masked};
use crate::celery::url::is_local;

/// The tables of this area.
pub(super) const AREAS: &[&[Rule]] = &[
    RULES,
    url::RULES,
    url::schemes::RULES,
    tls::RULES,
    port::RULES,
    transports::RULES,
    options::RULES,
    unlike_flower::RULES,
    parts::RULES,
    variables::RULES,
    secret::RULES,
    user::RULES,
    sqs::RULES,
];

#[rustfmt::skip] // A table: one rule, one block.
const RULES: &[Rule] = &[
    Rule {
        id: "B01", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a broker is named somewhere",
        consequence: "Celery asks for RabbitMQ on localhost and retries for ever, unless the application names a broker.",
        check: Check::object(b01),
        example: Example {
            bad: "spec: {common: {broker: null}}",
            at: "spec.common.broker",
            good: "spec: {common: {broker: null, env: [{name: CELERY_BROKER_URL, valueFrom: {secretKeyRef: {name: broker, key: url}}}]}}",
            old: None,
        },
    },
    Rule {
        id: "B02", severity: Severity::Deny, schema: false, since: "0.1",
        title: "task_queue_length needs a broker to look into",
        consequence: "No trigger can be made, and the pool never scales.",
        check: Check::object(b02),
        example: Example {
            bad: "spec: {common: {broker: null}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.common.broker",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "B03", severity: Severity::Deny, schema: true, since: "0.1",
        title: "the broker has exactly one form",
        consequence: "Nobody could tell which broker is meant.",
        check: Check::object(b03),
        example: Example { bad: "spec: {common: {broker: {urlSecretRef: {name: broker, key: url}}}}", at: "spec.common.broker", good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: redis}}}", old: None },
    },
    Rule {
        id: "B12", severity: Severity::Warn, schema: false, since: "0.1",
        title: "Redis has 16 databases by default",
        consequence: "Redis answers \"DB index is out of range\", and the worker retries for ever.",
        check: Check::object(b12),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://cache/99'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://cache/15'}}}", old: None },
    },
    Rule {
        id: "B27", severity: Severity::Warn, schema: false, since: "0.1",
        title: "localhost is the pod itself",
        consequence: "The worker asks its own pod for a broker and retries for ever.",
        check: Check::object(b27),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://localhost:6379/0'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://cache.shop.svc:6379/0'}}}", old: None },
    },
    Rule {
        id: "B29", severity: Severity::Warn, schema: false, since: "0.1",
        title: "failover URLs have one scheme",
        consequence: "Works until a failover; no autoscaler can follow.",
        check: Check::object(b29).or(Severity::Deny, "when an autoscaler follows the queues"),
        example: Example { bad: "spec: {common: {broker: {url: 'amqp://app@a;redis://b'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'amqp://app@a;amqp://app@b'}}}", old: None },
    },
    Rule {
        id: "B30", severity: Severity::Warn, schema: false, since: "0.1",
        title: "RabbitMQ lets guest in from its own host only",
        consequence: "RabbitMQ answers ACCESS_REFUSED, and the worker ends. A broker with loopback_users.guest = false, as the official image has it, lets guest in from everywhere: there the annotation celeryproject.org/ignore-rules with B30 says so.",
        check: Check::object(b30).or(Severity::Deny, "when an autoscaler follows the queues and would send a password without a user"),
        example: Example {
            bad: "spec: {common: {broker: {url: 'amqp://mq'}}}",
            at: BROKER_URL,
            good: "spec: {common: {broker: {url: 'amqp://app@mq'}}}",
            old: None,
        },
    },
];

fn b01(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_broker = |name: &str| environment::names_broker(name, subject.celery);
    let named = subject.broker().is_some()
        || !environment::sources(subject).is_empty()
        || environment::all(subject).iter().any(|place| is_broker(&place.variable.name))
        || subject.common().config.contains_key("broker_url");
    // Without a broker, an autoscaler that needs one is told of by B02, and without Celery nobody needs one.
    if !named && !subject.follows_queues() && !subject.components().is_empty() {
        let message = "no broker is set, so the application must name one";
        report.add(Kind::Required, "spec.common.broker", message, "set url or urlSecretRef");
    }
}

fn b02(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.broker().is_none() && subject.follows_queues() {
        report.add(
            Kind::Required,
            "spec.common.broker",
            "task_queue_length needs to know the broker",
            "set one of url, urlSecretRef, redis, rabbitmq, sqs",
        );
    }
}

fn b03(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(broker) = subject.broker() else { return };
    let forms = broker.forms();
    let (kind, what) = match forms.len() {
        1 => return,
        0 => (Kind::Required, "no form of the broker is set".to_owned()),
        _ => (Kind::Forbidden, format!("{} exclude each other", forms.join(" and "))),
    };
    report.add(
        kind,
        "spec.common.broker",
        what,
        "set exactly one of url, urlSecretRef, redis, rabbitmq, sqs",
    );
}

fn b12(subject: &Subject<'_>, report: &mut Report<'_>) {
    let message = "is above 15, the last database that Redis has by default";
    let too_high = |db: u32| db > 15;
    for endpoint in redis(subject).filter(|endpoint| endpoint.database().is_some_and(too_high)) {
        report.add_shown(report.severity(), subject.broker_place(), &endpoint.path, message, "use 0 to 15");
    }
    let typed = subject.broker().and_then(|broker| broker.redis.as_ref()).and_then(|redis| redis.db);
    if typed.and_then(|db| u32::try_from(db).ok()).is_some_and(too_high) {
        report.add(Kind::Invalid, "spec.common.broker.redis.db", message, "use 0 to 15");
    }
}

fn b27(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.may_have_neighbours() {
        return;
    }
    let (message, fix) = ("is the worker's own pod", "use the name of the broker's Service");
    for endpoint in good(subject) {
        if is_local(&endpoint.host) {
            report.add_shown(report.severity(), subject.broker_place(), &endpoint.host, message, fix);
        } else if endpoint.host.is_empty() && NETWORKED.contains(&endpoint.transport) {
            let message = "names no host: that is the worker's own pod";
            report.add(Kind::Forbidden, subject.broker_place(), message, fix);
        }
    }
    let Some(broker) = subject.broker() else { return };
    for (host, path) in [
        (
            broker.redis.as_ref().map(|redis| redis.host.as_deref().unwrap_or_default()),
            "spec.common.broker.redis.host",
        ),
        (broker.rabbitmq.as_ref().map(|rabbitmq| rabbitmq.host.as_str()), "spec.common.broker.rabbitmq.host"),
    ] {
        if host.is_some_and(is_local) {
            report.add(Kind::Invalid, path, message, fix);
        }
    }
}

fn b29(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(url) = subject.broker_url() else {
        return;
    };
    let mut schemes: Vec<&str> = good(subject).map(|endpoint| endpoint.scheme.as_str()).collect();
    schemes.dedup();
    if schemes.len() > 1 {
        // An autoscaler looks at one broker: with one, the list cannot work at all.
        let severity = if subject.follows_queues() { Severity::Deny } else { report.severity() };
        report.add_shown(
            severity,
            subject.broker_place(),
            &masked(url),
            format!("mixes the schemes {}", schemes.join(" and ")),
            "use one scheme",
        );
    }
}

fn b30(subject: &Subject<'_>, report: &mut Report<'_>) {
    let login = subject.common().config.get("broker_login_method");
    if login.is_some_and(|written| written.0 == "EXTERNAL") {
        return;
    }
    let message = "guest may only log in locally";
    let is_guest = |endpoint: &Endpoint| endpoint.username.as_deref().is_none_or(|user| user == "guest");
    let is_remote = |endpoint: &Endpoint| !endpoint.host.is_empty() && !is_local(&endpoint.host);
    let amqp = good(subject).filter(|endpoint| endpoint.transport == Transport::Amqp);
    // EXTERNAL takes the name from the certificate.
    let mut amqp = amqp.filter(|endpoint| endpoint.parameter("login_method") != Some("EXTERNAL"));
    if amqp.any(|endpoint| is_guest(endpoint) && is_remote(endpoint)) {
        report.add(
            Kind::Forbidden,
            subject.broker_place(),
            message,
            "name a user, unless loopback_users = none",
        );
    }
    let typed = subject.broker().and_then(|broker| broker.rabbitmq.as_ref());
    let Some(rabbitmq) = typed.filter(|rabbitmq| rabbitmq.username_secret_ref.is_none()) else { return };
    let path = "spec.common.broker.rabbitmq.usernameSecretRef";
    let has_password = rabbitmq.password_secret_ref.is_some();
    if has_password && subject.follows_queues() {
        // Celery falls back to guest, KEDA to a user without a name, whom no RabbitMQ lets in.
        let message = "without it the autoscaler sends the password with an empty user name";
        report.graded(Severity::Deny, Kind::Required, path, message, "set it");
    } else if !is_local(&rabbitmq.host) {
        let message = if has_password {
            "the password would be that of guest"
        } else {
            "guest may only log in locally"
        };
        report.add(Kind::Required, path, message, "set it, or loopback_users = none");
    }
}

/// Transports whose clients ask the pod itself where the URL names no host.
const NETWORKED: [Transport; 3] = [Transport::Redis, Transport::Sentinel, Transport::Amqp];

/// The elements of the URL that could be read.
fn good<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = &'s Endpoint> {
    subject.urls.iter().filter_map(|element| element.as_ref().ok())
}

fn redis<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = &'s Endpoint> {
    good(subject).filter(|endpoint| matches!(endpoint.transport, Transport::Redis | Transport::Sentinel))
}
