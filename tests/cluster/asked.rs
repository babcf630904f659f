// SPDX-License-Identifier: Apache-2.0
//! What the annotations of a Celery ask for: a pause, a restart, an adoption.

use serde_json::{Value, json};

use crate::audit;
use crate::rig::shared;
use crate::shop;
use crate::space::{Space, condition};
use crate::wait::until;

const PAUSED: &str = "celeryproject.org/paused";
const RESTART: &str = "celeryproject.org/restart";
const ADOPT: &str = "celeryproject.org/adopt";
const IGNORE_RULES: &str = "celeryproject.org/ignore-rules";

fn generation(space: &Space<'_>, name: &str) -> Value {
    space.get("deployments", name).unwrap()["metadata"]["generation"].clone()
}

#[test]
fn a_paused_celery_leaves_its_children_alone() {
    let space = Space::new(shared(), "paused");
    let mut object = shop::with("spec: {flowerSpec: {auth: {allowUnauthenticated: true}}}");
    object["metadata"]["annotations"] = json!({ PAUSED: "true" });
    space.create("celeries", &object);
    let celery = space.until_condition("shop", "Stalled", "True", "Paused");
    assert_eq!(condition(&celery, "Ready")["reason"], "Paused");
    assert_eq!(condition(&celery, "Reconciling")["status"], "False");
    assert!(
        condition(&celery, "Paused")["message"].to_string().contains("Deployment shop-worker"),
        "{celery}"
    );
    assert_eq!(space.children("shop"), []);

    space.annotate("celeries", "shop", &json!({ PAUSED: null }));
    space.until("deployments", "shop-worker", |it| it["status"]["replicas"] == 1);
    space.until("deployments", "shop-flower", |it| it["status"]["replicas"] == 1);
    let ready = space.until_ready("shop");
    assert_eq!(condition(&ready, "Paused"), Value::Null);

    // Nothing is left undone.
    space.annotate("celeries", "shop", &json!({ PAUSED: "true" }));
    space.until_condition("shop", "Paused", "True", "InStep");
    space.until_condition("shop", "Ready", "True", "Ready");

    let (before, begin) = (generation(&space, "shop-worker"), audit::length(space.rig));
    space.edit("celeries", "shop", "spec: {common: {image: 'shop:2'}, flowerSpec: null}");
    space.until_condition("shop", "Paused", "True", "Behind");
    space.delete("deployments", "shop-flower").success();
    let celery = space.until_condition("shop", "Stalled", "True", "Paused");
    assert_eq!(condition(&celery, "Ready")["status"], "False");
    assert_eq!(generation(&space, "shop-worker"), before);
    assert!(space.get("services", "shop-flower").is_some());
    let written = audit::writes_in(space.rig, begin, &space.name);
    let others: Vec<&String> =
        written.iter().filter(|write| !write.contains("/status ") && !write.contains(" events")).collect();
    assert_eq!(others, Vec::<&String>::new());

    space.annotate("celeries", "shop", &json!({ PAUSED: null }));
    space.until_gone("services", "shop-flower");
    space.until("deployments", "shop-worker", |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:2"
    });
}

#[test]
fn pods_are_replaced_when_the_restart_annotation_changes() {
    let space = Space::new(shared(), "restart");
    space.create("celeries", &shop::with("spec: {beatSpec: {}}"));
    let text =
        |deployment: &Value| deployment["spec"]["template"]["metadata"]["annotations"][RESTART].clone();
    space.until_there("deployments", "shop-beat");
    for word in ["monday", "tuesday"] {
        space.annotate("celeries", "shop", &json!({ RESTART: word }));
        for name in ["shop-worker", "shop-beat"] {
            space.until("deployments", name, |it| text(it) == word);
        }
    }
    let before = generation(&space, "shop-worker");
    space.annotate("celeries", "shop", &json!({ RESTART: null, PAUSED: "true" }));
    // Were anything to be done without the text, the pause would leave it undone.
    space.until_condition("shop", "Paused", "True", "InStep");
    assert_eq!(generation(&space, "shop-worker"), before);
}

/// A Deployment of somebody else with the selector of the default pool.
fn foreign(selector: &Value) -> Value {
    json!({"metadata": {"name": "shop-worker", "labels": {"team": "a"}}, "spec": {
        "replicas": 3, "selector": {"matchLabels": selector}, "paused": true,
        "template": {"metadata": {"labels": selector, "annotations": {"theirs": "x"}}, "spec": {
            "nodeSelector": {"theirs": "x"},
            "containers": [
                {"name": "celery", "image": "old:1", "args": ["old"], "env": [{"name": "THEIRS", "value": "x"}],
                 "livenessProbe": {"exec": {"command": ["x"]}}},
                {"name": "worker", "image": "old:1"}]}}}})
}

fn selector(instance: &str) -> Value {
    json!({"app.kubernetes.io/name": "celery", "app.kubernetes.io/instance": instance,
           "app.kubernetes.io/component": "worker", "celeryproject.org/pool": "default"})
}

#[test]
fn what_nobody_controls_is_taken_over_when_that_is_asked_for() {
    let space = Space::new(shared(), "adopt");
    let deployment = space.create("deployments", &foreign(&selector("shop")));
    let service = space.create(
        "services",
        &json!({"metadata": {"name": "shop-flower"}, "spec": {"ports": [{"name": "theirs", "port": 80}], "selector": {"a": "b"}}}),
    );
    let scalers = shop::CPU;
    space.create("celeries", &shop::with(&format!("spec: {{flowerSpec: {{}}, scaleTargetRef: {scalers}}}")));
    let celery = space.until_condition("shop", "Stalled", "True", "NameTaken");
    assert!(condition(&celery, "Stalled")["message"].to_string().contains(ADOPT), "{celery}");
    space.annotate("celeries", "shop", &json!({ ADOPT: "true" }));
    let owned = |it: &Value| it["metadata"]["ownerReferences"][0]["kind"] == "Celery";
    space.until("deployments", "shop-flower", owned);
    let worker = space.until("deployments", "shop-worker", owned);
    assert_eq!(worker["metadata"]["uid"], deployment["metadata"]["uid"]);
    // An autoscaler owns the number of pods, and nobody has changed it.
    assert_eq!(worker["spec"]["replicas"], 3);
    assert!(worker["spec"].get("paused").is_none());
    let pod = &worker["spec"]["template"]["spec"];
    assert_eq!(pod["containers"].as_array().unwrap().len(), 1, "{pod}");
    assert!(
        !worker["spec"].to_string().contains("theirs") && !worker["spec"].to_string().contains("THEIRS"),
        "{worker}"
    );
    assert_eq!(worker["metadata"]["labels"]["team"], "a");
    let taken = space.until("services", "shop-flower", owned);
    assert_eq!(taken["spec"]["clusterIP"], service["spec"]["clusterIP"]);
    assert_eq!(taken["spec"]["ports"][0]["port"], 5555);
    space.until("celeries", "shop", |it| condition(it, "Stalled")["reason"] != "NameTaken");
    // What is taken over is at rest, and a later change of the spec takes fields away.
    let mut seen = audit::length(space.rig);
    until("the writes end", || {
        std::thread::sleep(std::time::Duration::from_secs(1));
        let from = std::mem::replace(&mut seen, audit::length(space.rig));
        let writes = audit::writes_in(space.rig, from, &space.name);
        if writes.is_empty() { Ok(()) } else { Err(writes.join("\n")) }
    });
    space.edit("celeries", "shop", "spec: {workerSpec: {env: [{name: OURS, value: x}]}}");
    space.until("deployments", "shop-worker", |it| it.to_string().contains("OURS"));
    space.edit("celeries", "shop", "spec: {workerSpec: {env: null}}");
    space.until("deployments", "shop-worker", |it| !it["spec"].to_string().contains("OURS"));
}

/// An autoscaler of ours would take four of its nine pods.
#[test]
fn what_is_somebody_elses_is_not_scaled() {
    let space = Space::new(shared(), "theirs");
    let mut theirs = foreign(&selector("shop"));
    theirs["spec"]["replicas"] = json!(9);
    space.create("deployments", &theirs);
    let flower = "flowerSpec: {ingress: {}, auth: {basic: {secretRef: {name: flower, key: users}}}}";
    space.create(
        "services",
        &json!({"metadata": {"name": "shop-flower"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}}),
    );
    space.create("celeries", &shop::with(&format!("spec: {{{flower}, scaleTargetRef: {}}}", shop::CPU)));
    let celery = space.until_condition("shop", "Stalled", "True", "NameTaken");
    let scaling = condition(&celery, "AutoscalingReady");
    assert_eq!(scaling["reason"], "NameTaken");
    assert!(scaling["message"].to_string().contains("Deployment shop-worker exists"), "{scaling}");
    // Everything else is there.
    space.until_there("deployments", "shop-flower");
    assert_eq!(space.get("horizontalpodautoscalers", "shop-worker"), None);
    assert_eq!(space.get("ingresses", "shop-flower"), None);
    assert_eq!(space.get("deployments", "shop-worker").unwrap()["spec"]["replicas"], 9);
    for (plural, name) in [("deployments", "shop-worker"), ("services", "shop-flower")] {
        space.delete(plural, name).success();
    }
    space.until_there("horizontalpodautoscalers", "shop-worker");
    space.until_there("ingresses", "shop-flower");
}

#[test]
fn what_the_operator_left_behind_is_taken_over_when_that_is_asked_for() {
    let space = Space::new(shared(), "orphans");
    let password = json!({"metadata": {"name": "cache"}, "stringData": {"password": "hush"}});
    space.create("secrets", &password);
    let broker = "{url: null, redis: {host: cache, passwordSecretRef: {name: cache, key: password}}}";
    let spec = format!("spec: {{common: {{broker: {broker}}}, scaleTargetRef: {}}}", shop::CPU);
    let mut object = shop::with(&spec);
    let children = [
        ("secrets", "shop-celery-broker"),
        ("deployments", "shop-worker"),
        ("poddisruptionbudgets", "shop-worker"),
        ("horizontalpodautoscalers", "shop-worker"),
    ];
    space.create("celeries", &object);
    for (plural, name) in children {
        space.until_there(plural, name);
    }
    space.succeed(&["delete", "celery", "shop", "--cascade=orphan"], "");
    object["metadata"]["annotations"] = json!({ ADOPT: "true" });
    let uid = space.create("celeries", &object)["metadata"]["uid"].clone();
    for (plural, name) in children {
        space.until(plural, name, |it| it["metadata"]["ownerReferences"][0]["uid"] == uid);
    }
    space.until("celeries", "shop", |it| condition(it, "Stalled")["status"] == "False");
}

#[test]
fn a_selector_that_differs_cannot_be_taken_over() {
    let space = Space::new(shared(), "selector");
    space.create("deployments", &foreign(&json!({"app": "old"})));
    let mut object = shop::plain();
    object["metadata"]["annotations"] = json!({ ADOPT: "true" });
    space.create("celeries", &object);
    let celery = space.until_condition("shop", "Stalled", "True", "SelectorDiffers");
    let message = condition(&celery, "Stalled")["message"].to_string();
    assert!(message.contains("Deployment shop-worker") && message.contains("instance=shop"), "{message}");
    let untouched = space.get("deployments", "shop-worker").unwrap();
    assert!(untouched["metadata"].get("ownerReferences").is_none());
    assert_eq!(untouched["spec"]["template"]["spec"]["containers"][0]["image"], "old:1");
}

#[test]
fn a_warning_that_is_ignored_is_told_neither_by_kubectl_nor_in_the_status() {
    let space = Space::new(shared(), "ignored");
    let object = shop::with("spec: {common: {broker: {url: 'amqp://mq'}}}");
    let apply = |object: &Value| {
        let output = space.kubectl(&["apply", "-f", "-"], &object.to_string());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let rules = |celery: &Value| {
        let findings = celery["status"]["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().map(|finding| finding["rule"].clone()).collect::<Vec<_>>()
    };
    assert!(apply(&object).contains("[B30]"));
    space.until("celeries", "shop", |celery| rules(celery) == ["B30"]);
    let mut silent = object.clone();
    silent["metadata"]["annotations"] = json!({ IGNORE_RULES: "B30" });
    assert_eq!(apply(&silent), "");
    space.until("celeries", "shop", |celery| rules(celery).is_empty());
    // A denial stays, and what can silence nothing is told.
    silent["metadata"]["annotations"] = json!({ IGNORE_RULES: "B30, C04" });
    silent["spec"]["common"]["image"] = json!("My/App");
    let refused = space.kubectl(&["apply", "-f", "-"], &silent.to_string());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("[C04]"), "{said}");
}
