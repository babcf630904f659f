// SPDX-License-Identifier: Apache-2.0
//! Variables that a URL needs, and those that name another broker behind the back of the object.

use super::super::finding::{Kind, Report, Severity};
use super::super::rule::{Check, Example, RELEASES, Rule};
use super::super::subject::Subject;
use crate::rules::path::BROKER_URL;
use crate::rules::release;
use crate::rules::variables::{all, laid_over, missing, names_backend, names_broker, same_key, sources};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B24", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a variable in a URL is there",
        consequence: "Celery asks for a host called $(NAME) and retries for ever.",
        check: Check::object(b24).or(Severity::Warn, "when the variable is only a part of the URL"),
        example: Example {
            bad: "spec: {common: {broker: {url: '$(REDIS_URL)'}}}",
            at: BROKER_URL,
            good: "spec: {common: {broker: {url: '$(REDIS_URL)'}, env: [{name: REDIS_URL, valueFrom: {secretKeyRef: {name: cache, key: url}}}]}}",
            old: None,
        },
    },
    Rule {
        id: "B34", severity: Severity::Deny, schema: false, since: "0.1",
        title: "no variable names another broker",
        consequence: "The variable wins: workers talk to another broker than Flower and the autoscaler.",
        check: Check::object(b34).or(Severity::Warn, RELEASES),
        example: Example {
            bad: "spec: {common: {env: [{name: BROKER_URL, value: 'redis://other'}]}}",
            at: "spec.common.env[0].name",
            good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: redis}, env: [{name: BROKER_URL, valueFrom: {secretKeyRef: {name: broker, key: url}}}]}}",
            old: None,
        },
    },
    Rule {
        id: "B35", severity: Severity::Warn, schema: false, since: "0.1",
        title: "no ConfigMap names another broker or result backend",
        consequence: "The variable wins, and nobody sees it in the object.",
        check: Check::of_facts(b35),
        example: Example {
            bad: "spec: {common: {envFrom: [{configMapRef: {name: heroku}}]}}",
            at: "spec.common.envFrom[0]",
            good: "spec: {common: {envFrom: [{configMapRef: {name: shop}}]}}",
            old: None,
        },
    },
];

fn b24(subject: &Subject<'_>, report: &mut Report<'_>) {
    let url = subject.broker_url().unwrap_or_default();
    let Some(missing) = missing(subject, url) else { return };
    let is_all = url == format!("$({missing})");
    let severity = if is_all { report.severity() } else { Severity::Warn };
    let message = if is_all {
        "is not defined in env: Celery would look for a host of that name for ever".to_owned()
    } else {
        format!("names $({missing:.40}), which env does not define")
    };
    report.graded(severity, Kind::NotFound, subject.broker_place(), message, "define it in spec.common.env");
}

fn b34(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(broker) = subject.broker() else { return };
    for place in all(subject).into_iter().chain(laid_over(subject)) {
        let variable = place.variable;
        let same = same_key(variable, broker.url_secret_ref.as_ref())
            || variable.value.is_some() && variable.value == broker.url;
        if names_broker(&variable.name, subject.celery) && !same {
            let path = format!("{}.name", place.path);
            let severity = release::refusal(subject, report.severity());
            let message = format!("{} overrides spec.common.broker", variable.name);
            report.graded(severity, Kind::Forbidden, path, message, "remove it");
        }
    }
}

/// Variables of the container win over those of a `ConfigMap`; those that the operator sets are no danger.
fn b35(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_set = ["CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"];
    let overrides = |name: &str| {
        if is_set.contains(&name) {
            None
        } else if subject.broker().is_some() && names_broker(name, subject.celery) {
            Some("broker")
        } else if subject.common().result_backend.is_some() && names_backend(name, subject.celery) {
            Some("resultBackend")
        } else {
            None
        }
    };
    for (path, source) in sources(subject) {
        let Some(map) = &source.config_map_ref else { continue };
        let keys = subject.facts.config_maps.get(&map.name).into_iter().flatten();
        let prefix = source.prefix.as_deref().unwrap_or_default();
        let found = keys.map(|key| format!("{prefix}{key}")).find_map(|name| {
            let field = overrides(&name)?;
            Some((name, field))
        });
        if let Some((name, field)) = found {
            let message = format!("has {name}, which overrides spec.common.{field}");
            report.add(Kind::Forbidden, path, message, "remove that key");
        }
    }
}
