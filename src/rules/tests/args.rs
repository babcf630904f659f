// SPDX-License-Identifier: Apache-2.0
//! Arguments that are refused, warned about or left alone, beyond the examples of the catalogue.

use serde_json::json;

use super::*;

/// What is found in the arguments of a worker: rule and severity.
fn of_args(args: &[&str]) -> Vec<(&'static str, Severity)> {
    let mut object = shop("{}");
    object["spec"]["workerSpec"]["args"] = json!(args);
    let findings = check(&object, None, &Facts::default()).expect("has the form of a Celery");
    findings.iter().map(|finding| (finding.rule, finding.severity)).collect()
}

#[test]
fn a_word_of_a_thousand_options_is_told_once() {
    let mut object = shop("{}");
    object["spec"]["workerSpec"]["args"] = json!(vec![format!("-{}", "E".repeat(2000)); 40]);
    let findings = check(&object, None, &Facts::default()).expect("has the form of a Celery");
    assert_eq!(findings.len(), 39, "each word repeats the one before");
}

#[test]
fn the_same_twice_is_a_warning_and_another_value_a_denial() {
    let of =
        |overlay: &str| of_rule("W14", overlay).into_iter().map(|(severity, _)| severity).collect::<Vec<_>>();
    assert_eq!(of("spec: {workerSpec: {concurrency: 2, args: ['-c', '2']}}"), [Severity::Warn]);
    assert_eq!(of("spec: {workerSpec: {logLevel: INFO, args: ['-l', info]}}"), [Severity::Warn]);
    assert_eq!(of("spec: {workerSpec: {queues: [a, b], args: ['-Q', 'a,b']}}"), [Severity::Warn]);
    assert_eq!(of("spec: {workerSpec: {concurrency: 2, args: ['-c', '3']}}"), [Severity::Deny]);
    assert_eq!(of("spec: {workerSpec: {args: ['-c', '2', '-c', '2']}}"), [Severity::Warn]);
}

#[test]
fn an_option_that_is_refused_anyway_is_told_once() {
    for (args, rule) in [("--purge=1", "W13"), ("--detach=true", "W06")] {
        assert_eq!(of_args(&[args]), [(rule, Severity::Deny)], "{args}");
    }
}

#[test]
fn options_of_celery_itself_are_nobodys_own() {
    let own =
        "spec: {workerSpec: {args: ['--app=shop', '--tenant', acme], userOptions: ['--app', '--tenant']}}";
    assert_eq!(found(&shop(own), None), [("W04", "spec.workerSpec.args[0]".to_owned())]);
}

#[test]
fn a_word_that_is_nothing_is_not_quoted() {
    for args in [
        &["redis://:hunter2@h:6379/0"][..],
        &["secret: hunter2"],
        &["token", "hunter2"],
        &["\u{2014}hunter2"],
    ] {
        let mut object = shop("{}");
        object["spec"]["workerSpec"]["args"] = json!(args);
        let findings = check(&object, None, &Facts::default()).expect("has the form of a Celery");
        assert!(!findings.is_empty());
        for finding in findings {
            assert!(!finding.to_string().contains("hunter2"), "{finding}");
        }
    }
}
