// SPDX-License-Identifier: Apache-2.0
//! Claims of Flower and beat: kept, found again, never taken from somebody else, and changed as far as claims can be.

use serde_json::{Value, json};

use crate::audit;
use crate::rig::shared;
use crate::shop;
use crate::space::{Space, condition};
use crate::wait::until;

const CLAIMS: &str = "persistentvolumeclaims";
/// A small Celery whose Flower keeps its history.
const KEPT: &str = "spec: {flowerSpec: {persistence: {}, auth: {allowUnauthenticated: true}}}";

fn uid(object: &Value) -> Value {
    object["metadata"]["uid"].clone()
}

fn owners(object: &Value) -> usize {
    object["metadata"]["ownerReferences"].as_array().map_or(0, Vec::len)
}

/// The message of a stalled Celery, once it stalls for this reason.
fn stalled(space: &Space<'_>, name: &str, reason: &str) -> String {
    let celery = space.until_condition(name, "Stalled", "True", reason);
    condition(&celery, "Stalled")["message"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_claim_holds_outlives_flower_and_the_celery() {
    let space = Space::new(shared(), "kept");
    let both = "spec: {flowerSpec: {persistence: {}, auth: {allowUnauthenticated: true}}, beatSpec: {persistence: {retain: false}}}";
    space.create("celeries", &shop::with(both));
    let flower = space.until_there(CLAIMS, "shop-flower");
    let beat = space.until_there(CLAIMS, "shop-beat");
    assert_eq!((owners(&flower), owners(&beat)), (0, 1));
    assert_eq!(flower["spec"]["resources"]["requests"]["storage"], "1Gi");
    let deployment = space.until_there("deployments", "shop-flower");
    assert_eq!(deployment["spec"]["strategy"], json!({"type": "Recreate"}));
    let celery = space.until("celeries", "shop", |it| it["status"]["effective"]["flowerHistory"].is_string());
    let children = celery["status"]["children"].to_string();
    assert!(
        children.contains(r#""kind":"PersistentVolumeClaim","name":"shop-flower","ready":false"#),
        "{children}"
    );
    // Both are switched off: the one that is kept stays, the other goes.
    space.edit("celeries", "shop", "spec: {flowerSpec: {persistence: null}, beatSpec: {persistence: null}}");
    space.until_gone(CLAIMS, "shop-beat");
    space.until("deployments", "shop-flower", |it| it["spec"]["strategy"]["type"] == "RollingUpdate");
    space.edit("celeries", "shop", "spec: {flowerSpec: {persistence: {}}}");
    space.until("deployments", "shop-flower", |it| it["spec"]["strategy"]["type"] == "Recreate");
    // The Celery goes and comes back.
    space.delete("celeries", "shop?propagationPolicy=Foreground").success();
    space.until_gone("celeries", "shop");
    space.create("celeries", &shop::with(KEPT));
    space.until_condition("shop", "Stalled", "False", "Settled");
    space.until_there("deployments", "shop-flower");
    assert_eq!(uid(&space.get(CLAIMS, "shop-flower").unwrap()), uid(&flower));
}

#[test]
fn a_claim_of_somebody_else_is_never_mounted() {
    let space = Space::new(shared(), "foreign");
    let claim = json!({"metadata": {"name": "shop-flower", "labels": {"app.kubernetes.io/instance": "shop"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let foreign = space.create(CLAIMS, &claim);
    space.create("celeries", &shop::with(KEPT));
    let message = stalled(&space, "shop", "NameTaken");
    assert!(message.contains("PersistentVolumeClaim shop-flower"), "{message}");
    // Everything else is there.
    space.until_there("deployments", "shop-worker");
    space.until_there("services", "shop-flower");
    assert_eq!(space.get("deployments", "shop-flower"), None);
    let now = space.get(CLAIMS, "shop-flower").unwrap();
    assert_eq!(now["metadata"]["resourceVersion"], foreign["metadata"]["resourceVersion"]);
    // It is theirs to mount by name.
    space.edit("celeries", "shop", "spec: {flowerSpec: {persistence: {existingClaim: shop-flower}}}");
    let deployment = space.until_there("deployments", "shop-flower");
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].to_string();
    assert!(volumes.contains(r#""claimName":"shop-flower""#), "{volumes}");
    space.until_condition("shop", "Stalled", "False", "Settled");
}

#[test]
fn a_change_that_no_claim_can_make_is_told_and_not_tried_again_and_again() {
    let space = Space::new(shared(), "fixed");
    space.create("celeries", &shop::with(KEPT));
    let claim = space.until_there(CLAIMS, "shop-flower");
    space.until_condition("shop", "Stalled", "False", "Settled");
    let begin = audit::length(space.rig);
    space.edit("celeries", "shop", "spec: {flowerSpec: {persistence: {size: 500Mi}}}");
    let message = stalled(&space, "shop", "ClaimRefused");
    assert!(message.contains("set spec.flowerSpec.persistence.size back"), "{message}");
    // Everything else is followed all the same.
    space.edit("celeries", "shop", "spec: {common: {image: 'shop:2'}}");
    space.until("deployments", "shop-flower", |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:2"
    });
    let writes = || {
        let writes = audit::writes_in(space.rig, begin, &space.name);
        writes.into_iter().filter(|write| write.contains(CLAIMS)).collect::<Vec<_>>()
    };
    assert_eq!(writes(), Vec::<String>::new(), "what cannot be is not even sent");
    // Only Kubernetes knows whether a claim may grow; one that is not bound may not.
    space.edit("celeries", "shop", "spec: {flowerSpec: {persistence: {size: 2Gi}}}");
    let message = until("the growth is refused", || {
        let message = stalled(&space, "shop", "ClaimRefused");
        if message.contains("shrink") { Err(message) } else { Ok(message) }
    });
    assert!(message.contains("set spec.flowerSpec.persistence.size back"), "{message}");
    space.edit("celeries", "shop", "spec: {flowerSpec: {persistence: {size: null}}}");
    let healed = space.until_condition("shop", "Stalled", "False", "Settled");
    assert_ne!(condition(&healed, "Ready")["reason"], "ClaimRefused");
    assert_eq!(uid(&space.get(CLAIMS, "shop-flower").unwrap()), uid(&claim));
}

#[test]
fn a_claim_without_an_owner_counts_as_ours_in_a_pause() {
    let space = Space::new(shared(), "pausedclaim");
    space.create("celeries", &shop::with(KEPT));
    space.until_condition("shop", "Stalled", "False", "Settled");
    assert_eq!(owners(&space.until_there(CLAIMS, "shop-flower")), 0);
    space.annotate("celeries", "shop", &json!({ "celeryproject.org/paused": "true" }));
    let celery = space.until_condition("shop", "Paused", "True", "InStep");
    let children = celery["status"]["children"].to_string();
    assert!(children.contains(r#""kind":"PersistentVolumeClaim","name":"shop-flower""#), "{children}");
}

#[test]
fn a_claim_may_change_whether_it_goes_with_its_celery() {
    let space = Space::new(shared(), "retain");
    space.create("celeries", &shop::with(KEPT));
    let claim = space.until_there(CLAIMS, "shop-flower");
    space.edit("celeries", "shop", "spec: {flowerSpec: {persistence: {retain: false}}}");
    space.until(CLAIMS, "shop-flower", |it| owners(it) == 1);
    // Named as an existing one it is not made any more, and must not be taken from under Flower.
    let existing = "{retain: null, existingClaim: shop-flower}";
    space.edit("celeries", "shop", &format!("spec: {{flowerSpec: {{persistence: {existing}}}}}"));
    space.until("celeries", "shop", |it| {
        !it["status"]["children"].to_string().contains("PersistentVolumeClaim")
            && it["status"]["observedGeneration"] == it["metadata"]["generation"]
    });
    let kept = space.get(CLAIMS, "shop-flower").unwrap();
    assert_eq!((uid(&kept), &kept["metadata"]["deletionTimestamp"]), (uid(&claim), &Value::Null));
    space.edit("celeries", "shop", "spec: {flowerSpec: {persistence: {existingClaim: null, retain: true}}}");
    space.until(CLAIMS, "shop-flower", |it| owners(it) == 0 && uid(it) == uid(&claim));
    // Somebody deletes it by hand: there is a new one, although nothing of the Celery has changed.
    space.delete(CLAIMS, "shop-flower").success();
    space.until(CLAIMS, "shop-flower", |it| uid(it) != uid(&claim));
}

#[test]
fn heartbeats_come_with_their_files_and_go_with_them() {
    let space = Space::new(shared(), "heartbeat");
    space.create("celeries", &shop::with("spec: {workerSpec: {probes: {liveness: {type: Heartbeat}}}}"));
    let files = space.until_there("configmaps", "shop-celery-probe");
    assert_eq!(files["data"].as_object().unwrap().len(), 3);
    let deployment = space.until_there("deployments", "shop-worker");
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].to_string();
    assert!(volumes.contains("shop-celery-probe"), "{volumes}");
    space.edit("configmaps", "shop-celery-probe", "data: {check.sh: 'exit 0'}");
    space.until("configmaps", "shop-celery-probe", |it| it["data"] == files["data"]);
    space.until_ready("shop");
    space.edit("celeries", "shop", "spec: {workerSpec: {probes: null}}");
    // A container of the old pod that starts again reads them once more.
    space.until("deployments", "shop-worker", |it| {
        it["status"]["observedGeneration"] == it["metadata"]["generation"] && it["status"]["replicas"] == 2
    });
    space.until_condition("shop", "Ready", "False", "Progressing");
    assert!(space.get("configmaps", "shop-celery-probe").is_some());
    space.until_ready("shop");
    space.until_gone("configmaps", "shop-celery-probe");
}
