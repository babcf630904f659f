// SPDX-License-Identifier: Apache-2.0
//! A role that lacks a kind: whoever does not need it goes on, whoever does says so.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{JSON, MERGE};
use crate::rig::{Rig, Setup};
use crate::shop;
use crate::space::{Space, condition};
use crate::wait::until_within;

const ROLE: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles/celery-operator";
/// The watch that was refused is tried again after longer and longer pauses.
const SEEN_WITHIN: Duration = Duration::from_mins(2);

fn set_rules(rig: &Rig, rules: &Value) {
    rig.send("PATCH", ROLE, MERGE, Some(&json!({ "rules": rules }))).success();
}

#[test]
fn a_kind_that_is_not_permitted_stops_only_those_who_need_it() {
    let rig = Rig::start(Setup { keda: false, operator: false, arguments: &[] });
    let whole = rig.send("GET", ROLE, JSON, None).success()["rules"].clone();
    let mut rules = whole.clone();
    for rule in rules.as_array_mut().unwrap() {
        if let Some(resources) = rule["resources"].as_array_mut() {
            // The cluster does not even know the last.
            let missing = ["ingresses", "horizontalpodautoscalers", "servicemonitors"];
            resources.retain(|name| !missing.iter().any(|missing| name == missing));
        }
    }
    rules.as_array_mut().unwrap().retain(|rule| rule["resources"].as_array().is_none_or(|it| !it.is_empty()));
    set_rules(&rig, &rules);
    rig.start_operator();
    let space = Space::new(&rig, "roles");
    space.create("celeries", &shop::plain());
    space.until_ready("shop");
    // No autoscaler is known, and none ever will be.
    space.edit("celeries", "shop", "spec: {workerSpec: {numOfWorkers: 3}}");
    space.until("deployments", "shop-worker", |it| it["spec"]["replicas"] == 3);
    let auth = "auth: {basic: {secretRef: {name: flower, key: users}}}";
    space.create(
        "celeries",
        &shop::named("shown", &format!("spec: {{flowerSpec: {{{auth}, ingress: {{}}}}}}")),
    );
    let celery = space.until_condition("shown", "Stalled", "True", "NotPermitted");
    let message = condition(&celery, "Ready")["message"].to_string();
    assert!(message.contains("ingresses.networking.k8s.io"), "{message}");
    space.until_there("deployments", "shown-flower");
    let metrics = rig.launch.ask("/metrics").unwrap();
    for kind in ["Ingress", "HorizontalPodAutoscaler", "ServiceMonitor"] {
        assert!(
            metrics.contains(&format!(r#"celery_operator_kind_forbidden{{kind="{kind}"}} 1"#)),
            "{metrics}"
        );
    }
    set_rules(&rig, &whole);
    until_within(SEEN_WITHIN, "the role is seen", || match space.get("ingresses", "shown-flower") {
        Some(_) => Ok(()),
        None => Err(condition(&space.get("celeries", "shown").unwrap(), "Ready")["reason"].to_string()),
    });
    space.until_ready("shown");
}
