// SPDX-License-Identifier: Apache-2.0
//! Rollouts that fail. There is no kubelet here: the test says of pods what a kubelet would.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::audit;
use crate::http::{JSON, MERGE};
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

/// A policy of somebody else that refuses every Deployment of this namespace in these words, in force.
fn refuse_deployments(space: &Space<'_>, words: &str) {
    let name = format!("refuses-{}", space.name);
    let policy = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": name},
    "spec": {
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space.name}},
            "resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                "resources": ["deployments"]}],
        },
        "validations": [{"expression": "false", "messageExpression": words}],
    }});
    let binding = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]}});
    for (plural, object) in
        [("validatingadmissionpolicies", policy), ("validatingadmissionpolicybindings", binding)]
    {
        let path = format!("/apis/admissionregistration.k8s.io/v1/{plural}");
        space.rig.send("POST", &path, JSON, Some(&object)).success();
    }
    let pod = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "c",
        "env": [{"name": "CELERY_BROKER_URL", "value": "x"}]}]}});
    let tried = json!({"metadata": {"name": "tried"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod}});
    until("the policy is in force", || {
        let answer = space.post("deployments", "?dryRun=All", &tried);
        if answer.code == 422 { Ok(()) } else { Err(format!("{}: {}", answer.code, answer.text)) }
    });
}

#[test]
fn a_policy_that_quotes_a_password_is_passed_on_without_it() {
    let space = Space::new(shared(), "quoting");
    let quoted = "'plain passwords are not allowed: ' + object.spec.template.spec.containers[0].env\
        .filter(e, has(e.value)).map(e, e.name + '=' + e.value).join(', ')";
    refuse_deployments(&space, quoted);
    let broker = "broker: {url: 'redis://:hush-broker@cache:6379/0'}";
    let env = "env: [{name: PLAIN, value: hush-variable}]";
    space.create("celeries", &shop::with(&format!("spec: {{common: {{{broker}, {env}}}}}")));
    let celery = space.until_condition("shop", "Stalled", "True", "ChildRefused");
    let message = condition(&celery, "Ready")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("plain passwords are not allowed: "), "{message}");
    assert!(message.contains("redis://***@cache:6379/0") && message.contains("PLAIN=***"), "{message}");
    assert!(!message.contains(": :"), "{message}");
    assert_eq!(condition(&celery, "WorkersAvailable")["reason"], "ChildRefused");
    until("the refusal is an event", || {
        let events = space.list("events");
        let told = events.iter().find(|event| event["reason"] == "ChildRefused");
        told.map(|_| ()).ok_or_else(|| format!("{} events", events.len()))
    });
    let log = fs::read_to_string(&space.rig.launch.log).unwrap();
    assert!(log.lines().any(|line| line.contains(&space.name) && line.contains("not converged")));
    for (what, text) in
        [("status", celery["status"].to_string()), ("events", json!(space.list("events")).to_string())]
    {
        assert!(!text.contains("hush"), "{what}: {text}");
    }
    let lines: Vec<&str> =
        log.lines().filter(|line| line.contains(&space.name) && line.contains("hush")).collect();
    assert!(lines.is_empty(), "{lines:?}");
}

/// As somebody does who says something else each time: his namespace changes while the operator tries.
#[test]
fn a_refusal_in_other_words_each_time_is_not_run_into_at_once() {
    let space = Space::new(shared(), "wordy");
    let namespace = format!("/api/v1/namespaces/{}", space.name);
    let say = |count: u32| {
        let patch = json!({"metadata": {"annotations": {"words": format!("no-{count}")}}});
        space.rig.send("PATCH", &namespace, MERGE, Some(&patch)).success();
    };
    say(0);
    refuse_deployments(&space, "'denied: ' + namespaceObject.metadata.annotations['words']");
    let (begin, from) = (Instant::now(), audit::length(space.rig));
    space.create("celeries", &shop::plain());
    let mut count = 0;
    let tries = until("five attempts", || {
        count += 1;
        say(count);
        let writes = audit::writes_in(space.rig, from, &space.name);
        let tries = writes
            .iter()
            .filter(|write| write.contains("patch deployments ") && write.contains("shop-worker"));
        let tries = tries.count();
        if tries >= 5 { Ok(tries) } else { Err(format!("{tries} attempts")) }
    });
    // After 0.5, 1, 2 and 4 seconds.
    let took = begin.elapsed();
    assert!(took > Duration::from_secs(6), "{tries} attempts in {took:?}");
}

#[test]
fn a_name_that_is_taken_is_told_although_a_quota_is_exceeded() {
    let space = Space::new(shared(), "several");
    let foreign = json!({"metadata": {"name": "shop-beat"}, "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "c"}]}}}});
    space.create("deployments", &foreign);
    let quota = json!({"metadata": {"name": "one"}, "spec": {"hard": {"count/deployments.apps": "1"}}});
    space.create("resourcequotas", &quota);
    space.until("resourcequotas", "one", |it| it["status"]["used"]["count/deployments.apps"] == "1");
    space.create("celeries", &shop::with("spec: {beatSpec: {}}"));
    let celery = space.until_condition("shop", "Stalled", "True", "NameTaken");
    assert_eq!(condition(&celery, "BeatAvailable")["reason"], "NameTaken");
    let workers = condition(&celery, "WorkersAvailable");
    assert_eq!(workers["reason"], "Forbidden");
    assert!(workers["message"].to_string().contains("exceeded quota"), "{workers}");
}

/// A webhook that nobody serves.
#[test]
fn a_webhook_that_does_not_answer_is_named() {
    let space = Space::new(shared(), "silent");
    let configuration = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": format!("silent-{}", space.name)},
        "webhooks": [{"name": "w3.policy.example.com", "failurePolicy": "Fail", "sideEffects": "None",
            "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:1/"},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space.name}},
            "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}]}]});
    let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    space.rig.send("POST", path, JSON, Some(&configuration)).success();
    let tried = json!({"metadata": {"name": "tried"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
        "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "c"}]}}}});
    until("the webhook is in force", || {
        let answer = space.post("deployments", "?dryRun=All", &tried);
        if answer.code == 500 { Ok(()) } else { Err(format!("{}: {}", answer.code, answer.text)) }
    });
    space.create("celeries", &shop::plain());
    let celery = space.until_condition("shop", "Ready", "False", "WebhookFailed");
    let message = condition(&celery, "Ready")["message"].to_string();
    assert!(message.contains("Deployment shop-worker: the webhook w3.policy.example.com"), "{message}");
}
