// SPDX-License-Identifier: Apache-2.0
//! Rules about the forms in which messages travel. An application may register forms of its own, so they warn.

use serde_json::Value;

use super::taken;
use crate::celery::expansion::expands;
use crate::celery::settings::content::{Unregistered, accepts, compression, serializer};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Pool, Subject};
use crate::rules::variables;

/// What Celery takes where nobody says anything.
const DEFAULT: &str = "json";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C46", severity: Severity::Warn, schema: false, since: "0.1",
        title: "serializers and compressions are ones that Celery has",
        consequence: "Unless the application registers it, the worker ends with a KeyError, or nothing can be sent: \"No encoder installed\".",
        check: Check::object(c46),
        example: Example { bad: "spec: {common: {config: {task_serializer: jsno}}}", at: "spec.common.config.task_serializer", good: "spec: {common: {config: {task_serializer: json}}}", old: None },
    },
    Rule {
        id: "C47", severity: Severity::Warn, schema: false, since: "0.1",
        title: "accept_content has what task_serializer says, and result_accept_content what result_serializer says",
        consequence: "The worker drops every task, and nobody can read a result: \"Refusing to deserialize untrusted content\".",
        check: Check::object(c47),
        example: Example {
            bad: "spec: {common: {config: {task_serializer: yaml, accept_content: [json]}}}",
            at: "spec.common.config.accept_content",
            good: "spec: {common: {config: {task_serializer: yaml, accept_content: [json, yaml]}}}",
            old: None,
        },
    },
    Rule {
        id: "C75", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a worker that takes pickle is not root",
        consequence: "The worker ends at once: \"Running a worker with superuser privileges when the worker accepts messages serialized with pickle is a very bad idea!\" Without runAsUser the image says who it is, and most say root.",
        check: Check::object(c75).or(Severity::Warn, "when no securityContext says who the worker is"),
        example: Example {
            bad: "spec: {common: {config: {accept_content: [json, pickle]}, securityContext: {runAsUser: 0}}}",
            at: "spec.common.config.accept_content",
            good: "spec: {common: {config: {accept_content: [json, pickle]}, securityContext: {runAsUser: 1000}}}",
            old: None,
        },
    },
];

/// The names of pickle.
const PICKLE: [&str; 2] = ["pickle", "application/x-python-serialize"];
/// Lets a worker take pickle as root.
const FORCE_ROOT: &str = "C_FORCE_ROOT";

fn c75(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut accepted = taken(subject).filter(|(name, ..)| *name == "accept_content");
    let Some((_, Value::Array(words), path)) = accepted.next() else { return };
    let takes_pickle = words.iter().filter_map(Value::as_str).any(|word| PICKLE.contains(&word));
    let is_forced = |pool: &Pool<'_>| variables::may_define(subject, pool, FORCE_ROOT);
    if !takes_pickle || subject.pools.iter().all(is_forced) {
        return;
    }
    let fix = "set securityContext.runAsUser";
    match subject.common().runs_as_root() {
        Some(true) => report.graded(
            Severity::Deny,
            Kind::Forbidden,
            path,
            "has pickle, with which Celery refuses to run as root",
            "set securityContext.runAsUser to another user",
        ),
        // A template may say it for each pool.
        None if subject.laid_over.is_empty() => {
            report.warn(Kind::Forbidden, path, "has pickle: a worker that is root ends at once", fix);
        }
        _ => {}
    }
}

fn c46(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (name, value, at) in taken(subject) {
        let (what, is_list) = match name {
            "task_serializer" | "result_serializer" | "event_serializer" => ("serializer", false),
            "task_compression" => ("compression", false),
            "accept_content" | "result_accept_content" => ("serializer", true),
            _ => continue,
        };
        let words: Vec<(String, &str)> = match value {
            Value::String(word) if !word.is_empty() => vec![(at, word)],
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items.filter_map(|(i, item)| Some((format!("{at}[{i}]"), item.as_str()?))).collect()
            }
            _ => continue,
        };
        for (at, word) in words.into_iter().filter(|(_, word)| !expands(word)) {
            let found = if what == "compression" { compression(word) } else { serializer(word, is_list) };
            let Some(Unregistered { meant }) = found else { continue };
            let fix = match meant {
                Some(meant) => format!("did you mean {meant}?"),
                None => "see that the application registers it".to_owned(),
            };
            report.add(Kind::Invalid, at, format!("is not a {what} that Celery has"), fix);
        }
    }
}

fn c47(subject: &Subject<'_>, report: &mut Report<'_>) {
    of_results(subject, report);
    let config = &subject.common().config;
    let sent = match config.get("task_serializer").map(|written| &written.0) {
        Some(Value::String(word)) => Some(word.as_str()),
        Some(Value::Null) | None => None,
        Some(_) => return,
    };
    let accepted: Option<Vec<&str>> = match config.get("accept_content").map(|written| &written.0) {
        None => None,
        Some(Value::Array(items)) => items.iter().map(Value::as_str).collect(),
        Some(_) => return,
    };
    let Some(name) = sent.or_else(|| accepted.is_some().then_some(DEFAULT)) else { return };
    // Of a name that nobody knows, and of an empty list, another rule tells; a variable is no name.
    let is_unknown = serializer(name, false).is_some();
    let list = accepted.as_deref().unwrap_or(&[DEFAULT]);
    if is_unknown || list.is_empty() || list.iter().any(|word| expands(word)) || accepts(list, name) {
        return;
    }
    let at = if accepted.is_some() { "accept_content" } else { "task_serializer" };
    let (message, fix) = match (sent, accepted.is_some()) {
        (Some(_), true) => (format!("lacks {name:?}, which task_serializer says"), "add it"),
        (Some(_), false) => ("is not in accept_content".to_owned(), "add it there"),
        (None, _) => (format!("lacks {name:?}, in which tasks are sent"), "add it, or set task_serializer"),
    };
    report.add(Kind::Forbidden, path::entry("spec.common.config", at), message, fix);
}

/// The same for results, which follow a list of their own and without one that of tasks. Nobody but the application sets
/// what config does not.
fn of_results(subject: &Subject<'_>, report: &mut Report<'_>) {
    let config = &subject.common().config;
    let Some(Value::String(name)) = config.get("result_serializer").map(|written| &written.0) else { return };
    let lists = ["result_accept_content", "accept_content"].into_iter();
    let mut written = lists.filter_map(|list| Some((list, &config.get(list)?.0)));
    let (at, accepted) = match written.find(|(_, value)| !value.is_null()) {
        Some((list, Value::Array(items))) => (list, items.iter().map(Value::as_str).collect()),
        Some(_) => return,
        None => ("result_serializer", Some(vec![DEFAULT])),
    };
    let Some(accepted) =
        accepted.filter(|words| !words.is_empty() && !words.iter().any(|word| expands(word)))
    else {
        return;
    };
    if expands(name) || serializer(name, false).is_some() || accepts(&accepted, name) {
        return;
    }
    let (message, fix) = if at == "result_serializer" {
        ("is not in result_accept_content".to_owned(), "add it there")
    } else {
        (format!("lacks {name:?}, which result_serializer says"), "add it")
    };
    report.add(Kind::Forbidden, path::entry("spec.common.config", at), message, fix);
}
