// SPDX-License-Identifier: Apache-2.0
//! Text that nobody expands: what only a shell would understand, and variables that are not there.

use serde_json::Value;

use super::filled::is_told;
use super::node::{if_shared, is_of_the_host};
use crate::celery::expansion::names;
use crate::celery::settings::{self, Refusal};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path;
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::shell::is_for_a_shell;
use crate::rules::subject::{Pool, Subject};
use crate::rules::variables::may_define;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W43", severity: Severity::Warn, schema: false, since: "0.1",
        title: "no shell reads the arguments",
        consequence: "The text is passed as it is: a queue is called \"$QUEUES\", or the container ends with an error.",
        check: Check::object(w43).or(Severity::Deny, "when Celery refuses the text, and when several pods would share it as their name"),
        example: Example { bad: "spec: {workerSpec: {args: ['-Q', $QUEUES]}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['-Q', $(QUEUES)], env: [{name: QUEUES, value: mail}]}}", old: None },
    },
    Rule {
        id: "W51", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a variable in the arguments, in a setting or in a transport option is defined",
        consequence: "Kubernetes leaves $(NAME) as it is when the container has no such variable; HOSTNAME is none of those.",
        check: Check::object(w51),
        example: Example { bad: "spec: {workerSpec: {args: ['-n', w1@$(HOSTNAME)]}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['-n', w1@%h]}}", old: None },
    },
];

/// A word that Celery gets, and where it stands.
struct Word<'a> {
    path: String,
    text: &'a str,
    /// Its position in the arguments; none for what a field says.
    at: Option<usize>,
    is_node: bool,
}

/// The arguments of a pool, and the fields that become arguments as they are.
fn words<'a>(pool: &Pool<'a>) -> Vec<Word<'a>> {
    let node = pool.said.last("--hostname").map(|used| used.value_at);
    let args = pool.spec.args.iter().enumerate();
    let mut words: Vec<Word<'a>> = args
        .map(|(at, text)| Word { path: pool.arg(at), text, at: Some(at), is_node: node == Some(at) })
        .collect();
    for (field, list) in [("queues", &pool.spec.queues), ("excludeQueues", &pool.spec.exclude_queues)] {
        let path = |index| format!("{}.{field}[{index}]", pool.path);
        let names = list.iter().enumerate();
        words.extend(names.map(|(index, text)| Word { path: path(index), text, at: None, is_node: false }));
    }
    let name = pool.spec.node_name.iter();
    words.extend(name.map(|text| Word {
        path: format!("{}.nodeName", pool.path),
        text,
        at: None,
        is_node: node.is_none(),
    }));
    words
}

fn w43(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        for word in words(pool).into_iter().filter(|word| is_for_a_shell(word.text)) {
            // Where Celery takes the text as it is, somebody may even want that.
            let refused = pool.said.faults.iter().any(|fault| Some(fault.at) == word.at);
            let severity = if refused {
                release::refusal(subject, Severity::Deny)
            } else if word.is_node && !is_of_the_host(word.text, subject.celery) {
                if_shared(subject, pool, Severity::Deny)
            } else {
                report.severity()
            };
            let is_host = ["$HOSTNAME", "${HOSTNAME}"].iter().any(|host| word.text.contains(host));
            let fix = match word.text.contains('$') {
                true if word.is_node && is_host => "write %h for the host",
                true => "write $(NAME) for a variable",
                false => "remove it",
            };
            let message =
                if word.at.is_some() { "no shell reads the arguments" } else { "no shell reads it" };
            report.graded(severity, Kind::Forbidden, word.path, message, fix);
        }
    }
}

fn w51(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        for word in words(pool).into_iter().filter(|word| !is_told(subject, pool, word.at)) {
            let Some((name, message)) = undefined(subject, pool, word.text) else { continue };
            let fix = if name == "HOSTNAME" && word.is_node { "write %h for the host" } else { "add it" };
            report.graded(Severity::Warn, Kind::Forbidden, word.path, message, fix);
        }
    }
    for (path, text) in settings(subject) {
        let found = subject.pools.iter().find_map(|pool| undefined(subject, pool, text));
        if let Some((_, message)) = found {
            report.add(Kind::Forbidden, path, message, "add it");
        }
    }
}

/// The first variable in a text that a pool cannot have, and what to say of it.
fn undefined<'t>(subject: &Subject<'_>, pool: &Pool<'_>, text: &'t str) -> Option<(&'t str, String)> {
    let name = names(text).into_iter().find(|name| !may_define(subject, pool, name))?;
    Some((name, format!("no variable {name:.40} is in env")))
}

/// The texts in settings and transport options, which become arguments too. Of the URLs of broker and backend other
/// rules tell, and of what no argument can set.
fn settings<'a>(subject: &Subject<'a>) -> Vec<(String, &'a str)> {
    let mut found = Vec::new();
    let common = subject.common();
    let broker = common.broker.as_ref();
    if let Some(options) = broker.and_then(|broker| broker.transport_options.as_ref()) {
        texts(&options.0, "spec.common.broker.transportOptions", &mut found);
    }
    for (name, setting) in &common.config {
        let is_url = ["broker_url", "result_backend"].contains(&name.as_str());
        let is_passed =
            || settings::word(name, &setting.0, subject.celery.newest()) != Err(Refusal::Unreachable);
        if !is_url && is_passed() {
            texts(&setting.0, &path::entry("spec.common.config", name), &mut found);
        }
    }
    found
}

/// Every text inside a value, at its own path.
fn texts<'a>(value: &'a Value, path: &str, found: &mut Vec<(String, &'a str)>) {
    match value {
        Value::String(text) => found.push((path.to_owned(), text)),
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                texts(item, &format!("{path}[{index}]"), found);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                texts(item, &path::entry(path, name), found);
            }
        }
        _ => {}
    }
}
