// SPDX-License-Identifier: Apache-2.0
//! What a control plane can do: it is a real one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod waiting;

use std::fs;
use std::thread;

use testbed::{Component, ControlPlane, Options};
use waiting::{all_ended, eventually, processes_in};

const DEPLOYMENT: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.com/web}]}
";

/// Standard output of kubectl, or `None` when it failed.
fn kubectl(plane: &ControlPlane, arguments: &[&str]) -> Option<String> {
    let output = plane.kubectl().args(arguments).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

fn apply(plane: &ControlPlane, yaml: &str, extra_args: &[&str]) {
    let output = plane.kubectl_apply(yaml, extra_args).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn two_instances_at_once_share_nothing() {
    let other = thread::spawn(|| ControlPlane::start(Options::default()).unwrap());
    let one = ControlPlane::start(Options::default()).unwrap();
    let other = other.join().unwrap();

    assert_ne!(one.server(), other.server());
    assert_ne!(one.token(), other.token());
    assert!(one.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    kubectl(&one, &["create", "namespace", "mine"]).unwrap();
    assert!(kubectl(&one, &["get", "namespace", "mine"]).is_some());
    assert!(kubectl(&other, &["get", "namespace", "mine"]).is_none());
    for plane in [&one, &other] {
        let version = kubectl(plane, &["version"]).unwrap();
        assert_eq!(version.matches("v1.").count(), 2, "client and server have a version: {version}");
        assert!(!version.contains("v0.0.0"), "{version}");
    }

    let (dir, stays) = (one.dir().to_owned(), other.dir().to_owned());
    assert_eq!(processes_in(&dir).len(), 6, "three programs, three guards");
    drop(one);
    all_ended(&dir);
    assert!(!dir.exists(), "the folder is removed");
    assert!(stays.exists());
    assert!(kubectl(&other, &["get", "namespaces"]).is_some());
}

#[test]
fn controllers_work_and_requests_are_audited() {
    let plane =
        ControlPlane::start(Options { audit: true, aggregation: true, ..Options::default() }).unwrap();
    apply(&plane, DEPLOYMENT, &["--server-side", "--field-manager=tester"]);

    eventually("the namespace has its service account", || {
        kubectl(&plane, &["-n", "shop", "get", "serviceaccount", "default"])
    });
    eventually("the Deployment has its ReplicaSet with two pods", || {
        let path = "jsonpath={.items[*].status.replicas}";
        kubectl(&plane, &["-n", "shop", "get", "replicasets", "-l", "app=web", "-o", path])
            .filter(|n| n == "2")
    });
    eventually("the authority of the cluster is published", || {
        kubectl(&plane, &["-n", "shop", "get", "configmap", "kube-root-ca.crt"])
    });
    let trust =
        kubectl(&plane, &["-n=kube-system", "get", "cm/extension-apiserver-authentication", "-o=yaml"]);
    assert!(trust.unwrap().contains("front-proxy-client"), "aggregated API servers know their client");

    let token = kubectl(&plane, &["-n", "shop", "create", "token", "default"]).unwrap();
    let as_it = ["--token", token.trim(), "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"];
    let output = plane.kubectl().env("KUBECONFIG", anonymous(&plane)).args(as_it).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "system:serviceaccount:shop:default");

    let audited = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let is_ours = event["user"]["username"] == "admin" && event["objectRef"]["resource"] == "deployments";
        is_ours && event["verb"] == "patch" && event["stage"] == "ResponseComplete"
    };
    eventually("the apply is in the audit log", || {
        let log = fs::read_to_string(plane.audit_log().unwrap()).unwrap();
        let complete = log.rsplit_once('\n')?.0;
        (complete.lines().filter(|line| audited(line)).count() == 1).then_some(())
    });
}

/// A kubeconfig without the administrator's token.
fn anonymous(plane: &ControlPlane) -> std::path::PathBuf {
    let path = plane.dir().join("anonymous.kubeconfig");
    let text = fs::read_to_string(plane.kubeconfig()).unwrap();
    fs::write(&path, text.replace(plane.token(), "")).unwrap();
    path
}

#[test]
fn each_program_can_be_killed_and_started_again() {
    let mut plane = ControlPlane::start(Options::default()).unwrap();
    assert!(plane.audit_log().is_none());
    apply(&plane, DEPLOYMENT, &[]);
    for component in [Component::Etcd, Component::ApiServer, Component::ControllerManager] {
        let before = plane.process(component).id();
        plane.process(component).kill().unwrap();
        eventually("the program has ended", || plane.process_mut(component).try_exit());
        let reason = plane.check_alive().unwrap_err().to_string();
        assert!(reason.contains("signal: 9"), "{reason}");
        plane.restart(component).unwrap();
        assert_ne!(plane.process(component).id(), before);
    }
    assert!(
        kubectl(&plane, &["-n", "shop", "get", "deployment", "web"]).is_some(),
        "the data is still there"
    );
}

#[test]
fn the_user_has_no_part_in_it() {
    let plane = ControlPlane::start(Options::default()).unwrap();
    let home = tempfile::TempDir::new().unwrap();
    let output = plane.kubectl().env("HOME", home.path()).args(["get", "pods"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "nothing is written into the home folder");
}
