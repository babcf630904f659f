// SPDX-License-Identifier: Apache-2.0
//! What is told while the children are left alone.

use serde_json::json;

use super::scene::{Scene, condition, summary, word};
use crate::status::{Failure, Paused, Verdict};

fn paused(behind: &[&str]) -> Scene {
    let mut scene = Scene::new(&json!({"workerSpec": {"numOfWorkers": 2}}));
    scene.paused = Some(match behind {
        [] => Paused::InStep,
        behind => Paused::Behind(behind.iter().map(|&child| child.to_owned()).collect()),
    });
    scene
}

#[test]
fn a_pause_that_leaves_nothing_undone_is_no_reason_to_worry() {
    let status = paused(&[]).status();
    assert_eq!(summary(&status), ("Ready", "Ready"));
    assert_eq!(word(&status, "Paused"), Some(("True", "InStep")));
    assert_eq!(word(&Scene::new(&json!({"workerSpec": {}})).status(), "Paused"), None);
}

#[test]
fn a_pause_that_leaves_something_undone_waits_for_somebody() {
    let status = paused(&["Deployment shop-worker", "Service shop-flower"]).status();
    assert_eq!(summary(&status), ("Stalled", "Paused"));
    assert_eq!(word(&status, "Ready"), Some(("False", "Paused")));
    assert_eq!(word(&status, "Paused"), Some(("True", "Behind")));
    // What is there is told as it is.
    assert_eq!(word(&status, "WorkersAvailable"), Some(("True", "Available")));
    let message = &condition(&status, "Ready").message;
    for part in ["celeryproject.org/paused", "Deployment shop-worker", "Service shop-flower"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn many_children_are_counted_instead_of_named() {
    let names: Vec<String> = (0..40).map(|at| format!("Deployment shop-worker-{at}")).collect();
    let status = paused(&names.iter().map(String::as_str).collect::<Vec<_>>()).status();
    let message = &condition(&status, "Paused").message;
    assert!(message.ends_with("shop-worker-4, 35 more"), "{message}");
    let status = paused(&["a", "b", "c", "d", "e"]).status();
    let message = &condition(&status, "Paused").message;
    assert!(message.ends_with(": a, b, c, d, e"), "{message}");
}

#[test]
fn what_is_worse_than_a_pause_is_told_first() {
    let mut scene = paused(&["Deployment shop-worker"]);
    scene.verdict = Verdict::Refused;
    let status = scene.status();
    assert_eq!(summary(&status), ("Stalled", "Refused"));
    assert_eq!(word(&status, "Paused"), Some(("True", "Behind")));
    // The pause ends while the spec is still refused.
    let mut scene = paused(&[]);
    (scene.verdict, scene.paused, scene.previous) = (Verdict::Refused, None, Some(status));
    assert_eq!(word(&scene.status(), "Paused"), None);
    let mut scene = paused(&[]);
    scene.failure = Some(Failure { reason: "ApiTimeout", message: String::new(), stalled: false });
    assert_eq!(summary(&scene.status()), ("Reconciling", "ApiTimeout"));
}
