// SPDX-License-Identifier: Apache-2.0
//! Rules about Flower, one file an idea; here those about Flower as a whole.

mod addresses;
pub(super) mod args;
pub(super) mod auth;
pub(super) mod broker;
pub(super) mod encryption;
pub(super) mod env;
pub(super) mod exposure;
mod given;
pub(super) mod history;
pub(super) mod literal;
pub(super) mod oauth;
mod reach;
mod sources;
pub(super) mod typed;
pub(super) mod values;

use given::{Flower, PATH};

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "F32", severity: Severity::Warn, schema: false, since: "0.1",
        title: "somebody switches the events of workers on",
        consequence: "No worker sends events and the page of tasks stays empty.",
        check: Check::object(f32),
        example: Example {
            bad: "spec: {workerSpec: {taskEvents: false}, flowerSpec: {args: ['--enable_events=false'], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {workerSpec: {taskEvents: true}, flowerSpec: {args: ['--enable_events=false'], auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F35", severity: Severity::Deny, schema: true, since: "0.1",
        title: "urlPrefix is a path",
        consequence: "Flower takes it for a pattern of addresses: its pages and its health check are never found.",
        check: Check::field(&["spec.flowerSpec.urlPrefix"], "use letters, digits, '-', '_', '.', '~' and inner '/'"),
        example: Example {
            bad: "spec: {flowerSpec: {urlPrefix: 'https://flower', auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.urlPrefix",
            good: "spec: {flowerSpec: {urlPrefix: tools/flower, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F40", severity: Severity::Deny, schema: false, since: "0.1",
        title: "version is a version of Flower",
        consequence: "Nobody could tell which options that Flower has.",
        check: Check::field(&["spec.flowerSpec.version"], "use one such as \"2.0\" or \"2.0.1\""),
        example: Example {
            bad: "spec: {flowerSpec: {version: latest, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.version",
            good: "spec: {flowerSpec: {version: '2.0', auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F41", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the version of Flower knows readOnly",
        consequence: "An older Flower ignores it: everybody who may look may stop workers too.",
        check: Check::object(f41),
        example: Example {
            bad: "spec: {flowerSpec: {version: '2.0', readOnly: true, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.readOnly",
            good: "spec: {flowerSpec: {version: '2.1', readOnly: true, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
];

fn f32(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let option = flower.option("enable_events");
    let Some((_, place)) = option.text().filter(|_| option.switch() == Some(false)) else { return };
    let silent = subject
        .pools
        .iter()
        .find(|pool| pool.spec.task_events == Some(false) && !pool.said.has("--task-events"));
    if let Some(pool) = silent {
        let message = format!("leaves the pool {:?} without events", pool.name);
        place.blame(report.severity(), message, "remove it", report);
    }
}

fn f41(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let is_old = flower.version().is_some_and(|version| version < (2, 1));
    if flower.spec.read_only == Some(true) && is_old {
        let message = "needs Flower 2.1 or later: an older one ignores it";
        report.add(Kind::Forbidden, format!("{PATH}.readOnly"), message, "use a newer image, or remove it");
    }
}

#[cfg(test)]
mod tests;
