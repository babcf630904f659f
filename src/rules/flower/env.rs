// SPDX-License-Identifier: Apache-2.0
//! Rules about Flower's environment, in which Kubernetes and Flower use the same names.

use super::given::{Flower, PATH};
use crate::celery::number;
use crate::effective;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "F28", severity: Severity::Deny, schema: false, since: "0.1",
        title: "FLOWER_PORT is the port",
        consequence: "Flower reads the variable before its arguments: a text that is no number, such as the one that Kubernetes writes for a Service called flower, ends it.",
        check: Check::object(f28).or(Severity::Warn, "when the number is only another than that of the port"),
        example: Example {
            bad: "spec: {flowerSpec: {env: [{name: FLOWER_PORT, value: 'tcp://10.0.0.1:5555'}], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.env[0].value",
            good: "spec: {flowerSpec: {env: [{name: FLOWER_PORT, value: '5555'}], auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
];

fn f28(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let variable = flower.variable("FLOWER_PORT");
    if let Some((text, place)) = variable.text() {
        let port = effective::flower::port(flower.spec);
        match number::int(text) {
            None => {
                let message = "FLOWER_PORT is not a number, which ends Flower";
                place.blame(report.severity(), message, "remove it and set servicePort", report);
            }
            Some(number) if number != i64::from(port) => {
                let message = format!("FLOWER_PORT has no effect, the port is {port}");
                place.blame(Severity::Warn, message, "remove it and set servicePort", report);
            }
            Some(_) => {}
        }
    }
    // The template that wins decides; links are off unless one switches them on.
    let links = flower.templates().find_map(|(template, path)| {
        let links = template.0.pointer("/spec/enableServiceLinks")?.as_bool()?;
        Some((links, path))
    });
    if let Some((true, path)) = links {
        let message = "a Service called flower would then set FLOWER_PORT to a string that ends Flower";
        let path = format!("{path}.spec.enableServiceLinks");
        report.add(
            Kind::Invalid,
            path,
            message,
            format!("remove it, or set it to false in {PATH}.podTemplate"),
        );
    }
}
