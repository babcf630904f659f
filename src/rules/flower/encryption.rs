// SPDX-License-Identifier: Apache-2.0
//! Rules about what can be read on the way to Flower.

use super::given::{Flower, Given, PATH};
use crate::api::FlowerIngress;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "F54", severity: Severity::Warn, schema: false, since: "0.1",
        title: "an Ingress with basic authentication is encrypted",
        consequence: "A browser sends user and password with every request, and whoever is on the way reads them.",
        check: Check::object(f54),
        example: Example {
            bad: "spec: {flowerSpec: {ingress: {host: flower.example.com}, auth: {basic: {secretRef: {name: flower, key: users}}}}}",
            at: "spec.flowerSpec.ingress.tlsSecretName",
            good: "spec: {flowerSpec: {ingress: {host: flower.example.com, tlsSecretName: flower-tls}, auth: {basic: {secretRef: {name: flower, key: users}}}}}",
            old: None,
        },
    },
];

fn f54(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let Some(ingress) = &flower.spec.ingress else { return };
    if ingress.tls_secret_name.is_none() && !is_encrypted_elsewhere(ingress) && asks_for_password(&flower) {
        let path = format!("{PATH}.ingress.tlsSecretName");
        report.add(Kind::Required, path, "without TLS the password travels in the clear", "set it");
    }
}

fn asks_for_password(flower: &Flower<'_>) -> bool {
    let is_typed = flower.spec.auth.as_ref().is_some_and(|auth| auth.basic.is_some());
    is_typed
        || match flower.option("basic_auth") {
            Given::Hidden(_) => true,
            Given::Text(text, _) => !text.is_empty(),
            Given::Absent | Given::Unknown => false,
        }
}

/// Whether an annotation gives the Ingress its certificate, or says that it speaks HTTPS: load balancers of clouds and
/// Traefik know no other way.
fn is_encrypted_elsewhere(ingress: &FlowerIngress) -> bool {
    ingress.annotations.iter().any(|(key, value)| {
        let (key, value) = (key.to_ascii_lowercase(), value.trim().to_ascii_lowercase());
        let is_off = ["", "false", "none", "off"].contains(&value.as_str());
        let is_about = ["tls", "ssl", "cert", "https", "termination"].iter().any(|word| key.contains(word));
        let has_port = key.ends_with("/listen-ports") && value.contains("https");
        !is_off && is_about || has_port || value.contains("websecure")
    })
}
