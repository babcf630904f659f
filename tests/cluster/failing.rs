// SPDX-License-Identifier: Apache-2.0
//! Rollouts that fail. There is no kubelet here: the test says of pods what a kubelet would.

use serde_json::{Value, json};

use crate::rig::shared;
use crate::shop;
use crate::space::{Space, condition};
use crate::wait::until;

/// Waits for a pod of a Deployment and says this of its container.
fn tell(space: &Space<'_>, deployment: &str, container: &str, state: &Value, last: &Value) {
    let pod = until("a pod is made", || {
        let pods = space.list("pods");
        let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let pod = pods.iter().map(name).find(|name| name.starts_with(&format!("{deployment}-")));
        pod.ok_or_else(|| format!("{} pods", pods.len()))
    });
    let status = json!({"status": {"phase": "Pending", "containerStatuses": [
        {"name": container, "image": "x", "imageID": "", "ready": false, "restartCount": 1, "state": state, "lastState": last}]}});
    space.merge("pods", &format!("{pod}/status"), &status).success();
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": message}})
}

#[test]
fn a_rollout_that_fails_says_why_and_where() {
    let space = Space::new(shared(), "failing");
    let env = "env: [{name: A, valueFrom: {secretKeyRef: {name: keys, key: a}}}]";
    space.create("celeries", &shop::with(&format!("spec: {{workerPools: [{{name: mail, {env}}}]}}")));
    let none = json!({});
    let ended = |reason: &str, code: i32| json!({"terminated": {"exitCode": code, "reason": reason, "message": "redis://:hush@cache"}});
    let back_off = waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container");
    for (state, last, reason, part) in [
        (
            waiting("ErrImagePull", "https://u:hush@registry: 401"),
            none.clone(),
            "ErrImagePull",
            "spec.common.image",
        ),
        (waiting("ImagePullBackOff", ""), none.clone(), "ImagePullBackOff", "spec.common.imagePullSecrets"),
        (back_off.clone(), ended("Error", 1), "CrashLoopBackOff", "exit code 1"),
        (back_off, ended("OOMKilled", 137), "OOMKilled", "spec.workerPools[0].resources"),
        (
            waiting(
                "CreateContainerConfigError",
                &format!("couldn't find key a in Secret {}/keys", space.name),
            ),
            none,
            "CreateContainerConfigError",
            "spec.workerPools[0].env[0].valueFrom.secretKeyRef",
        ),
    ] {
        tell(&space, "shop-worker-mail", "celery", &state, &last);
        let celery = space.until_condition("shop", "Stalled", "True", reason);
        let message = condition(&celery, "Stalled")["message"].to_string();
        assert!(message.contains("pool mail") && message.contains(part), "{message}");
        assert_eq!(condition(&celery, "Ready")["reason"], reason);
        assert!(!celery["status"].to_string().contains("hush"), "{celery}");
    }
    // The answer to it: pods of the older template no longer count.
    space.edit("celeries", "shop", "spec: {common: {image: 'shop:2'}}");
    let healed = space.until("celeries", "shop", |it| {
        it["status"]["observedGeneration"] == it["metadata"]["generation"]
            && condition(it, "Stalled")["status"] == "False"
    });
    assert_eq!(condition(&healed, "Ready")["reason"], "Progressing");
    space.until_ready("shop");
    assert!(!json!(space.list("events")).to_string().contains("hush"));
}

#[test]
fn pods_that_find_no_node_and_pods_that_are_refused_are_told() {
    let space = Space::new(shared(), "nodes");
    space.create("celeries", &shop::with("spec: {workerSpec: {resources: {requests: {cpu: '99'}}}}"));
    let pod = until("a pod is made", || space.list("pods").pop().ok_or("none"));
    let unscheduled = json!({"status": {"conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient cpu.",
        "lastTransitionTime": "2026-01-01T00:00:00Z"}]}});
    let name = pod["metadata"]["name"].as_str().unwrap();
    space.merge("pods", &format!("{name}/status"), &unscheduled).success();
    let celery = space.until_condition("shop", "Stalled", "True", "Unschedulable");
    let message = condition(&celery, "Stalled")["message"].to_string();
    assert!(message.contains("look at spec.workerSpec.resources"), "{message}");

    let quota = json!({"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}});
    space.create("resourcequotas", &quota);
    space.until("resourcequotas", "none", |it| it["status"]["hard"]["pods"] == "0");
    space.create("celeries", &shop::named("refused", "{}"));
    let celery = space.until_condition("refused", "Stalled", "True", "FailedCreate");
    let message = condition(&celery, "Stalled")["message"].to_string();
    assert!(message.contains("exceeded quota") && message.contains("spec.workerSpec.resources"), "{message}");
}
