// SPDX-License-Identifier: Apache-2.0
//! How many pods there are: the number belongs to who scales, and comes back to the spec when nobody does.

use serde_json::{Value, json};

use crate::autoscalers::{HPA, KEDA, scaled_by};
use crate::rig::shared;
use crate::shop;
use crate::space::{Space, condition};
use crate::wait::until;

/// KEDA cannot measure a queue that no worker has declared, and keeps the number of pods while it cannot.
#[test]
fn the_first_start_runs_a_worker_that_declares_its_queue() {
    let space = Space::new(shared(), "declares");
    let broker = "{url: 'amqp://rabbit:5672/'}";
    let spec = format!("spec: {{common: {{broker: {broker}}}, scaleTargetRef: {}}}", shop::QUEUE);
    space.create("celeries", &shop::with(&spec));
    let object = space.until_there(KEDA, "shop-worker");
    assert_eq!(object["spec"]["triggers"][0]["type"], "rabbitmq");
    assert_eq!(object["spec"]["minReplicaCount"], 0);
    let deployment = space.get("deployments", "shop-worker").unwrap();
    assert_eq!(deployment["spec"]["replicas"], 1);
    // Whatever is written afterwards, the number is not.
    space.succeed(&["scale", "deployment/shop-worker", "--replicas=0"], "");
    space.edit("celeries", "shop", "spec: {common: {image: 'shop:2'}}");
    let deployment = space.until("deployments", "shop-worker", |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:2"
    });
    assert_eq!(deployment["spec"]["replicas"], 0);
}

#[test]
fn the_count_that_an_autoscaler_set_survives() {
    let space = Space::new(shared(), "count");
    // No number of workers was ever written: from the first moment the count belongs to who scales.
    space.create("celeries", &shop::with(&scaled_by(shop::QUEUE)));
    space.until_there(KEDA, "shop-worker");
    assert!(space.get("celeries", "shop").unwrap()["spec"]["workerSpec"].get("numOfWorkers").is_none());
    space.succeed(&["scale", "deployment/shop-worker", "--replicas=4"], "");
    let keeps_four = |step: &str, patch: &str, image: &str| {
        space.edit("celeries", "shop", patch);
        let patch = format!("spec: {{common: {{image: '{image}'}}}}");
        space.edit("celeries", "shop", &patch);
        let deployment = space.until("deployments", "shop-worker", |it| {
            it["spec"]["template"]["spec"]["containers"][0]["image"] == image
        });
        assert_eq!(deployment["spec"]["replicas"], 4, "{step}");
    };
    keeps_four("a change of the spec", "spec: {workerSpec: {args: [-Q, mail]}}", "shop:2");
    keeps_four("another autoscaler", &scaled_by(shop::CPU), "shop:3");
    keeps_four("no autoscaler", &scaled_by("null"), "shop:4");
    keeps_four("an autoscaler again", &scaled_by(shop::QUEUE), "shop:5");
}

#[test]
fn zero_stays_only_where_something_raises_it() {
    let space = Space::new(shared(), "zero");
    let zero = || {
        space.succeed(&["scale", "deployment/shop-worker", "--replicas=0"], "");
    };
    let raised = |to: i32| space.until("deployments", "shop-worker", |it| it["spec"]["replicas"] == to);
    let cpu = "[{kind: worker, minReplicas: 2, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 1}}]}]";
    // KEDA has scaled it to zero, and a plain autoscaler never begins there.
    space.create("celeries", &shop::with(&scaled_by(shop::QUEUE)));
    space.until_there(KEDA, "shop-worker");
    zero();
    space.edit("celeries", "shop", &scaled_by(cpu));
    space.until_there(HPA, "shop-worker");
    raised(2);
    // Nor does it after somebody has switched it off.
    zero();
    raised(2);
    space.edit("celeries", "shop", &scaled_by(shop::QUEUE));
    space.until_there(KEDA, "shop-worker");
    space.until_gone(HPA, "shop-worker");
    zero();
    space.edit("celeries", "shop", "spec: {common: {image: 'shop:2'}}");
    let idle = space.until("deployments", "shop-worker", |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:2"
    });
    assert_eq!(idle["spec"]["replicas"], 0);
    space.edit("celeries", "shop", &scaled_by("null"));
    raised(1);
}

#[test]
fn an_autoscaler_that_is_still_going_keeps_the_number() {
    let space = Space::new(shared(), "going");
    space.create("celeries", &shop::with(&scaled_by(shop::QUEUE)));
    space.until_there(KEDA, "shop-worker");
    space.edit(KEDA, "shop-worker", "metadata: {finalizers: [finalizer.keda.sh]}");
    space.edit("celeries", "shop", "spec: {workerSpec: {numOfWorkers: 2}, scaleTargetRef: null}");
    space.until_condition("shop", "AutoscalingReady", "False", "AwaitingPredecessor");
    // What KEDA still writes.
    space.succeed(&["scale", "deployment/shop-worker", "--replicas=4"], "");
    space.until("celeries", "shop", |it| it["status"]["pools"][0]["desired"] == 4);
    let celery = space.get("celeries", "shop").unwrap();
    assert_eq!(condition(&celery, "Ready")["status"], "False");
    space.edit(KEDA, "shop-worker", "metadata: {finalizers: null}");
    space.until("deployments", "shop-worker", |it| it["spec"]["replicas"] == 2);
    space.until("celeries", "shop", |it| condition(it, "AutoscalingReady").is_null());
}

#[test]
fn the_number_of_the_spec_comes_back_when_somebody_elses_autoscaler_goes() {
    let space = Space::new(shared(), "hpa-goes");
    let theirs = |target: &str| {
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": target});
        json!({"metadata": {"name": "theirs"}, "spec": {"scaleTargetRef": target, "minReplicas": 3, "maxReplicas": 4}})
    };
    let spec =
        "spec: {workerSpec: {numOfWorkers: 2}, workerPools: [{name: mail, queues: [mail]}], beatSpec: {}}";
    space.create("celeries", &shop::with(spec));
    space.until_there("deployments", "shop-worker");
    space.create(HPA, &theirs("shop-worker"));
    space.until_condition("shop", "AutoscalingReady", "False", "ForeignAutoscaler");
    space.until("deployments", "shop-worker", |it| it["spec"]["replicas"] == 3);
    // A change of the spec is no reason to write over it.
    space.edit("celeries", "shop", "spec: {workerSpec: {numOfWorkers: 1}, common: {image: 'shop:2'}}");
    let changed = space.until("deployments", "shop-worker", |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:2"
    });
    assert_eq!(changed["spec"]["replicas"], 3);
    space.delete(HPA, "theirs").success();
    space.until("deployments", "shop-worker", |it| it["spec"]["replicas"] == 1);
    // A pool that names no number is never left without pods.
    space.succeed(&["scale", "deployment/shop-worker-mail", "--replicas=0"], "");
    space.until("deployments", "shop-worker-mail", |it| it["spec"]["replicas"] == 1);
    // Beat is no one's but ours.
    space.create(HPA, &theirs("shop-beat"));
    space.until_condition("shop", "AutoscalingReady", "False", "BeatAutoscaled");
    space.succeed(&["scale", "deployment/shop-beat", "--replicas=2"], "");
    space.until("deployments", "shop-beat", |it| it["spec"]["replicas"] == 1);
    space.delete(HPA, "theirs").success();
    space.until("celeries", "shop", |it| condition(it, "AutoscalingReady").is_null());
}

#[test]
fn a_written_count_counts_where_no_autoscaler_is() {
    let space = Space::new(shared(), "written-count");
    space.create("celeries", &shop::with("spec: {workerSpec: {numOfWorkers: 3}}"));
    space.until("deployments", "shop-worker", |it| it["spec"]["replicas"] == 3);
    // The autoscaler takes over what runs, instead of beginning with one.
    space.edit("celeries", "shop", &scaled_by(shop::QUEUE));
    space.until_there(KEDA, "shop-worker");
    let owned = |it: &Value| {
        let entries = it["metadata"]["managedFields"].as_array().unwrap();
        let ours = entries
            .iter()
            .find(|entry| entry["manager"] == "celery-operator" && entry["operation"] == "Apply");
        ours.unwrap()["fieldsV1"].pointer("/f:spec/f:replicas").is_some()
    };
    let deployment = space.until("deployments", "shop-worker", |it| !owned(it));
    assert_eq!(deployment["spec"]["replicas"], 3);
    space.succeed(&["scale", "deployment/shop-worker", "--replicas=5"], "");
    space.edit("celeries", "shop", &scaled_by("null"));
    space.until("deployments", "shop-worker", |it| it["spec"]["replicas"] == 3);
}

#[test]
fn kubectl_scale_scales_the_workers() {
    let space = Space::new(shared(), "scale");
    space.create("celeries", &shop::plain());
    // The count of the status and the selector are there once the operator has looked.
    space.until("celeries", "shop", |it| it["status"]["selector"].is_string());
    let printed = space.succeed(&["scale", "celery/shop", "--replicas=3"], "");
    assert_eq!(printed, "celery.celeryproject.org/shop scaled\n");
    space.until("deployments", "shop-worker", |it| it["spec"]["replicas"] == 3);
    space.until("celeries", "shop", |it| it["status"]["replicas"] == 3);
    let scale = space.get("celeries", "shop/scale").unwrap();
    assert_eq!((&scale["spec"]["replicas"], &scale["status"]["replicas"]), (&json!(3), &json!(3)));
    let selector = scale["status"]["selector"].as_str().unwrap();
    until("the selector selects the pods", || {
        let pods = space.succeed(&["get", "pods", "-o=name", "-l", selector], "");
        if pods.lines().count() == 3 { Ok(()) } else { Err(pods) }
    });
}
