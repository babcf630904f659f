// SPDX-License-Identifier: Apache-2.0
//! What is created for a Celery, changes with it, and goes with it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::rig::shared;
use crate::shop;
use crate::space::Space;
use crate::wait::until_within;

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
