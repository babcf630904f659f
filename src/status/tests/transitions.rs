// SPDX-License-Identifier: Apache-2.0
//! When a status changes: only with what is seen, never with the clock.

use serde_json::json;

use super::scene::{Scene, condition, finding, summary, time, word};
use crate::api::CeleryStatus;
use crate::build::ChildKind;
use crate::rules::Severity;
use crate::status::{Failure, Verdict, leaving};

const NOON: &str = "2026-05-01T12:00:00Z";
/// With a fraction of a second, as clocks have it and the API server has not.
const LATER: &str = "2026-05-01T12:34:56.789Z";

fn spec() -> serde_json::Value {
    json!({"workerSpec": {"numOfWorkers": 2}, "flowerSpec": {}, "scaleTargetRef": [{"kind": "flower", "maxReplicas": 3,
           "metrics": [{"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}]}]})
}

fn waiting(reason: &str) -> Scene {
    let patch = json!({"status": {"availableReplicas": 1, "conditions": [
        {"type": "Progressing", "status": "False", "reason": reason, "message": "waits"}]}});
    Scene::new(&spec()).with(ChildKind::Deployment, "shop-worker", &patch)
}

/// What a watch brings back of a status.
fn stored(status: &CeleryStatus) -> CeleryStatus {
    let text = serde_json::to_string(status).expect("serialises");
    serde_json::from_str(&text).expect("reads back")
}

fn scenes() -> Vec<(&'static str, Scene)> {
    let mut refused = Scene::new(&spec());
    refused.verdict = Verdict::Refused;
    refused.findings = vec![finding(Severity::Deny, "spec.common.image".to_owned())];
    let mut failed = Scene::new(&spec());
    failed.failure = Some(Failure { reason: "ApiTimeout", message: "no answer".to_owned(), stalled: false });
    vec![
        ("well", Scene::new(&spec())),
        ("waiting", waiting("ProgressDeadlineExceeded")),
        ("parked", refused),
        ("failed", failed),
        ("missing", Scene::new(&spec()).without(ChildKind::Deployment, "shop-worker")),
    ]
}

#[test]
fn at_rest_nothing_is_written() {
    for (what, mut scene) in scenes() {
        let first = stored(&scene.status_at(LATER));
        scene.previous = Some(first.clone());
        for later in ["2026-05-01T12:34:57Z", "2027-01-01T00:00:00.5Z"] {
            assert_eq!(scene.status_at(later), first, "{what}");
        }
    }
}

#[test]
fn a_first_status_is_of_now() {
    for (what, scene) in scenes() {
        for condition in scene.status_at(NOON).conditions {
            assert_eq!(condition.last_transition_time, time(NOON), "{what}: {}", condition.type_);
        }
    }
}

#[test]
fn only_a_condition_that_turns_has_a_new_time() {
    let before = Scene::new(&spec()).status_at(NOON);
    let mut scene = waiting("ProgressDeadlineExceeded");
    scene.previous = Some(before);
    let after = scene.status_at(LATER);
    assert_eq!(summary(&after), ("Stalled", "ProgressDeadlineExceeded"));
    let turned: Vec<&str> = after
        .conditions
        .iter()
        .filter(|condition| condition.last_transition_time == time(LATER))
        .map(|condition| condition.type_.as_str())
        .collect();
    assert_eq!(turned, ["Ready", "Stalled", "WorkersAvailable"]);
    for type_ in ["Reconciling", "Valid", "BrokerResolved", "FlowerAvailable", "AutoscalingReady"] {
        assert_eq!(condition(&after, type_).last_transition_time, time(NOON), "{type_}");
    }
}

#[test]
fn another_reason_is_no_turn() {
    let before = waiting("ProgressDeadlineExceeded").status_at(NOON);
    let mut scene = waiting("FailedCreate");
    scene.previous = Some(before);
    let after = scene.status_at(LATER);
    for type_ in ["Ready", "Stalled", "WorkersAvailable"] {
        let found = condition(&after, type_);
        assert_eq!(
            (found.reason.as_str(), &found.last_transition_time),
            ("FailedCreate", &time(NOON)),
            "{type_}"
        );
    }
}

#[test]
fn a_condition_that_no_longer_applies_goes() {
    let mut scene = Scene::new(&json!({"workerSpec": {}}));
    scene.previous = Some(Scene::new(&spec()).status());
    let status = scene.status();
    assert_eq!(word(&status, "FlowerAvailable"), None);
    assert_eq!(word(&status, "AutoscalingReady"), None);
}

/// Whoever refuses may number its answers: nothing is written for that.
#[test]
fn a_refusal_with_another_number_is_the_same() {
    let refused = |number: &str| {
        let mut scene = Scene::new(&spec());
        let message = format!("Deployment shop-worker is refused: denied (request {number})");
        scene.failure = Some(Failure { reason: "ChildRefused", message, stalled: true });
        scene
    };
    let first = stored(&refused("3f2504e0-4f89-11d3-9a0c-0305e82c3301").status_at(NOON));
    let mut again = refused("9b2d04e0-4f89-11d3-9a0c-0305e82c3aaa");
    again.previous = Some(first.clone());
    assert_eq!(again.status_at(LATER), first);
    // Of another spec it is another one.
    if let Some(previous) = &mut again.previous {
        previous.conditions.iter_mut().for_each(|condition| condition.observed_generation = Some(1));
    }
    assert_ne!(condition(&again.status_at(LATER), "Ready").message, condition(&first, "Ready").message);
}

/// With foreground deletion it is there until its children are gone.
#[test]
fn an_object_that_goes_says_so_once() {
    let before = stored(&Scene::new(&spec()).status_at(NOON));
    let gone = stored(&leaving(Some(8), Some(&before), &time(LATER)));
    assert_eq!(summary(&gone), ("Reconciling", "Terminating"));
    assert_eq!(word(&gone, "Ready"), Some(("False", "Terminating")));
    assert_eq!(word(&gone, "FlowerAvailable"), word(&before, "FlowerAvailable"));
    assert_eq!((gone.observed_generation, &gone.pools), (Some(8), &before.pools));
    assert_eq!(leaving(Some(8), Some(&gone), &time("2027-01-01T00:00:00Z")), gone);
    assert_eq!(summary(&leaving(Some(1), None, &time(NOON))).0, "Reconciling");
}
