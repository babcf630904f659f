// SPDX-License-Identifier: Apache-2.0
//! Rules about Amazon SQS: what its service allows, and where its queues are.

use serde_json::Value;

use super::options::options;
use crate::api::limits;
use crate::celery::broker_url::Transport;
use crate::celery::expansion::expands;
use crate::celery::sqs::queue_name;
use crate::effective::broker::{OPTIONS, transport_options};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;
use crate::rules::variables;

/// Seconds for which a message may be hidden.
const MOST_HIDDEN: f64 = 43200.0;
/// Seconds for which a request may wait for messages.
const LONGEST_POLL: f64 = 20.0;
/// Digits of the number of an account.
const ACCOUNT: usize = 12;
/// Where SQS stands in the object.
const SQS: &str = "spec.common.broker.sqs";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B53", severity: Severity::Deny, schema: false, since: "0.1",
        title: "SQS waits at most 20 seconds and hides a message for at most 12 hours",
        consequence: "SQS refuses to hand out messages, and the worker ends with \"Request HTTP Error HTTP 400\"; with a longer visibility_timeout no queue can be made.",
        check: Check::object(b53).or(Severity::Warn, "when the broker is not known, and for visibility_timeout"),
        example: Example {
            bad: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}, transportOptions: {wait_time_seconds: 30}}}}",
            at: "spec.common.broker.transportOptions.wait_time_seconds",
            good: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}, transportOptions: {wait_time_seconds: 20, visibility_timeout: 43200}}}}",
            old: None,
        },
    },
    Rule {
        id: "B54", severity: Severity::Deny, schema: false, since: "0.1",
        title: "predefined_queues has every queue, with its url",
        consequence: "The worker crashes with an AttributeError, a TypeError, a KeyError, an InvalidQueueException or an UndefinedQueueException.",
        check: Check::object(b54).or(Severity::Warn, "when the broker is not known"),
        example: Example {
            bad: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}, transportOptions: {predefined_queues: {mail: 'https://sqs.eu-west-1.amazonaws.com/123456789012/mail'}}}}}",
            at: "spec.common.broker.transportOptions.predefined_queues.mail",
            good: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}, transportOptions: {predefined_queues: {mail: {url: 'https://sqs.eu-west-1.amazonaws.com/123456789012/mail'}}}}}}",
            old: None,
        },
    },
    Rule {
        id: "B55", severity: Severity::Warn, schema: false, since: "0.1",
        title: "an account of AWS has 12 digits, and a queue an address",
        consequence: "Neither worker nor autoscaler finds the queue, and the pool never scales.",
        check: Check::object(b55).or(Severity::Deny, "for the account when an autoscaler follows the queues, and for the address of another queue"),
        example: Example {
            bad: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1, queueUrls: {mail: sqs.eu-west-1.amazonaws.com/123456789012/mail}}}}}",
            at: "spec.common.broker.sqs.queueUrls.mail",
            good: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1, accountId: '123456789012', queueUrls: {mail: 'https://sqs.eu-west-1.amazonaws.com/123456789012/mail'}}}}}",
            old: None,
        },
    },
    Rule {
        id: "B58", severity: Severity::Warn, schema: false, since: "0.1",
        title: "workers on SQS have an identity of their own",
        consequence: "The Secret of credentialsSecretName is given to KEDA alone. Unless the node has a role for SQS, workers end with NoCredentialsError. Where it has one, the annotation celeryproject.org/ignore-rules with B58 says so.",
        check: Check::object(b58),
        example: Example {
            bad: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1, credentialsSecretName: aws}}}}",
            at: "spec.common.broker.sqs.credentialsSecretName",
            good: "spec: {common: {serviceAccountName: shop, broker: {url: null, sqs: {region: eu-west-1, credentialsSecretName: aws}}}}",
            old: None,
        },
    },
];

/// How sure it is that an option reaches SQS; which broker a Secret names is not known.
fn severity(subject: &Subject<'_>) -> Option<Severity> {
    match subject.transport() {
        Some(Transport::Sqs) => Some(Severity::Deny),
        Some(_) => None,
        None => Some(Severity::Warn),
    }
}

fn b53(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(severity) = severity(subject) else { return };
    for (path, name, value) in options(subject) {
        // kombu hands on the text of the one and counts with the other.
        let text = value.as_str().filter(|_| name == "visibility_timeout");
        let number = value.as_f64().or_else(|| text?.parse::<u32>().ok().map(f64::from));
        let Some(seconds) = number else { continue };
        if name == "wait_time_seconds" && !(0.0..=LONGEST_POLL).contains(&seconds) {
            report.graded(severity, Kind::Invalid, path, "is not what SQS takes", "use 0 to 20");
        } else if name == "visibility_timeout" && seconds > MOST_HIDDEN && makes_queues(subject) {
            // A queue that is already there keeps its own.
            let message = "is more than the 12 hours that SQS allows";
            report.warn(Kind::Invalid, path, message, "use at most 43200");
        }
    }
}

/// Whether kombu makes queues on SQS: not where the object names them.
pub(super) fn makes_queues(subject: &Subject<'_>) -> bool {
    let options = transport_options(subject.common()).is().unwrap_or_default();
    let named = options.get("predefined_queues").and_then(Value::as_object);
    subject.transport() == Some(Transport::Sqs) && named.is_none_or(serde_json::Map::is_empty)
}

fn b54(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(severity) = severity(subject) else { return };
    not_predefined(subject, severity, report);
    for (path, _, value) in options(subject).filter(|(_, name, _)| *name == "predefined_queues") {
        let Some(queues) = value.as_object() else {
            if !value.is_null() {
                let message = "is not a map of queues";
                report.graded(severity, Kind::Forbidden, path, message, "write {name: {url: https://...}}");
            }
            continue;
        };
        for (name, queue) in queues.iter().take(limits::ITEMS) {
            let path = path::entry(&path, name);
            match queue.get("url") {
                None => {
                    let fix = "write {url: https://...}";
                    report.graded(severity, Kind::Forbidden, path, "names no url", fix);
                }
                Some(Value::String(url)) => {
                    if let Some(message) = mixed(name, url) {
                        report.graded(severity, Kind::Forbidden, path, message, "correct one of them");
                    }
                }
                Some(_) => {
                    let path = format!("{path}.url");
                    report.graded(severity, Kind::Forbidden, path, "is not a string", "write https://...");
                }
            }
        }
    }
}

/// Tells of queues of pools that the list leaves out. kombu looks for the name that SQS has, with the prefix.
fn not_predefined(subject: &Subject<'_>, severity: Severity, report: &mut Report<'_>) {
    let options = transport_options(subject.common()).is().unwrap_or_default();
    let Some(known) = options.get("predefined_queues").and_then(Value::as_object) else { return };
    let prefix = options.get("queue_name_prefix").and_then(Value::as_str).unwrap_or_default();
    if known.is_empty()
        || known.len() > limits::ITEMS
        || expands(prefix)
        || known.keys().any(|name| expands(name))
    {
        return;
    }
    for pool in &subject.pools {
        // Settings behind the dashes take the place of all options.
        let is_overridden = pool.said.setting(OPTIONS).is_some();
        let names = pool.queues().filter(|_| !is_overridden).unwrap_or_default();
        let Some(name) = names.iter().find(|name| !known.contains_key(&queue_name(prefix, name))) else {
            continue;
        };
        let path = format!("{}.{}", pool.path, pool.queues_field());
        let message = format!("has a queue that predefined_queues leaves out: {name:?}");
        let there = queue_name(prefix, name);
        let fix = if there == *name { "add it there".to_owned() } else { format!("add it as {there:?}") };
        report.graded(severity, Kind::Forbidden, path, message, fix);
    }
}

/// What is wrong with a queue whose name and address do not agree on whether it keeps its order.
fn mixed(name: &str, url: &str) -> Option<&'static str> {
    let is_ordered = |text: &str| text.strip_suffix(".fifo").is_some();
    match (is_ordered(name), is_ordered(url)) {
        _ if expands(url) => None,
        (false, true) => Some("is a FIFO queue by its url and not by its name"),
        (true, false) => Some("is a FIFO queue by its name and not by its url"),
        _ => None,
    }
}

fn b55(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(sqs) = subject.broker().and_then(|broker| broker.sqs.as_ref()) else { return };
    let is_account = |text: &String| text.len() == ACCOUNT && text.bytes().all(|byte| byte.is_ascii_digit());
    if sqs.account_id.as_ref().is_some_and(|text| !is_account(text)) {
        // Only an autoscaler makes addresses of it.
        let severity = if subject.follows_queues() { Severity::Deny } else { report.severity() };
        let message = "is not the number of an account";
        report.graded(severity, Kind::Invalid, format!("{SQS}.accountId"), message, "write its 12 digits");
    }
    for (name, url) in &sqs.queue_urls {
        let path = path::entry(&format!("{SQS}.queueUrls"), name);
        if let Some(message) = mixed(name, url) {
            report.graded(Severity::Deny, Kind::Forbidden, path, message, "correct one of them");
        } else if !is_address(url) {
            let message = "is not the address of a queue";
            report.add(Kind::Forbidden, path, message, "begin it with https://");
        }
    }
}

fn b58(subject: &Subject<'_>, report: &mut Report<'_>) {
    let sqs = subject.broker().and_then(|broker| broker.sqs.as_ref());
    let is_identity = |name: &str| name.starts_with("AWS_") && !name.ends_with("REGION");
    let mut given = variables::all(subject).into_iter().chain(variables::laid_over(subject));
    let has_variable = given.any(|place| is_identity(&place.variable.name));
    // What comes out of a ConfigMap or a Secret is not known.
    if sqs.is_none_or(|sqs| sqs.credentials_secret_name.is_none())
        || subject.pools.is_empty()
        || has_variable
        || !variables::sources(subject).is_empty()
        || has_account(subject)
    {
        return;
    }
    let message = "is read by KEDA alone, not by workers";
    let path = format!("{SQS}.credentialsSecretName");
    report.add(Kind::Forbidden, path, message, "set serviceAccountName or env");
}

/// Whether pods of workers have a service account.
fn has_account(subject: &Subject<'_>) -> bool {
    let common = subject.common();
    let templates = subject.pools.iter().map(|pool| &pool.spec.pod_template).chain([&common.pod_template]);
    let mut written = templates.flatten().map(|template| template.0.pointer("/spec/serviceAccountName"));
    common.service_account_name.is_some() || written.any(|account| account.is_some())
}

/// Whether a text is an address of some server; one for tests may have no TLS.
fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}
