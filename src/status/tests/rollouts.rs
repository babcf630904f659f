// SPDX-License-Identifier: Apache-2.0
//! How far the pods are.

use serde_json::{Value, json};

use super::scene::{Scene, child_ready, condition, summary, word};
use crate::api::Autoscaler;
use crate::build::ChildKind;

fn three_workers() -> Scene {
    Scene::new(&json!({"workerSpec": {"numOfWorkers": 3}}))
}

fn failing(type_: &str, status: &str, reason: &str) -> Value {
    json!([{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": ""},
           {"type": type_, "status": status, "reason": reason, "message": "the words of Kubernetes"}])
}

#[test]
fn every_state_of_a_deployment_has_its_words() {
    let deadline = failing("Progressing", "False", "ProgressDeadlineExceeded");
    let refused = failing("ReplicaFailure", "True", "FailedCreate");
    for (what, patch, available, expected) in [
        ("all pods there", json!({}), ("True", "Available"), ("Ready", "Ready")),
        (
            "never looked at",
            json!({"status": null}),
            ("False", "Progressing"),
            ("Reconciling", "Progressing"),
        ),
        (
            "newest spec not looked at",
            json!({"status": {"observedGeneration": 1}}),
            ("False", "Progressing"),
            ("Reconciling", "Progressing"),
        ),
        (
            "pods of the new spec to come",
            json!({"status": {"updatedReplicas": 1, "availableReplicas": 3}}),
            ("False", "Progressing"),
            ("Reconciling", "Progressing"),
        ),
        (
            "new pods not yet available",
            json!({"status": {"availableReplicas": 2, "readyReplicas": 2, "unavailableReplicas": 1}}),
            ("False", "Progressing"),
            ("Reconciling", "Progressing"),
        ),
        (
            "old pods still finishing",
            json!({"status": {"replicas": 4}}),
            ("False", "Progressing"),
            ("Reconciling", "Progressing"),
        ),
        (
            "more pods wanted",
            json!({"spec": {"replicas": 5}}),
            ("False", "Progressing"),
            ("Reconciling", "Progressing"),
        ),
        (
            "scaled to zero",
            json!({"spec": {"replicas": 0}, "status": {"replicas": null, "updatedReplicas": null,
                   "readyReplicas": null, "availableReplicas": null}}),
            ("True", "Available"),
            ("Ready", "Ready"),
        ),
        (
            "pods refused",
            json!({"status": {"availableReplicas": 0, "conditions": refused}}),
            ("False", "FailedCreate"),
            ("Stalled", "FailedCreate"),
        ),
        (
            "waited too long",
            json!({"status": {"updatedReplicas": 1, "availableReplicas": 2, "conditions": deadline}}),
            ("False", "ProgressDeadlineExceeded"),
            ("Stalled", "ProgressDeadlineExceeded"),
        ),
    ] {
        let status = three_workers().with(ChildKind::Deployment, "shop-worker", &patch).status();
        assert_eq!(word(&status, "WorkersAvailable"), Some(available), "{what}");
        assert_eq!(summary(&status), expected, "{what}");
        assert_eq!(word(&status, "Ready").map(|(ready, _)| ready == "True"), Some(expected.0 == "Ready"));
        let ready = child_ready(&status, ChildKind::Deployment, "shop-worker");
        assert_eq!(ready, Some(available.0 == "True"), "{what}");
    }
}

#[test]
fn what_kubernetes_says_of_refused_pods_is_passed_on() {
    let refused = failing("ReplicaFailure", "True", "FailedCreate");
    let status = three_workers()
        .with(ChildKind::Deployment, "shop-worker", &json!({"status": {"conditions": refused}}))
        .status();
    for type_ in ["Ready", "Stalled", "WorkersAvailable"] {
        let message = &condition(&status, type_).message;
        assert!(message.contains("shop-worker") && message.contains("the words of Kubernetes"), "{message}");
    }
}

#[test]
fn a_deployment_that_is_not_there_is_missed() {
    let status = three_workers().without(ChildKind::Deployment, "shop-worker").status();
    assert_eq!(word(&status, "WorkersAvailable"), Some(("False", "Missing")));
    assert_eq!(summary(&status), ("Reconciling", "Missing"));
    assert_eq!(status.workers.as_deref(), Some("0/0"));
    assert_eq!(child_ready(&status, ChildKind::Deployment, "shop-worker"), None);
}

#[test]
fn the_numbers_are_those_of_the_deployment() {
    let counted = json!({"status": {"replicas": 4, "updatedReplicas": 2, "readyReplicas": 1}});
    let status = three_workers().with(ChildKind::Deployment, "shop-worker", &counted).status();
    let pool = &status.pools[0];
    assert_eq!((pool.desired, pool.replicas, pool.updated, pool.ready), (3, 4, 2, 1));
    assert_eq!((pool.name.as_str(), pool.autoscaler), ("default", Autoscaler::None));
    assert_eq!(pool.command[..4], ["celery", "-A", "shop.tasks", "worker"]);
    assert_eq!((status.replicas, status.workers.as_deref()), (Some(4), Some("1/3")));
    let selector = "app.kubernetes.io/component=worker,app.kubernetes.io/instance=shop,\
                    app.kubernetes.io/name=celery,celeryproject.org/pool=default";
    assert_eq!(status.selector.as_deref(), Some(selector));
    assert_eq!(status.flower, None);
    assert_eq!(word(&status, "FlowerAvailable"), None);
    assert_eq!(word(&status, "AutoscalingReady"), None);
}

#[test]
fn flower_alone_is_ready_without_workers() {
    let flower = || Scene::new(&json!({"flowerSpec": {"replicas": 2, "servicePort": 8080}}));
    let status = flower().status();
    assert_eq!(word(&status, "FlowerAvailable"), Some(("True", "Available")));
    assert_eq!(summary(&status), ("Ready", "Ready"));
    assert_eq!(word(&status, "WorkersAvailable"), None);
    assert_eq!((status.replicas, &status.selector, &status.workers), (None, &None, &None));
    assert_eq!(status.pools, []);
    let shown = status.flower.as_ref().expect("Flower");
    assert_eq!((shown.ready.as_str(), shown.url.as_str()), ("2/2", "http://shop-flower.web.svc:8080"));
    assert_eq!(child_ready(&status, ChildKind::Service, "shop-flower"), Some(true));
    assert_eq!(status.effective.expect("it is told").flower_port, Some(8080));

    let waiting = json!({"status": {"readyReplicas": 1, "availableReplicas": 1}});
    let status = flower().with(ChildKind::Deployment, "shop-flower", &waiting).status();
    assert_eq!(word(&status, "FlowerAvailable"), Some(("False", "Progressing")));
    assert_eq!(summary(&status), ("Reconciling", "Progressing"));
    assert_eq!(status.flower.expect("Flower").ready, "1/2");
}

#[test]
fn workers_and_flower_have_both_to_be_there() {
    let both = || Scene::new(&json!({"workerSpec": {"numOfWorkers": 1}, "flowerSpec": {"replicas": 1}}));
    assert_eq!(summary(&both().status()), ("Ready", "Ready"));
    for (name, type_, other) in [
        ("shop-worker", "WorkersAvailable", "FlowerAvailable"),
        ("shop-flower", "FlowerAvailable", "WorkersAvailable"),
    ] {
        let none = json!({"status": {"availableReplicas": 0}});
        let status = both().with(ChildKind::Deployment, name, &none).status();
        assert_eq!(word(&status, type_), Some(("False", "Progressing")));
        assert_eq!(word(&status, other), Some(("True", "Available")));
        assert_eq!(summary(&status), ("Reconciling", "Progressing"));
    }
}

#[test]
fn the_queues_are_told_where_somebody_knows_them() {
    for (spec, expected) in [
        (json!({"workerSpec": {}}), Some("celery")),
        (json!({"workerSpec": {}, "common": {"config": {"task_default_queue": "mail"}}}), Some("mail")),
        (json!({"workerSpec": {"queues": ["a", "b", "c"], "excludeQueues": ["b"]}}), Some("a,c")),
        (json!({"workerSpec": {"args": ["-Q", "$(QUEUES)"]}}), None),
    ] {
        let effective = Scene::new(&spec).status().effective.expect("it is told");
        assert_eq!(effective.queues.as_deref(), expected, "{spec}");
    }
}

#[test]
fn a_rollout_that_somebody_paused_is_told() {
    let paused =
        json!({"type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused", "message": ""});
    let with = |updated: i32| {
        let status = json!({"status": {"updatedReplicas": updated, "conditions": [paused]}});
        Scene::new(&json!({"workerSpec": {}})).with(ChildKind::Deployment, "shop-worker", &status).status()
    };
    let behind = with(0);
    assert_eq!(summary(&behind), ("Stalled", "DeploymentPaused"));
    let message = &condition(&behind, "Stalled").message;
    assert!(message.ends_with("kubectl rollout resume deployment/shop-worker"), "{message}");
    // There is nothing to roll out.
    assert_eq!(summary(&with(1)), ("Ready", "Ready"));
}
