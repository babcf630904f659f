// SPDX-License-Identifier: Apache-2.0
//! A control plane, and replicas of the operator behind one address.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};
use testbed::exchange::{self, JSON, MERGE, Message};
use testbed::{Balancer, ControlPlane, Operator, Options, Process, until};
use tokio::runtime::Runtime;

use crate::Error;
use crate::admission::Verdict;

/// Namespace of the objects of all experiments.
pub(crate) const NAMESPACE: &str = "availability";
/// Generous: on a busy machine everything takes longer, and nobody waits for it when it works.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// How late the balancer knows of a change: a kubelet's and a kube-proxy's share.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The two configurations of the operator.
pub(crate) const CONFIGURATIONS: [&str; 2] = [
    "mutatingwebhookconfigurations/celery-operator-mutating",
    "validatingwebhookconfigurations/celery-operator-validating",
];

/// Who holds the Lease is in its body; of everything else it is enough that it was asked.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Request
    verbs: [create, update, patch]
    resources: [{group: coordination.k8s.io, resources: [leases]}]
  - level: None
    userGroups: ['system:masters']
  - level: Metadata
";

/// A control plane with an installed operator, of which no replica runs yet. The webhook configurations lead to a
/// balancer, and a failure of either webhook fails the request: each one counts.
pub struct Stage {
    // Dropped in this order: clients before what they talk to.
    pub(crate) admin: Client,
    pub(crate) balancer: Balancer,
    pub(crate) operator: Operator,
    pub(crate) plane: ControlPlane,
    pub(crate) runtime: Runtime,
    replicas: AtomicUsize,
    _policy: tempfile::NamedTempFile,
}

/// One process of the operator.
pub(crate) struct Replica {
    pub(crate) launch: Operator,
    pub(crate) process: Process,
}

impl Stage {
    /// Sets the stage for this program of the operator.
    ///
    /// # Errors
    /// When anything does not start.
    pub fn set(program: &Path) -> Result<Self, Error> {
        let policy = tempfile::NamedTempFile::new()?;
        std::fs::write(policy.path(), AUDIT_POLICY)?;
        let plane = ControlPlane::start(Options {
            audit: true,
            extra_apiserver_args: vec![format!("--audit-policy-file={}", policy.path().display())],
            // Nobody but what is looked at uses the processors.
            extra_controller_manager_args: vec!["--controllers=serviceaccount-controller".to_owned()],
            ..Options::default()
        })?;
        let operator = Operator::install(&plane, program, false)?;
        let balancer = Balancer::start(LOOK_EVERY)?;
        let mut front = operator.clone();
        front.webhook_port = balancer.port();
        front.install_webhooks(&plane)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let admin = runtime.block_on(exchange::client(plane.kubeconfig()))?;
        let replicas = AtomicUsize::new(0);
        let stage = Self { admin, balancer, operator, plane, runtime, replicas, _policy: policy };
        for configuration in CONFIGURATIONS {
            stage.patch_configuration(
                configuration,
                &json!([{ "op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail" }]),
            )?;
        }
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } });
        stage.send("POST", "/api/v1/namespaces", Some(&namespace))?;
        Ok(stage)
    }

    /// Starts a replica that takes part as soon as it is ready.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(crate) fn replica(&self, arguments: &[String]) -> Result<Replica, Error> {
        let replica = self.replica_aside(arguments)?;
        self.balancer.add(&replica.launch);
        Ok(replica)
    }

    /// Starts a replica to which no admissions go.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(crate) fn replica_aside(&self, arguments: &[String]) -> Result<Replica, Error> {
        let number = self.replicas.fetch_add(1, Ordering::Relaxed);
        let mut launch = self.operator.replica(&number.to_string())?;
        launch.arguments = arguments.to_vec();
        let process = launch.spawn()?;
        Ok(Replica { launch, process })
    }

    /// So many replicas, all of them taking part, and the webhooks in force.
    ///
    /// # Errors
    /// When one does not become ready.
    pub(crate) fn replicas(&self, count: usize, arguments: &[String]) -> Result<Vec<Replica>, Error> {
        let started: Result<Vec<Replica>, Error> = (0..count).map(|_| self.replica(arguments)).collect();
        let mut replicas = started?;
        for replica in &mut replicas {
            self.until_it_takes_part(replica)?;
        }
        until("the webhooks are in force", PATIENCE, || self.admit())?;
        Ok(replicas)
    }

    /// Waits until new connections go to a replica.
    ///
    /// # Errors
    /// When it ends or does not become ready.
    pub(crate) fn until_it_takes_part(&self, replica: &mut Replica) -> Result<(), Error> {
        replica.launch.await_ready(&mut replica.process)?;
        Ok(until("the balancer knows it", PATIENCE, || {
            if self.balancer.is_ready(&replica.launch) { Ok(()) } else { Err("not ready") }
        })?)
    }

    /// Takes a replica away that has ended or is to end at once.
    pub(crate) fn forget(&self, replica: Replica) {
        self.balancer.remove(&replica.launch);
        drop(replica);
    }

    /// One admission that is right and one that is not, judged by both webhooks.
    ///
    /// # Errors
    /// What was answered instead.
    pub(crate) fn admit(&self) -> Result<(), String> {
        for verdict in [Verdict::Refused, Verdict::Admitted] {
            self.runtime.block_on(verdict.ask(&self.admin))?;
        }
        Ok(())
    }

    /// One request of the administrator that has to succeed.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn send(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let content_type = if method == "PATCH" { MERGE } else { JSON };
        let body = body.map(Value::to_string).unwrap_or_default();
        let answer = exchange::succeed(&self.admin, Message::new(method, path, content_type, body));
        Ok(serde_json::from_str(&self.runtime.block_on(answer)?)?)
    }

    /// An object; nothing when there is none.
    ///
    /// # Errors
    /// When the API server answers anything else.
    pub(crate) fn find(&self, path: &str) -> Result<Option<Value>, Error> {
        let message = Message::new("GET", path, JSON, "");
        match self.runtime.block_on(exchange::exchange(&self.admin, message))? {
            (404, _) => Ok(None),
            (200..=299, text) => Ok(Some(serde_json::from_str(&text)?)),
            (code, text) => Err(format!("GET {path}: {code} {text}").into()),
        }
    }

    /// One of the [`CONFIGURATIONS`].
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn configuration(&self, configuration: &str) -> Result<Value, Error> {
        let path = format!("/apis/admissionregistration.k8s.io/v1/{configuration}");
        self.send("GET", &path, None)
    }

    /// A JSON patch of one of the [`CONFIGURATIONS`].
    ///
    /// # Errors
    /// When the API server refuses.
    pub(crate) fn patch_configuration(&self, configuration: &str, patch: &Value) -> Result<(), Error> {
        let target = format!("/apis/admissionregistration.k8s.io/v1/{configuration}");
        let message = Message::new("PATCH", target, "application/json-patch+json", patch.to_string());
        self.runtime.block_on(exchange::succeed(&self.admin, message)).map(drop)
    }

    /// The version of Kubernetes.
    ///
    /// # Errors
    /// When the API server does not say.
    pub fn version(&self) -> Result<String, Error> {
        let answer = self.send("GET", "/version", None)?;
        Ok(answer["gitVersion"].as_str().unwrap_or_default().to_owned())
    }

    /// Keeps all logs when the stage is dropped, and says where they are.
    pub fn keep(&mut self) -> &Path {
        self.plane.keep();
        self.plane.dir()
    }
}
