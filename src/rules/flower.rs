// SPDX-License-Identifier: Apache-2.0
//! Rules about Flower.

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "F08", severity: Severity::Deny, schema: true, since: "0.1",
        title: "serviceType is one that has endpoints",
        consequence: "An ExternalName Service points nowhere; any other word is refused by the API server when the operator applies it.",
        check: Check::object(f08),
        example: Example { bad: "spec: {flowerSpec: {serviceType: ExternalName}}", at: "spec.flowerSpec.serviceType", good: "spec: {flowerSpec: {serviceType: Default}}", old: None },
    },
    Rule {
        id: "F09", severity: Severity::Deny, schema: true, since: "0.1",
        title: "servicePort is a port",
        consequence: "Flower starts, listens nowhere, and the Service cannot be created.",
        check: Check::field(&["spec.flowerSpec.servicePort"], "use a port from 1 to 65535"),
        example: Example { bad: "spec: {flowerSpec: {servicePort: 70000}}", at: "spec.flowerSpec.servicePort", good: "spec: {flowerSpec: {servicePort: 8080}}", old: None },
    },
];

fn f08(subject: &Subject<'_>, report: &mut Report<'_>) {
    let flower = subject.object.spec.flower_spec.as_ref();
    if flower.and_then(|flower| flower.service_type.as_ref()).is_some_and(|written| written.known().is_none())
    {
        report.add(
            Kind::Unsupported,
            "spec.flowerSpec.serviceType",
            "is not a type of Service that Flower can have",
            "use one of Default, ClusterIP, NodePort, LoadBalancer",
        );
    }
}
