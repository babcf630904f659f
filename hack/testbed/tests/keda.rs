// SPDX-License-Identifier: Apache-2.0
//! KEDA's definitions can be had, and a real API server takes them. Its programs take long to build: `make e2e` runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod waiting;

use testbed::{ControlPlane, Options};
use waiting::eventually;

#[test]
fn the_definitions_of_keda_can_be_applied() {
    let files = testbed::keda::crds().unwrap();
    assert!(files.iter().any(|file| file.ends_with("keda.sh_scaledobjects.yaml")), "{files:?}");

    let plane = ControlPlane::start(Options::default()).unwrap();
    let refused = testbed::keda::Keda::start(&plane).unwrap_err().to_string();
    assert!(refused.contains("Options::aggregation"), "before anything is built: {refused}");
    let mut kubectl = plane.kubectl();
    kubectl.args(["apply", "--server-side"]);
    for file in &files {
        kubectl.arg("-f").arg(file);
    }
    let output = kubectl.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Asked again: right after the apply there is no condition yet, which kubectl takes for an error.
    let established = ["wait", "--for=condition=Established", "--timeout=5s", "crd/scaledobjects.keda.sh"];
    eventually("the definition is established", || {
        plane.kubectl().args(established).output().unwrap().status.success().then_some(())
    });
}
