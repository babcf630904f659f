// SPDX-License-Identifier: Apache-2.0
//! Credentials in plain text: in the object, where many can read them, and on command lines, where even more can.

mod containers;

use serde_json::Value;

use super::finding::{Kind, Report, Severity};
use super::path::{self, BROKER_URL};
use super::placeholder::unfilled;
use super::rule::{Check, Example, Rule};
use super::signs::{
    announces_one, has_password, holds_url, is_credential, is_readable, is_secret, names_one, placeholder,
};
use super::subject::{Part, Subject};
use super::variables;
use crate::celery::broker_url;
use crate::celery::expansion::expands;
use crate::celery::settings::{self, Refusal};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B26", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a password in the object is readable",
        consequence: "Whoever may read the object, the repository or a backup of etcd reads the password. What looks like a variable is the password itself: Kubernetes expands $(NAME) alone.",
        check: Check::object(b26),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://:hush@cache'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: redis}}}", old: None },
    },
    Rule {
        id: "B40", severity: Severity::Deny, schema: false, since: "0.1",
        title: "no password stands in the object",
        consequence: "Options, settings and arguments end on command lines, which every process of the node's tools and of the pod can read. $(NAME) of a variable keeps the credential out of the object and of its copies; on the command line it stands all the same.",
        check: Check::object(b40).or(Severity::Warn, "for the value of a variable, and where a name alone suggests a credential"),
        example: Example {
            bad: "spec: {common: {broker: {transportOptions: {sentinel_kwargs: {password: hush}}}}}",
            at: "spec.common.broker.transportOptions.sentinel_kwargs.password",
            good: "spec: {common: {broker: {transportOptions: {sentinel_kwargs: {password: $(SENTINEL_PASSWORD)}}}, env: [{name: SENTINEL_PASSWORD, valueFrom: {secretKeyRef: {name: sentinel, key: password}}}]}}",
            old: None,
        },
    },
];

fn b26(subject: &Subject<'_>, report: &mut Report<'_>) {
    management(subject, report);
    // A password that is to be filled in is no password; another rule says how.
    let url = subject.broker().and_then(|broker| broker.url.as_deref());
    let Some(url) = url.filter(|url| unfilled(url).is_none()) else { return };
    let readable = |password: &Option<String>| password.as_ref().is_some_and(|text| !expands(text));
    if subject.urls.iter().flatten().any(|endpoint| readable(&endpoint.password)) {
        let meant = subject.urls.iter().flatten().find_map(|one| placeholder(one.password.as_deref()?));
        let (message, fix) = match meant {
            // The word is a variable's name, and no password.
            Some(name) => ("has a password that nothing expands", format!("write $({name}) of env")),
            None => ("holds a readable password", "use urlSecretRef".to_owned()),
        };
        report.add_shown(report.severity(), BROKER_URL, &broker_url::masked(url), message, fix);
    }
}

/// A password in the URL of the management API is as readable.
fn management(subject: &Subject<'_>, report: &mut Report<'_>) {
    let rabbitmq = subject.broker().and_then(|broker| broker.rabbitmq.as_ref());
    let url = rabbitmq.and_then(|rabbitmq| rabbitmq.management_url.as_deref()).unwrap_or_default();
    if has_password(url) {
        let path = "spec.common.broker.rabbitmq.managementUrl";
        report.add(Kind::Forbidden, path, "holds a readable password", "use managementUrlSecretRef");
    }
}

fn b40(subject: &Subject<'_>, report: &mut Report<'_>) {
    for place in variables::all(subject) {
        let value = place.variable.value.as_deref().unwrap_or_default();
        if is_credential(&place.variable.name, value) {
            let path = format!("{}.value", place.path);
            report.warn(Kind::Forbidden, path, "holds a readable credential", "use valueFrom.secretKeyRef");
        }
    }
    let options = subject.broker().and_then(|broker| broker.transport_options.as_ref());
    if let Some(options) = options {
        inside(&options.0, "spec.common.broker.transportOptions", report);
    }
    for (name, setting) in &subject.common().config {
        let told_already = (name == "broker_url" && subject.broker().is_some())
            || (name == "result_backend" && subject.common().result_backend.is_some());
        // What no command line can set is refused, whatever its value.
        if settings::word(name, &setting.0, subject.celery.newest()) == Err(Refusal::Unreachable) {
            continue;
        }
        let path = path::entry("spec.common.config", name);
        match &setting.0 {
            Value::String(text) if told_already && has_password(text) => {}
            Value::String(text) if is_secret(name) && is_readable(text) || has_password(text) => {
                told(path, report);
            }
            value => inside(value, &path, report),
        }
    }
    command(subject, report);
    arguments(subject, report);
    containers::told(subject, report);
}

/// What stands before the arguments. Of a name alone nobody can be sure.
fn command(subject: &Subject<'_>, report: &mut Report<'_>) {
    let words = &subject.common().command;
    for (index, word) in words.iter().enumerate() {
        let path = format!("spec.common.command[{index}]");
        let is_value = index.checked_sub(1).is_some_and(|before| announces_one(&words[before], word));
        if holds_url(word) {
            told(path, report);
        } else if is_value || names_one(word) {
            let message = "seems to be a readable credential";
            report.warn(Kind::Forbidden, path, message, "write $(NAME) of env");
        }
    }
}

/// Of options of `celery` itself another rule tells that they have no place here, and which field they have.
fn arguments(subject: &Subject<'_>, report: &mut Report<'_>) {
    for component in subject.components() {
        let own = match component.part {
            Part::Worker(worker) => &worker.user_options,
            Part::Beat(beat) => &beat.user_options,
            // Flower's options have rules of their own.
            Part::Flower(_) => continue,
        };
        let words = component.args();
        let is_own = |word: &str| {
            let name = word.split('=').next().unwrap_or_default();
            own.iter().any(|own| own == name)
        };
        for (index, word) in words.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| words[before].as_str()).unwrap_or_default();
            if is_misplaced(word) || is_misplaced(before) && !before.contains('=') {
                continue;
            }
            let path = format!("{}.args[{index}]", component.path);
            if has_password(word) {
                told(path, report);
            } else if is_own(word) && names_one(word) || is_own(before) && announces_one(before, word) {
                let message = "seems to be a readable credential";
                report.warn(Kind::Forbidden, path, message, "write $(NAME) of env");
            }
        }
    }
}

/// Whether a word is an option of `celery` that names a broker or a result backend.
fn is_misplaced(word: &str) -> bool {
    let name = word.split(|letter: char| letter == '=' || letter.is_whitespace()).next().unwrap_or_default();
    ["-b", "--broker", "--result-backend"].contains(&name)
}

/// Tells of every readable credential inside a value, at its own path.
fn inside(value: &Value, path: &str, report: &mut Report<'_>) {
    let entries: Vec<(String, Option<&str>, &Value)> = match value {
        Value::Object(map) => {
            map.iter().map(|(name, value)| (path::entry(path, name), Some(name.as_str()), value)).collect()
        }
        Value::Array(list) => {
            list.iter().enumerate().map(|(index, value)| (format!("{path}[{index}]"), None, value)).collect()
        }
        _ => return,
    };
    for (path, name, value) in entries {
        match value {
            Value::String(text) if has_password(text) || name.is_some_and(is_secret) && is_readable(text) => {
                told(path, report);
            }
            value => inside(value, &path, report),
        }
    }
}

fn told(path: String, report: &mut Report<'_>) {
    let message = "is a readable credential, also on the command line";
    report.graded(
        Severity::Deny,
        Kind::Forbidden,
        path,
        message,
        "set it in the application, or write $(NAME) of env, which at least keeps it out of the object",
    );
}
