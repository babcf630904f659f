// SPDX-License-Identifier: Apache-2.0
//! What docs/gitops.md shows is taken by the definitions of Argo CD and Flux, and is what the tests here judge.

use std::fs;

use super::root;
use crate::rig::{shared, succeeded};
use crate::space::Space;

#[test]
fn what_the_page_shows_is_accepted() {
    let rig = shared();
    let mut kubectl = rig.kubectl();
    kubectl.args(["apply", "--server-side"]);
    for file in testbed::gitops::crds().unwrap() {
        kubectl.arg("-f").arg(file);
    }
    succeeded(&kubectl.output().unwrap());
    rig.await_kind("applications.argoproj.io");
    rig.await_kind("kustomizations.kustomize.toolkit.fluxcd.io");
    for namespace in ["argocd", "flux-system"] {
        Space::named(rig, namespace);
    }
    let page = fs::read_to_string(root().join("docs/gitops.md")).unwrap();
    let blocks: Vec<&str> =
        page.split("```yaml\n").skip(1).map(|part| part.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 5, "the reader of pages found something else");
    for yaml in blocks {
        let output = rig.run(&["apply", "--dry-run=server", "--validate=strict", "-f", "-"], yaml);
        assert!(output.status.success(), "{}\n{yaml}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_page_has_the_health_check_that_is_tested() {
    let page = fs::read_to_string(root().join("docs/gitops.md")).unwrap();
    let script = fs::read_to_string(root().join("config/argocd/health.lua")).unwrap();
    let indented = |line: &str| if line.is_empty() { String::new() } else { format!("    {line}") };
    let shown = script.lines().map(indented).collect::<Vec<_>>().join("\n");
    assert!(page.contains(&format!("celeryproject.org_Celery: |\n{shown}\n")), "docs/gitops.md is stale");
}

/// The alerts are what the Prometheus operator takes.
#[test]
fn the_alerts_are_accepted() {
    let rig = shared();
    let definition = testbed::prometheus::rules().unwrap();
    succeeded(&rig.kubectl().args(["apply", "--server-side", "-f"]).arg(definition).output().unwrap());
    rig.await_kind("prometheusrules.monitoring.coreos.com");
    let rules = fs::read_to_string(root().join("config/prometheus/rules.yaml")).unwrap();
    let output = rig.run(&["apply", "--dry-run=server", "--validate=strict", "-f", "-"], &rules);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
