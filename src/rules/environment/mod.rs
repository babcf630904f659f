// SPDX-License-Identifier: Apache-2.0
//! Rules about variables that Celery takes for options. Those that name another broker belong to that.

mod options;

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::subject::Subject;
use super::variables::{all, laid_over, sets};

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "B36", severity: Severity::Warn, schema: false, since: "0.1",
        title: "options of workers are not set by variables",
        consequence: "Celery takes the variable for an option, and a bad value ends the container. A field that becomes an argument wins over it.",
        check: Check::object(options::b36).or(Severity::Deny, "when Celery refuses the value, when it deletes waiting tasks or leaves the foreground, and when it switches on what a field leaves off"),
        example: Example {
            bad: "spec: {common: {env: [{name: CELERY_WORKER_CONCURRENCY, value: '2'}]}}",
            at: "spec.common.env[0].name",
            good: "spec: {workerSpec: {concurrency: 2}}",
            old: None,
        },
    },
    Rule {
        id: "B37", severity: Severity::Warn, schema: false, since: "0.1",
        title: "which application runs is said by celeryApp",
        consequence: "celeryApp wins over CELERY_APP, which only misleads whoever reads it; with CELERY_LOADER or CELERY_CONFIG_MODULE Celery reads another configuration than that of the application, or crashes over it.",
        check: Check::object(b37),
        example: Example {
            bad: "spec: {common: {env: [{name: CELERY_APP, value: shop}]}}",
            at: "spec.common.env[0].name",
            good: "spec: {common: {env: [{name: SHOP, value: shop}]}}",
            old: None,
        },
    },
];

fn b37(subject: &Subject<'_>, report: &mut Report<'_>) {
    let has_app = subject.common().celery_app.is_some();
    for place in all(subject).into_iter().chain(laid_over(subject)) {
        let name = place.variable.name.as_str();
        let option = |option: &str| sets(name, option, subject.celery);
        let message = match name {
            // A variable of this name is often the application's own; beside celeryApp Celery does not look at it.
            "APP" if has_app => continue,
            _ if option("--app") && has_app => "names an application beside celeryApp, which wins",
            _ if option("--app") => "names the application in the place of celeryApp",
            "CELERY_CONFIG_MODULE" | "CELERY_LOADER" => "makes Celery read another configuration",
            _ if option("--loader") || option("--config") => "makes Celery read another configuration",
            "C_FAKEFORK" => "is for the daemons of celery multi",
            _ => continue,
        };
        report.add(Kind::Forbidden, format!("{}.name", place.path), format!("{name} {message}"), "remove it");
    }
}
