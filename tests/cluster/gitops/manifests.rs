// SPDX-License-Identifier: Apache-2.0
//! The operator's own manifests as an application: what the operator writes into them is no difference either.

use std::fs;

use serde_json::{Value, json};

use super::judge::{Judge, TRACKED, WAYS};
use super::{in_sync, name, root};
use crate::http::JSON;
use crate::rig::{Rig, Setup};
use crate::shop;
use crate::wait::until;

/// The documents of a file, marked as Argo CD marks them.
fn documents(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let documents = text.split("\n---\n").map(|document| {
        let mut object = shop::yaml(document);
        object["metadata"]["annotations"][TRACKED] = json!("operator:mark");
        object
    });
    documents.collect()
}

/// Where an object is, as kubectl finds it.
fn live(rig: &Rig, object: &Value) -> Value {
    let kind = object["kind"].as_str().unwrap();
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
    let found = rig.succeed(&[
        "get",
        kind,
        name(object),
        "--namespace",
        namespace,
        "-o",
        "json",
        "--show-managed-fields",
    ]);
    serde_json::from_str(&found).unwrap()
}

#[test]
fn what_the_operator_writes_into_its_manifests_is_no_difference() {
    let rig = Rig::start(Setup { keda: false, ..Setup::default() });
    let mut judge = Judge::of(&rig);
    let files = [
        "config/crd/celeryproject.org_celeries.yaml",
        "config/rbac/rbac.yaml",
        "config/webhook/webhooks.yaml",
    ];
    for way in &WAYS {
        let mut seen = 0;
        for wanted in files.iter().flat_map(|file| documents(file)) {
            judge.apply(&wanted, way.apply);
            in_sync(&mut judge, way, &wanted, &live(&rig, &wanted), "at first");
            seen += 1;
        }
        assert!(seen > 6, "{seen}");
        // The authority is there, so that its absence in git was no reason to take it away.
        for configuration in ["mutating", "validating"] {
            let path = format!(
                "/apis/admissionregistration.k8s.io/v1/{configuration}webhookconfigurations/celery-operator-{configuration}"
            );
            until("the authority is published", || {
                let object = rig.send("GET", &path, JSON, None).success();
                let bundle = &object["webhooks"][0]["clientConfig"]["caBundle"];
                if bundle.is_string() { Ok(()) } else { Err(object["webhooks"].to_string()) }
            });
        }
        for wanted in files.iter().flat_map(|file| documents(file)) {
            in_sync(&mut judge, way, &wanted, &live(&rig, &wanted), "with the authority");
        }
    }
}
