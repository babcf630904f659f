// SPDX-License-Identifier: Apache-2.0
//! What a node can do, and that nothing of it is left. Not part of `make test`: it needs root and packages, and takes the
//! one node that a machine has room for. `make e2e` runs it first.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod waiting;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testbed::node::PAUSE_IMAGE;
use testbed::{ControlPlane, Node, NodePrograms, Options, Process};
use waiting::{all_ended, eventually, processes_in};

const SERVER: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: IMAGE
          imagePullPolicy: Never
          command: [busybox, sh, -c, 'echo served by $HOSTNAME; echo hello > /srv/index.html; busybox httpd -f -p 8080 -h /srv']
          volumeMounts: [{name: pages, mountPath: /srv}]
      volumes: [{name: pages, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
";

/// One node at a time.
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn kubectl(kubeconfig: &Path, arguments: &[&str]) -> Option<String> {
    let folder = testbed::Binaries::locate_or_build().unwrap().kubectl;
    let output = Command::new(folder).arg("--kubeconfig").arg(kubeconfig).args(arguments).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

fn ready_pods(kubeconfig: &Path) -> Option<()> {
    let path = "jsonpath={.status.readyReplicas}";
    kubectl(kubeconfig, &["get", "deployment", "web", "-o", path]).filter(|n| n == "2").map(drop)
}

/// What a node leaves behind if it is not careful.
fn traces() -> Vec<String> {
    let mut traces = Vec::new();
    let interfaces = fs::read_dir("/sys/class/net").unwrap().flatten();
    traces.extend(interfaces.map(|entry| format!("interface {}", entry.file_name().display())));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    traces.extend(mounts.lines().filter(|line| line.contains("testbed")).map(str::to_owned));
    for tool in ["iptables-save", "iptables-legacy-save"] {
        let rules = Command::new(tool).output().map(|output| output.stdout).unwrap_or_default();
        let rules = String::from_utf8(rules).unwrap();
        traces.extend(rules.lines().filter(|line| line.contains("KUBE-")).map(str::to_owned));
    }
    for name in ["/run/netns", "/run/containerd", "/var/lib/cni", "/var/lib/kubelet", "/var/log/pods"] {
        traces.extend(Path::new(name).exists().then(|| name.to_owned()));
    }
    let settings = ["net/ipv4/ip_forward", "vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops"];
    traces.extend(settings.map(|name| {
        format!("{name} is {}", fs::read_to_string(Path::new("/proc/sys").join(name)).unwrap().trim())
    }));
    let shims = processes_in(Path::new("containerd-shim"));
    traces.extend(shims);
    traces
}

#[test]
fn pods_run_serve_and_can_be_looked_into() {
    let _turn = TURN.lock();
    let before = traces();
    let programs = NodePrograms::locate_or_build().unwrap();
    let plane = ControlPlane::start(Options { node: true, ..Options::default() }).unwrap();
    let node = Node::join(&plane, &programs).unwrap();
    let second = Node::join(&plane, &programs).unwrap_err().to_string();
    assert!(second.contains("another node runs"), "{second}");

    let output = plane.kubectl_apply(&SERVER.replace("IMAGE", PAUSE_IMAGE), &[]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    eventually("two pods are ready", || ready_pods(plane.kubeconfig()));

    let asked = eventually("a pod reaches a Service by its name", || {
        kubectl(
            plane.kubeconfig(),
            &["exec", "deployment/web", "--", "busybox", "wget", "-qO-", "http://web.default"],
        )
    });
    assert_eq!(asked, "hello\n");
    let address = kubectl(plane.kubeconfig(), &["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"]);
    let page = Command::new("curl").args(["-s", &format!("http://{}", address.unwrap())]).output().unwrap();
    assert_eq!(page.stdout, b"hello\n", "this machine reaches a Service too");
    let log = kubectl(plane.kubeconfig(), &["logs", "deployment/web"]).unwrap();
    assert!(log.starts_with("served by web-"), "{log}");

    let dir = plane.dir().to_owned();
    drop(node);
    drop(plane);
    all_ended(&dir);
    assert!(!dir.exists());
    assert_eq!(traces(), before);
}

#[test]
fn killed_owners_leave_nothing_and_stand_in_nobodys_way() {
    let _turn = TURN.lock();
    let before = traces();
    for _ in 0..2 {
        let logs = TempDir::new().unwrap();
        let mut up = Command::new(env!("CARGO_BIN_EXE_testbed"));
        up.args(["up", "--node"]);
        let mut owner = Process::spawn("testbed up", &up, &logs.path().join("log")).unwrap();
        let said = || fs::read_to_string(logs.path().join("log")).unwrap();
        let kubeconfig = loop {
            assert!(owner.wait(Duration::from_millis(50)).is_none(), "{}", said());
            if let Some(line) = said().lines().find_map(|line| line.strip_prefix("export KUBECONFIG=")) {
                break Path::new(line).to_owned();
            }
        };
        let manifest = logs.path().join("web.yaml");
        fs::write(&manifest, SERVER.replace("IMAGE", PAUSE_IMAGE)).unwrap();
        kubectl(&kubeconfig, &["apply", "-f", &manifest.display().to_string()]).unwrap();
        eventually("two pods are ready", || ready_pods(&kubeconfig));
        assert_ne!(traces(), before);

        kill_process(Pid::from_raw(owner.id().try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
        owner.wait(Duration::from_secs(30)).expect("the owner ends");
        let dir = kubeconfig.parent().unwrap();
        all_ended(dir);
        eventually("nothing is left", || (traces() == before).then_some(()));
        // Nobody was left to remove it; the next instance would, after a minute.
        fs::remove_dir_all(dir).unwrap();
    }
}
