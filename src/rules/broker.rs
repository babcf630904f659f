// SPDX-License-Identifier: Apache-2.0
//! Rules about the broker: which one is meant, and whether pods can use it.

use super::broker_url::URL;
use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::subject::Subject;
use crate::celery::broker_url::{Endpoint, Transport, masked};

/// What `ssl_cert_reqs` may be in a broker URL.
const CERT_REQS: &[&str] = &["required", "optional", "none", "CERT_REQUIRED", "CERT_OPTIONAL", "CERT_NONE"];

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "B02", severity: Severity::Deny, schema: false, since: "0.1",
        title: "task_queue_length needs a broker to look into",
        consequence: "No trigger can be made, and the pool never scales.",
        check: Check::object(b02),
        example: Example {
            bad: "spec: {common: {broker: null}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.common.broker",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "B03", severity: Severity::Deny, schema: true, since: "0.1",
        title: "the broker has exactly one form",
        consequence: "Nobody could tell which broker is meant.",
        check: Check::object(b03),
        example: Example { bad: "spec: {common: {broker: {urlSecretRef: {name: broker, key: url}}}}", at: "spec.common.broker", good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}}}}", old: None },
    },
    Rule {
        id: "B12", severity: Severity::Warn, schema: false, since: "0.1",
        title: "Redis has 16 databases by default",
        consequence: "Redis answers \"DB index is out of range\", and the worker retries for ever.",
        check: Check::object(b12),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://cache/99'}}}", at: URL, good: "spec: {common: {broker: {url: 'redis://cache/15'}}}", old: None },
    },
    Rule {
        id: "B14", severity: Severity::Deny, schema: false, since: "0.1",
        title: "ssl_cert_reqs is a word that Celery knows",
        consequence: "The worker crashes with a KeyError.",
        check: Check::object(b14),
        example: Example { bad: "spec: {common: {broker: {url: 'rediss://cache?ssl_cert_reqs=bogus'}}}", at: URL, good: "spec: {common: {broker: {url: 'rediss://cache?ssl_cert_reqs=required'}}}", old: None },
    },
    Rule {
        id: "B20", severity: Severity::Deny, schema: false, since: "0.1",
        title: "memory:// is private to one process",
        consequence: "The worker starts and never sees a task of another pod.",
        check: Check::object(b20),
        example: Example { bad: "spec: {common: {broker: {url: 'memory://'}}}", at: URL, good: "spec: {common: {broker: {url: 'redis://cache'}}}", old: None },
    },
    Rule {
        id: "B26", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a password in the object is readable",
        consequence: "Whoever may read the object, the repository or a backup of etcd reads the password.",
        check: Check::object(b26),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://:hush@cache'}}}", at: URL, good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}}}}", old: None },
    },
    Rule {
        id: "B27", severity: Severity::Warn, schema: false, since: "0.1",
        title: "localhost is the pod itself",
        consequence: "The worker asks its own pod for a broker and retries for ever.",
        check: Check::object(b27),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://localhost:6379/0'}}}", at: URL, good: "spec: {common: {broker: {url: 'redis://cache.shop.svc:6379/0'}}}", old: None },
    },
    Rule {
        id: "B29", severity: Severity::Warn, schema: false, since: "0.1",
        title: "failover URLs have one scheme",
        consequence: "Works until a failover; no autoscaler can follow.",
        check: Check::object(b29),
        example: Example { bad: "spec: {common: {broker: {url: 'amqp://app@a;redis://b'}}}", at: URL, good: "spec: {common: {broker: {url: 'amqp://app@a;amqp://app@b'}}}", old: None },
    },
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
        example: Example { bad: "spec: {common: {broker: {url: null, urlSecretRef: {name: Broker_URL, key: url}}}}", at: "spec.common.broker.urlSecretRef.name", good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}}}}", old: None },
    },
    Rule {
        id: "B39", severity: Severity::Deny, schema: false, since: "0.1",
        title: "SQS has a region",
        consequence: "Celery takes us-east-1, and no autoscaler can look into the queues.",
        check: Check::field(&["spec.common.broker.sqs.region"], "set the region of the queues, such as eu-west-1"),
        example: Example { bad: "spec: {common: {broker: {url: null, sqs: {region: ''}}}}", at: "spec.common.broker.sqs.region", good: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}}}}", old: None },
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
];

fn b02(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.broker().is_none() && subject.queue_metric().is_some() {
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
        _ => (Kind::Forbidden, format!("{} are set together", forms.join(" and "))),
    };
    report.add(
        kind,
        "spec.common.broker",
        what,
        "set exactly one of url, urlSecretRef, redis, rabbitmq, sqs",
    );
}

fn b12(subject: &Subject<'_>, report: &mut Report<'_>) {
    let message = "is more than the 16 databases that Redis usually has";
    let too_high = |db: u32| db > 15;
    for endpoint in redis(subject).filter(|endpoint| endpoint.database().is_some_and(too_high)) {
        report.add_shown(report.severity(), URL, &endpoint.path, message, "use 0 to 15");
    }
    let typed = subject.broker().and_then(|broker| broker.redis.as_ref()).and_then(|redis| redis.db);
    if typed.and_then(|db| u32::try_from(db).ok()).is_some_and(too_high) {
        report.add(Kind::Invalid, "spec.common.broker.redis.db", message, "use 0 to 15");
    }
}

fn b14(subject: &Subject<'_>, report: &mut Report<'_>) {
    for endpoint in redis(subject) {
        let written = endpoint.parameter("ssl_cert_reqs");
        if let Some(written) = written.filter(|written| !CERT_REQS.contains(written)) {
            report.add_shown(
                report.severity(),
                URL,
                written,
                "ssl_cert_reqs has a value that Celery does not know",
                "use one of required, optional, none",
            );
        }
    }
}

fn b20(subject: &Subject<'_>, report: &mut Report<'_>) {
    if good(subject).any(|endpoint| endpoint.transport == Transport::Memory) {
        let message = "memory:// cannot carry tasks between pods";
        let shown = masked(subject.broker().and_then(|broker| broker.url.as_deref()).unwrap_or_default());
        report.add_shown(report.severity(), URL, &shown, message, "use a broker such as redis:// or amqp://");
    }
}

fn b26(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(url) = subject.broker().and_then(|broker| broker.url.as_deref()) else {
        return;
    };
    let readable = |password: &Option<String>| password.as_ref().is_some_and(|text| !text.contains("$("));
    if good(subject).any(|endpoint| readable(&endpoint.password)) {
        report.add_shown(
            report.severity(),
            URL,
            &masked(url),
            "holds a readable password",
            "use urlSecretRef",
        );
    }
}

fn b27(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_local = |host: &str| matches!(host, "localhost" | "::1") || host.starts_with("127.");
    let (message, fix) = ("is the worker's own pod", "use the name of the broker's Service");
    for endpoint in good(subject).filter(|endpoint| is_local(&endpoint.host)) {
        report.add_shown(report.severity(), URL, &endpoint.host, message, fix);
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
    let Some(url) = subject.broker().and_then(|broker| broker.url.as_deref()) else {
        return;
    };
    let mut schemes: Vec<&str> = good(subject).map(|endpoint| endpoint.scheme.as_str()).collect();
    schemes.dedup();
    if schemes.len() > 1 {
        // An autoscaler looks at one broker: with one, the list cannot work at all.
        let severity = if subject.queue_metric().is_some() { Severity::Deny } else { report.severity() };
        report.add_shown(
            severity,
            URL,
            &masked(url),
            format!("mixes the schemes {}", schemes.join(" and ")),
            "use one scheme",
        );
    }
}

/// The elements of the URL that could be read.
fn good<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = &'s Endpoint> {
    subject.urls.iter().filter_map(|element| element.as_ref().ok())
}

fn redis<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = &'s Endpoint> {
    good(subject).filter(|endpoint| matches!(endpoint.transport, Transport::Redis | Transport::Sentinel))
}
