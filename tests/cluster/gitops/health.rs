// SPDX-License-Identifier: Apache-2.0
//! What Argo CD's health check and Flux's kstatus say of a Celery, from its first moment to its worst.

use std::fs;

use serde_json::{Value, json};

use super::judge::Judge;
use super::{root, settled};
use crate::rig::{bare, shared};
use crate::shop;
use crate::space::{Space, condition};
use celery_operator::annotations::PAUSED;

fn script() -> String {
    fs::read_to_string(root().join("config/argocd/health.lua")).unwrap()
}

/// Health, and status, and that both say why where something is wrong.
#[track_caller]
fn seen(judge: &mut Judge, live: &Value) -> (String, String) {
    let (health, message) = judge.health(&script(), live);
    let (status, _) = judge.kstatus(live);
    assert!(!message.is_empty(), "{health} without a word: {}", live["status"]);
    (health, status)
}

fn pair(health: &str, status: &str) -> (String, String) {
    (health.to_owned(), status.to_owned())
}

/// Nobody looks after it: neither waits in vain nor goes on too early.
#[test]
fn what_nobody_has_looked_at_is_not_ready() {
    let mut judge = Judge::alone();
    let space = Space::new(bare(), "unseen");
    space.create("celeries", &shop::plain());
    let live = space.get("celeries", "shop").unwrap();
    assert_eq!(live["status"], json!({"observedGeneration": -1}));
    assert_eq!(seen(&mut judge, &live), pair("Progressing", "InProgress"));
}

/// One story: it comes up, is paused, is changed meanwhile, goes on, and meets an object of somebody else.
#[test]
fn health_is_what_is_true() {
    let mut judge = Judge::alone();
    let space = Space::new(shared(), "health");
    space.create("celeries", &shop::plain());
    let live = settled(&space, "shop");
    assert_eq!(seen(&mut judge, &live), pair("Progressing", "InProgress"));

    let live = space.until_ready("shop");
    assert_eq!(seen(&mut judge, &live), pair("Healthy", "Current"));
    // The next spec, before anybody has seen it.
    let mut newer = live.clone();
    newer["metadata"]["generation"] = json!(99);
    assert_eq!(seen(&mut judge, &newer), pair("Progressing", "InProgress"));

    space.annotate("celeries", "shop", &json!({PAUSED: "true"}));
    let live = space.until("celeries", "shop", |live| condition(live, "Paused")["reason"] == "InStep");
    assert_eq!(seen(&mut judge, &live), pair("Suspended", "Current"));
    space.edit("celeries", "shop", "spec: {common: {image: 'shop:2'}}");
    let live = space.until("celeries", "shop", |live| condition(live, "Paused")["reason"] == "Behind");
    assert_eq!(seen(&mut judge, &live), pair("Suspended", "Failed"));

    let service =
        "{apiVersion: v1, kind: Service, metadata: {name: shop-flower}, spec: {ports: [{port: 80}]}}";
    space.create("services", &shop::yaml(service));
    space.edit("celeries", "shop", "spec: {flowerSpec: {auth: {allowUnauthenticated: true}}}");
    space.annotate("celeries", "shop", &json!({PAUSED: null}));
    let live = space.until_condition("shop", "Stalled", "True", "NameTaken");
    assert_eq!(seen(&mut judge, &live), pair("Degraded", "Failed"));
    let (_, message) = judge.health(&script(), &live);
    assert!(message.starts_with("NameTaken: ") && message.contains("shop-flower"), "{message}");
    // Paused or not, what cannot run is a fault.
    let mut paused = live.clone();
    let conditions = paused["status"]["conditions"].as_array_mut().unwrap();
    conditions.push(json!({"type": "Paused", "status": "True", "reason": "InStep", "message": ""}));
    assert_eq!(seen(&mut judge, &paused), pair("Degraded", "Failed"));
}

/// Whatever somebody writes there, the check says something.
#[test]
fn no_status_breaks_the_check() {
    let mut judge = Judge::alone();
    for (status, health) in [
        (json!(null), "Progressing"),
        (json!({}), "Progressing"),
        (json!({"observedGeneration": 1}), "Progressing"),
        (json!({"observedGeneration": 1, "conditions": []}), "Progressing"),
        (
            json!({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "reason": "Ready"}]}),
            "Healthy",
        ),
        (
            json!({"observedGeneration": 1, "conditions": [{"type": "Stalled", "status": "True", "reason": "Refused"}]}),
            "Degraded",
        ),
    ] {
        let live = json!({"apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
            "metadata": {"name": "shop", "generation": 1}, "status": status});
        assert_eq!(judge.health(&script(), &live).0, health, "{status}");
    }
}
