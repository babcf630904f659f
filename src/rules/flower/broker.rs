// SPDX-License-Identifier: Apache-2.0
//! Rules about what Flower sees of the broker.

use super::given::{Flower, PATH};
use crate::api::{BrokerTls, CertReqs, Open};
use crate::celery::broker_url::{Endpoint, Scheme, Transport};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "F26", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the management API of RabbitMQ is an http URL",
        consequence: "Flower ends with \"Invalid '--broker-api' option\"; without /api/ its page of queues stays empty.",
        check: Check::object(f26).or(Severity::Warn, "when only /api/ is missing"),
        example: Example {
            bad: "spec: {flowerSpec: {args: ['--broker_api=mq:15672'], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {flowerSpec: {args: ['--broker_api=http://mq:15672/api/'], auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F30", severity: Severity::Warn, schema: false, since: "0.1",
        title: "Flower watches Redis or RabbitMQ",
        consequence: "No other broker carries the events of workers: Flower shows neither workers nor tasks.",
        check: Check::object(f30),
        example: Example {
            bad: "spec: {common: {broker: {url: null, sqs: {region: eu-central-1}}}, flowerSpec: {auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec",
            good: "spec: {common: {broker: {url: null, redis: {host: cache}}}, flowerSpec: {auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F31", severity: Severity::Warn, schema: false, since: "0.1",
        title: "Flower's page of queues trusts the certificate of the broker",
        consequence: "The page takes its TLS settings from the application alone and asks with the certificates of the image; older releases know no amqps.",
        check: Check::object(f31),
        example: Example {
            bad: "spec: {common: {broker: {url: null, redis: {host: cache, tls: {caSecretRef: {name: ca, key: ca.crt}}}}}, flowerSpec: {auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec",
            good: "spec: {common: {broker: {url: null, redis: {host: cache, tls: {}}}}, flowerSpec: {auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
];

fn f26(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let option = flower.option("broker_api");
    let written = option.text().map(|(text, place)| (text, place.path().to_owned()));
    let referred = flower.spec.broker_api_secret_ref.as_ref().and_then(|key| {
        let text = subject.facts.secrets.get(&key.name)?.0.get(&key.key)?;
        Some((text.as_str(), format!("{PATH}.brokerApiSecretRef")))
    });
    for (url, path) in written.into_iter().chain(referred).filter(|(url, _)| !url.is_empty()) {
        // In an argument the password would be readable, which another rule refuses.
        let fix = if path.ends_with("SecretRef") {
            "write http://user:password@host:15672/api/ in the Secret"
        } else {
            "set flowerSpec.brokerApiSecretRef, with http://user:password@host:15672/api/ in the Secret"
        };
        if !is_http(url) {
            report.add_hidden(report.severity(), path, "broker_api is not an http URL", fix);
        } else if !url.contains("/api/") {
            report.add_hidden(
                Severity::Warn,
                path,
                "broker_api has no /api/ at its end",
                "end it with /api/",
            );
        }
    }
}

/// Whether a text is a URL with a host, of http or https.
fn is_http(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let is_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    is_web && !rest.is_empty() && !rest.starts_with(['/', '?', '#'])
}

fn f30(subject: &Subject<'_>, report: &mut Report<'_>) {
    if Flower::of(subject).is_none() {
        return;
    }
    if let Some(Scheme { name, transport: Transport::Sqs | Transport::Other, .. }) = &subject.scheme {
        let message = format!("Flower shows no workers and no tasks on {name}");
        report.add(Kind::Forbidden, PATH, message, "remove it, or use Redis or RabbitMQ");
    }
}

fn f31(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let Some(written) = subject.broker() else { return };
    let message = "the Broker page cannot verify the broker's CA";
    let fix = "set broker_use_ssl in the application";
    let tls = written.redis.as_ref().and_then(|redis| redis.tls.as_ref());
    let by_url = subject.urls.iter().flatten().any(is_unlike_the_usual);
    if tls.is_some_and(has_own_trust) || by_url {
        report.add(Kind::Forbidden, PATH, message, fix);
    }
    let is_encrypted = subject.scheme.as_ref().is_some_and(|scheme| scheme.name == "amqps");
    if is_encrypted && flower.version().is_some_and(|version| version < (2, 1)) {
        report.add(Kind::Forbidden, PATH, "the Broker page knows no amqps", "use Flower 2.1 or later");
    }
}

fn has_own_trust(tls: &BrokerTls) -> bool {
    let reqs = tls.cert_reqs.as_ref().and_then(Open::known);
    tls.ca_secret_ref.is_some() || reqs.is_some_and(|reqs| reqs != CertReqs::Required)
}

/// Whether the URL of an encrypted Redis asks for something else than the image's own certificates.
fn is_unlike_the_usual(endpoint: &Endpoint) -> bool {
    let reqs = endpoint.parameter("ssl_cert_reqs");
    endpoint.scheme == "rediss"
        && (endpoint.parameter("ssl_ca_certs").is_some()
            || reqs.is_some_and(|reqs| ["none", "optional", "CERT_NONE", "CERT_OPTIONAL"].contains(&reqs)))
}
