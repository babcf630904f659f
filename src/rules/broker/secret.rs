// SPDX-License-Identifier: Apache-2.0
//! What a Secret holds for a broker, where the input says it.

use super::super::finding::{Kind, Report, Severity};
use super::super::rule::{Check, Example, Rule};
use super::super::secret::{ENCODE, UNENCODED, text};
use super::super::subject::Subject;
use crate::celery::broker_url::{self, Transport};
use crate::celery::url::doubtful;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B33", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the Secret of a broker holds a URL that Celery can use",
        consequence: "Whatever the same URL would do in the object: a crash, or a wrong host asked for ever.",
        check: Check::of_facts(b33).or(Severity::Warn, "where the URL can be read all the same, and its password only seems unencoded"),
        example: Example {
            bad: "spec: {common: {broker: {url: null, urlSecretRef: {name: broken, key: url}, scheme: redis}}}",
            at: PATH,
            good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: redis}}}",
            old: None,
        },
    },
    Rule {
        id: "B56", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the scheme of a broker in a Secret is known",
        consequence: "No default startup probe asks whether the worker has reached its broker, and no rule that depends on the broker speaks: lost and repeated tasks are not warned about.",
        check: Check::object(b56),
        example: Example {
            bad: "spec: {common: {broker: {url: null, urlSecretRef: {name: queue, key: url}}}}",
            at: "spec.common.broker.scheme",
            good: "spec: {common: {broker: {url: null, urlSecretRef: {name: queue, key: url}, scheme: redis}}}",
            old: None,
        },
    },
];

/// The field.
const PATH: &str = "spec.common.broker.urlSecretRef";

fn b33(subject: &Subject<'_>, report: &mut Report<'_>) {
    let reference = subject.broker().and_then(|broker| broker.url_secret_ref.as_ref());
    let Some(url) = reference.and_then(|reference| text(subject, reference)) else { return };
    if let Some(Err(defect)) = broker_url::parse(url).into_iter().find(Result::is_err) {
        let message = format!("the URL in the Secret {}", defect.unquoted());
        report.add(Kind::Forbidden, PATH, message, "correct the Secret");
    } else if doubtful(url).is_some() && names_a_host(url) {
        report.warn(Kind::Forbidden, PATH, UNENCODED, ENCODE);
    }
}

fn b56(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(broker) = subject.broker().filter(|broker| broker.forms() == ["urlSecretRef"]) else { return };
    let known = broker.url_secret_ref.as_ref().and_then(|reference| text(subject, reference));
    let fix = match (&subject.scheme, known) {
        (Some(scheme), _) => format!("write {}", scheme.name),
        (None, None) => "write the URL's scheme, such as redis".to_owned(),
        // Of a URL that is none another rule tells.
        (None, Some(_)) => return,
    };
    if broker.scheme.is_none() {
        let message = "is not set: no startup probe, fewer checks";
        report.add(Kind::Required, "spec.common.broker.scheme", message, fix);
    }
}

/// Whether the transport looks for a host where the doubt is about one.
fn names_a_host(url: &str) -> bool {
    let transports = [Transport::Amqp, Transport::Redis, Transport::Sentinel];
    matches!(broker_url::parse(url).as_slice(), [Ok(only)] if transports.contains(&only.transport))
}
