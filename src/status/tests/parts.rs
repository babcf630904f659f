// SPDX-License-Identifier: Apache-2.0
//! What is told of the parts beside their conditions, and how long it may be.

use serde_json::{Value, json};

use super::scene::{Scene, child_ready, condition, finding};
use crate::api::limits;
use crate::build::ChildKind;
use crate::rules::{Finding, Severity};
use crate::status::parts::{MAX_WARNINGS, tells_of};

#[test]
fn beat_is_counted_as_its_deployment_counts() {
    let beat = || Scene::new(&json!({"workerSpec": {}, "beatSpec": {}}));
    let ready = |scene: Scene| scene.status().beat.map(|beat| beat.ready);
    assert_eq!(ready(beat()).as_deref(), Some("1/1"));
    let waiting = json!({"status": {"readyReplicas": 0}});
    let waiting = beat().with(ChildKind::Deployment, "shop-beat", &waiting);
    assert_eq!(ready(waiting).as_deref(), Some("0/1"));
    assert_eq!(ready(beat().without(ChildKind::Deployment, "shop-beat")).as_deref(), Some("0/0"));
    assert_eq!(ready(Scene::new(&json!({"workerSpec": {}}))), None);
}

#[test]
fn a_claim_is_ready_when_it_has_its_volume() {
    for (phase, expected) in [(json!("Bound"), true), (json!("Pending"), false), (Value::Null, false)] {
        let scene = Scene::new(&json!({"flowerSpec": {"persistence": {}}}));
        let patch = json!({"status": {"phase": phase}});
        let status = scene.with(ChildKind::PersistentVolumeClaim, "shop-flower", &patch).status();
        let ready = child_ready(&status, ChildKind::PersistentVolumeClaim, "shop-flower");
        assert_eq!(ready, Some(expected), "{phase}");
    }
}

#[test]
fn files_that_are_kept_are_told_with_their_folder() {
    let spec = json!({"beatSpec": {"persistence": {}}, "flowerSpec": {"persistence": {}}});
    let effective = Scene::new(&spec).status().effective.expect("it is told");
    assert_eq!(effective.beat_schedule.as_deref(), Some("/data/beat/celerybeat-schedule"));
    assert_eq!(effective.flower_history.as_deref(), Some("/data/flower/flower"));
    let effective = Scene::new(&json!({"beatSpec": {}, "flowerSpec": {}})).status().effective;
    let effective = effective.expect("it is told");
    assert_eq!((effective.beat_schedule, effective.flower_history), (None, None));
}

#[test]
fn a_text_is_as_long_as_the_schema_takes() {
    let letters = |count: usize| "é".repeat(count);
    let told = |text: String| {
        let status = Scene::new(&json!({"workerSpec": {"args": ["-n", text]}})).status();
        status.pools[0].command.last().expect("an argument").clone()
    };
    assert_eq!(told(letters(limits::TEXT)), letters(limits::TEXT));
    assert_eq!(told(letters(limits::TEXT + 1)), format!("{}…", letters(limits::TEXT - 1)));
}

#[test]
fn a_place_is_told_where_it_differs_from_the_path() {
    let mut scene = Scene::new(&json!({"workerSpec": {}}));
    let warning = finding(Severity::Warn, "spec.workerPools[0].name".to_owned());
    let mut named = warning.clone();
    named.place = "spec.workerPools[mail].name".to_owned();
    scene.findings = vec![warning, named];
    let places: Vec<_> = scene.status().findings.into_iter().map(|finding| finding.place).collect();
    assert_eq!(places, [None, Some("spec.workerPools[mail].name".to_owned())]);
}

/// That it fits is looked at with every status.
#[test]
fn a_status_fits_into_its_schema_whatever_there_is_to_tell() {
    let long = "a".repeat(2 * limits::TEXT);
    let mut scene = Scene::new(&json!({"workerSpec": {}}));
    for (denials, warnings) in [(0, 40), (230, 40), (256, 1), (500, 0)] {
        let of = |severity: Severity, count: usize| {
            (0..count).map(move |at| finding(severity, format!("spec.{at}")))
        };
        scene.findings = of(Severity::Warn, warnings).chain(of(Severity::Deny, denials)).collect();
        let told = scene.status().findings;
        let listed = told.iter().filter(|finding| finding.severity == "deny").count();
        assert_eq!(listed, denials.min(limits::ITEMS));
        assert_eq!(told.len(), (denials + warnings.min(MAX_WARNINGS)).min(limits::ITEMS));
    }
    let mut far = finding(Severity::Warn, format!("spec.{long}"));
    far.place = format!("spec.pools[{long}]");
    scene.findings = vec![far];
    let told = &scene.status().findings[0];
    assert!(told.path.ends_with('…') && told.place.as_ref().is_some_and(|place| place.ends_with('…')));

    let policy = json!({"spec": {"containers": [{"name": "celery", "imagePullPolicy": long}]}});
    let spec = json!({"workerSpec": {"podTemplate": policy}, "flowerSpec": {"urlPrefix": long}});
    let status = Scene::new(&spec).status();
    assert!(status.flower.expect("Flower").url.ends_with('…'));
    assert!(status.effective.expect("it is told").image_pull_policy.ends_with('…'));
    let queue =
        json!({"name": "task_queue_length", "target": {"type": "AverageValue", "averageValue": "10"}});
    let scaled = json!([{"kind": "worker", "maxReplicas": 5, "metrics": [queue]}]);
    let refused = json!({"type": "Ready", "status": "False", "reason": long, "message": ""});
    let status = Scene::new(&json!({"workerSpec": {}, "scaleTargetRef": scaled}))
        .with(ChildKind::ScaledObject, "shop-worker", &json!({"status": {"conditions": [refused]}}))
        .status();
    assert!(condition(&status, "AutoscalingReady").reason.ends_with('…'));
    let broker = json!({"url": null, "urlSecretRef": {"name": "broker", "key": "url"}});
    let url = format!("{long}://cache");
    Scene::with_secrets(&json!({"common": {"broker": broker}, "workerSpec": {}}), &[("broker", "url", &url)])
        .status();
}

#[test]
fn what_was_cut_is_known_again() {
    let far = |end: &str| {
        let mut far = finding(Severity::Deny, format!("spec.{}{end}", "a".repeat(limits::TEXT)));
        far.value = Some("x".to_owned());
        far
    };
    let mut scene = Scene::new(&json!({"workerSpec": {}}));
    scene.findings = vec![far("")];
    let told = &scene.status().findings[0];
    assert!(tells_of(told, &far("")));
    for other in [
        Finding { rule: "C02", ..far("") },
        Finding { value: Some("y".to_owned()), ..far("") },
        Finding { severity: Severity::Warn, ..far("") },
        finding(Severity::Deny, "spec.a".to_owned()),
    ] {
        assert!(!tells_of(told, &other), "{other:?}");
    }
}
