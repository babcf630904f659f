// SPDX-License-Identifier: Apache-2.0
//! Credentials among Flower's arguments: everybody who may list processes or read the pod reads them.

use super::given::{Flower, Given, PATH, argument_path};
use crate::celery::options::flower::OPTIONS;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "F52", severity: Severity::Warn, schema: false, since: "0.1",
        title: "no credential stands among Flower's arguments",
        consequence: "Whoever may read the object, the pod or the processes of the node reads the credential.",
        check: Check::object(f52),
        example: Example {
            bad: "spec: {flowerSpec: {args: ['--basic_auth=ann:hush']}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {flowerSpec: {args: ['--basic_auth=$(USERS)'], env: [{name: USERS, valueFrom: {secretKeyRef: {name: flower, key: users}}}]}}",
            old: None,
        },
    },
    Rule {
        id: "F53", severity: Severity::Warn, schema: false, since: "0.1",
        title: "allowUnauthenticated does not contradict the arguments",
        consequence: "The argument counts: Flower asks for a password although the field says that nobody has to log in.",
        check: Check::object(f53),
        example: Example {
            bad: "spec: {flowerSpec: {args: ['--basic_auth=$(USERS)'], env: [{name: USERS, valueFrom: {secretKeyRef: {name: flower, key: users}}}], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.auth.allowUnauthenticated",
            good: "spec: {flowerSpec: {auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
];

/// What to set instead of an option that holds a credential.
fn instead(option: &str) -> &'static str {
    match option {
        "basic_auth" => "set auth.basic.secretRef",
        "broker_api" => "set brokerApiSecretRef",
        "oauth2_secret" => "set auth.oauth.secretSecretRef",
        "cookie_secret" => "set auth.oauth.cookieSecretRef",
        _ => "take it from a Secret, by a variable",
    }
}

fn f52(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    for option in OPTIONS.iter().filter(|option| option.is_secret) {
        let name = option.name;
        // Without a ":" there is no password yet.
        let is_secret = |text: &str| option.hides(text) && (name != "basic_auth" || text.contains(':'));
        if let (Given::Text(text, _), Some(used)) = (flower.argument(name), flower.reading.last(name))
            && is_secret(text)
        {
            let message = format!("{} is readable by others", option.flag());
            report.add(Kind::Forbidden, argument_path(used.at), message, instead(name));
        }
    }
}

fn f53(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let is_open = flower.spec.auth.as_ref().and_then(|auth| auth.allow_unauthenticated) == Some(true);
    let is_empty = |given: &Given<'_>| given.text().is_some_and(|(text, _)| text.is_empty());
    let basic = flower.argument("basic_auth");
    if is_open && !basic.is_absent() && !is_empty(&basic) {
        let path = format!("{PATH}.auth.allowUnauthenticated");
        report.add(Kind::Forbidden, path, "contradicts --basic_auth in args", "remove one of the two");
    }
}
