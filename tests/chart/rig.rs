// SPDX-License-Identifier: Apache-2.0
//! A control plane on which charts are installed. There is no node: pods stay pending, and in their place a process
//! runs here, with the arguments of the Deployment and the token of its service account. The API server finds it through
//! the chart's Service, which is made to lead to this machine.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::{ControlPlane, Options, Process, free_port};

use crate::helm::{chart, helm, printed, said};

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Rig {
    pub(crate) plane: ControlPlane,
}

/// An operator that has taken the place of a release's pods.
pub(crate) struct Running {
    pub(crate) process: Process,
}

impl Rig {
    /// A control plane with nothing on it.
    pub(crate) fn start() -> Self {
        // Built before anything runs.
        let _ = helm();
        Self { plane: ControlPlane::start(Options { audit: true, ..Options::default() }).unwrap() }
    }

    pub(crate) fn helm(&self, arguments: &[&str]) -> Command {
        let mut command = helm();
        command.args(arguments).env("KUBECONFIG", self.plane.kubeconfig());
        command
    }

    /// What Helm prints when it succeeds, as it must.
    #[track_caller]
    pub(crate) fn helmed(&self, arguments: &[&str]) -> String {
        printed(&mut self.helm(arguments))
    }

    #[track_caller]
    pub(crate) fn install_definition(&self) {
        let chart = chart("celery-operator-crds").display().to_string();
        self.helmed(&["install", "celery-operator-crds", &chart, "--namespace", "default"]);
        until("the definition is established", || {
            let definition = self.json(&["get", "crd", "celeries.celeryproject.org"]);
            let conditions = definition["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let established = |it: &Value| it["type"] == "Established" && it["status"] == "True";
            if conditions.iter().any(established) { Ok(()) } else { Err(definition["status"].to_string()) }
        });
    }

    /// A namespace in which pods have to be restricted.
    #[track_caller]
    pub(crate) fn namespace(&self, name: &str) {
        self.kubectl(&["create", "namespace", name]);
        self.kubectl(&["label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted"]);
    }

    pub(crate) fn try_kubectl(&self, arguments: &[&str]) -> Output {
        self.plane.kubectl().args(arguments).output().unwrap()
    }

    /// What kubectl prints when it succeeds, as it must.
    #[track_caller]
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        printed(self.plane.kubectl().args(arguments))
    }

    /// An object, or null where there is none.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.try_kubectl(&[arguments, &["--output=json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    pub(crate) fn apply(&self, object: &Value) -> Output {
        self.plane.kubectl_apply(&object.to_string(), &[]).unwrap()
    }

    #[track_caller]
    pub(crate) fn applied(&self, object: &Value) {
        let output = self.apply(object);
        assert!(output.status.success(), "{}", said(&output));
    }

    /// Both replicas are there as far as the API server is concerned: nothing forbids such pods.
    #[track_caller]
    pub(crate) fn until_pods_exist(&self, namespace: &str, deployment: &str) {
        until("the pods are accepted", || {
            let it = self.json(&["get", "deployment", deployment, "--namespace", namespace]);
            if it["status"]["replicas"] == 2 { Ok(()) } else { Err(it["status"].to_string()) }
        });
    }

    /// Starts what the Deployment describes, and waits until it is ready and asked.
    #[track_caller]
    pub(crate) fn run(&self, namespace: &str, name: &str, port: u16) -> Running {
        let deployment = self.json(&["get", "deployment", name, "--namespace", namespace]);
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let arguments = container["args"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
        let admin_port = free_port().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_celery-operator"));
        command
            .args(arguments)
            .env("CELERY_OPERATOR_NAMESPACE", namespace)
            .env("CELERY_OPERATOR_WEBHOOK_ADDRESS", format!("127.0.0.1:{port}"))
            .env("CELERY_OPERATOR_ADMIN_ADDRESS", format!("127.0.0.1:{admin_port}"))
            .env("CELERY_OPERATOR_DRAIN_SECONDS", "0")
            .env("CELERY_OPERATOR_LEASE_SECONDS", "2")
            .env("KUBECONFIG", self.kubeconfig(namespace, name));
        let log = self.plane.dir().join(format!("{namespace}-{name}-{admin_port}.log"));
        let process = Process::spawn("celery-operator", &command, &log).unwrap();
        self.lead_here(namespace, name);
        let mut running = Running { process };
        until("the operator is ready", || {
            assert!(running.process.try_exit().is_none(), "it ended: {}", fs::read_to_string(&log).unwrap());
            match ready(admin_port) {
                Ok(answer) if answer.starts_with("HTTP/1.1 200") => Ok(()),
                Ok(answer) => Err(answer),
                Err(error) => Err(error.to_string()),
            }
        });
        running
    }

    /// Makes the Service of a release lead to this machine.
    #[track_caller]
    pub(crate) fn lead_here(&self, namespace: &str, name: &str) {
        let service = format!("{name}-webhook");
        let patch = json!({"spec": {"type": "ExternalName", "externalName": "localhost"}}).to_string();
        self.kubectl(&["patch", "service", &service, "--namespace", namespace, "--type=merge", "-p", &patch]);
    }

    /// The webhooks are in force in a namespace once they refuse what no schema would.
    #[track_caller]
    pub(crate) fn until_judged(&self, namespace: &str) {
        until("the webhooks are asked", || {
            let bad = celery(namespace, "judged", "cache:6379");
            let output = self.plane.kubectl_apply(&bad.to_string(), &["--dry-run=server"]).unwrap();
            if said(&output).contains("[B04]") { Ok(()) } else { Err(said(&output)) }
        });
    }

    fn kubeconfig(&self, namespace: &str, name: &str) -> PathBuf {
        let token = self.kubectl(&["create", "token", name, "--namespace", namespace]);
        let path = self.plane.dir().join(format!("{namespace}-{name}.kubeconfig"));
        let ca = self.plane.dir().join("charts-ca.crt");
        fs::write(&ca, self.plane.ca_pem()).unwrap();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": self.plane.server(), "certificate-authority": ca}}],
            "users": [{"name": "it", "user": {"token": token.trim()}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        });
        fs::write(&path, config.to_string()).unwrap();
        path
    }
}

/// Asks until there is an answer, and fails when there is none.
#[track_caller]
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Result<T, String>) -> T {
    testbed::until(what, PATIENCE, look).unwrap_or_else(|missed| panic!("{missed}"))
}

fn ready(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    std::io::read_to_string(stream)
}

/// A small Celery.
pub(crate) fn celery(namespace: &str, name: &str, broker: &str) -> Value {
    json!({
        "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "common": {"image": "registry.example.com/shop:1.0", "celeryApp": "shop.tasks", "broker": {"url": broker}},
            "workerSpec": {"numOfWorkers": 1},
        },
    })
}
