// SPDX-License-Identifier: Apache-2.0
//! Rules about the scheme of a broker URL.

use super::{defects, good};
use crate::celery::broker_url::{Defect, Endpoint, masked};
use crate::celery::expansion::expands;
use crate::celery::version::Target;
use crate::rules::finding::{Report, Severity};
use crate::rules::path::BROKER_URL;
use crate::rules::release;
use crate::rules::rule::{Check, Example, RELEASES, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B05", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the scheme is one that Celery knows",
        consequence: "The worker crashes with \"No such transport\".",
        check: Check::object(b05).or(Severity::Warn, "with Celery 4, for a transport that only a later kombu has"),
        example: Example { bad: "spec: {common: {broker: {url: 'rabbitmq://mq'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'amqp://app@mq'}}}", old: None },
    },
    Rule {
        id: "B06", severity: Severity::Deny, schema: false, since: "0.1",
        title: "Redis Cluster cannot be a broker",
        consequence: "Celery reads it as plain Redis and connects to localhost.",
        check: Check::object(b06),
        example: Example { bad: "spec: {common: {broker: {url: 'redis+cluster://cache'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://cache'}}}", old: None },
    },
    Rule {
        id: "B07", severity: Severity::Deny, schema: false, since: "0.1",
        title: "no compound scheme that Celery takes for a host",
        consequence: "Celery looks for a host of a wrong name and retries for ever.",
        check: Check::object(b07),
        example: Example { bad: "spec: {common: {broker: {url: 'amqp+ssl://mq'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'amqps://app@mq'}}}", old: None },
    },
    Rule {
        id: "B08", severity: Severity::Deny, schema: false, since: "0.1",
        title: "db+ is the form of a result backend",
        consequence: "The worker crashes with \"No such transport: db\".",
        check: Check::object(b08),
        example: Example { bad: "spec: {common: {broker: {url: 'db+postgresql://db/tasks'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://db'}}}", old: None },
    },
    Rule {
        id: "B66", severity: Severity::Deny, schema: false, since: "0.1",
        title: "azureservicebus:// names a policy with its key",
        consequence: "The worker crashes at its start with a ValueError: not enough values to unpack.",
        check: Check::object(b66).or(Severity::Warn, RELEASES),
        example: Example { bad: "{metadata: {annotations: {celeryproject.org/ignore-rules: B23}}, spec: {common: {broker: {url: 'azureservicebus://shop.servicebus.windows.net'}}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://cache'}}}", old: None },
    },
];

fn b05(subject: &Subject<'_>, report: &mut Report<'_>) {
    let url = subject.broker_url().unwrap_or_default();
    let is_queue = ["https://sqs.", "http://sqs.", "https://queue.amazonaws.com"];
    let is_queue = is_queue.iter().any(|begin| url.starts_with(begin));
    defects(subject, report, |defect, _| match defect {
        Defect::UnknownScheme { .. } if is_queue => {
            Some("set broker.sqs with region, and this address in its queueUrls".to_owned())
        }
        Defect::UnknownScheme { scheme, meant: Some(meant) } => {
            Some(format!("did you mean {meant}://{}?", with_tls(scheme, meant)))
        }
        Defect::UnknownScheme { meant: None, .. } => {
            Some("use redis://, rediss://, sentinel://, amqp://, amqps:// or sqs://".to_owned())
        }
        _ => None,
    });
    let Target::Known(release) = subject.celery else { return };
    let too_new = |since: &u8| release.newest_kombu().is_some_and(|newest| newest < *since);
    if let Some(since) = good(subject).map(Endpoint::kombu_since).find(too_new) {
        let severity = release::refusal(subject, report.severity());
        let message = format!("needs kombu 5.{since}, which Celery {release} does not take");
        let url = masked(subject.broker_url().unwrap_or_default());
        report.add_shown(
            severity,
            subject.broker_place(),
            &url,
            message,
            "use another, or correct celeryVersion",
        );
    }
}

/// What goes with a scheme that does not say TLS, where another one was to say it.
fn with_tls(written: &str, meant: &str) -> &'static str {
    let asks = ["sentinels", "rediss+sentinel"].contains(&written.to_ascii_lowercase().as_str());
    if asks && meant == "sentinel" { ", with broker_use_ssl in config" } else { "" }
}

fn b06(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| {
        matches!(defect, Defect::RedisCluster)
            .then(|| "use a Redis without cluster mode, or RabbitMQ".to_owned())
    });
}

fn b07(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| match defect {
        Defect::CompoundScheme { scheme, meant: Some(meant) } => {
            Some(format!("use {meant}://{}", with_tls(scheme, meant)))
        }
        Defect::CompoundScheme { meant: None, .. } => {
            Some("use the scheme without what follows \"+\"".to_owned())
        }
        _ => None,
    });
}

fn b08(subject: &Subject<'_>, report: &mut Report<'_>) {
    let dialect = subject.broker_url().and_then(|url| url.split_once("://")?.0.strip_prefix("db+"));
    let is_word = |text: &&str| text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let dialect = dialect.filter(is_word).unwrap_or("…");
    defects(subject, report, |defect, _| {
        matches!(defect, Defect::BackendScheme)
            .then(|| format!("write sqla+{dialect}:// for a broker in a database"))
    });
}

/// A name of a class comes first: an identity has no key that could be stolen. What a variable holds is not known.
fn b66(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_whole = subject.broker_url().is_some_and(|url| !expands(url));
    if is_whole && good(subject).any(Endpoint::lacks_policy) {
        let severity = release::refusal(subject, report.severity());
        let url = masked(subject.broker_url().unwrap_or_default());
        let fix = "write azureservicebus://DefaultAzureCredential@namespace, or policy:key@namespace";
        report.add_shown(severity, subject.broker_place(), &url, "names no policy with its key", fix);
    }
}
