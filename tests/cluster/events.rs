// SPDX-License-Identifier: Apache-2.0
//! What happens to a Celery is told in events, and counted.

use serde_json::{Value, json};

use crate::rig::shared;
use crate::shop;
use crate::space::Space;
use crate::wait::until;

/// Reason and note of the events of an object, the oldest first.
fn told(space: &Space<'_>, name: &str) -> Vec<(String, String)> {
    let mut events = space.list("events");
    events.retain(|event| event["regarding"]["kind"] == "Celery" && event["regarding"]["name"] == name);
    events.sort_by_key(|event| event["eventTime"].as_str().unwrap_or_default().to_owned());
    let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
    events.iter().map(|event| (text(event, "reason"), text(event, "note"))).collect()
}

fn until_told(space: &Space<'_>, reasons: &[&str]) -> Vec<(String, String)> {
    until("the events are there", || {
        let told = told(space, "shop");
        let seen: Vec<&str> = told.iter().map(|(reason, _)| reason.as_str()).collect();
        if seen == reasons { Ok(told) } else { Err(format!("{told:?}")) }
    })
}

#[test]
fn what_happens_is_told_once() {
    let space = Space::new(shared(), "events");
    space.create("celeries", &shop::with("spec: {flowerSpec: {}}"));
    space.until("deployments", "shop-worker", |it| it["status"]["replicas"] == 1);
    space.until("deployments", "shop-flower", |it| it["status"]["replicas"] == 1);
    space.until_ready("shop");
    let told = until_told(&space, &["ChildCreated", "Progressing", "Ready"]);
    for child in ["Deployment shop-worker", "Deployment shop-flower", "Service shop-flower"] {
        assert!(told[0].1.contains(child), "{told:?}");
    }
    space.edit("celeries", "shop", "spec: {flowerSpec: null}");
    let told = until_told(&space, &["ChildCreated", "Progressing", "Ready", "ChildDeleted"]);
    assert!(told[3].1.contains("Service shop-flower"), "{told:?}");
    let described = space.succeed(&["describe", "celery/shop"], "");
    assert!(described.contains("ChildDeleted") && described.contains("celery-operator"), "{described}");
}

#[test]
fn what_happens_again_is_the_same_event() {
    let space = Space::new(shared(), "series");
    space.create("celeries", &shop::plain());
    space.until("deployments", "shop-worker", |it| it["status"]["replicas"] == 1);
    space.until_ready("shop");
    let image = shop::plain()["spec"]["common"]["image"].clone();
    space.annotate("celeries", "shop", &json!({"celeryproject.org/paused": "true"}));
    for _ in 0..2 {
        space.edit("celeries", "shop", "spec: {common: {image: 'shop:2'}}");
        space.until_condition("shop", "Stalled", "True", "Paused");
        space.merge("celeries", "shop", &json!({"spec": {"common": {"image": image}}})).success();
        space.until_condition("shop", "Ready", "True", "Ready");
    }
    for (reason, count) in [("Paused", 2), ("Ready", 3)] {
        until("the series is written", || {
            let events: Vec<Value> =
                space.list("events").into_iter().filter(|event| event["reason"] == reason).collect();
            match events.as_slice() {
                [event] if event["series"]["count"] == count => Ok(()),
                other => Err(json!(other).to_string()),
            }
        });
    }
}

#[test]
fn what_happens_is_counted_without_names() {
    let space = Space::new(shared(), "counted");
    space.create("celeries", &shop::plain());
    space.until_there("deployments", "shop-worker");
    let bad = space.post("celeries", "", &shop::named("bad", "spec: {common: {image: My/App}}"));
    assert_eq!(bad.code, 422);
    let text = until("everything is counted", || {
        let text = space.rig.launch.ask("/metrics").unwrap();
        let there = [
            "celery_operator_reconciles_total{outcome=\"done\"} ",
            "celery_operator_apply_total{kind=\"Deployment\",verb=\"created\"} ",
            "celery_operator_admission_requests_total{webhook=\"validate\",operation=\"CREATE\",verdict=\"denied\"} ",
            "celery_operator_admission_findings_total{rule=\"C04\",severity=\"deny\"} ",
            "celery_operator_admission_duration_seconds_count{webhook=\"validate\"} ",
            "celery_operator_celeries{state=\"reconciling\"} ",
            "celery_operator_certificate_not_after_seconds{certificate=\"webhook\"} 1",
            "celery_operator_ca_bundle_mismatch 0",
            "celery_operator_build_info{version=",
            "celery_operator_events_total{outcome=\"written\"} ",
        ];
        let missing: Vec<&str> = there.into_iter().filter(|line| !text.contains(line)).collect();
        if missing.is_empty() { Ok(text) } else { Err(format!("{}\n{text}", missing.join("\n"))) }
    });
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("application/openmetrics-text"), "{text:.300}");
    assert!(!text.contains(&space.name) && !text.contains("shop"), "{text}");
}
