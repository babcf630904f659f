// SPDX-License-Identifier: Apache-2.0
//! Variables that the URL of a result backend needs, and those that name another one behind its back.

use super::{URL, place, url};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, RELEASES, Rule};
use crate::rules::subject::Subject;
use crate::rules::variables::{all, missing, names_backend, same_key};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "R11", severity: Severity::Deny, schema: false, since: "0.1",
        title: "no variable names another result backend",
        consequence: "One of the two has no effect, and nobody is told which.",
        check: Check::object(r11).or(Severity::Warn, RELEASES),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'rpc://'}, env: [{name: CELERY_RESULT_BACKEND, value: 'redis://cache/1'}]}}",
            at: "spec.common.env[0].name",
            good: "spec: {common: {resultBackend: {url: 'rpc://'}}}",
            old: None,
        },
    },
    Rule {
        id: "R23", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a variable in the URL of a result backend is there",
        consequence: "Celery asks for a host called $(NAME) and no result is ever kept; as the whole text it is a module that cannot be imported.",
        check: Check::object(r23).or(Severity::Deny, "when the variable is the whole URL"),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'redis://$(RESULTS)/1'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'redis://$(RESULTS)/1'}, env: [{name: RESULTS, value: cache}]}}",
            old: None,
        },
    },
];

fn r11(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(backend) = &subject.common().result_backend else { return };
    for place in all(subject) {
        let variable = place.variable;
        let same = same_key(variable, backend.url_secret_ref.as_ref())
            || variable.value.is_some() && variable.value == backend.url;
        if names_backend(&variable.name, subject.celery) && !same {
            let severity = release::refusal(subject, report.severity());
            let message = format!("{} sets the same as spec.common.resultBackend", variable.name);
            let path = format!("{}.name", place.path);
            report.graded(severity, Kind::Forbidden, path, message, "remove the variable");
        }
    }
}

fn r23(subject: &Subject<'_>, report: &mut Report<'_>) {
    let url = url(subject).unwrap_or_default();
    let Some(missing) = missing(subject, url) else { return };
    let is_all = url == format!("$({missing})");
    let severity = if is_all { release::refusal(subject, Severity::Deny) } else { report.severity() };
    let message = format!("names $({missing:.40}), which env does not define");
    report.graded(severity, Kind::Forbidden, place(subject), message, "define it in spec.common.env");
}
