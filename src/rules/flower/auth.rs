// SPDX-License-Identifier: Apache-2.0
//! Rules about who may look at Flower: the choice between passwords and accounts, and the passwords.

use super::given::{Flower, PATH};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "F13", severity: Severity::Deny, schema: false, since: "0.1",
        title: "every entry of basic authentication is user:password",
        consequence: "Nobody gets in; with an empty entry everybody does who sends empty credentials.",
        check: Check::object(f13),
        example: Example {
            bad: "spec: {flowerSpec: {env: [{name: FLOWER_BASIC_AUTH, value: hunter2}]}}",
            at: "spec.flowerSpec.env[0].value",
            good: "spec: {flowerSpec: {env: [{name: FLOWER_BASIC_AUTH, valueFrom: {secretKeyRef: {name: flower, key: users}}}]}}",
            old: None,
        },
    },
    Rule {
        id: "F14", severity: Severity::Warn, schema: false, since: "0.1",
        title: "users of basic authentication are written as Flower reads them",
        consequence: "A password ends at the comma, and what follows counts as another user. A blank belongs to the user or the password beside it, and a hash of htpasswd is the password itself.",
        check: Check::object(f14),
        example: Example {
            bad: "spec: {flowerSpec: {env: [{name: FLOWER_BASIC_AUTH, value: 'ann:one,two'}]}}",
            at: "spec.flowerSpec.env[0].value",
            good: "spec: {flowerSpec: {envFrom: [{secretRef: {name: users}}], env: [{name: FLOWER_BASIC_AUTH, value: 'ann:$(ANN),bob:$(BOB)'}]}}",
            old: None,
        },
    },
    Rule {
        id: "F34", severity: Severity::Deny, schema: true, since: "0.1",
        title: "auth says exactly one thing",
        consequence: "With two ways a client has to pass both at once, which no browser does; with none Flower is open without anybody having said so.",
        check: Check::object(f34),
        example: Example {
            bad: "spec: {flowerSpec: {auth: {allowUnauthenticated: true, basic: {secretRef: {name: flower, key: users}}}}}",
            at: "spec.flowerSpec.auth",
            good: "spec: {flowerSpec: {auth: {basic: {secretRef: {name: flower, key: users}}}}}",
            old: None,
        },
    },
    Rule {
        id: "F37", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the Secrets of Flower have names and keys",
        consequence: "The API server refuses the Deployment or the Ingress, and the error stays in the operator's log.",
        check: Check::field(
            &[
                "spec.flowerSpec.auth.basic.secretRef.name", "spec.flowerSpec.auth.basic.secretRef.key",
                "spec.flowerSpec.auth.oauth.keySecretRef.name", "spec.flowerSpec.auth.oauth.keySecretRef.key",
                "spec.flowerSpec.auth.oauth.secretSecretRef.name", "spec.flowerSpec.auth.oauth.secretSecretRef.key",
                "spec.flowerSpec.auth.oauth.cookieSecretRef.name", "spec.flowerSpec.auth.oauth.cookieSecretRef.key",
                "spec.flowerSpec.brokerApiSecretRef.name", "spec.flowerSpec.brokerApiSecretRef.key",
                "spec.flowerSpec.tls.secretName", "spec.flowerSpec.ingress.tlsSecretName",
            ],
            "name a Secret of this namespace, and one of its keys where a key is asked for",
        ),
        example: Example {
            bad: "spec: {flowerSpec: {auth: {basic: {secretRef: {name: flower, key: 'ann:one'}}}}}",
            at: "spec.flowerSpec.auth.basic.secretRef.key",
            good: "spec: {flowerSpec: {auth: {basic: {secretRef: {name: flower, key: users.txt}}}}}",
            old: None,
        },
    },
];

/// What is wrong with a list of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// Nothing between two commas: a client that sends no user and no password is let in.
    EmptyEntry,
    /// A line break inside; the browser does not send one.
    LineBreak,
    /// No entry is a user with a password.
    NoPair,
    /// Some entry is no user with a password.
    Torn,
    /// An entry begins or ends with a blank, which belongs to it.
    Blank,
    /// A password is a hash, which Flower takes for the password itself.
    Hash,
}

fn flaw(text: &str) -> Option<Flaw> {
    let entries: Vec<&str> = text.split(',').collect();
    let is_pair = |entry: &str| entry.contains(':');
    if entries.iter().any(|entry| entry.is_empty()) {
        Some(Flaw::EmptyEntry)
    } else if text.contains(['\n', '\r']) {
        Some(Flaw::LineBreak)
    } else if !entries.iter().any(|entry| is_pair(entry)) {
        Some(Flaw::NoPair)
    } else {
        let is_blank = |entry: &&&str| entry.trim() != **entry;
        let is_hash = |entry: &&&str| entry.split_once(':').is_some_and(|(_, password)| hashed(password));
        if !entries.iter().all(|entry| is_pair(entry)) {
            Some(Flaw::Torn)
        } else if entries.iter().any(|entry| is_blank(&entry)) {
            Some(Flaw::Blank)
        } else {
            entries.iter().any(|entry| is_hash(&entry)).then_some(Flaw::Hash)
        }
    }
}

/// Whether a password is one as `htpasswd` writes it.
fn hashed(password: &str) -> bool {
    let begins = ["$2a$", "$2b$", "$2y$", "$apr1$", "$5$", "$6$", "{SHA}"];
    password.len() > 20 && begins.iter().any(|begin| password.starts_with(begin))
}

/// Every list of users that can be read, and where it stands.
fn users<'a>(flower: &Flower<'a>, subject: &Subject<'a>) -> Vec<(&'a str, String)> {
    let option = flower.option("basic_auth");
    let written = option.text().map(|(text, place)| (text, place.path().to_owned()));
    let basic = flower.spec.auth.as_ref().and_then(|auth| auth.basic.as_ref());
    let referred = basic.and_then(|basic| {
        let texts = subject.facts.secrets.get(&basic.secret_ref.name)?;
        let text = texts.0.get(&basic.secret_ref.key)?;
        Some((text.as_str(), format!("{PATH}.auth.basic.secretRef")))
    });
    written.into_iter().chain(referred).collect()
}

fn f13(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    for (text, path) in users(&flower, subject) {
        let (message, fix) = match flaw(text) {
            Some(Flaw::EmptyEntry) => (
                "has an empty entry, which lets in whoever sends empty credentials",
                "remove the extra comma",
            ),
            Some(Flaw::LineBreak) if text.trim_end_matches(['\n', '\r']).contains(['\n', '\r']) => {
                ("has a line break, which becomes a part of a password", "separate users by a comma")
            }
            Some(Flaw::LineBreak) => {
                ("ends with a line break, which becomes a part of the password", "remove it")
            }
            Some(Flaw::NoPair) => ("has no user with a password", "use user:password"),
            Some(Flaw::Torn | Flaw::Blank | Flaw::Hash) | None => continue,
        };
        report.add_hidden(report.severity(), path, message, fix);
    }
}

fn f14(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    for (text, path) in users(&flower, subject) {
        let (message, fix) = match flaw(text) {
            Some(Flaw::Torn) => {
                ("the password contains a comma, which separates users", "change the password")
            }
            Some(Flaw::Blank) => ("has a blank beside a comma, which belongs to the user", "leave it out"),
            Some(Flaw::Hash) => ("has a hash, which Flower takes for the password", "write the password"),
            _ => continue,
        };
        report.add_hidden(report.severity(), path, message, fix);
    }
}

fn f34(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let Some(auth) = &flower.spec.auth else { return };
    let ways: Vec<&str> = [
        ("basic", auth.basic.is_some()),
        ("oauth", auth.oauth.is_some()),
        ("allowUnauthenticated", auth.allow_unauthenticated == Some(true)),
    ]
    .into_iter()
    .filter_map(|(name, set)| set.then_some(name))
    .collect();
    let path = format!("{PATH}.auth");
    let fix = "set exactly one of basic, oauth, allowUnauthenticated: true";
    match ways.len() {
        0 => report.add(Kind::Required, path, "does not say who may look", fix),
        1 => {}
        _ => report.add(Kind::Forbidden, path, format!("{} exclude each other", ways.join(" and ")), fix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_users_are_told_apart() {
        assert_eq!(flaw("ann:one,bob:two"), None);
        assert_eq!(flaw("ann:"), None);
        for text in ["", ",", "ann:one,", ",ann:one", "ann:one,,bob:two"] {
            assert_eq!(flaw(text), Some(Flaw::EmptyEntry), "{text}");
        }
        assert_eq!(flaw("ann:one\n"), Some(Flaw::LineBreak));
        assert_eq!(flaw("ann:one\nbob:two"), Some(Flaw::LineBreak));
        assert_eq!(flaw("ann:one, bob:two"), Some(Flaw::Blank));
        assert_eq!(flaw("ann:one two,bob:$2"), None);
        assert_eq!(flaw("ann:$2y$05$abcdefghijklmnopqrstuv"), Some(Flaw::Hash));
        assert_eq!(flaw("ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="), Some(Flaw::Hash));
        assert_eq!(flaw("ann"), Some(Flaw::NoPair));
        assert_eq!(flaw("ann:one,two"), Some(Flaw::Torn));
    }
}
