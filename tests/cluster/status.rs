// SPDX-License-Identifier: Apache-2.0
//! What a Celery says about itself.

use serde_json::{Value, json};

use crate::rig::shared;
use crate::shop;
use crate::space::{Space, condition};

fn said(object: &Value, type_: &str) -> (String, String) {
    let condition = condition(object, type_);
    let text = |name: &str| condition[name].as_str().unwrap_or_default().to_owned();
    (text("status"), text("reason"))
}

fn pair(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[test]
fn a_celery_is_ready_when_its_pods_are() {
    let space = Space::new(shared(), "ready");
    space.create("celeries", &shop::with("spec: {workerSpec: {numOfWorkers: 2}, flowerSpec: {}}"));
    let waiting = space.until_condition("shop", "Ready", "False", "Progressing");
    assert_eq!(said(&waiting, "Reconciling"), pair("True", "Progressing"));
    assert_eq!(said(&waiting, "Stalled"), pair("False", "Settled"));
    assert_eq!(said(&waiting, "Valid"), pair("True", "Accepted"));
    assert_eq!(said(&waiting, "BrokerResolved"), pair("True", "Resolved"));
    space.until("deployments", "shop-worker", |it| it["status"]["replicas"] == 2);
    space.until("deployments", "shop-flower", |it| it["status"]["replicas"] == 1);
    space.until_ready("shop");
    let waited = space.succeed(&["wait", "--for=condition=Ready", "celery/shop", "--timeout=20s"], "");
    assert_eq!(waited, "celery.celeryproject.org/shop condition met\n");
    let ready = space.until("celeries", "shop", |it| it["status"]["workers"] == "2/2");
    for type_ in ["WorkersAvailable", "FlowerAvailable"] {
        assert_eq!(said(&ready, type_), pair("True", "Available"));
    }
    assert_eq!(said(&ready, "Reconciling"), pair("False", "Settled"));
    let status = &ready["status"];
    assert_eq!(status["pools"][0]["ready"], 2);
    assert_eq!(status["pools"][0]["autoscaler"], "None");
    assert_eq!(
        status["flower"],
        json!({"ready": "1/1", "url": format!("http://shop-flower.{}.svc:5555", space.name)})
    );
    assert_eq!(status["broker"]["scheme"], "redis");
    let child = |kind: &str, name: &str| json!({"kind": kind, "name": name, "ready": true});
    let children = json!([
        child("Deployment", "shop-worker"),
        child("PodDisruptionBudget", "shop-worker"),
        child("Deployment", "shop-flower"),
        child("Service", "shop-flower")
    ]);
    assert_eq!(status["children"], children);
    for condition in status["conditions"].as_array().unwrap() {
        assert_eq!(condition["observedGeneration"], ready["metadata"]["generation"]);
    }
}

#[test]
fn kubectl_get_shows_the_columns() {
    let space = Space::new(shared(), "columns");
    space.create("celeries", &shop::with("spec: {common: {celeryVersion: '5.5'}, flowerSpec: {}}"));
    space.until_condition("shop", "Ready", "False", "Progressing");
    let printed = space.succeed(&["get", "cel,capp", "-o=wide"], "");
    let mut lines = printed.lines();
    let head: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(
        head,
        ["NAME", "READY", "REASON", "WORKERS", "FLOWER", "BROKER", "IMAGE", "CELERY", "QUEUES", "AGE"]
    );
    let row: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(
        row[..9],
        [
            "shop",
            "False",
            "Progressing",
            "0/1",
            "0/1",
            "redis",
            "registry.example.com/shop:1.0",
            "5.5",
            "celery"
        ]
    );
    assert!(space.succeed(&["get", "all"], "").contains("celery.celeryproject.org/shop"));
}

#[test]
fn a_new_spec_is_not_ready_before_it_is_rolled_out() {
    let space = Space::new(shared(), "rollout");
    space.create("celeries", &shop::plain());
    space.until("deployments", "shop-worker", |it| it["status"]["replicas"] == 1);
    space.until_ready("shop");
    space.edit("celeries", "shop", "spec: {common: {image: 'shop:2'}}");
    // The old pod is available, the new one is not: there are enough pods, but they are not those of the spec.
    let rolling = space.until("celeries", "shop", |it| {
        let message = condition(it, "WorkersAvailable")["message"].to_string();
        message.contains("1/1 pods of shop-worker are available, 1 of them updated")
    });
    assert_eq!(said(&rolling, "WorkersAvailable"), pair("False", "Progressing"));
    assert_eq!(said(&rolling, "Ready"), pair("False", "Progressing"));
    space.until_ready("shop");
}

#[test]
fn a_missing_secret_is_named_and_found_again() {
    let space = Space::new(shared(), "secret");
    let broker = "{url: null, redis: {host: cache, passwordSecretRef: {name: cache, key: password}}}";
    space.create("celeries", &shop::with(&format!("spec: {{common: {{broker: {broker}}}}}")));
    let celery = space.until("celeries", "shop", |it| said(it, "BrokerResolved").0 == "False");
    let message = condition(&celery, "BrokerResolved")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("cache"), "{message}");
    assert_eq!(said(&celery, "Ready").0, "False");
    // The workers exist already; Kubernetes itself holds their containers until the Secret is there.
    space.until_there("deployments", "shop-worker");
    space.create("secrets", &json!({"metadata": {"name": "cache"}, "stringData": {"password": "hush"}}));
    // The Secrets of users are not watched: the next change of the object looks again.
    space.edit("celeries", "shop", "spec: {workerSpec: {args: [-Q, mail]}}");
    let celery = space.until_condition("shop", "BrokerResolved", "True", "Resolved");
    assert!(!celery.to_string().contains("hush"));
    space.until_there("secrets", "shop-celery-broker");
}

#[test]
fn warnings_are_listed_and_passwords_are_not() {
    let space = Space::new(shared(), "findings");
    space.create("celeries", &shop::with("spec: {common: {broker: {url: 'redis://:hush@localhost/3'}}}"));
    let celery = space.until_condition("shop", "Valid", "True", "Accepted");
    let status = &celery["status"];
    let rules: Vec<&str> =
        status["findings"].as_array().unwrap().iter().map(|it| it["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["B26", "B27"]);
    assert!(status["findings"].as_array().unwrap().iter().all(|finding| finding["severity"] == "warn"));
    assert!(!status.to_string().contains("hush"), "{status}");
    assert!(!json!(space.list("events")).to_string().contains("hush"));
    assert!(!std::fs::read_to_string(&space.rig.launch.log).unwrap().contains("hush"));
    let output = space.kubectl(&["describe", "celery/shop"], "");
    assert!(String::from_utf8_lossy(&output.stdout).contains("B26"));
}
