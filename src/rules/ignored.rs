// SPDX-License-Identifier: Apache-2.0
//! Warnings that somebody has read and does not want to hear again: the annotation that names their rules.
//!
//! What cannot be seen from here, such as the settings of a broker or of the application, its users know. A denial is
//! never silent, nor is one that was stored before and is only warned about.

use std::collections::HashSet;

use super::catalogue;
use super::finding::{Finding, Kind, Report, Severity};
use super::path;
use super::rule::{Check, Example, Rule};
use super::subject::Subject;
use crate::annotations::{IGNORE_RULES, ignored};
use crate::api::Celery;

/// Most ids that are told of.
const TOLD: usize = 8;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C85", severity: Severity::Warn, schema: false, since: "0.1",
        title: "what is ignored is the id of a rule that warns",
        consequence: "The id silences nothing: there is no such rule, or it only denies, and a denial is never silent.",
        check: Check::object(c85),
        example: Example {
            bad: "metadata: {annotations: {celeryproject.org/ignore-rules: 'G11, C04'}}",
            at: "metadata.annotations[celeryproject.org/ignore-rules]",
            good: "{metadata: {annotations: {celeryproject.org/ignore-rules: 'G11, B30'}}, spec: {common: {broker: {url: 'amqp://mq'}}}}",
            old: None,
        },
    },
];

fn c85(subject: &Subject<'_>, report: &mut Report<'_>) {
    let at = path::entry("metadata.annotations", IGNORE_RULES);
    let annotations = subject.object.metadata.annotations.as_ref();
    let odd = ignored(annotations).filter_map(|id| Some((id, fault(id)?)));
    for (id, (message, fix)) in odd.take(TOLD) {
        // An annotation may hold anything: what has not the form of an id is not repeated.
        if is_like_an_id(id) {
            report.add_shown(report.severity(), at.clone(), id, message, fix);
        } else {
            report.graded(report.severity(), Kind::Forbidden, at.clone(), "names what is no rule", fix);
        }
    }
}

/// A letter and two digits, as every id.
fn is_like_an_id(id: &str) -> bool {
    let (letter, digits) = id.split_at_checked(1).unwrap_or_default();
    letter.bytes().all(|b| b.is_ascii_alphabetic())
        && digits.len() == 2
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Why an id silences nothing, and what to do about it.
fn fault(id: &str) -> Option<(&'static str, &'static str)> {
    match catalogue::rules().find(|rule| rule.id.eq_ignore_ascii_case(id)) {
        None => Some(("is the id of no rule", "write one such as G11")),
        Some(rule) if !rule.severities().contains(Severity::Warn.as_str()) => {
            Some(("refuses objects and cannot be ignored", "remove it"))
        }
        Some(_) => None,
    }
}

/// The findings without the warnings that the object asks not to hear.
pub(super) fn heard(object: &Celery, findings: Vec<Finding>) -> Vec<Finding> {
    let ids: HashSet<String> =
        ignored(object.metadata.annotations.as_ref()).map(str::to_ascii_uppercase).collect();
    let is_heard = |finding: &Finding| finding.severity == Severity::Deny || !ids.contains(finding.rule);
    findings.into_iter().filter(is_heard).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::rules::tests::shop;
    use crate::rules::{Facts, check};

    /// An object that breaks a rule that warns and one that denies, with this annotation.
    fn object(ids: &str, image: &str) -> Value {
        shop(&format!(
            "{{metadata: {{annotations: {{{IGNORE_RULES}: {ids:?}}}}}, \
              spec: {{common: {{broker: {{url: 'amqp://mq'}}, image: {image}}}}}}}"
        ))
    }

    fn told(new: &Value, old: Option<&Value>) -> Vec<(&'static str, Severity)> {
        let findings = check(new, old, &Facts::default()).expect("a Celery");
        findings.iter().map(|finding| (finding.rule, finding.severity)).collect()
    }

    #[test]
    fn a_word_that_is_no_id_is_not_repeated() {
        let text = |ids: &str| {
            let findings = check(&object(ids, "shop:1"), None, &Facts::default()).expect("a Celery");
            findings.iter().filter(|it| it.rule == "C85").map(ToString::to_string).collect::<String>()
        };
        assert!(text("X99").contains("\"X99\""), "{}", text("X99"));
        for word in ["hush", "hush1234", "x9\u{e9}"] {
            assert!(
                text(word).contains("names what is no rule") && !text(word).contains(word),
                "{}",
                text(word)
            );
        }
    }

    #[test]
    fn warnings_that_are_named_are_silent_and_denials_are_not() {
        let (guest, image) = (("B30", Severity::Warn), ("C04", Severity::Deny));
        assert_eq!(told(&object("", "a:1"), None), [guest]);
        for ids in ["B30", "b30", " G11,B30 ", "G11 B30\n", ",,B30,"] {
            assert_eq!(told(&object(ids, "a:1"), None), [], "{ids}");
        }
        assert_eq!(told(&object("B3", "a:1"), None).len(), 2);
        let denied = object("B30, C04", "My/App");
        assert_eq!(told(&denied, None), [image, ("C85", Severity::Warn)]);
        // What was stored before is only warned about, and is a denial all the same.
        assert_eq!(told(&denied, Some(&denied)), [("C85", Severity::Warn), ("C04", Severity::Warn)]);
    }

    #[test]
    fn ids_that_silence_nothing_are_told_in_a_line() {
        for (ids, message) in [
            ("X99", "\"X99\" is the id of no rule; write one such as G11"),
            ("C04", "\"C04\" refuses objects and cannot be ignored; remove it"),
            ("B30 and more than that", "names what is no rule; write one such as G11"),
            ("everything-there-is", "names what is no rule; write one such as G11"),
        ] {
            let findings = check(&object(ids, "a:1"), None, &Facts::default()).expect("a Celery");
            let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            assert!(lines.iter().any(|line| line.ends_with(&format!(": {message} [C85]"))), "{lines:?}");
            assert!(lines.iter().all(|line| line.len() <= 120), "{lines:?}");
        }
        assert_eq!(told(&object(&"x,".repeat(1000), "a:1"), None).len(), 1 + TOLD);
    }
}
