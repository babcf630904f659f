// SPDX-License-Identifier: Apache-2.0
//! Argo CD and Flux, by their own code: what is in git is what is in the cluster, whatever scales and whatever the webhook
//! adds; health is what is true; and nothing of ours is taken for theirs.

mod health;
mod judge;
mod manifests;
mod ownership;
mod pages;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use self::judge::{Judge, TRACKED, WAYS, Way};
use crate::rig::shared;
use crate::shop;
use crate::space::Space;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Celery of a sample as Argo CD sends it: in its namespace, and with its mark. What the sample has beside it, such as
/// Secrets, is there then.
fn desired(file: &Path, space: &Space<'_>) -> Value {
    let text = fs::read_to_string(file).unwrap();
    let (celeries, others): (Vec<Value>, Vec<Value>) =
        text.split("\n---\n").map(shop::yaml).partition(|object| object["kind"] == "Celery");
    for other in others {
        space.succeed(&["apply", "-f", "-"], &other.to_string());
    }
    let [mut object] = celeries.try_into().unwrap();
    let name = object["metadata"]["name"].as_str().unwrap().to_owned();
    object["metadata"]["namespace"] = json!(space.name);
    let mark = format!("git:celeryproject.org/Celery:{}/{name}", space.name);
    object["metadata"]["annotations"][TRACKED] = json!(mark);
    object
}

/// The same, with every field that this way needs.
fn desired_by(way: &Way, file: &Path, space: &Space<'_>) -> Value {
    let mut object = desired(file, space);
    let targets = object.pointer_mut("/spec/scaleTargetRef").and_then(Value::as_array_mut);
    for target in targets.into_iter().flatten().filter(|_| way.writes_pools) {
        if target["pool"].is_null() {
            target["pool"] = json!("default");
        }
    }
    object
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

/// The object in the cluster, once the operator has said something of its newest spec.
fn settled(space: &Space<'_>, name: &str) -> Value {
    space.until("celeries", name, |live| {
        live["status"]["observedGeneration"] == live["metadata"]["generation"]
            && !live["status"]["conditions"].is_null()
    })
}

/// Fails when this way to compare finds a difference.
#[track_caller]
fn in_sync(judge: &mut Judge, way: &Way, wanted: &Value, live: &Value, when: &str) {
    for compare in way.compare {
        let told = judge.compare(wanted, live, compare);
        assert_eq!(told, Vec::<String>::new(), "{}, {}/{compare}, {when}", name(wanted), way.name);
    }
}

/// A namespace for each way.
fn spaces(word: &str) -> impl Iterator<Item = (&'static Way, Space<'static>)> {
    WAYS.iter().map(move |way| (way, Space::new(shared(), &format!("{word}-{}", way.name))))
}

#[test]
fn no_sample_differs_after_it_was_applied() {
    let mut judge = Judge::of(shared());
    for (way, space) in spaces("git") {
        for file in crate::samples::files() {
            let wanted = desired_by(way, &root().join("config/samples").join(&file), &space);
            judge.apply(&wanted, way.apply);
            let live = settled(&space, name(&wanted));
            in_sync(&mut judge, way, &wanted, &live, "at first");
            judge.apply(&wanted, way.apply);
            let again = settled(&space, name(&wanted));
            assert_eq!(again["metadata"]["generation"], live["metadata"]["generation"], "{file:?}");
            in_sync(&mut judge, way, &wanted, &again, "again");
        }
    }
}

/// Pods come up, and an HPA or KEDA changes their number, as they do: by the sub-resource of the Deployment.
#[test]
fn nothing_differs_while_autoscalers_work() {
    let mut judge = Judge::of(shared());
    for (way, space) in spaces("scaled") {
        for file in ["autoscale-cpu.yaml", "autoscale-redis.yaml"] {
            let wanted = desired_by(way, &root().join("config/samples").join(file), &space);
            judge.apply(&wanted, way.apply);
            let deployment = format!("{}-worker", name(&wanted));
            space.until_there("deployments", &deployment);
            let scale = json!({"spec": {"replicas": 4}});
            space.merge("deployments", &format!("{deployment}/scale"), &scale).success();
            let is_scaled = |live: &Value| live["status"]["pools"][0]["replicas"] == 4;
            let live = space.until("celeries", name(&wanted), |live| {
                space.make_pods_ready();
                is_scaled(live)
            });
            in_sync(&mut judge, way, &wanted, &live, "scaled");
            judge.apply(&wanted, way.apply);
            let again = settled(&space, name(&wanted));
            in_sync(&mut judge, way, &wanted, &again, "applied again");
            let kept = space.until_there("deployments", &deployment);
            assert_eq!(kept["spec"]["replicas"], 4, "{file}");
        }
    }
}

/// What scales the Celery itself, `kubectl scale` or an HPA of one's own, writes a field that is not in git.
#[test]
fn nothing_differs_when_the_celery_itself_is_scaled() {
    let mut judge = Judge::of(shared());
    for (way, space) in spaces("own") {
        let wanted = desired_by(way, &root().join("config/samples/smallest.yaml"), &space);
        assert!(wanted["spec"]["workerSpec"]["numOfWorkers"].is_null(), "{wanted}");
        judge.apply(&wanted, way.apply);
        settled(&space, name(&wanted));
        let scale = json!({"spec": {"replicas": 3}});
        space.merge("celeries", &format!("{}/scale", name(&wanted)), &scale).success();
        in_sync(&mut judge, way, &wanted, &settled(&space, name(&wanted)), "scaled");
        judge.apply(&wanted, way.apply);
        let again = settled(&space, name(&wanted));
        in_sync(&mut judge, way, &wanted, &again, "applied again");
        assert_eq!(again["spec"]["workerSpec"]["numOfWorkers"], 3);
    }
}

/// A judge that finds nothing anywhere judges nothing; and a number in git is git's.
#[test]
fn what_somebody_changes_by_hand_is_seen() {
    let mut judge = Judge::of(shared());
    for (way, space) in spaces("byhand") {
        let mut wanted = desired_by(way, &root().join("config/samples/smallest.yaml"), &space);
        wanted["spec"]["workerSpec"]["numOfWorkers"] = json!(2);
        judge.apply(&wanted, way.apply);
        let first = settled(&space, name(&wanted));
        in_sync(&mut judge, way, &wanted, &first, "at first");
        for edit in [
            "spec: {common: {image: 'registry.example.com/other:1'}}",
            "spec: {workerSpec: {numOfWorkers: 5}}",
        ] {
            let live = space.edit("celeries", name(&wanted), edit);
            for compare in way.compare {
                let told = judge.compare(&wanted, &live, compare);
                assert!(!told.is_empty(), "{}/{compare} does not see {edit}", way.name);
            }
            judge.apply(&wanted, way.apply);
        }
        in_sync(&mut judge, way, &wanted, &settled(&space, name(&wanted)), "healed");
    }
}

/// What the page says of `ServerSideApply=true` without `ServerSideDiff=true`.
#[test]
fn a_pool_that_git_does_not_name_is_seen_by_the_owners_of_fields_alone() {
    let mut judge = Judge::of(shared());
    let space = Space::new(shared(), "pool");
    let wanted = desired(&root().join("config/samples/autoscale-cpu.yaml"), &space);
    judge.apply(&wanted, "server");
    let live = settled(&space, name(&wanted));
    assert_eq!(judge.compare(&wanted, &live, "server"), Vec::<String>::new());
    let told = judge.compare(&wanted, &live, "merge");
    assert!(matches!(&told[..], [one] if one.starts_with(".spec.scaleTargetRef: ")), "{told:?}");
}
