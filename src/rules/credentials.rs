// SPDX-License-Identifier: Apache-2.0
//! Credentials in plain text: in the object, where many can read them, and on command lines, where even more can.

use serde_json::Value;

use super::broker::URL;
use super::finding::{Kind, Report, Severity};
use super::path;
use super::rule::{Check, Example, Rule};
use super::subject::{Part, Subject};
use super::variables;
use crate::celery::broker_url;
use crate::celery::expansion::expands;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B26", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a password in the object is readable",
        consequence: "Whoever may read the object, the repository or a backup of etcd reads the password.",
        check: Check::object(b26),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://:hush@cache'}}}", at: URL, good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}}}}", old: None },
    },
    Rule {
        id: "B40", severity: Severity::Deny, schema: false, since: "0.1",
        title: "no password stands in the object",
        consequence: "Options, settings and arguments end on command lines, which every process of the node's tools and of the pod can read.",
        check: Check::object(b40).or(Severity::Warn),
        example: Example {
            bad: "spec: {common: {broker: {transportOptions: {sentinel_kwargs: {password: hush}}}}}",
            at: "spec.common.broker.transportOptions.sentinel_kwargs.password",
            good: "spec: {common: {broker: {transportOptions: {sentinel_kwargs: {password: $(SENTINEL_PASSWORD)}}}}}",
            old: None,
        },
    },
];

/// Names of things that are no secret although they are named like one.
const HARMLESS: [&str; 11] = [
    "_FILE",
    "_PATH",
    "_DIR",
    "_NAME",
    "_URL",
    "_ARN",
    "_EXPIRY",
    "_EXPIRES",
    "_TTL",
    "_TIMEOUT",
    "_LIFETIME",
];

fn b26(subject: &Subject<'_>, report: &mut Report<'_>) {
    management(subject, report);
    let Some(url) = subject.broker().and_then(|broker| broker.url.as_deref()) else {
        return;
    };
    let readable = |password: &Option<String>| password.as_ref().is_some_and(|text| !expands(text));
    if subject.urls.iter().flatten().any(|endpoint| readable(&endpoint.password)) {
        report.add_shown(
            report.severity(),
            URL,
            &broker_url::masked(url),
            "holds a readable password",
            "use urlSecretRef",
        );
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
        if has_password(value) || is_secret(&place.variable.name) && is_readable(value) {
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
        let path = path::entry("spec.common.config", name);
        match &setting.0 {
            Value::String(text) if told_already && has_password(text) => {}
            Value::String(text) if is_secret(name) && is_readable(text) || has_password(text) => {
                told(path, report);
            }
            value => inside(value, &path, report),
        }
    }
    for component in subject.components() {
        // Flower's options have rules of their own.
        if matches!(component.part, Part::Flower(_)) {
            continue;
        }
        for (index, word) in component.args().iter().enumerate() {
            if has_password(word) {
                told(format!("{}.args[{index}]", component.path), report);
            }
        }
    }
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
    let message = "is a credential on the command line, where others read it";
    report.graded(
        Severity::Deny,
        Kind::Forbidden,
        path,
        message,
        "set it in the application, or write $(NAME) of a variable",
    );
}

/// Whether a text is what it says: neither nothing, nor a word for yes or no, nor a variable.
fn is_readable(text: &str) -> bool {
    !text.is_empty() && !["true", "false"].contains(&text.to_lowercase().as_str()) && !expands(text)
}

/// Whether something of this name is usually a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    ["PASSWORD", "PASSWD", "SECRET", "TOKEN"].iter().any(|word| name.contains(word))
        && !HARMLESS.iter().any(|ending| name.ends_with(ending))
}

/// Whether a text holds a URL with a password in it that is no variable.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ', ',', ';']).next().unwrap_or_default();
        let user_info = authority.rsplit_once('@').map(|(user_info, _)| user_info);
        let password =
            user_info.and_then(|user_info| user_info.split_once(':')).map(|(_, password)| password);
        password.is_some_and(|password| !password.is_empty() && !expands(password))
    })
}
