// SPDX-License-Identifier: Apache-2.0
//! What is rendered, byte by byte: every `golden/<case>.yaml` has its children in `golden/<case>.children.yaml`.
//!
//! A case is a Celery, the Secrets that were read beside it, and `# keda: false` or `# monitors: false` as its first
//! line where KEDA or the Prometheus operator is not installed. A change of a golden file is a restart of somebody's workers: `UPDATE_GOLDEN=1 cargo test --test render`
//! writes them anew, the review of the difference is yours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "render/case.rs"]
mod case;
#[path = "render/diff.rs"]
mod diff;
#[path = "render/leaves.rs"]
mod leaves;

use std::collections::BTreeSet;
use std::fs;

use celery_operator::build::{ChildKind, Children, Manifest};
use celery_operator::labels::{MANAGED_BY, RENDERED_HASH};
use celery_operator::rules::{self, Severity};
use serde_json::{Value, json};

use case::{Case, cases};

/// Every password of every case contains this text.
const PASSWORD: &str = "hunter2";

/// Calls a check with every case, its children and each of their manifests.
fn each(check: impl Fn(&Case, &Children, &Manifest)) {
    for case in cases() {
        let children = case.children();
        for manifest in &children.manifests {
            check(&case, &children, manifest);
        }
    }
}

fn named(children: &Children, kind: ChildKind, name: &str) -> bool {
    children.manifests.iter().any(|manifest| manifest.kind == kind && manifest.name == name)
}

#[test]
fn every_case_renders_its_golden_file() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut failures = Vec::new();
    for case in cases() {
        let rendered = case.rendered();
        let golden = case.golden();
        if update {
            fs::write(&golden, &rendered).unwrap();
            continue;
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if expected != rendered {
            let difference = diff::lines(&expected, &rendered);
            failures.push(format!("{}\n{difference}", golden.display()));
        }
    }
    assert!(
        failures.is_empty(),
        "{}\nIf this is meant: UPDATE_GOLDEN=1 cargo test --test render",
        failures.join("\n")
    );
}

#[test]
fn every_golden_file_has_a_case_and_every_case_a_golden_file() {
    let files: BTreeSet<String> = fs::read_dir(case::FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<String> = cases()
        .iter()
        .flat_map(|case| [format!("{}.yaml", case.name), format!("{}.children.yaml", case.name)])
        .collect();
    assert_eq!(files, expected);
    assert!(cases().len() >= 16);
}

#[test]
fn no_rule_denies_a_case() {
    for case in cases() {
        let findings = rules::check(&case.object, None, &rules::Facts::default()).unwrap();
        let denials: Vec<String> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Deny)
            .map(ToString::to_string)
            .collect();
        assert!(denials.is_empty(), "{}: {denials:#?}", case.name);
    }
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    for case in cases() {
        assert_eq!(case.rendered(), case.rendered(), "{}", case.name);
    }
}

#[test]
fn a_golden_file_reads_back_as_the_very_manifests() {
    let mut control_characters = 0;
    for case in cases() {
        let text = case.rendered();
        let read: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        let made = case.children().manifests;
        let made: Vec<&Value> = made.iter().map(|manifest| &manifest.body).collect();
        assert_eq!(read.iter().collect::<Vec<_>>(), made, "{}", case.name);
        let lists = read.iter().filter_map(|object| object["spec"]["triggers"].as_array());
        control_characters += lists
            .flatten()
            .filter_map(|trigger| trigger["metadata"]["listName"].as_str())
            .filter(|name| name.contains("\u{6}\u{16}"))
            .count();
    }
    assert!(control_characters > 0, "the lists of priorities have control characters");
}

#[test]
fn no_child_is_rendered_twice() {
    for case in cases() {
        let children = case.children();
        let made = children.manifests.iter().map(|manifest| (manifest.kind, &manifest.name));
        let distinct: BTreeSet<_> = made.collect();
        assert_eq!(distinct.len(), children.manifests.len(), "{}", case.name);
    }
}

#[test]
fn a_deployment_never_has_two_autoscalers() {
    each(|case, children, manifest| {
        if manifest.kind == ChildKind::Deployment {
            let both = named(children, ChildKind::HorizontalPodAutoscaler, &manifest.name)
                && named(children, ChildKind::ScaledObject, &manifest.name);
            assert!(!both, "{}: {}", case.name, manifest.name);
        }
    });
}

#[test]
fn the_replicas_of_a_scaled_deployment_are_left_to_its_autoscaler() {
    each(|case, children, manifest| {
        if !matches!(manifest.kind, ChildKind::HorizontalPodAutoscaler | ChildKind::ScaledObject) {
            return;
        }
        let target = &manifest.body["spec"]["scaleTargetRef"];
        assert_eq!((&target["apiVersion"], &target["kind"]), (&json!("apps/v1"), &json!("Deployment")));
        let deployment = children.manifests.iter().find(|deployment| {
            deployment.kind == ChildKind::Deployment && target["name"] == deployment.name.as_str()
        });
        let deployment = deployment.unwrap_or_else(|| panic!("{}: {target} is not there", case.name));
        assert_eq!(deployment.body["spec"].get("replicas"), None, "{}", case.name);
    });
}

#[test]
fn replicas_are_also_left_alone_while_the_autoscaler_cannot_be_made() {
    for case in cases() {
        let children = case.children();
        for (kind, name) in &children.kept {
            assert!(!named(&children, *kind, name), "{}: {name} is both kept and made", case.name);
            if *kind == ChildKind::ScaledObject {
                let deployment = children
                    .manifests
                    .iter()
                    .find(|manifest| manifest.kind == ChildKind::Deployment && manifest.name == *name);
                assert_eq!(deployment.unwrap().body["spec"].get("replicas"), None, "{}", case.name);
            }
        }
    }
}

#[test]
fn every_child_says_whose_it_is() {
    each(|case, _, manifest| {
        let place = format!("{}: {manifest:?}", case.name);
        let object = &case.object["metadata"];
        let metadata = &manifest.body["metadata"];
        assert_eq!(metadata["name"], manifest.name.as_str(), "{place}");
        assert_eq!(metadata["namespace"], object["namespace"], "{place}");
        let owner = json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery", "name": object["name"], "uid": object["uid"],
            "controller": true, "blockOwnerDeletion": true,
        });
        let claim = &case.object["spec"][format!(
            "{}Spec",
            metadata["labels"]["app.kubernetes.io/component"].as_str().unwrap_or_default()
        )]["persistence"];
        // A claim outlives its Celery unless it was asked not to.
        if manifest.kind == ChildKind::PersistentVolumeClaim && claim["retain"] != false {
            assert_eq!(metadata.get("ownerReferences"), None, "{place}");
        } else {
            assert_eq!(metadata["ownerReferences"], json!([owner]), "{place}");
        }
        let labels = &metadata["labels"];
        assert_eq!(labels["app.kubernetes.io/name"], "celery", "{place}");
        assert_eq!(labels["app.kubernetes.io/instance"], object["name"], "{place}");
        assert_eq!(labels["app.kubernetes.io/managed-by"], MANAGED_BY, "{place}");
        let app = &case.defaulted()["spec"]["common"]["appName"];
        assert_eq!(&labels["app.kubernetes.io/part-of"], app, "{place}");
        let hash = metadata["annotations"][RENDERED_HASH].as_str().unwrap();
        assert_eq!((hash, hash.len()), (manifest.hash.as_str(), 32), "{place}");
    });
}

#[test]
fn pods_carry_what_their_deployment_and_service_select() {
    each(|case, children, manifest| {
        let selector = match manifest.kind {
            ChildKind::Deployment => &manifest.body["spec"]["selector"]["matchLabels"],
            ChildKind::Service => &manifest.body["spec"]["selector"],
            _ => return,
        };
        let deployment = children
            .manifests
            .iter()
            .find(|other| other.kind == ChildKind::Deployment && other.name == manifest.name);
        let labels = &deployment.unwrap().body["spec"]["template"]["metadata"]["labels"];
        for (label, value) in selector.as_object().unwrap() {
            assert_eq!(&labels[label], value, "{}: {manifest:?}", case.name);
        }
    });
}

#[test]
fn two_deployments_never_select_the_same_pods() {
    for case in cases() {
        let children = case.children();
        let deployments = children.manifests.iter().filter(|manifest| manifest.kind == ChildKind::Deployment);
        let selectors: Vec<String> =
            deployments.map(|deployment| deployment.body["spec"]["selector"].to_string()).collect();
        let distinct: BTreeSet<&String> = selectors.iter().collect();
        assert_eq!(distinct.len(), selectors.len(), "{}", case.name);
    }
}

#[test]
fn passwords_are_in_secrets_only() {
    for case in cases() {
        for secret in &case.secrets {
            let told = secret.to_string();
            assert!(told.contains(PASSWORD), "{}: a Secret without {PASSWORD:?} proves nothing", case.name);
        }
    }
    each(|case, children, manifest| {
        if manifest.kind == ChildKind::Secret {
            return;
        }
        let told = manifest.body.to_string();
        assert!(!told.contains(PASSWORD), "{}: {manifest:?}", case.name);
        let secrets = children.manifests.iter().filter(|other| other.kind == ChildKind::Secret);
        for (key, encoded) in secrets.flat_map(|secret| secret.body["data"].as_object().unwrap()) {
            let encoded = encoded.as_str().unwrap();
            assert!(!told.contains(encoded), "{}: {manifest:?} has {key}", case.name);
        }
        // `Debug` ends up in logs.
        assert!(!format!("{manifest:?}").contains(PASSWORD));
    });
}
