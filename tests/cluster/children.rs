// SPDX-License-Identifier: Apache-2.0
//! What is created for a Celery, changes with it, and goes with it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::JSON;
use crate::rig::shared;
use crate::shop;
use crate::space::{Space, collection, condition};
use crate::wait::{until, until_within};

/// The container of a Deployment.
fn container(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]["containers"][0]
}

#[test]
fn workers_become_a_deployment_with_our_labels_and_owner() {
    let space = Space::new(shared(), "worker");
    let celery =
        space.create("celeries", &shop::with("spec: {workerSpec: {numOfWorkers: 3, args: [-Q, mail]}}"));
    let deployment = space.until_there("deployments", "shop-worker");
    let labels = &deployment["metadata"]["labels"];
    for (name, value) in [
        ("app.kubernetes.io/name", "celery"),
        ("app.kubernetes.io/instance", "shop"),
        ("app.kubernetes.io/component", "worker"),
        ("app.kubernetes.io/part-of", "shop"),
        ("app.kubernetes.io/managed-by", "celery-operator"),
        ("celeryproject.org/pool", "default"),
    ] {
        assert_eq!(labels[name], value, "{name}");
        assert_eq!(deployment["spec"]["template"]["metadata"]["labels"][name], value, "{name}");
    }
    let owner = json!([{
        "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery", "name": "shop",
        "uid": celery["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }]);
    assert_eq!(deployment["metadata"]["ownerReferences"], owner);
    assert_eq!(deployment["spec"]["replicas"], 3);
    let container = container(&deployment);
    assert_eq!(
        (&container["name"], &container["image"]),
        (&json!("celery"), &json!("registry.example.com/shop:1.0"))
    );
    let args = container["args"].as_array().unwrap();
    assert!(args.windows(2).any(|words| words == [json!("-Q"), json!("mail")]), "{args:?}");
    space.until_there("poddisruptionbudgets", "shop-worker");
    let children =
        ["deployments", "poddisruptionbudgets"].map(|plural| (plural.to_owned(), "shop-worker".to_owned()));
    assert_eq!(space.children("shop"), children);
}

#[test]
fn flower_becomes_a_deployment_and_a_service() {
    let space = Space::new(shared(), "flower");
    space.create("celeries", &shop::with("spec: {flowerSpec: {servicePort: 8080, serviceType: NodePort, auth: {allowUnauthenticated: true}}}"));
    let service = space.until_there("services", "shop-flower");
    assert_eq!(
        (&service["spec"]["type"], &service["spec"]["ports"][0]["port"]),
        (&json!("NodePort"), &json!(8080))
    );
    let deployment = space.until_there("deployments", "shop-flower");
    assert_eq!(service["spec"]["selector"], deployment["spec"]["selector"]["matchLabels"]);
    assert_eq!(container(&deployment)["ports"][0]["containerPort"], 8080);
}

#[test]
fn flower_that_is_taken_out_of_the_spec_is_removed() {
    let space = Space::new(shared(), "prune");
    space.create("celeries", &shop::with("spec: {flowerSpec: {}}"));
    space.until_there("services", "shop-flower");
    let worker = space.until_there("deployments", "shop-worker");
    space.edit("celeries", "shop", "spec: {flowerSpec: null}");
    space.until_gone("services", "shop-flower");
    space.until_gone("deployments", "shop-flower");
    assert_eq!(
        space.get("deployments", "shop-worker").unwrap()["metadata"]["uid"],
        worker["metadata"]["uid"]
    );
    let celery = space.until("celeries", "shop", |celery| {
        celery["status"]["children"].as_array().is_some_and(|c| c.len() == 1)
    });
    assert!(celery["status"].get("flower").is_none());
}

#[test]
fn a_changed_spec_changes_the_deployment() {
    let space = Space::new(shared(), "update");
    space.create("celeries", &shop::plain());
    let first = space.until_there("deployments", "shop-worker");
    space.edit("celeries", "shop", "spec: {common: {image: 'shop:2'}, workerSpec: {args: [-Q, mail]}}");
    let second =
        space.until("deployments", "shop-worker", |deployment| container(deployment)["image"] == "shop:2");
    assert!(container(&second)["args"].to_string().contains("mail"));
    assert_eq!(second["metadata"]["uid"], first["metadata"]["uid"]);
    // There and back again: a rolling update that was only defaulted would keep the strategy from changing.
    space.edit("celeries", "shop", "spec: {workerSpec: {rolloutStrategy: {type: Recreate}}}");
    let recreate =
        space.until("deployments", "shop-worker", |it| it["spec"]["strategy"]["type"] == "Recreate");
    assert_eq!(recreate["spec"]["strategy"], json!({"type": "Recreate"}));
    space.edit(
        "celeries",
        "shop",
        "spec: {workerSpec: {rolloutStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 2}}}}",
    );
    let rolling =
        space.until("deployments", "shop-worker", |it| it["spec"]["strategy"]["type"] == "RollingUpdate");
    assert_eq!(rolling["spec"]["strategy"]["rollingUpdate"], json!({"maxSurge": 2, "maxUnavailable": 0}));
    space.edit("celeries", "shop", "spec: {workerSpec: {rolloutStrategy: null}}");
    space.until("deployments", "shop-worker", |it| {
        it["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == "25%"
    });
}

/// The garbage collector learns of a new kind within 30 s; in a young cluster that is waited for here.
const COLLECTED_WITHIN: Duration = Duration::from_secs(90);

#[test]
fn deleting_a_celery_leaves_nothing() {
    let space = Space::new(shared(), "delete");
    let secret = json!({"metadata": {"name": "broker"}, "stringData": {"url": "redis://:hush@cache:6379/2"}});
    space.create("secrets", &secret);
    for (name, propagation) in [("back", "Background"), ("fore", "Foreground")] {
        let broker = "broker: {url: null, urlSecretRef: {name: broker, key: url}}";
        let spec =
            format!("spec: {{common: {{{broker}}}, flowerSpec: {{}}, scaleTargetRef: {}}}", shop::QUEUE);
        space.create("celeries", &shop::named(name, &spec));
        space.until_there("scaledobjects", &format!("{name}-worker"));
        assert_eq!(space.children(name).len(), 7);
        space.delete("celeries", &format!("{name}?propagationPolicy={propagation}")).success();
        until_within(COLLECTED_WITHIN, &format!("nothing is left ({propagation})"), || {
            let left = space.children(name);
            let gone = left.is_empty() && space.get("celeries", name).is_none();
            if gone { Ok(()) } else { Err(format!("{left:?}")) }
        });
    }
    // What the user brought stays.
    assert!(space.get("secrets", "broker").is_some());
}

/// A pod that runs, as far as the API server knows: it takes its time to end.
#[test]
fn beat_waits_for_the_pod_of_the_one_before_it() {
    let space = Space::new(shared(), "beats");
    space.create("celeries", &shop::with("spec: {workerSpec: null, beatSpec: {}}"));
    let pod = until("a pod of beat is made", || space.list("pods").pop().ok_or("none"));
    let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
    let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "node"}});
    let path = format!("{}/{name}/binding", collection("pods", &space.name));
    space.rig.send("POST", &path, JSON, Some(&binding)).success();
    space.until_ready("shop");
    space.delete("deployments", "shop-beat").success();
    let celery = space.until_condition("shop", "BeatAvailable", "False", "AwaitingPredecessor");
    let message = condition(&celery, "Ready")["message"].to_string();
    assert!(message.contains(&name), "{message}");
    space.until("pods", &name, |it| it["metadata"]["deletionTimestamp"].is_string());
    assert!(space.get("deployments", "shop-beat").is_none());
    assert_eq!(space.list("pods").len(), 1);
    // As a kubelet says that the pod has ended.
    let at_once = json!({"gracePeriodSeconds": 0});
    let path = format!("{}/{name}", collection("pods", &space.name));
    space.rig.send("DELETE", &path, JSON, Some(&at_once)).success();
    space.until_there("deployments", "shop-beat");
    space.until_ready("shop");
}

/// With foreground deletion the object stays until its children are gone.
#[test]
fn an_object_that_waits_for_its_end_says_so() {
    let space = Space::new(shared(), "ending");
    space.create("celeries", &shop::plain());
    space.until_ready("shop");
    space.edit("celeries", "shop", "metadata: {finalizers: [example.com/hold]}");
    space.delete("celeries", "shop").success();
    space.until_condition("shop", "Ready", "False", "Terminating");
    space.edit("celeries", "shop", "metadata: {finalizers: null}");
    space.until_gone("celeries", "shop");
}
