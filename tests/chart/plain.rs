// SPDX-License-Identifier: Apache-2.0
//! The one file of plain manifests on a real API server.

use serde_json::Value;

use crate::helm::said;
use crate::rig::{Rig, until};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/install.yaml");

#[test]
fn one_file_installs_everything_where_pods_have_to_be_restricted() {
    let rig = Rig::start();
    // Of the client, as most people apply: the definition has to fit into its annotation.
    let first = said(&rig.try_kubectl(&["apply", "-f", FILE]));
    assert!(!first.contains("Warning") && !first.contains("rror"), "{first}");
    let namespace = rig.json(&["get", "namespace", "celery-system"]);
    assert_eq!(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
    rig.until_pods_exist("celery-system", "celery-operator");
    let again = rig.kubectl(&["apply", "-f", FILE]);
    let changed: Vec<&str> = again.lines().filter(|line| !line.ends_with(" unchanged")).collect();
    // kubectl replaces the selector of a budget each time, by the same one.
    assert_eq!(changed, ["poddisruptionbudget.policy/celery-operator configured"]);
    let pods = rig.json(&["get", "pods", "--namespace", "celery-system"]);
    assert_eq!(pods["items"].as_array().map(Vec::len), Some(2), "{pods}");
    rig.kubectl(&["delete", "-f", FILE, "--timeout=60s"]);
    assert_eq!(rig.json(&["get", "namespace", "celery-system"]), Value::Null);
    the_bundle_is_what_olm_takes(&rig);
}

fn the_bundle_is_what_olm_takes(rig: &Rig) {
    let definition = testbed::olm::cluster_service_versions().unwrap().display().to_string();
    rig.kubectl(&["apply", "--server-side", "-f", &definition]);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/olm/manifests");
    until("the bundle is accepted", || {
        let output = rig.try_kubectl(&["apply", "--dry-run=server", "--validate=strict", "-f", folder]);
        let said = said(&output);
        if output.status.success() && !said.contains("Warning") { Ok(()) } else { Err(said) }
    });
}
