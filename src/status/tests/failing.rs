// SPDX-License-Identifier: Apache-2.0
//! Pods that do not come up: the reason is their own, the field is the user's.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::scene::{PASSWORD, Scene, child_ready, condition, summary, word};
use crate::build::ChildKind;
use crate::status::{Cause, Failure, Hindrance, MissingConfig, REASONS, Trouble};

fn trouble(cause: Cause, container: &str) -> Trouble {
    let container = (!container.is_empty()).then(|| container.to_owned());
    Trouble { cause, container, since: None }
}

/// The scene with pods of one Deployment that do not come up.
fn failing(spec: &Value, deployment: &str, trouble: Trouble) -> Scene {
    let waiting = json!({"status": {"availableReplicas": 0, "readyReplicas": 0}});
    let mut scene = Scene::new(spec).with(ChildKind::Deployment, deployment, &waiting);
    scene.troubles.insert(deployment.to_owned(), trouble);
    scene
}

fn missing(kind: &'static str, name: &str, key: Option<&str>) -> Cause {
    Cause::Config(Some(MissingConfig { kind, name: name.to_owned(), key: key.map(str::to_owned) }))
}

fn unschedulable(hindrances: &[Hindrance]) -> Cause {
    Cause::Unschedulable(hindrances.iter().copied().collect::<BTreeSet<_>>())
}

fn everything() -> Value {
    json!({
        "common": {
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "shared", "key": "a"}}}],
            "initContainers": [{"name": "migrate"}],
        },
        "workerSpec": {"image": "own:1", "sidecars": [{"name": "proxy"}], "envFrom": [{"configMapRef": {"name": "flags"}}]},
        "workerPools": [{"name": "fast"}, {"name": "mail", "env": [
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "mail", "key": "b"}}}]}],
        "beatSpec": {}, "flowerSpec": {"auth": {"basic": {"secretRef": {"name": "flower", "key": "users"}}}},
    })
}

#[test]
fn a_container_of_another_part_is_not_meant() {
    let crashed = trouble(Cause::Crash { exit_code: Some(0) }, "proxy");
    let status = failing(&everything(), "shop-beat", crashed).status();
    let message = &condition(&status, "Stalled").message;
    assert!(
        message.ends_with("look at Deployment shop-beat itself, since the spec says nothing of it"),
        "{message}"
    );
}

#[test]
fn every_failure_names_the_part_and_the_field() {
    for (deployment, trouble, reason, parts) in [
        (
            "shop-worker",
            trouble(Cause::Image("ImagePullBackOff"), "celery"),
            "ImagePullBackOff",
            &["pool default", "container celery", "spec.workerSpec.image", "spec.common.imagePullSecrets"][..],
        ),
        (
            "shop-worker-mail",
            trouble(Cause::Image("ErrImagePull"), "celery"),
            "ErrImagePull",
            &["pool mail", "spec.common.image,"],
        ),
        (
            "shop-worker-mail",
            trouble(Cause::Crash { exit_code: Some(2) }, "celery"),
            "CrashLoopBackOff",
            &["pool mail", "exit code 2", "spec.workerPools[1].args", "spec.common.celeryApp"],
        ),
        (
            "shop-worker-fast",
            trouble(Cause::OutOfMemory, "celery"),
            "OOMKilled",
            &["pool fast", "more memory", "spec.workerPools[0].resources"],
        ),
        (
            "shop-worker",
            trouble(missing("Secret", "shared", Some("a")), "celery"),
            "CreateContainerConfigError",
            &["Secret \"shared\" has no key \"a\"", "look at spec.common.env[0].valueFrom.secretKeyRef"],
        ),
        (
            "shop-worker",
            trouble(missing("ConfigMap", "flags", None), "celery"),
            "CreateContainerConfigError",
            &["ConfigMap \"flags\" does not exist", "look at spec.workerSpec.envFrom[0].configMapRef"],
        ),
        (
            "shop-worker-mail",
            trouble(missing("Secret", "mail", Some("b")), "celery"),
            "CreateContainerConfigError",
            &["look at spec.workerPools[1].env[0].valueFrom.secretKeyRef"],
        ),
        (
            "shop-flower",
            trouble(missing("Secret", "flower", None), "flower"),
            "CreateContainerConfigError",
            &["flower: ", "look at spec.flowerSpec.auth.basic.secretRef"],
        ),
        (
            "shop-worker",
            trouble(missing("Secret", "shop-celery-broker", None), "celery"),
            "CreateContainerConfigError",
            &["look at spec.common.broker"],
        ),
        (
            "shop-beat",
            trouble(Cause::Config(None), "beat"),
            "CreateContainerConfigError",
            &["spec.beatSpec.env"],
        ),
        (
            "shop-beat",
            trouble(Cause::Start("StartError"), "beat"),
            "StartError",
            &["beat: ", "spec.common.command"],
        ),
        (
            "shop-worker",
            trouble(Cause::Crash { exit_code: Some(0) }, "proxy"),
            "CrashLoopBackOff",
            &["container proxy", "look at spec.workerSpec.sidecars"],
        ),
        (
            "shop-worker",
            trouble(Cause::Crash { exit_code: None }, "migrate"),
            "CrashLoopBackOff",
            &["look at spec.common.initContainers[0]"],
        ),
        (
            "shop-flower",
            trouble(unschedulable(&[Hindrance::Resources, Hindrance::Taint]), ""),
            "Unschedulable",
            &["fits on no node", "spec.flowerSpec.resources, spec.common.tolerations"],
        ),
        ("shop-worker", trouble(unschedulable(&[]), ""), "Unschedulable", &["spec.common.nodeSelector"]),
    ] {
        let status = failing(&everything(), deployment, trouble).status();
        assert_eq!(summary(&status), ("Stalled", reason));
        assert_eq!(word(&status, "Ready"), Some(("False", reason)));
        assert_eq!(child_ready(&status, ChildKind::Deployment, deployment), Some(false));
        let message = &condition(&status, "Stalled").message;
        for part in parts {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(REASONS.iter().any(|known| known.name == reason), "{reason} is in no table");
    }
}

/// The broker may be back in a moment: until Kubernetes gives up, nobody else does.
#[test]
fn a_worker_that_answers_no_ping_is_told_and_not_given_up() {
    let unstarted = || trouble(Cause::Unstarted, "celery");
    let status = failing(&json!({"workerSpec": {}}), "shop-worker", unstarted()).status();
    assert_eq!(word(&status, "Ready"), Some(("False", "NotStarted")));
    assert_eq!(word(&status, "Reconciling"), Some(("True", "NotStarted")));
    assert_eq!(word(&status, "Stalled").map(|(status, _)| status), Some("False"));
    let message = &condition(&status, "Ready").message;
    for part in ["pool default: ", "startup probe", "look at spec.common.broker, spec.workerSpec.probes"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let given_up = json!({"status": {"availableReplicas": 0, "readyReplicas": 0,
        "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}});
    let mut scene =
        Scene::new(&json!({"workerSpec": {}})).with(ChildKind::Deployment, "shop-worker", &given_up);
    scene.troubles.insert("shop-worker".to_owned(), unstarted());
    assert_eq!(word(&scene.status(), "Stalled"), Some(("True", "NotStarted")));
}

/// What somebody adds to a Deployment stays, and the spec knows nothing of it.
#[test]
fn the_deployment_is_named_where_the_spec_says_nothing_of_what_fails() {
    let itself = "look at Deployment shop-worker itself";
    let template = |spec: Value| json!({"workerSpec": {"podTemplate": {"spec": spec}}});
    let plain = || json!({"workerSpec": {}});
    for (spec, trouble, part) in [
        (plain(), trouble(unschedulable(&[Hindrance::Placement]), ""), itself),
        (plain(), trouble(unschedulable(&[Hindrance::Spread]), ""), itself),
        (plain(), trouble(unschedulable(&[Hindrance::Volume]), ""), itself),
        (plain(), trouble(missing("Secret", "theirs", None), "celery"), itself),
        (plain(), trouble(Cause::Crash { exit_code: None }, "theirs"), itself),
        (plain(), trouble(unschedulable(&[Hindrance::Taint]), ""), "look at spec.common.tolerations"),
        (
            json!({"common": {"nodeSelector": {"disk": "fast"}}, "workerSpec": {}}),
            trouble(unschedulable(&[Hindrance::Placement]), ""),
            "look at spec.common.nodeSelector",
        ),
        (
            template(json!({"nodeSelector": {"disk": "fast"}})),
            trouble(unschedulable(&[Hindrance::Placement]), ""),
            "look at spec.workerSpec.podTemplate",
        ),
        (
            template(json!({"containers": [{"name": "theirs", "image": "a:1"}]})),
            trouble(Cause::Crash { exit_code: None }, "theirs"),
            "look at spec.workerSpec.podTemplate",
        ),
    ] {
        let status = failing(&spec, "shop-worker", trouble).status();
        let message = &condition(&status, "Stalled").message;
        let (_, told) = message.split_once("; ").expect("where to look");
        assert!(told.starts_with(part) && !told.contains(", spec."), "{part}: {message}");
    }
}

#[test]
fn pods_that_fail_beside_enough_others_are_not_told() {
    let mut scene = Scene::new(&json!({"workerSpec": {"numOfWorkers": 1}}));
    scene.troubles.insert("shop-worker".to_owned(), trouble(Cause::OutOfMemory, "celery"));
    assert_eq!(summary(&scene.status()), ("Ready", "Ready"));
}

#[test]
fn what_fails_is_told_before_what_only_takes_a_while() {
    let spec = json!({"workerSpec": {}, "workerPools": [{"name": "mail"}]});
    let slow = json!({"status": {"availableReplicas": 0}});
    let scene = failing(&spec, "shop-worker-mail", trouble(Cause::OutOfMemory, "celery"));
    let status = scene.with(ChildKind::Deployment, "shop-worker", &slow).status();
    for type_ in ["Ready", "Stalled", "WorkersAvailable"] {
        assert_eq!(condition(&status, type_).reason, "OOMKilled", "{type_}");
    }
}

#[test]
fn the_pods_own_reason_says_more_than_a_deadline() {
    let deadline = json!({"status": {"conditions": [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": ""}]}});
    let spec = json!({"workerSpec": {}});
    let scene = failing(&spec, "shop-worker", trouble(Cause::Image("ErrImagePull"), "celery"));
    let status = scene.with(ChildKind::Deployment, "shop-worker", &deadline).status();
    assert_eq!(summary(&status), ("Stalled", "ErrImagePull"));
}

#[test]
fn refused_pods_are_told_without_passwords_and_with_a_field() {
    for (message, part) in [
        ("pods is forbidden: exceeded quota: small, requested: cpu=9", "spec.workerSpec.resources"),
        ("pods is forbidden: cpu is 9, and its LimitRange lets 2", "spec.workerSpec.resources"),
        ("pods is forbidden: maximum cpu usage per Pod is 2, but limit is 9", "spec.workerSpec.resources"),
        (
            "pods is forbidden: violates PodSecurity \"restricted:latest\"",
            "spec.common.containerSecurityContext",
        ),
        ("denied: env CELERY_BROKER_URL=redis://:hunter2@cache/0 is inline", "denied: env"),
    ] {
        let refused = json!({"status": {"conditions": [
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}]}});
        let status = Scene::new(&json!({"workerSpec": {}}))
            .with(ChildKind::Deployment, "shop-worker", &refused)
            .status();
        assert_eq!(summary(&status), ("Stalled", "FailedCreate"));
        let told = &condition(&status, "Stalled").message;
        assert!(told.contains(part) && told.contains("pool default") && !told.contains(PASSWORD), "{told}");
    }
}

fn obstacle(reason: &'static str, name: &str, stalled: bool) -> ((ChildKind, String), Failure) {
    let failure = Failure { reason, message: format!("Deployment {name}: {reason}"), stalled };
    ((ChildKind::Deployment, name.to_owned()), failure)
}

#[test]
fn every_child_tells_its_own_error() {
    let mut scene = Scene::new(&json!({"workerSpec": {}, "workerPools": [{"name": "mail"}], "beatSpec": {}}))
        .without(ChildKind::Deployment, "shop-beat")
        .without(ChildKind::Deployment, "shop-worker");
    let taken = obstacle("NameTaken", "shop-beat", true);
    scene.failure = Some(taken.1.clone());
    // A child that could not be changed is there as it was.
    scene.obstacles = [
        taken,
        obstacle("Forbidden", "shop-worker", false),
        obstacle("ChildRefused", "shop-worker-mail", true),
    ]
    .into();
    let status = scene.status();
    assert_eq!(summary(&status), ("Stalled", "NameTaken"));
    assert_eq!(word(&status, "BeatAvailable"), Some(("False", "NameTaken")));
    assert_eq!(word(&status, "WorkersAvailable"), Some(("False", "ChildRefused")));
    let taken = obstacle("NameTaken", "shop-worker", true);
    scene.obstacles.insert(taken.0, taken.1);
    assert_eq!(condition(&scene.status(), "WorkersAvailable").message, "Deployment shop-worker: NameTaken");
}

#[test]
fn what_is_waited_for_is_no_failure() {
    let mut scene =
        Scene::new(&json!({"workerSpec": {}, "beatSpec": {}})).without(ChildKind::Deployment, "shop-beat");
    scene.obstacles = [obstacle("AwaitingPredecessor", "shop-beat", false)].into();
    let status = scene.status();
    assert_eq!(summary(&status), ("Reconciling", "AwaitingPredecessor"));
    assert_eq!(word(&status, "BeatAvailable"), Some(("False", "AwaitingPredecessor")));
}
