// SPDX-License-Identifier: Apache-2.0
//! Which requests are made, in which order, and which are not: against an API server that only takes and gives.

mod server;

use std::time::Duration;

use k8s_openapi::ByteString;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use self::server::Story;
use crate::annotations::CONFIG_HASH;
use crate::build::ChildKind;
use crate::labels::RENDERED_HASH;
use crate::status::Failure;

/// A broker in parts, of which the Secret `shop-celery-broker` is made.
fn in_parts() -> Value {
    json!({"redis": {"host": "cache"}})
}

fn follows_cpu() -> Value {
    json!([{"kind": "worker", "pool": "default", "minReplicas": 1, "maxReplicas": 5, "metrics": [
        {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "500m"}}]}])
}

fn follows_queue() -> Value {
    json!([{"kind": "worker", "pool": "default", "minReplicas": 0, "maxReplicas": 5, "metrics": [
        {"name": "task_queue_length", "target": {"type": "AverageValue", "averageValue": 10}}]}])
}

fn is_taken(failure: Option<&Failure>) -> bool {
    failure.is_some_and(|failure| failure.reason == "NameTaken" && failure.stalled)
}

/// Where one child is somebody else's, these others are not made and say why; once it is given away, all of them are there.
async fn written_beside(spec: Value, taken: (ChildKind, &str), others: &[(ChildKind, &str)]) {
    let mut story = Story::new(spec);
    story.server.take(taken.0, taken.1);
    let outcome = story.converge().await;
    for (kind, name) in others.iter().chain([&taken]) {
        assert!(!story.server.has(*kind, name), "{} {name}", kind.as_str());
        let obstacle = outcome.obstacles.get(&(*kind, (*name).to_owned()));
        assert!(is_taken(obstacle), "{} {name}: {obstacle:?}", kind.as_str());
    }
    assert_eq!(outcome.failures.errors().count(), 1);
    story.server.give(taken.0, taken.1);
    assert!(story.converge().await.obstacles.is_empty());
    for (kind, name) in others.iter().chain([&taken]) {
        assert!(story.server.has(*kind, name), "{} {name}", kind.as_str());
    }
}

#[tokio::test]
async fn what_scales_publishes_or_reads_waits_where_its_object_is_somebody_elses() {
    use ChildKind::{
        ConfigMap, Deployment, HorizontalPodAutoscaler, Ingress, PersistentVolumeClaim, ScaledObject, Secret,
        Service, TriggerAuthentication,
    };
    let worker = "shop-worker";
    let heartbeat = json!({"workerSpec": {"probes": {"liveness": {"type": "Heartbeat"}}}});
    let auth = json!({"basic": {"secretRef": {"name": "a", "key": "b"}}});
    let flower = json!({"flowerSpec": {"ingress": {}, "persistence": {}, "auth": auth}});
    let with_password = json!({"url": "redis://:hush@cache"});
    for (spec, taken, others) in [
        (
            json!({"workerSpec": {}, "scaleTargetRef": follows_cpu()}),
            (Deployment, worker),
            &[(HorizontalPodAutoscaler, worker)][..],
        ),
        (
            json!({"workerSpec": {}, "scaleTargetRef": follows_queue()}),
            (Deployment, worker),
            &[(ScaledObject, worker)],
        ),
        (
            json!({"common": {"broker": in_parts()}, "workerSpec": {}, "scaleTargetRef": follows_cpu()}),
            (Secret, "shop-celery-broker"),
            &[(Deployment, worker), (HorizontalPodAutoscaler, worker)],
        ),
        (heartbeat, (ConfigMap, "shop-celery-probe"), &[(Deployment, worker)]),
        (flower.clone(), (Service, "shop-flower"), &[(Ingress, "shop-flower")]),
        (flower, (PersistentVolumeClaim, "shop-flower"), &[(Deployment, "shop-flower")]),
        (
            json!({"common": {"broker": with_password}, "workerSpec": {}, "scaleTargetRef": follows_queue()}),
            (Secret, "shop-celery-keda"),
            &[(TriggerAuthentication, worker), (ScaledObject, worker)],
        ),
    ] {
        Box::pin(written_beside(spec, taken, others)).await;
    }
}

/// Somebody has deleted our Deployment and made one of the same name, whose selector is another.
#[tokio::test]
async fn no_autoscaler_of_ours_stays_on_what_has_become_somebody_elses() {
    for (targets, kind, adopts, reason) in [
        (follows_cpu(), ChildKind::HorizontalPodAutoscaler, false, "NameTaken"),
        (follows_queue(), ChildKind::ScaledObject, false, "NameTaken"),
        (follows_queue(), ChildKind::ScaledObject, true, "SelectorDiffers"),
    ] {
        let mut story = Story::new(json!({"workerSpec": {}, "scaleTargetRef": targets}));
        story.annotations = json!({"celeryproject.org/adopt": adopts.to_string()});
        story.converge().await;
        assert!(story.server.has(kind, "shop-worker"));
        // Nobody answers for the moment: it may still be ours.
        story.server.fail(ChildKind::Deployment, "shop-worker");
        story.spec["common"]["image"] = json!("shop:2");
        story.converge().await;
        assert!(story.server.has(kind, "shop-worker"));
        story.server.give(ChildKind::Deployment, "shop-worker");
        story.server.take(ChildKind::Deployment, "shop-worker");
        story.list();
        let outcome = story.converge().await;
        assert!(!story.server.has(kind, "shop-worker"));
        let obstacle = &outcome.obstacles[&(kind, "shop-worker".to_owned())];
        assert_eq!((obstacle.reason, obstacle.stalled), (reason, true));
        assert!(outcome.children.iter().all(|child| child.kind != kind));
        story.converge().await;
        assert_eq!(story.server.writes(), [""; 0]);
    }
}

/// Where nobody answers whose it is, it may be anybody's.
#[tokio::test]
async fn what_cannot_be_looked_at_is_not_built_upon() {
    let mut story = Story::new(json!({"common": {"broker": in_parts()}, "workerSpec": {}}));
    story.server.fail(ChildKind::Secret, "shop-celery-broker");
    let outcome = story.converge().await;
    assert!(!story.server.has(ChildKind::Deployment, "shop-worker"));
    let obstacle = &outcome.obstacles[&(ChildKind::Deployment, "shop-worker".to_owned())];
    assert_eq!((obstacle.reason, obstacle.stalled), ("ApiError", false));
    story.server.give(ChildKind::Secret, "shop-celery-broker");
    story.converge().await;
    assert!(story.server.has(ChildKind::Deployment, "shop-worker"));
    // One that is known to be ours is only behind.
    story.server.fail(ChildKind::Secret, "shop-celery-broker");
    story.spec["common"]["broker"]["redis"]["host"] = json!("other");
    story.spec["common"]["image"] = json!("shop:2");
    let outcome = story.converge().await;
    assert_eq!(outcome.failures.errors().count(), 1);
    assert!(story.server.writes().contains(&"PATCH Deployment shop-worker".to_owned()));
}

/// A container of an old pod that starts again needs what it was started with.
#[tokio::test]
async fn what_pods_read_goes_when_the_last_of_those_is_gone_that_read_it() {
    let heartbeat = json!({"workerSpec": {"probes": {"liveness": {"type": "Heartbeat"}}}});
    let mut story = Story::new(heartbeat);
    story.spec["common"]["broker"] = in_parts();
    story.converge().await;
    story.server.roll_out();
    story.list();
    story.spec["common"]["broker"] = json!({"url": "redis://cache"});
    story.spec["workerSpec"] = json!({});
    story.converge().await;
    assert_eq!(story.server.writes(), ["PATCH Deployment shop-worker"]);
    // The rollout goes on.
    story.converge().await;
    assert_eq!(story.server.writes(), [""; 0]);
    story.server.roll_out();
    story.list();
    // Somebody keeps something from being as it should be.
    story.server.fail(ChildKind::Deployment, "shop-worker");
    story.spec["common"]["image"] = json!("shop:2");
    story.converge().await;
    assert_eq!(story.server.writes(), ["PATCH Deployment shop-worker"]);
    story.spec["common"]["image"] = json!("shop:1");
    story.converge().await;
    let read = ["DELETE Secret shop-celery-broker", "DELETE ConfigMap shop-celery-probe"];
    assert_eq!(story.server.writes(), read);
    story.converge().await;
    assert_eq!(story.server.writes(), [""; 0]);
}

#[tokio::test]
async fn what_an_autoscaler_reads_goes_after_it() {
    let mut story =
        Story::new(json!({"common": {"broker": {"url": "redis://:hush@cache"}}, "workerSpec": {},
        "scaleTargetRef": follows_queue()}));
    story.converge().await;
    story.server.roll_out();
    story.list();
    story.spec["scaleTargetRef"] = json!([]);
    story.spec["common"]["image"] = json!("shop:2");
    story.converge().await;
    assert_eq!(
        story.server.writes(),
        [
            "DELETE ScaledObject shop-worker",
            "DELETE PodDisruptionBudget shop-worker",
            "PATCH Deployment shop-worker",
            "DELETE TriggerAuthentication shop-worker",
        ]
    );
    story.server.roll_out();
    story.list();
    story.converge().await;
    assert_eq!(story.server.writes(), ["DELETE Secret shop-celery-keda"]);
}

/// Nobody knows what to write for the moment: what was made of the Secret is still right.
#[tokio::test]
async fn what_is_made_of_a_secret_stays_while_that_is_missing_and_the_rest_goes() {
    let broker = json!({"url": null, "urlSecretRef": {"name": "broker", "key": "url"}});
    let mail = json!([{"name": "mail", "queues": ["mail"]}]);
    let mut targets = json!([follows_queue()[0], follows_queue()[0]]);
    targets[1]["pool"] = json!("mail");
    let mut story = Story::new(json!({"common": {"broker": broker}, "workerSpec": {}, "workerPools": mail,
        "scaleTargetRef": targets}));
    let url = json!({"data": {"url": ByteString(b"redis://:hush@cache".to_vec())}});
    story.server.take(ChildKind::Secret, "broker");
    story.server.rewrite(ChildKind::Secret, "broker", &url);
    story.converge().await;
    let made = [ChildKind::Secret, ChildKind::TriggerAuthentication, ChildKind::ScaledObject];
    assert!(story.server.has(made[0], "shop-celery-keda") && story.server.has(made[2], "shop-worker-mail"));
    story.server.give(ChildKind::Secret, "broker");
    story.spec["workerPools"] = json!([]);
    story.spec["scaleTargetRef"] = follows_queue();
    for _ in 0..2 {
        story.server.roll_out();
        story.list();
        story.converge().await;
    }
    for (kind, name) in made.into_iter().zip(["shop-celery-keda", "shop-worker", "shop-worker"]) {
        assert!(story.server.has(kind, name), "{}", kind.as_str());
        assert!(!story.server.has(kind, "shop-worker-mail"), "{}", kind.as_str());
    }
}

/// A pod of beat, made for the Celery of this name.
fn beat_of(celery: &str) -> k8s_openapi::api::core::v1::Pod {
    let labels = json!({"app.kubernetes.io/instance": celery, "app.kubernetes.io/component": "beat",
                        "pod-template-hash": "1"});
    let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop-beat-1", "uid": "r",
                       "controller": true});
    let pod = json!({"metadata": {"name": "shop-beat-1-a", "namespace": server::NAMESPACE, "labels": labels,
        "ownerReferences": [owner], "deletionTimestamp": "2026-01-01T00:00:00Z"}});
    serde_json::from_value(pod).expect("a pod")
}

#[tokio::test]
async fn beat_waits_until_pods_are_known_and_none_of_its_predecessor_is_left() {
    let mut story = Story::new(json!({"beatSpec": {}}));
    let beat = (ChildKind::Deployment, "shop-beat".to_owned());
    // The list of pods has failed, and nobody else waits for it.
    story.context.pods.settle();
    let outcome = story.converge().await;
    assert_eq!(outcome.obstacles[&beat].reason, "AwaitingPredecessor");
    assert!(!story.server.has(beat.0, &beat.1));
    // Of a Celery that had another name, and the same application.
    for event in [Event::Init, Event::InitApply(beat_of("other")), Event::InitDone] {
        story.context.pods.observe(event);
    }
    let outcome = story.converge().await;
    assert!(outcome.obstacles[&beat].message.contains("pod shop-beat-1-a"), "{:?}", outcome.obstacles);
    assert!(outcome.again.is_some_and(|again| again <= Duration::from_secs(5)), "{:?}", outcome.again);
    assert!(!story.server.has(beat.0, &beat.1));
    story.context.pods.observe(Event::Delete(beat_of("other")));
    assert!(story.converge().await.obstacles.is_empty());
    assert!(story.server.has(beat.0, &beat.1));
}

#[tokio::test]
async fn beat_starts_where_nobody_may_look_at_pods() {
    let mut story = Story::new(json!({"beatSpec": {}}));
    story.context.pods.observe(Event::Apply(beat_of("shop")));
    story.context.pods.close();
    assert!(story.converge().await.obstacles.is_empty());
    assert!(story.server.has(ChildKind::Deployment, "shop-beat"));
}

/// Pods that keep an old password are asked for; a Secret for KEDA that keeps it is not.
#[tokio::test]
async fn what_is_made_of_a_secret_follows_it_although_pods_do_not() {
    let by_secret = json!({"urlSecretRef": {"name": "broker", "key": "url"}});
    let by_url = json!({"url": "redis://cache"});
    for (broker, targets, rolls, follows) in [
        (&by_url, json!([]), true, false),
        (&by_url, follows_queue(), false, false),
        (&by_secret, json!([]), true, true),
        (&by_secret, json!([]), false, false),
        (&by_secret, follows_queue(), false, true),
    ] {
        let spec = json!({"common": {"broker": broker}, "workerSpec": {}, "scaleTargetRef": targets});
        let mut story = Story::new(spec);
        story.server.take(ChildKind::Secret, "broker");
        let url = json!({"data": {"url": ByteString(b"redis://cache".to_vec())}});
        story.server.rewrite(ChildKind::Secret, "broker", &url);
        story.annotations = json!({"celeryproject.org/roll-on-config-change": rolls.to_string()});
        let outcome = story.converge().await;
        assert_eq!(outcome.follows_configs, follows, "{broker}, {targets}, {rolls}");
    }
}

/// As a release does that renders it otherwise.
#[tokio::test]
async fn the_first_write_to_a_secret_of_ours_after_a_restart_replaces_no_pods() {
    const SECRET: (ChildKind, &str) = (ChildKind::Secret, "shop-celery-broker");
    let mut story = Story::new(json!({"common": {"broker": in_parts()}, "workerSpec": {}}));
    story.converge().await;
    let template = |story: &Story| {
        let deployment = story.server.get(ChildKind::Deployment, "shop-worker").expect("is there");
        deployment["spec"]["template"].clone()
    };
    let before = template(&story);
    assert!(before["metadata"]["annotations"][CONFIG_HASH].is_string(), "{before}");
    let other = json!({"metadata": {"annotations": {RENDERED_HASH: "of another release"}}});
    story.server.rewrite(SECRET.0, SECRET.1, &other);
    story.restart();
    story.converge().await;
    assert!(story.server.writes().contains(&"PATCH Secret shop-celery-broker".to_owned()));
    assert_eq!(template(&story), before);
    // Another content does, also when it is written first of all.
    story.spec["common"]["broker"]["redis"]["host"] = json!("other");
    story.restart();
    story.converge().await;
    assert_ne!(template(&story), before);
}
