// SPDX-License-Identifier: Apache-2.0
//! How a verdict is put so that kubectl prints it well.

use kube::core::Status;
use kube::core::response::{StatusCause, StatusDetails, StatusSummary};
use serde_json::Value;

use super::review::Response;
use crate::api::GROUP;
use crate::rules::{Finding, Severity, shown_name};

/// Longest warning: the API server may cut longer ones.
const MAX_WARNING: usize = 120;
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

/// Findings as warnings, in their order.
pub(super) fn warnings(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| line(&finding.warning(), finding.rule)).collect()
}

/// One line of at most 120 characters that ends with the rule: a warning with a line break would be dropped.
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
