// SPDX-License-Identifier: Apache-2.0
//! A chart and the plain manifests install the same.

use std::process::Command;

use celery_operator::api::crd;
use celery_operator::manifests::{Destination, IMAGE, Installation, manager, namespace, rbac, webhooks};
use serde_json::{Value, json};

use crate::helm::{chart, documents, printed, rendered};
use crate::objects::{by_title, difference};

fn plain(installation: &Installation) -> Vec<Value> {
    [rbac(installation), manager(installation, IMAGE), webhooks(installation, &Destination::Service)].concat()
}

#[track_caller]
fn same(one: &[Value], other: &[Value]) {
    let (one, other) = (by_title(one), by_title(other));
    let titles = |objects: &std::collections::BTreeMap<String, Value>| -> Vec<String> {
        objects.keys().cloned().collect()
    };
    assert_eq!(titles(&one), titles(&other));
    for (title, object) in &one {
        assert_eq!(difference(object, &other[title], title), None);
    }
}

#[test]
fn the_chart_installs_what_the_plain_manifests_do() {
    same(&rendered(&chart("celery-operator"), &[]), &plain(&Installation::default()));
}

#[test]
fn the_chart_names_things_as_the_command_line_does() {
    let arguments =
        ["--set", "fullnameOverride=second", "--set", "watchNamespaces={web,mail}", "--namespace", "team"];
    let installation = Installation {
        cluster_wide_name: "second.team".to_owned(),
        watched: vec!["web".to_owned(), "mail".to_owned()],
        ..Installation::new("team", "second")
    };
    same(&rendered(&chart("celery-operator"), &arguments), &plain(&installation));
}

#[test]
fn the_definition_is_the_same_and_stays() {
    let objects = rendered(&chart("celery-operator-crds"), &[]);
    let [definition] = &objects[..] else { panic!("{objects:?}") };
    assert_eq!(definition["metadata"]["annotations"], json!({"helm.sh/resource-policy": "keep"}));
    let mut definition = definition.clone();
    definition["metadata"].as_object_mut().unwrap().remove("annotations");
    same(&[definition], &[serde_json::to_value(crd::definition()).unwrap()]);
    let gone = rendered(&chart("celery-operator-crds"), &["--set", "keep=false"]);
    assert_eq!(gone[0]["metadata"]["annotations"], json!({}));
}

#[test]
fn kustomize_makes_the_one_file_of_the_parts() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config");
    let file = documents(&std::fs::read_to_string(format!("{folder}/install.yaml")).unwrap());
    let installation = Installation::default();
    let definition = serde_json::to_value(crd::definition()).unwrap();
    same(&file, &[vec![namespace(&installation), definition], plain(&installation)].concat());
    let mut kubectl = Command::new(testbed::Binaries::locate_or_build().unwrap().kubectl);
    let parts = documents(&printed(kubectl.arg("kustomize").arg(format!("{folder}/default"))));
    same(&parts, &file);
}

/// What the page shows does what it says there.
#[test]
fn a_kustomization_may_name_another_namespace_and_image() {
    let root = env!("CARGO_MANIFEST_DIR");
    let page = std::fs::read_to_string(format!("{root}/docs/install.md")).unwrap();
    let shown = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    testbed::stack::copy(
        &std::path::Path::new(root).join("config"),
        &folder.path().join("celery-operator/config"),
    )
    .unwrap();
    let own = folder.path().join("own");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("kustomization.yaml"), shown).unwrap();
    let mut kubectl = Command::new(testbed::Binaries::locate_or_build().unwrap().kubectl);
    let made = documents(&printed(kubectl.arg("kustomize").arg(&own)));
    let installation = Installation::new("operators", "celery-operator");
    let image = format!("registry.example.com/{IMAGE}");
    let definition = serde_json::to_value(crd::definition()).unwrap();
    let wanted = [
        vec![namespace(&installation), definition],
        rbac(&installation),
        manager(&installation, &image),
        webhooks(&installation, &Destination::Service),
    ];
    same(&made, &wanted.concat());
}
