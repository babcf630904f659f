// SPDX-License-Identifier: Apache-2.0
//! How a verdict is put so that kubectl prints it well.

use kube::core::Status;
use kube::core::response::{StatusCause, StatusDetails, StatusSummary};
use serde_json::Value;

use super::review::Response;
use crate::api::GROUP;
use crate::rules::{Finding, Severity, shown_name};

/// Longest warning: the API server may cut longer ones. What it asks for is 120, which the tests hold ordinary objects to.
const MAX_WARNING: usize = 256;
/// What is left of a part that gives way, so that it is recognised.
const LEAST: usize = 16;
/// Longest sum of all warnings: past 4 KiB the API server drops the rest without a word.
const MAX_WARNINGS: usize = 4000;

/// The refusal with every denial as a cause; kubectl prints one line for each.
pub(super) fn refusal(name: &str, findings: &[Finding]) -> Status {
    let denials: Vec<&Finding> =
        findings.iter().filter(|finding| finding.severity == Severity::Deny).collect();
    // kubectl ignores this text and prints the causes; other clients show nothing else.
    let message = match denials.as_slice() {
        [one] => one.to_string(),
        several => {
            let texts: Vec<String> = several.iter().map(ToString::to_string).collect();
            format!("[{}]", texts.join(", "))
        }
    };
    let cause = |finding: &&Finding| StatusCause {
        reason: finding.kind.reason().to_owned(),
        message: finding.text(),
        field: finding.shown_path(),
    };
    let name = shown_name(name);
    Status {
        status: Some(StatusSummary::Failure),
        code: 422,
        reason: "Invalid".to_owned(),
        message: format!("Celery.{GROUP} {name:?} is invalid: {message}"),
        details: Some(StatusDetails {
            name,
            group: GROUP.to_owned(),
            kind: "Celery".to_owned(),
            causes: denials.iter().map(cause).collect(),
            uid: String::new(),
            retry_after_seconds: 0,
        }),
        ..Status::default()
    }
}

/// The refusal of an object that holds more values than are judged.
pub(super) fn too_large(name: &str, values: usize, most: usize) -> Status {
    Status {
        status: Some(StatusSummary::Failure),
        code: 413,
        reason: "RequestEntityTooLarge".to_owned(),
        message: format!(
            "Celery.{GROUP} {:?} holds {values} values, and at most {most} are judged: \
             split its worker pools over several objects, or take out what Celery is not to read",
            shown_name(name)
        ),
        ..Status::default()
    }
}

/// Findings as warnings, in their order.
pub(super) fn warnings(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(warning).collect()
}

/// A finding as one line. Where that is too long the value gives way, then the reason, then the path: what to write
/// instead is what the reader needs, and stays.
fn warning(finding: &Finding) -> String {
    let mut told = finding.clone();
    let end = format!(" [{}]", told.rule).chars().count();
    let excess = |told: &Finding| (told.warning().chars().count() + end).saturating_sub(MAX_WARNING);
    told.value = told.value.take().map(|value| shortened(&value, excess(finding)));
    told.message = shortened(&told.message, excess(&told));
    let (text, path) = (told.warning(), told.shown_path());
    let rest = text.strip_prefix(&path).unwrap_or_default();
    line(&format!("{}{rest}", shortened(&path, excess(&told))), told.rule)
}

/// A text without so many of its last characters, as far as that goes.
fn shortened(text: &str, excess: usize) -> String {
    let length = text.chars().count();
    let kept = length.saturating_sub(excess + 1).max(LEAST);
    if excess == 0 || kept >= length {
        return text.to_owned();
    }
    let kept: String = text.chars().take(kept).collect();
    format!("{kept}…")
}

/// One line of at most 256 characters that ends with the rule: a warning with a line break would be dropped.
fn line(text: &str, rule: &str) -> String {
    let end = format!(" [{rule}]");
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let room = MAX_WARNING.saturating_sub(end.chars().count());
    if text.chars().count() <= room {
        return format!("{text}{end}");
    }
    let cut: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{cut}…{end}")
}

/// Hints for wrong types that the API server's own message does not explain.
pub(super) fn type_hints(object: &Value) -> Vec<String> {
    let version = &object["spec"]["common"]["celeryVersion"];
    if version.is_number() {
        let hint = format!("spec.common.celeryVersion: {version} is a number; quote it: \"{version}\"");
        return vec![line(&hint, "C10")];
    }
    Vec::new()
}

/// The response with as many warnings as the API server passes on.
pub(super) fn warned(response: Response, warnings: Vec<String>) -> Response {
    let mut room = MAX_WARNINGS;
    let fitting: Vec<String> = warnings
        .into_iter()
        .take_while(|warning| {
            let fits = warning.len() <= room;
            room = room.saturating_sub(warning.len());
            fits
        })
        .collect();
    Response { warnings: fitting, ..response }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Kind, catalogue, check, example};

    fn warnings_of_all_rules() -> Vec<Finding> {
        let found = catalogue::rules().flat_map(|rule| {
            let object = example::object(rule.example.bad).expect("a Celery");
            let old = rule.example.old.map(|old| example::object(old).expect("a Celery"));
            check(&object, old.as_ref(), &example::facts(rule)).expect("a Celery")
        });
        found.filter(|finding| finding.severity == Severity::Warn).collect()
    }

    #[test]
    fn a_long_value_in_a_late_pool_leaves_what_to_write_instead() {
        let all = warnings_of_all_rules();
        assert!(all.len() > 50, "{}", all.len());
        for mut finding in all {
            finding.path = finding.path.replace("spec.workerSpec", "spec.workerPools[10]");
            finding.value = finding.value.map(|_| "x".repeat(64));
            let end = format!("; {} [{}]", finding.fix, finding.rule);
            let line = warning(&finding);
            assert!(line.ends_with(&end) && line.chars().count() <= MAX_WARNING, "{line}");
            assert!(line.contains(&finding.message), "{line}");
        }
    }

    #[test]
    fn the_value_gives_way_first_then_the_reason_then_the_path() {
        let finding = |value: usize, message: usize, path: usize| Finding {
            rule: "B26",
            severity: Severity::Warn,
            schema: false,
            path: "p".repeat(path),
            place: String::new(),
            kind: Kind::Invalid,
            value: Some("v".repeat(value)),
            message: "m".repeat(message),
            fix: "use urlSecretRef".to_owned(),
        };
        let whole = |line: &str, letter: char, count: usize| line.matches(letter).count() == count;
        for (value, message, path, cut) in [
            (64, 60, 90, ""),
            (64, 90, 90, "v"),
            (64, 200, 60, "vm"),
            (64, 300, 250, "vmp"),
            (5, 20, 900, "mp"),
        ] {
            let line = warning(&finding(value, message, path));
            assert!(
                line.chars().count() <= MAX_WARNING && line.ends_with("; use urlSecretRef [B26]"),
                "{line}"
            );
            for (letter, count) in [('v', value), ('m', message), ('p', path)] {
                assert_eq!(whole(&line, letter, count), !cut.contains(letter), "{letter}: {line}");
            }
        }
    }
}
