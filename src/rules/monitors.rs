// SPDX-License-Identifier: Apache-2.0
//! Rules about what Prometheus is asked to scrape.

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::subject::Subject;

/// The field that asks for a monitor of Flower.
const PATH: &str = "spec.common.metrics.flowerServiceMonitor";

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "F50", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a ServiceMonitor needs the Prometheus operator",
        consequence: "Nobody scrapes Flower until its definitions are installed.",
        check: Check::of_facts(f50),
        example: Example {
            bad: "spec: {common: {metrics: {flowerServiceMonitor: true}}, flowerSpec: {auth: {allowUnauthenticated: true}}}",
            at: PATH,
            good: "spec: {common: {metrics: {flowerServiceMonitor: false}}, flowerSpec: {auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F51", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a monitor of Flower has a Flower to look at",
        consequence: "Nothing is made, and nothing is scraped.",
        check: Check::object(f51),
        example: Example {
            bad: "spec: {common: {metrics: {flowerServiceMonitor: true}}}",
            at: PATH,
            good: "spec: {common: {metrics: {flowerServiceMonitor: true}}, flowerSpec: {auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
];

fn is_asked(subject: &Subject<'_>) -> bool {
    subject.common().metrics.as_ref().and_then(|metrics| metrics.flower_service_monitor) == Some(true)
}

fn f50(subject: &Subject<'_>, report: &mut Report<'_>) {
    let has_flower = subject.object.spec.flower_spec.is_some();
    if is_asked(subject) && has_flower && subject.facts.monitors == Some(false) {
        report.add(
            Kind::Forbidden,
            PATH,
            "the Prometheus operator is not installed",
            "install it, or remove this",
        );
    }
}

fn f51(subject: &Subject<'_>, report: &mut Report<'_>) {
    if is_asked(subject) && subject.object.spec.flower_spec.is_none() {
        report.add(Kind::Forbidden, PATH, "has no effect without flowerSpec", "remove it, or add flowerSpec");
    }
}
