// SPDX-License-Identifier: Apache-2.0
//! Who scales: a `HorizontalPodAutoscaler` or KEDA, never both, and what is told of those of others.

use serde_json::{Value, json};

use crate::http::JSON;
use crate::rig::shared;
use crate::shop;
use crate::space::{Space, collection, condition};

pub(crate) const HPA: &str = "horizontalpodautoscalers";
pub(crate) const KEDA: &str = "scaledobjects";

/// A change to a Celery of which these are the autoscalers.
pub(crate) fn scaled_by(scalers: &str) -> String {
    format!("spec: {{scaleTargetRef: {scalers}}}")
}

/// The spans of a kind's objects, as versions of the store from creation to deletion, out of everything that happened
/// since `from`.
fn lives(space: &Space<'_>, plural: &str, from: &str) -> Vec<(u64, u64)> {
    let query = format!("watch=1&timeoutSeconds=1&resourceVersion={from}");
    let path = format!("{}?{query}", collection(plural, &space.name));
    let answer = space.rig.send("GET", &path, JSON, None);
    assert!(answer.is_success(), "{}", answer.text);
    let mut lives: Vec<(u64, u64)> = Vec::new();
    for line in answer.text.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let version = || event["object"]["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        match event["type"].as_str().unwrap() {
            "ADDED" => lives.push((version(), u64::MAX)),
            "DELETED" => lives.last_mut().unwrap().1 = version(),
            _ => {}
        }
    }
    lives
}

#[test]
fn cpu_and_memory_become_a_horizontal_pod_autoscaler() {
    let space = Space::new(shared(), "hpa");
    let metrics = "[{name: cpu, target: {type: Utilization, averageUtilization: 70}}, {name: memory, target: {type: Average Value, averageValue: 200Mi}}]";
    space.create(
        "celeries",
        &shop::with(&format!(
            "spec: {{workerSpec: {{resources: {{requests: {{cpu: 500m}}}}}}, \
                    scaleTargetRef: [{{kind: worker, minReplicas: 2, maxReplicas: 6, metrics: {metrics}}}]}}"
        )),
    );
    let hpa = space.until_there(HPA, "shop-worker");
    let spec = &hpa["spec"];
    assert_eq!((&spec["minReplicas"], &spec["maxReplicas"]), (&json!(2), &json!(6)));
    assert_eq!(
        spec["scaleTargetRef"],
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop-worker"})
    );
    let resource =
        |name: &str, target: Value| json!({"type": "Resource", "resource": {"name": name, "target": target}});
    assert_eq!(
        spec["metrics"],
        json!([
            resource("cpu", json!({"type": "Utilization", "averageUtilization": 70})),
            resource("memory", json!({"type": "AverageValue", "averageValue": "200Mi"})),
        ])
    );
    assert!(space.get(KEDA, "shop-worker").is_none());
    // The autoscaler of Kubernetes itself scales it: it starts at its minimum.
    space.until("deployments", "shop-worker", |it| it["spec"]["replicas"] == 2);
}

#[test]
fn a_queue_becomes_a_scaled_object_with_its_authentication() {
    let space = Space::new(shared(), "queue");
    let secret =
        json!({"metadata": {"name": "broker"}, "stringData": {"url": "redis://app:hush@cache:6380/2"}});
    space.create("secrets", &secret);
    let broker = "{url: null, urlSecretRef: {name: broker, key: url}}";
    space.create(
        "celeries",
        &shop::with(&format!(
            "spec: {{common: {{broker: {broker}}}, workerSpec: {{args: [-Q, mail]}}, scaleTargetRef: {}}}",
            shop::QUEUE
        )),
    );
    let object = space.until_there(KEDA, "shop-worker");
    assert_eq!(object["spec"]["scaleTargetRef"]["name"], "shop-worker");
    assert_eq!(
        (&object["spec"]["minReplicaCount"], &object["spec"]["maxReplicaCount"]),
        (&json!(0), &json!(5))
    );
    let trigger = &object["spec"]["triggers"][0];
    assert_eq!(trigger["type"], "redis");
    assert_eq!(trigger["authenticationRef"], json!({"name": "shop-worker"}));
    let metadata =
        json!({"address": "cache:6380", "databaseIndex": "2", "listName": "mail", "listLength": "10"});
    assert_eq!(trigger["metadata"], metadata);
    let authentication = space.until_there("triggerauthentications", "shop-worker");
    let reference =
        |parameter: &str| json!({"parameter": parameter, "name": "shop-celery-keda", "key": parameter});
    assert_eq!(
        authentication["spec"],
        json!({"secretTargetRef": [reference("username"), reference("password")]})
    );
    let derived = space.until_there("secrets", "shop-celery-keda");
    assert_eq!(derived["data"], json!({"username": "YXBw", "password": "aHVzaA=="}));
    for plural in ["celeries", "deployments", "replicasets", "pods", KEDA, "triggerauthentications", "events"]
    {
        let text = json!(space.list(plural)).to_string();
        assert!(!text.contains("hush") && !text.contains("aHVzaA"), "{plural}: {text}");
    }
    assert!(!std::fs::read_to_string(&space.rig.launch.log).unwrap().contains("hush"));
}

#[test]
fn the_two_autoscalers_never_meet() {
    let space = Space::new(shared(), "switch");
    let created = space.create("celeries", &shop::with(&scaled_by(shop::CPU)));
    let start = created["metadata"]["resourceVersion"].as_str().unwrap();
    space.until_there(HPA, "shop-worker");
    for (scalers, comes, goes) in [
        (shop::QUEUE, Some(KEDA), HPA),
        (shop::CPU, Some(HPA), KEDA),
        (shop::QUEUE, Some(KEDA), HPA),
        ("null", None, KEDA),
    ] {
        space.edit("celeries", "shop", &scaled_by(scalers));
        space.until_gone(goes, "shop-worker");
        if let Some(comes) = comes {
            space.until_there(comes, "shop-worker");
        }
    }
    let (of_hpa, of_keda) = (lives(&space, HPA, start), lives(&space, KEDA, start));
    assert_eq!((of_hpa.len(), of_keda.len()), (2, 2));
    for hpa in &of_hpa {
        for keda in &of_keda {
            assert!(hpa.1 < keda.0 || keda.1 < hpa.0, "together: {of_hpa:?} and {of_keda:?}");
        }
    }
}

#[test]
fn an_autoscaler_waits_until_its_predecessor_is_really_gone() {
    let space = Space::new(shared(), "finalizer");
    let created = space.create("celeries", &shop::with(&scaled_by(shop::QUEUE)));
    let start = created["metadata"]["resourceVersion"].as_str().unwrap();
    space.until_there(KEDA, "shop-worker");
    // KEDA holds its objects until it has taken down what it made of them.
    space.edit(KEDA, "shop-worker", "metadata: {finalizers: [finalizer.keda.sh]}");
    space.edit("celeries", "shop", &scaled_by(shop::CPU));
    space.until(KEDA, "shop-worker", |it| !it["metadata"]["deletionTimestamp"].is_null());
    // The next reconcile sees the object on its way out.
    space.edit("celeries", "shop", "spec: {common: {image: 'shop:2'}}");
    space.until("deployments", "shop-worker", |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:2"
    });
    assert!(space.get(HPA, "shop-worker").is_none());
    space
        .until("celeries", "shop", |it| condition(it, "AutoscalingReady")["reason"] == "AwaitingPredecessor");
    space.edit(KEDA, "shop-worker", "metadata: {finalizers: null}");
    space.until_there(HPA, "shop-worker");
    let (hpa, keda) = (lives(&space, HPA, start), lives(&space, KEDA, start));
    assert!(keda[0].1 < hpa[0].0, "together: {hpa:?} and {keda:?}");
}

#[test]
fn somebody_elses_autoscaler_is_told_until_it_goes() {
    let space = Space::new(shared(), "foreign-hpa");
    let theirs = |target: &str| {
        json!({"metadata": {"name": "theirs"}, "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}, "maxReplicas": 3}})
    };
    // It was there first.
    space.create(HPA, &theirs("shop-worker"));
    space.create("celeries", &shop::plain());
    let celery = space.until_condition("shop", "AutoscalingReady", "False", "ForeignAutoscaler");
    let message = condition(&celery, "AutoscalingReady")["message"].clone();
    assert!(
        message
            .as_str()
            .unwrap()
            .starts_with("HorizontalPodAutoscaler theirs scales Deployment shop-worker ")
    );
    space.edit(HPA, "theirs", "spec: {scaleTargetRef: {name: another}}");
    space.until("celeries", "shop", |it| condition(it, "AutoscalingReady").is_null());
    // It comes later, and beside one of ours.
    space.edit("celeries", "shop", &scaled_by(shop::CPU));
    space.until_there(HPA, "shop-worker");
    space.edit(HPA, "theirs", "spec: {scaleTargetRef: {name: shop-worker}}");
    space.until_condition("shop", "AutoscalingReady", "False", "ForeignAutoscaler");
    space.delete(HPA, "theirs").success();
    space.until("celeries", "shop", |it| condition(it, "AutoscalingReady")["reason"] != "ForeignAutoscaler");
}

/// KEDA's `ScaledObject` stays ready when the broker is lost; only the autoscaler that KEDA makes of it tells.
#[test]
fn a_broker_that_keda_cannot_ask_is_told() {
    let space = Space::new(shared(), "lost-broker");
    space.create("celeries", &shop::with(&scaled_by(shop::QUEUE)));
    let object = space.until_there(KEDA, "shop-worker");
    // What KEDA makes of it: the labels are copied, the metric is one that nobody serves here.
    let owner = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "shop-worker",
                       "uid": object["metadata"]["uid"], "controller": true});
    let external = json!({"type": "External", "external": {"metric": {"name": "s0-redis"}, "target":
                          {"type": "AverageValue", "averageValue": "10"}}});
    space.create(HPA, &json!({
        "metadata": {"name": "shop-worker", "labels": object["metadata"]["labels"], "ownerReferences": [owner]},
        "spec": {"scaleTargetRef": object["spec"]["scaleTargetRef"], "minReplicas": 1, "maxReplicas": 5,
                 "metrics": [external]},
    }));
    let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Ready", "message": ""}]}});
    space.merge(KEDA, "shop-worker/status", &ready).success();
    let celery = space.until_condition("shop", "AutoscalingReady", "False", "FailedGetExternalMetric");
    let message = condition(&celery, "AutoscalingReady")["message"].clone();
    assert!(message.as_str().unwrap().contains("the number of pods stays as it is"), "{message}");
}
