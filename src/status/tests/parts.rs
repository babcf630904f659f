// SPDX-License-Identifier: Apache-2.0
//! What is told of the parts beside their conditions, and how long it may be.

use serde_json::{Value, json};

use super::scene::{Scene, child_ready, finding};
use crate::api::limits;
use crate::build::ChildKind;
use crate::rules::Severity;

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
