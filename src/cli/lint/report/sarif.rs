// SPDX-License-Identifier: Apache-2.0
//! SARIF 2.1.0: what code scanners exchange.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Outcome, Unreadable, quiet};
use crate::rules::{Finding, Rule, Severity, catalogue};

/// What a path in a URI may not hold as it is.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// One run with every rule and every finding.
pub(in crate::cli::lint) fn sarif(outcome: &Outcome) -> String {
    let rules: Vec<&Rule> = catalogue::entries().collect();
    let results: Vec<Value> = outcome
        .verdicts
        .iter()
        .flat_map(|verdict| {
            let file = verdict.file.as_ref();
            verdict.findings.iter().map(move |located| (file, located.line, &located.finding))
        })
        .map(|(file, line, finding)| result(&rules, file, line, finding))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| metadata(rule)).collect::<Vec<Value>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": outcome.unreadable.is_empty(),
                "toolExecutionNotifications": outcome.unreadable.iter().map(notification).collect::<Vec<Value>>(),
            }],
            "results": results,
        }],
    });
    quiet(&format!("{log:#}"))
}

fn metadata(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.consequence},
        "help": {"text": format!("celery-operator explain {}", rule.id)},
        "defaultConfiguration": {"level": level(rule.severity)},
    })
}

fn result(rules: &[&Rule], file: &str, line: usize, finding: &Finding) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": {"text": finding.to_string()},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": uri(file)}, "region": {"startLine": line}},
            "logicalLocations": [{"fullyQualifiedName": finding.shown_path()}],
        }],
    });
    if let Some(index) = rules.iter().position(|rule| rule.id == finding.rule) {
        result["ruleIndex"] = json!(index);
    }
    result
}

fn notification(trouble: &Unreadable) -> Value {
    let mut place = json!({"artifactLocation": {"uri": uri(&trouble.file)}});
    if let Some(line) = trouble.line {
        place["region"] = json!({"startLine": line});
    }
    json!({"level": "error", "message": {"text": trouble.why}, "locations": [{"physicalLocation": place}]})
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Deny => "error",
        Severity::Warn => "warning",
    }
}

/// A file as a relative URI; an absolute path becomes a `file:` one.
fn uri(file: &str) -> String {
    let path = utf8_percent_encode(file.strip_prefix("./").unwrap_or(file), PATH).to_string();
    if path.starts_with('/') {
        return format!("file://{path}");
    }
    // A colon before the first slash would read as a scheme.
    let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    format!("{}{rest}", first.replace(':', "%3A"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_uris() {
        assert_eq!(uri("./a b/c.yaml"), "a%20b/c.yaml");
        assert_eq!(uri("/tmp/ü.yaml"), "file:///tmp/%C3%BC.yaml");
        assert_eq!(uri("a:b/c:d"), "a%3Ab/c:d");
    }
}
