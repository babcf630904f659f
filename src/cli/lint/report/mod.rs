// SPDX-License-Identifier: Apache-2.0
//! The forms in which findings are printed. Pure: the same outcome gives the same bytes.

mod github;
mod sarif;

use std::fmt::Write as _;

use serde::Serialize;

use super::Outcome;
use crate::api::API_VERSION;
use crate::cli::input::Unreadable;
use crate::cli::print;
use crate::rules::{Severity, acts, shown_name};

pub(super) use github::github;
pub(super) use sarif::sarif;

/// For people: one line a finding, under a line for each object.
pub(in crate::cli) fn text(outcome: &Outcome) -> String {
    let mut text = String::new();
    for verdict in outcome.verdicts.iter().filter(|verdict| !verdict.findings.is_empty()) {
        let blank = if text.is_empty() { "" } else { "\n" };
        let _ =
            writeln!(text, "{blank}Celery {}/{}", shown_name(&verdict.namespace), shown_name(&verdict.name));
        for located in &verdict.findings {
            let finding = &located.finding;
            let warning = if finding.severity == Severity::Warn { "warning: " } else { "" };
            let file = print::file(&verdict.file);
            let _ = writeln!(text, "{file}:{}: {warning}{finding}", located.line);
        }
    }
    text
}

/// A finding for programs, in the order in which people read it.
#[derive(Serialize)]
struct Row<'o> {
    file: &'o str,
    line: usize,
    namespace: String,
    name: String,
    rule: &'o str,
    severity: &'o str,
    path: String,
    message: &'o str,
    fix: &'o str,
}

/// For programs.
pub(super) fn json(outcome: &Outcome) -> String {
    let rows: Vec<Row<'_>> = outcome
        .verdicts
        .iter()
        .flat_map(|verdict| {
            verdict.findings.iter().map(move |located| {
                let finding = &located.finding;
                Row {
                    file: &verdict.file,
                    line: located.line,
                    namespace: shown_name(&verdict.namespace),
                    name: shown_name(&verdict.name),
                    rule: finding.rule,
                    severity: finding.severity.as_str(),
                    path: finding.shown_path(),
                    message: &finding.message,
                    fix: &finding.fix,
                }
            })
        })
        .collect();
    quiet(&serde_json::to_string_pretty(&rows).unwrap_or_default())
}

/// JSON as lines of a terminal: what would act on it is written by its number, so that a program reads the same.
fn quiet(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + 1);
    for letter in json.chars() {
        if letter != '\n' && acts(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(letter);
        }
    }
    text.push('\n');
    text
}

/// What goes to standard error: what could not be read, and the counts as the last line.
pub(in crate::cli) fn troubles(outcome: &Outcome) -> String {
    let mut text = String::new();
    for trouble in &outcome.unreadable {
        let _ = writeln!(text, "{}", told(trouble));
    }
    if outcome.verdicts.is_empty() && outcome.unreadable.is_empty() {
        let why = if outcome.files == 0 {
            "there is no .yaml, .yml or .json file".to_owned()
        } else {
            format!("there is no object with apiVersion {API_VERSION} and kind Celery")
        };
        let _ = writeln!(text, "nothing was judged: {why}");
    }
    let count = |severity| outcome.verdicts.iter().map(|verdict| verdict.count(severity)).sum();
    let _ = write!(
        text,
        "{} in {}: {}, {}",
        counted(outcome.verdicts.len(), "Celery object"),
        counted(outcome.files, "file"),
        counted(count(Severity::Deny), "denial"),
        counted(count(Severity::Warn), "warning"),
    );
    if !outcome.unreadable.is_empty() {
        let _ = write!(text, ", {} unreadable", outcome.unreadable.len());
    }
    text.push('\n');
    text
}

fn told(trouble: &Unreadable) -> String {
    let line = trouble.line.map(|line| format!("{line}:")).unwrap_or_default();
    format!("{}:{line} {}", print::file(&trouble.file), trouble.why)
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_read_what_terminals_do_not_act_on() {
        let name = "a\u{1b}\u{7f}\u{9b}\u{202e}\u{e0041}\n::error b";
        let text = quiet(&serde_json::to_string_pretty(&[name]).expect("JSON"));
        assert!(text.lines().all(|line| !line.contains(acts) && !line.starts_with("::")), "{text:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).expect("JSON"), [name]);
    }
}
