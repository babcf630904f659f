// SPDX-License-Identifier: Apache-2.0
//! Objects that were stored while the webhooks were away: parked, healed when corrected, and never made worse.

use serde_json::{Value, json};

use crate::rig::{Rig, Setup};
use crate::shop;
use crate::space::{Space, condition};
use crate::wait::until;

const CONFIGURATIONS: &str = "mutatingwebhookconfigurations/celery-operator-mutating,validatingwebhookconfigurations/celery-operator-validating";

/// A broker URL that no schema refuses.
const BAD: &str =
    "spec: {common: {broker: {url: 'cache:6379'}}, flowerSpec: {auth: {allowUnauthenticated: true}}}";

fn remove_webhooks(rig: &Rig, space: &Space<'_>) {
    for configuration in CONFIGURATIONS.split(',') {
        rig.succeed(&["delete", configuration]);
    }
    until("the webhooks are out of force", || {
        let answer = space.post("celeries", "?dryRun=All", &shop::with(BAD));
        if answer.is_success() { Ok(()) } else { Err(answer.text) }
    });
}

fn findings(celery: &Value) -> Vec<(String, String)> {
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let findings = celery["status"]["findings"].as_array().into_iter().flatten();
    findings.map(|it| (text(it, "rule"), text(it, "severity"))).collect()
}

/// One story on one rig, since it takes the webhooks away from everybody.
#[test]
fn what_was_stored_without_webhooks_is_parked_and_healed_and_may_not_get_worse() {
    let rig = Rig::start(Setup { keda: false, ..Setup::default() });
    let space = Space::new(&rig, "absent");
    space.create("celeries", &shop::named("good", "spec: {flowerSpec: {}}"));
    let good = space.until_there("deployments", "good-worker");
    remove_webhooks(&rig, &space);
    stored_objects_are_parked(&space);
    a_good_object_is_defaulted_all_the_same(&space);
    what_runs_is_left_as_it_is(&space, &good);
    rig.install_webhooks();
    rig.await_webhooks();
    parked_objects_may_change_but_not_get_worse(&space);
    a_corrected_object_is_healed(&space);
}

fn stored_objects_are_parked(space: &Space<'_>) {
    space.create("celeries", &shop::with(BAD));
    let parked = space.until_condition("shop", "Valid", "False", "Refused");
    let message = condition(&parked, "Valid")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("spec.common.broker.url") && message.contains("[B04]"), "{message}");
    assert_eq!(condition(&parked, "Ready")["reason"], "Refused");
    assert_eq!(condition(&parked, "Stalled")["status"], "True");
    assert_eq!(findings(&parked), [("B04".to_owned(), "deny".to_owned())]);
}

/// The reconciler fills in what the webhook would have.
fn a_good_object_is_defaulted_all_the_same(space: &Space<'_>) {
    let stored = space.create("celeries", &shop::named("plain", "spec: {flowerSpec: {}}"));
    assert!(stored["spec"]["common"].get("appName").is_none());
    let deployment = space.until_there("deployments", "plain-worker");
    assert_eq!(deployment["spec"]["replicas"], 1);
    space.until_there("services", "plain-flower");
    // It came after the bad one, which therefore had its turn.
    assert_eq!(space.children("shop"), Vec::new());
}

/// A spec that turns bad is not followed: its children stay as they were.
fn what_runs_is_left_as_it_is(space: &Space<'_>, before: &Value) {
    let bad = "spec: {common: {image: 'good:2', broker: {url: 'rabbitmq://mq'}}, flowerSpec: null}";
    space.edit("celeries", "good", bad);
    space.until_condition("good", "Valid", "False", "Refused");
    let after = space.get("deployments", "good-worker").unwrap();
    assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"]);
    assert!(space.get("services", "good-flower").is_some());
    space.edit("celeries", "good", "spec: {common: {broker: {url: 'redis://cache'}}}");
    space.until("deployments", "good-worker", |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] == "good:2"
    });
    space.until_gone("services", "good-flower");
}

fn parked_objects_may_change_but_not_get_worse(space: &Space<'_>) {
    // Changes of metadata and of status are nobody's business here.
    space.edit("celeries", "shop", "metadata: {labels: {team: a}, finalizers: [example.com/hold]}");
    space.edit("celeries", "shop", "metadata: {finalizers: null}");
    space.edit("celeries", "shop/status", "status: {workers: 0/0}");
    space.edit("celeries", "shop/scale", "spec: {replicas: 2}");
    // Another field may change: the old mistake is a warning now.
    let patch = json!({"spec": {"workerSpec": {"args": ["-Q", "mail"]}}});
    let answer = space.merge("celeries", "shop", &patch);
    assert!(answer.is_success(), "{}", answer.text);
    assert!(answer.warnings.iter().any(|warning| warning.ends_with("[B04]")), "{:?}", answer.warnings);
    // The same mistake with another value, and a second mistake, are refused.
    let worse = [
        (json!({"spec": {"common": {"broker": {"url": "other:6379"}}}}), "spec.common.broker.url"),
        (json!({"spec": {"common": {"image": "My/App"}}}), "spec.common.image"),
        (json!({"spec": {"flowerSpec": {"servicePort": 0}}}), "spec.flowerSpec.servicePort"),
    ];
    for (patch, field) in worse {
        let answer = space.merge("celeries", "shop", &patch);
        assert_eq!(answer.code, 422, "{patch}: {}", answer.text);
        let fields: Vec<String> = answer.causes().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, [field], "{patch}");
    }
    assert_eq!(space.children("shop"), Vec::new());
}

fn a_corrected_object_is_healed(space: &Space<'_>) {
    space.edit("celeries", "shop", "spec: {common: {broker: {url: 'redis://cache:6379'}}}");
    let deployment = space.until_there("deployments", "shop-worker");
    // The number that was scaled to while it was parked.
    assert_eq!(deployment["spec"]["replicas"], 2);
    let healed = space.until_condition("shop", "Valid", "True", "Accepted");
    assert_eq!(findings(&healed), Vec::new());
    space.until_there("services", "shop-flower");
    space.until_ready("shop");
}
