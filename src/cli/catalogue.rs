// SPDX-License-Identifier: Apache-2.0
//! `explain` and `rules`: the catalogue for people and programs.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::print;
use crate::annotations::IGNORE_RULES;
use crate::celery::closest;
use crate::rules::catalogue::{entries, sorted};
use crate::rules::{Rule, Severity, example};

/// How many ids are offered for one that is not known.
const NEAREST: usize = 3;

/// How the list is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// One line a rule.
    #[default]
    Text,
    /// One array of objects.
    Json,
}

/// Prints the list.
pub(super) fn list(output: Output) -> ExitCode {
    let text = match output {
        Output::Text => sorted().into_iter().map(line).collect(),
        Output::Json => format!("{:#}\n", Value::Array(sorted().into_iter().map(object).collect())),
    };
    print::text(&text, ExitCode::SUCCESS)
}

fn line(rule: &Rule) -> String {
    format!("{}  {}  {}\n", rule.id, rule.severities(), rule.title)
}

fn object(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "severity": rule.severity.as_str(),
        "also": rule.also().map(|(severity, _)| severity.as_str()),
        "when": rule.also().map(|(_, when)| when),
        "since": rule.since,
        "title": rule.title,
        "consequence": rule.consequence,
        "fields": rule.fields(),
        "forExampleAt": rule.place(),
    })
}

/// Prints what a rule is about.
pub(super) fn explain(id: &str) -> ExitCode {
    let meant = spelt(id);
    let Some(rule) = entries().find(|rule| rule.id == meant) else {
        let near = closest::several(&meant, entries().map(|rule| rule.id), NEAREST).join(", ");
        print::errors(&format!("there is no rule {id:?}; did you mean {near}?\n"));
        return ExitCode::from(2);
    };
    print::text(&explained(rule), ExitCode::SUCCESS)
}

fn explained(rule: &Rule) -> String {
    let Rule { id, since, title, consequence, example, .. } = rule;
    let mut text = format!("{id}: {title} ({}, since {since})\n\n", rule.severities());
    let _ = writeln!(text, "If it is broken: {consequence}");
    if let Some(exception) = rule.exception() {
        let _ = writeln!(text, "{exception}");
    }
    if rule.severities().contains(Severity::Warn.as_str()) {
        let _ = writeln!(text, "To hear no warning of it: annotate the Celery with {IGNORE_RULES}: {id}");
    }
    let fields = rule.fields();
    if !fields.is_empty() {
        let _ = writeln!(text, "Fields: {}", fields.join(", "));
    }
    if let Some(place) = rule.place() {
        let _ = writeln!(text, "For example at: {place}");
    }
    if let Some(old) = example.old {
        let _ = write!(text, "\nStored before:\n\n{}", indented(old));
    }
    let verb = if rule.is_about_scaling() { "scaled" } else { "applied" };
    let beside =
        example::beside(rule).map(|beside| format!(", {}", beside.replace('`', ""))).unwrap_or_default();
    let _ = write!(text, "\nFound at {} when {verb}{beside}:\n\n{}", example.at, indented(example.bad));
    let _ = write!(text, "\nFree of it:\n\n{}", indented(example.good));
    text
}

/// The whole object of an example, as a block of its own.
fn indented(overlay: &str) -> String {
    let object = example::object(overlay).ok();
    let yaml = object.and_then(|object| serde_saphyr::to_string(&object).ok()).unwrap_or_default();
    yaml.lines().flat_map(|line| ["    ", line, "\n"]).collect()
}

/// An id as the catalogue spells it: `c4`, `C004` and `[C04]`, as messages end, are C04.
fn spelt(id: &str) -> String {
    let id = id.trim().trim_start_matches('[').trim_end_matches(']').to_ascii_uppercase();
    match id.split_at_checked(1) {
        Some((area, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{area}{:0>2}", number.trim_start_matches('0'))
        }
        _ => id,
    }
}
