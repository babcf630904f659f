// SPDX-License-Identifier: Apache-2.0
//! What stands before the "@" of a Redis URL without a colon, of brokers and of result backends.

use crate::api::SecretKeyRef;
use crate::celery::backend_url::{self, BackendKind};
use crate::celery::broker_url::{self, Transport};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path::BROKER_URL;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::secret::text;
use crate::rules::subject::Subject;

/// The field of result backends.
const BACKEND: &str = "spec.common.resultBackend.url";

/// The user that a Redis without passwords has.
const DEFAULT: &str = "default";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B52", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the password of a Redis stands behind a colon",
        consequence: "Redis takes the word for a user without a password and answers \"invalid username-password pair\"; the worker retries for ever.",
        check: Check::object(b52),
        example: Example {
            bad: "spec: {common: {broker: {url: 'redis://hush@cache:6379/0'}}}",
            at: BROKER_URL,
            good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: redis}}}",
            old: None,
        },
    },
];

fn b52(subject: &Subject<'_>, report: &mut Report<'_>) {
    let (broker, backend) = (subject.broker(), subject.common().result_backend.as_ref());
    let broker_url = broker.and_then(|broker| broker.url.as_deref());
    let backend_url = backend.and_then(|backend| backend.url.as_deref());
    let broker_key = broker.and_then(|broker| broker.url_secret_ref.as_ref());
    let backend_key = backend.and_then(|backend| backend.url_secret_ref.as_ref());
    let known = |key: Option<&SecretKeyRef>| key.and_then(|key| text(subject, key));
    for (url, path, is_alone) in [
        (broker_url, subject.broker_place(), of_broker as fn(&str) -> bool),
        (known(broker_key), "spec.common.broker.urlSecretRef", of_broker),
        (backend_url, BACKEND, of_backend),
        (known(backend_key), "spec.common.resultBackend.urlSecretRef", of_backend),
    ] {
        if url.is_some_and(is_alone) {
            // Without the word, which is most likely the password.
            let message = "has a user and no password";
            report.add(Kind::Forbidden, path, message, "write redis://:password@host if it is one");
        }
    }
}

fn of_broker(url: &str) -> bool {
    let is_redis = |transport| matches!(transport, Transport::Redis | Transport::Sentinel);
    broker_url::parse(url).iter().flatten().any(|endpoint| {
        let has_password = endpoint.password.is_some() || endpoint.parameter("password").is_some();
        is_redis(endpoint.transport) && !has_password && is_user(endpoint.username.as_deref())
    })
}

fn of_backend(url: &str) -> bool {
    let Ok(backend) = backend_url::parse(url) else { return false };
    let is_redis = matches!(backend.kind, BackendKind::Redis | BackendKind::Sentinel);
    let is_alone = |location: &backend_url::Location| {
        location.password.is_none() && is_user(location.username.as_deref())
    };
    // A provider of credentials knows the password.
    let asks = |location: &backend_url::Location| location.parameter("credential_provider").is_some();
    is_redis && backend.locations.iter().any(|location| is_alone(location) && !asks(location))
}

fn is_user(name: Option<&str>) -> bool {
    name.is_some_and(|name| name != DEFAULT)
}
