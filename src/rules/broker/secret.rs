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
        check: Check::of_facts(b33).or(Severity::Warn),
        example: Example {
            bad: "spec: {common: {broker: {url: null, urlSecretRef: {name: broken, key: url}}}}",
            at: PATH,
            good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}}}}",
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

/// Whether the transport looks for a host where the doubt is about one.
fn names_a_host(url: &str) -> bool {
    let transports = [Transport::Amqp, Transport::Redis, Transport::Sentinel];
    matches!(broker_url::parse(url).as_slice(), [Ok(only)] if transports.contains(&only.transport))
}
