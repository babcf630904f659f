// SPDX-License-Identifier: Apache-2.0
//! Rules about encrypted connections to a broker, and those that are not what they seem.

use serde_json::Value;

use super::super::finding::{Kind, Report, Severity};
use super::super::rule::{Check, Example, Rule};
use super::super::subject::Subject;
use super::good;
use crate::celery::broker_url::{Endpoint, Service, Transport, masked};
use crate::celery::expansion::expands;
use crate::celery::value::click_truth;
use crate::rules::path::BROKER_URL;

/// The setting with the options of TLS.
const USE_SSL: &str = "broker_use_ssl";
/// What AMQP calls the options that have `ssl_` before them with Redis.
const OF_AMQP: [&str; 6] = ["ca_certs", "cert_reqs", "certfile", "check_hostname", "ciphers", "keyfile"];
/// Names that neither has, and what to do.
const OF_NOBODY: [(&str, &str); 3] =
    [("ssl_ca_cert", "write ssl_ca_certs"), ("ssl", "remove it"), ("server_hostname", "remove it")];
/// What Redis has an option for, and AMQP does where it is told the name.
const HOST_CHECK: &str = "check_hostname";
const CHECK_HOST: &str = "write server_hostname: the broker's name";
/// How redis-py can be told to check a certificate.
const CHECKS: [&str; 3] = ["required", "optional", "none"];

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B15", severity: Severity::Warn, schema: false, since: "0.1",
        title: "rediss:// says whether the certificate is checked",
        consequence: "Without any parameter about TLS Celery checks no certificate, and anybody in between can read along.",
        check: Check::object(b15),
        example: Example {
            bad: "spec: {common: {broker: {url: 'rediss://cache:6380'}}}",
            at: BROKER_URL,
            good: "spec: {common: {broker: {url: 'rediss://cache:6380?ssl_cert_reqs=required'}}}",
            old: None,
        },
    },
    Rule {
        id: "B17", severity: Severity::Deny, schema: false, since: "0.1",
        title: "redis:// has no parameters about TLS",
        consequence: "They switch TLS on: against a port without it the worker hangs without a word.",
        check: Check::object(b17).or(Severity::Warn, "when the certificates are verified all the same"),
        example: Example {
            bad: "spec: {common: {broker: {url: 'redis://cache?ssl_cert_reqs=none'}}}",
            at: BROKER_URL,
            good: "spec: {common: {broker: {url: 'redis://cache'}}}",
            old: None,
        },
    },
    Rule {
        id: "B18", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a scheme with TLS goes with a port with TLS",
        consequence: "The worker hangs, or retries for ever with WRONG_VERSION_NUMBER. ElastiCache and MemoryDB serve TLS on 6379, so that their hosts are left alone.",
        check: Check::object(b18),
        example: Example {
            bad: "spec: {common: {broker: {url: 'amqps://app@mq:5672'}}}",
            at: BROKER_URL,
            good: "spec: {common: {broker: {url: 'amqps://app@mq:5671'}}}",
            old: None,
        },
    },
    Rule {
        id: "B84", severity: Severity::Deny, schema: false, since: "0.1",
        title: "broker_use_ssl is a table with the names and the words of its broker",
        consequence: "With true kombu speaks to Redis without TLS and says nothing; with the names of another broker, of Redis or of AMQP, the worker ends with \"got an unexpected keyword argument\". redis-py knows none, optional and required, AMQP the numbers 0, 1 and 2.",
        check: Check::object(b84),
        example: Example {
            bad: "spec: {common: {config: {broker_use_ssl: {ca_certs: /etc/tls/ca.crt}}}}",
            at: "spec.common.config.broker_use_ssl.ca_certs",
            good: "spec: {common: {config: {broker_use_ssl: {ssl_ca_certs: /etc/tls/ca.crt, ssl_cert_reqs: required}}}}",
            old: None,
        },
    },
    Rule {
        id: "B86", severity: Severity::Warn, schema: false, since: "0.1",
        title: "an autoscaler that follows queues asks with TLS where the workers do",
        consequence: "The trigger of KEDA follows the URL of the broker, and not broker_use_ssl: against a port with TLS it fails, and the pool is never scaled.",
        check: Check::object(b86),
        example: Example {
            bad: "spec: {common: {config: {broker_use_ssl: {ssl_cert_reqs: required}}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.common.config.broker_use_ssl",
            good: "spec: {common: {broker: {url: 'rediss://cache:6380?ssl_cert_reqs=required'}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
];

fn b86(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_plain =
        subject.scheme.as_ref().is_some_and(|scheme| ["redis", "amqp"].contains(&scheme.name.as_str()));
    let is_amqp = subject.transport() == Some(Transport::Amqp);
    let asks = subject.common().config.get(USE_SSL).is_some_and(|setting| match &setting.0 {
        Value::Object(options) => !options.is_empty(),
        Value::Bool(is_on) => *is_on && is_amqp,
        _ => false,
    });
    if is_plain && asks && subject.follows_queues() && !good(subject).any(Endpoint::tls) {
        let message = "does not reach the autoscaler";
        let fix = if is_amqp { "use amqps://" } else { "use rediss://" };
        report.add(Kind::Forbidden, format!("spec.common.config.{USE_SSL}"), message, fix);
    }
}

fn b84(subject: &Subject<'_>, report: &mut Report<'_>) {
    // What a URL says of TLS takes the place of the setting; the URL of a Secret may.
    let is_hidden = subject.broker().is_some_and(|broker| broker.url_secret_ref.is_some());
    let has_word = |endpoint: &Endpoint| endpoint.query.iter().any(|(name, _)| name.starts_with("ssl_"));
    let Some(written) = subject.common().config.get(USE_SSL).filter(|_| !is_hidden) else { return };
    match subject.transport() {
        Some(Transport::Redis | Transport::Sentinel) if !good(subject).any(has_word) => {
            of_redis(&written.0, report);
        }
        Some(Transport::Amqp) => of_amqp(&written.0, report),
        _ => {}
    }
}

fn of_redis(written: &Value, report: &mut Report<'_>) {
    let path = format!("spec.common.config.{USE_SSL}");
    let is_on = |text: &str| click_truth(text) == Some(true);
    match written {
        Value::Object(options) => {
            let message = "is no option of a connection to Redis";
            for name in OF_AMQP.into_iter().filter(|name| options.contains_key(*name)) {
                report.add(Kind::Forbidden, format!("{path}.{name}"), message, format!("write ssl_{name}"));
            }
            for (name, fix) in OF_NOBODY.into_iter().filter(|(name, _)| options.contains_key(*name)) {
                report.add(Kind::Forbidden, format!("{path}.{name}"), message, fix);
            }
            let word = options.get("ssl_cert_reqs").and_then(Value::as_str);
            if word.is_some_and(|word| !CHECKS.contains(&word) && !expands(word)) {
                let fix = format!("use one of {}", CHECKS.join(", "));
                report.add(
                    Kind::Invalid,
                    format!("{path}.ssl_cert_reqs"),
                    "is no check of certificates",
                    fix,
                );
            }
        }
        written if *written == Value::Bool(true) || written.as_str().is_some_and(is_on) => {
            let message = "leaves the connection to Redis without TLS";
            report.add(Kind::Invalid, path, message, "write {ssl_cert_reqs: required}");
        }
        _ => {}
    }
}

fn of_amqp(written: &Value, report: &mut Report<'_>) {
    let Value::Object(options) = written else { return };
    let path = format!("spec.common.config.{USE_SSL}");
    let message = "is no option of a connection to RabbitMQ";
    for name in OF_AMQP {
        if options.contains_key(&format!("ssl_{name}")) {
            let fix = if name == HOST_CHECK { CHECK_HOST.to_owned() } else { format!("write {name}") };
            report.add(Kind::Forbidden, format!("{path}.ssl_{name}"), message, fix);
        }
    }
    for (name, fix) in [(HOST_CHECK, CHECK_HOST), ("ssl", "remove it")] {
        if options.contains_key(name) {
            report.add(Kind::Forbidden, format!("{path}.{name}"), message, fix);
        }
    }
    if options.get("cert_reqs").and_then(Value::as_str).is_some_and(|word| !expands(word)) {
        let message = "is a string, where AMQP needs the number of Python";
        report.add(Kind::Invalid, format!("{path}.cert_reqs"), message, "write 2 for required, 0 for none");
    }
}

fn b15(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_silent = |endpoint: &crate::celery::broker_url::Endpoint| {
        endpoint.parameter("ssl_cert_reqs").is_none() && endpoint.verifies_certificates() == Some(false)
    };
    // A table takes the place of what kombu makes of a bare rediss://, and redis-py checks unless it is told otherwise.
    let written = subject.common().config.get(USE_SSL).and_then(|setting| setting.0.as_object());
    let says_how = written.is_some_and(|options| !options.is_empty());
    if !says_how && good(subject).any(is_silent) {
        let message = "does not check the broker's certificate";
        report.add(Kind::Forbidden, subject.broker_place(), message, "add ?ssl_cert_reqs=required");
    }
}

/// Whoever asks for a check of the certificate means TLS; whoever asks for none usually means no TLS at all.
fn b17(subject: &Subject<'_>, report: &mut Report<'_>) {
    let plain = |scheme: &str| scheme == "redis";
    let Some(endpoint) = good(subject).find(|endpoint| plain(&endpoint.scheme) && endpoint.tls()) else {
        return;
    };
    let severity = match endpoint.verifies_certificates() {
        Some(false) => report.severity(),
        _ => Severity::Warn,
    };
    let url = subject.broker_url().unwrap_or_default();
    let about_tls =
        endpoint.query.iter().map(|(name, _)| name.as_str()).find(|name| name.starts_with("ssl_"));
    let name = about_tls.unwrap_or("ssl_cert_reqs");
    let message = format!("switches TLS on for redis:// by {name}");
    let fix = format!("write rediss://, or remove {name}");
    report.add_shown(severity, subject.broker_place(), &masked(url), message, fix);
}

fn b18(subject: &Subject<'_>, report: &mut Report<'_>) {
    plain_on_a_tls_port(subject, report);
    let plain_port = |transport: Transport| match transport {
        Transport::Redis => Some((Service::REDIS.port, 6380)),
        Transport::Amqp => Some((Service::AMQP.port, Service::AMQP_TLS.port)),
        _ => None,
    };
    for endpoint in good(subject).filter(|endpoint| endpoint.tls()) {
        let Some((plain, usual)) = plain_port(endpoint.transport) else { continue };
        // B17 doubts that TLS is meant at all.
        let is_odd = endpoint.effective_port() == Some(plain) && endpoint.scheme != "redis";
        // The services of Amazon that have it everywhere are those for Redis.
        let is_left = endpoint.transport == Transport::Redis && serves_tls_everywhere(&endpoint.host);
        if is_odd && !is_left {
            let message = format!("asks for TLS on port {plain}, which mostly has none");
            report.add(
                Kind::Forbidden,
                subject.broker_place(),
                message,
                format!("name the TLS port, often {usual}"),
            );
            return;
        }
    }
}

/// The other way round: 5671 is registered for AMQP with TLS, while a second port of Redis may be anything. An application
/// can ask for TLS by itself.
fn plain_on_a_tls_port(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_odd = |endpoint: &&Endpoint| {
        endpoint.transport == Transport::Amqp
            && !endpoint.tls()
            && endpoint.effective_port() == Some(Service::AMQP_TLS.port)
    };
    if good(subject).find(is_odd).is_some() && !subject.common().config.contains_key(USE_SSL) {
        let message = format!("names {}, the port with TLS, without it", Service::AMQP_TLS.port);
        let fix = "use amqps://, or set broker_use_ssl in the app";
        report.add(Kind::Forbidden, subject.broker_place(), message, fix);
    }
}

/// Whether a host is of a service that has TLS on the port which others leave without it.
fn serves_tls_everywhere(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let of_amazon = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"));
    of_amazon.is_some_and(|name| name.rsplit('.').next() == Some("cache") || name.contains(".memorydb."))
}
