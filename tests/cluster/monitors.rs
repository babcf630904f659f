// SPDX-License-Identifier: Apache-2.0
//! A cluster that gets the Prometheus operator later, loses it, and gets it again.

use serde_json::{Value, json};

use crate::rig::{Rig, Setup};
use crate::shop;
use crate::space::Space;
use crate::wait::until;

const MONITORED: &str = "spec: {common: {metrics: {flowerServiceMonitor: true}}, flowerSpec: {urlPrefix: flower, auth: {allowUnauthenticated: true}}}";

/// Whether the status tells that the kind is missing.
fn is_missing(celery: &Value) -> bool {
    let findings = celery["status"]["findings"].as_array().into_iter().flatten();
    findings.into_iter().any(|finding| finding["rule"] == "F50")
}

#[test]
fn a_monitor_is_there_as_long_as_its_kind_is() {
    let rig = Rig::start(Setup { keda: false, ..Setup::default() });
    let pid = rig.operator_pid();
    let space = Space::new(&rig, "monitors");
    until("the webhook says that the kind is missing", || {
        let answer = space.post("celeries", "?dryRun=All", &shop::with(MONITORED));
        let told = answer.warnings.iter().any(|warning| warning.ends_with("[F50]"));
        if told { Ok(()) } else { Err(answer.text) }
    });
    space.create("celeries", &shop::with(MONITORED));
    space.until("celeries", "shop", is_missing);
    // Nothing else waits for it.
    space.until_there("services", "shop-flower");
    space.until_ready("shop");
    for _ in 0..2 {
        rig.install_monitors();
        let monitor = space.until_there("servicemonitors", "shop-flower");
        let endpoints = json!([{"port": "http", "path": "/flower/metrics"}]);
        assert_eq!(monitor["spec"]["endpoints"], endpoints);
        let service = space.get("services", "shop-flower").unwrap();
        for (label, value) in monitor["spec"]["selector"]["matchLabels"].as_object().unwrap() {
            assert_eq!(&service["metadata"]["labels"][label], value, "{label}");
        }
        space.until("celeries", "shop", |it| {
            !is_missing(it) && it["status"]["children"].to_string().contains("ServiceMonitor")
        });
        rig.succeed(&["delete", "crd", "servicemonitors.monitoring.coreos.com"]);
        space.until("celeries", "shop", is_missing);
    }
    rig.install_monitors();
    space.until_there("servicemonitors", "shop-flower");
    space.edit("celeries", "shop", "spec: {common: {metrics: null}}");
    space.until_gone("servicemonitors", "shop-flower");
    assert_eq!(rig.operator_pid(), pid);
}
