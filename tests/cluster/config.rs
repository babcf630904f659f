// SPDX-License-Identifier: Apache-2.0
//! Secrets and ConfigMaps that change under running pods.

use std::time::Duration;

use serde_json::{Value, json};

use crate::rig::shared;
use crate::shop;
use crate::space::Space;
use crate::wait::until_within;

/// What is promised to users.
const SEEN_WITHIN: Duration = Duration::from_mins(1);

const SEEN: &str = "celeryproject.org/config-seen";
const HASH: &str = "celeryproject.org/config-hash";

fn secret(name: &str, url: &str) -> Value {
    json!({"metadata": {"name": name}, "stringData": {"url": url}})
}

/// A Celery whose broker is in the Secret of its own name.
fn celery(name: &str, more: &str) -> Value {
    let broker = format!("broker: {{url: null, urlSecretRef: {{name: {name}, key: url}}}}");
    shop::named(name, &format!("spec: {{common: {{{broker}{more}}}}}"))
}

fn template(space: &Space<'_>, name: &str) -> Value {
    space.get("deployments", &format!("{name}-worker")).unwrap()["spec"]["template"].clone()
}

fn hash(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["metadata"]["annotations"][HASH]
}

/// Waits until the operator has seen the version that an object has now.
fn until_seen(space: &Space<'_>, name: &str, kind: &str) {
    let plural = if kind == "Secret" { "secrets" } else { "configmaps" };
    let version =
        space.get(plural, name).unwrap()["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    until_within(SEEN_WITHIN, &format!("{kind} {name} is seen in version {version}"), || {
        let deployment = space.get("deployments", &format!("{name}-worker")).unwrap_or_default();
        let seen = deployment["metadata"]["annotations"][SEEN].as_str().unwrap_or_default().to_owned();
        let seen: Value = serde_json::from_str(&seen).unwrap_or_default();
        if seen[format!("{kind}/{name}")] == version.as_str() { Ok(()) } else { Err(seen.to_string()) }
    });
}

/// One story in one namespace, so that everything waits for the same minute.
#[test]
fn a_change_of_what_pods_read_replaces_them_and_nothing_else_does() {
    let space = Space::new(shared(), "config");
    let names = ["turned", "labelled", "away", "kept", "older", "mapped"];
    for name in names {
        space.create("secrets", &secret(name, "redis://:hush@cache/1"));
        let more = if name == "mapped" { ", envFrom: [{configMapRef: {name: mapped}}]" } else { "" };
        if name == "mapped" {
            space.create("configmaps", &json!({"metadata": {"name": "mapped"}, "data": {"MODE": "fast"}}));
        }
        let mut object = celery(name, more);
        if name == "kept" {
            object["metadata"]["annotations"] = json!({"celeryproject.org/roll-on-config-change": "false"});
        }
        space.create("celeries", &object);
    }
    for name in names.into_iter().filter(|name| *name != "kept") {
        space.until("deployments", &format!("{name}-worker"), |it| hash(it).is_string());
        until_seen(&space, name, "Secret");
    }
    let kept = space.until_there("deployments", "kept-worker");
    assert!(hash(&kept).is_null() && kept["metadata"]["annotations"].get(SEEN).is_none(), "{kept}");
    // A Deployment of a release that knew nothing of all this: looking at it replaces nothing.
    let nothing = json!({"metadata": {"annotations": {SEEN: null}},
        "spec": {"template": {"metadata": {"annotations": {HASH: null}}}}});
    space.merge("deployments", "older-worker", &nothing).success();
    until_seen(&space, "older", "Secret");
    let before = names.map(|name| template(&space, name));
    assert!(before[4]["metadata"].get("annotations").is_none(), "{}", before[4]);

    space.edit("secrets", "turned", "stringData: {url: 'redis://:new@cache/1'}");
    space.edit("secrets", "kept", "stringData: {url: 'redis://:new@cache/1'}");
    space.edit("secrets", "labelled", "metadata: {labels: {team: a}}");
    space.delete("secrets", "away").success();
    space.edit("configmaps", "mapped", "data: {MODE: slow}");
    until_within(SEEN_WITHIN, "the pods are replaced", || {
        let same: Vec<&str> = [0, 5]
            .into_iter()
            .filter(|at| template(&space, names[*at]) == before[*at])
            .map(|at| names[at])
            .collect();
        if same.is_empty() { Ok(()) } else { Err(same.join(", ")) }
    });
    until_seen(&space, "labelled", "Secret");
    space.create("secrets", &secret("away", "redis://:hush@cache/1"));
    until_seen(&space, "away", "Secret");
    for at in [1, 2, 3, 4] {
        assert_eq!(template(&space, names[at]), before[at], "{}", names[at]);
    }
    // What was once noted is followed from then on.
    space.edit("secrets", "older", "stringData: {url: 'redis://:new@cache/1'}");
    until_seen(&space, "older", "Secret");
    assert!(template(&space, "older")["metadata"]["annotations"][HASH].is_string());
    let event = space.list("events").into_iter().find(|event| event["reason"] == "ConfigChanged");
    let note = event.unwrap()["note"].to_string();
    assert!(note.contains("Deployment ") && !note.contains("hush"), "{note}");
}

#[test]
fn a_password_in_parts_replaces_the_pods_too() {
    let space = Space::new(shared(), "parts");
    space.create("secrets", &json!({"metadata": {"name": "cache"}, "stringData": {"password": "hush"}}));
    let broker = "{url: null, redis: {host: cache, passwordSecretRef: {name: cache, key: password}}}";
    space.create("celeries", &shop::with(&format!("spec: {{common: {{broker: {broker}}}}}")));
    let before = space.until("deployments", "shop-worker", |it| hash(it).is_string());
    space.edit("secrets", "cache", "stringData: {password: new}");
    until_within(SEEN_WITHIN, "the pods are replaced", || {
        let now = space.get("deployments", "shop-worker").unwrap();
        if hash(&now) == hash(&before) { Err(hash(&now).to_string()) } else { Ok(()) }
    });
}

/// There is no kubelet here, which would have started the pods with the first version by then.
#[test]
fn what_changed_between_its_creation_and_the_first_look_replaces_the_pods_once() {
    let space = Space::new(shared(), "late");
    let read = |name: &str| format!("{{name: A, valueFrom: {{configMapKeyRef: {{name: {name}, key: a}}}}}}");
    for name in ["turned", "left"] {
        let env = format!("spec: {{common: {{env: [{}]}}}}", read(name));
        space.create("celeries", &shop::named(name, &env));
    }
    let before = ["turned", "left"].map(|name| {
        let seen =
            |it: &Value| it["metadata"]["annotations"][SEEN].as_str().is_some_and(|seen| seen.contains('-'));
        space.until("deployments", &format!("{name}-worker"), seen);
        space.create("configmaps", &json!({"metadata": {"name": name}, "data": {"a": "wrong"}}));
        template(&space, name)
    });
    // Within a second one writer's changes cannot be told apart.
    space.merge("configmaps", "turned?fieldManager=later", &json!({"data": {"a": "right"}})).success();
    until_seen(&space, "turned", "ConfigMap");
    assert_ne!(template(&space, "turned"), before[0]);
    until_seen(&space, "left", "ConfigMap");
    assert_eq!(template(&space, "left"), before[1]);
}
