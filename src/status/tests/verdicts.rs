// SPDX-License-Identifier: Apache-2.0
//! Specs that are refused or only tolerated, and reconciles that ended early.

use serde_json::json;

use super::scene::{GENERATION, Scene, child_ready, condition, finding, summary, word};
use crate::build::ChildKind;
use crate::rules::Severity;
use crate::status::parts::MAX_WARNINGS;
use crate::status::{Failure, MAX_MESSAGE, Verdict};

fn two_workers() -> Scene {
    Scene::new(&json!({"workerSpec": {"numOfWorkers": 2}, "flowerSpec": {"replicas": 1}}))
}

fn parked(denials: usize) -> Scene {
    let mut before = two_workers().status();
    before.observed_generation = Some(GENERATION - 1);
    for condition in &mut before.conditions {
        condition.observed_generation = Some(GENERATION - 1);
    }
    let mut scene = two_workers();
    scene.previous = Some(before);
    scene.verdict = Verdict::Refused;
    scene.findings =
        (0..denials).map(|index| finding(Severity::Deny, format!("spec.field{index}"))).collect();
    scene
}

#[test]
fn a_refused_spec_is_parked_with_what_runs() {
    let scene = parked(3);
    let before = scene.previous.clone().expect("a status before");
    let status = scene.status();
    assert_eq!(summary(&status), ("Stalled", "Refused"));
    assert_eq!(word(&status, "Ready"), Some(("False", "Refused")));
    assert_eq!(word(&status, "Valid"), Some(("False", "Refused")));
    let message = &condition(&status, "Valid").message;
    assert_eq!(message.lines().count(), 3, "{message}");
    for (line, denial) in message.lines().zip(&scene.findings) {
        assert_eq!(line, denial.to_string());
    }
    assert_eq!((&status.children, &status.pools), (&before.children, &before.pools));
    assert_eq!((status.replicas, &status.selector), (Some(2), &before.selector));
    assert_eq!((&status.workers, &status.flower), (&before.workers, &before.flower));
    assert_eq!((&status.broker, &status.effective), (&before.broker, &before.effective));
    for type_ in ["WorkersAvailable", "FlowerAvailable", "BrokerResolved"] {
        assert_eq!(condition(&status, type_), condition(&before, type_));
    }
    assert_eq!(status.findings.len(), 3);
}

#[test]
fn a_spec_that_was_never_followed_is_parked_with_nothing() {
    let mut scene = parked(1);
    scene.previous = None;
    let status = scene.status();
    assert_eq!(summary(&status), ("Stalled", "Refused"));
    assert_eq!((status.replicas, &status.pools[..], &status.children[..]), (None, &[][..], &[][..]));
}

#[test]
fn a_corrected_spec_is_followed_again() {
    let mut scene = two_workers();
    scene.previous = Some(parked(3).status());
    let status = scene.status();
    assert_eq!(word(&status, "Valid"), Some(("True", "Accepted")));
    assert_eq!(summary(&status), ("Ready", "Ready"));
    assert_eq!(status.findings, []);
}

#[test]
fn many_denials_are_cut_in_the_message_and_complete_in_the_findings() {
    let status = parked(100).status();
    assert_eq!(condition(&status, "Valid").message.chars().count(), MAX_MESSAGE);
    assert_eq!(status.findings.len(), 100);
}

#[test]
fn a_tolerated_spec_is_reported_and_followed() {
    let mut scene = two_workers();
    scene.verdict = Verdict::Tolerated;
    scene.findings = vec![finding(Severity::Deny, "spec.common.image".to_owned())];
    let status = scene.status();
    assert_eq!(word(&status, "Valid"), Some(("False", "Tolerated")));
    assert_eq!(condition(&status, "Valid").message, scene.findings[0].to_string());
    assert_eq!(summary(&status), ("Ready", "Ready"));
    assert_eq!(status.findings[0].severity, "deny");
}

#[test]
fn warnings_do_not_make_a_spec_invalid() {
    let mut scene = two_workers();
    scene.findings = vec![finding(Severity::Warn, "spec.common.image".to_owned())];
    let status = scene.status();
    assert_eq!(word(&status, "Valid"), Some(("True", "Accepted")));
    let listed = &status.findings[0];
    assert_eq!((listed.rule.as_str(), listed.severity.as_str()), ("C01", "warn"));
    assert_eq!((&listed.path, &listed.message), (&scene.findings[0].path, &scene.findings[0].text()));
}

#[test]
fn every_denial_is_listed_and_as_many_warnings_as_fit() {
    let mut scene = parked(40);
    // Mixed, as rules find them.
    for index in (0..40).rev() {
        scene.findings.insert(index, finding(Severity::Warn, format!("spec.warned{index}")));
    }
    let status = scene.status();
    let severities: Vec<&str> = status.findings.iter().map(|finding| finding.severity.as_str()).collect();
    assert_eq!(severities, [&["deny"; 40][..], &["warn"; MAX_WARNINGS]].concat());
    assert_eq!(MAX_WARNINGS, 32);
    let first = status.findings.iter().find(|finding| finding.severity == "warn");
    assert_eq!(first.expect("a warning").path, "spec.warned0");
}

#[test]
fn a_reconcile_that_ended_early_says_whether_waiting_helps() {
    for (reason, stalled, expected) in
        [("NameTaken", true, ("Stalled", "NameTaken")), ("ApiTimeout", false, ("Reconciling", "ApiTimeout"))]
    {
        let mut scene = two_workers().without(ChildKind::Service, "shop-flower");
        scene.failure = Some(Failure { reason, message: "in its own words".to_owned(), stalled });
        let status = scene.status();
        assert_eq!(summary(&status), expected);
        assert_eq!(word(&status, "Ready"), Some(("False", reason)));
        assert_eq!(condition(&status, expected.0).message, "in its own words");
        // The rest is told as it is.
        assert_eq!(word(&status, "Valid"), Some(("True", "Accepted")));
        assert_eq!(word(&status, "WorkersAvailable"), Some(("True", "Available")));
        assert_eq!(child_ready(&status, ChildKind::Service, "shop-flower"), None);
    }
}

#[test]
fn what_stalls_is_named_even_when_something_passing_failed_too() {
    let deadline = json!({"status": {"availableReplicas": 0, "conditions": [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": ""}]}});
    let mut scene = two_workers().with(ChildKind::Deployment, "shop-worker", &deadline);
    for (reason, stalled, expected) in
        [("ApiTimeout", false, "ProgressDeadlineExceeded"), ("NameTaken", true, "NameTaken")]
    {
        scene.failure = Some(Failure { reason, message: String::new(), stalled });
        assert_eq!(summary(&scene.status()), ("Stalled", expected));
    }
}
