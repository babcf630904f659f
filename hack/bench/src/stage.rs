// SPDX-License-Identifier: Apache-2.0
//! The control plane and the operator beside it.

use std::path::PathBuf;

use kube::Client;
use serde_json::json;
use testbed::exchange::{JSON, MERGE, Message, client, succeed};
use testbed::{ControlPlane, Operator, Options, Process};

use crate::Error;
use crate::celery::{CELERIES, COLLECTIONS, within};

/// Namespace whose requests are logged with their bodies.
pub(crate) const RECORDING: &str = "bench-recording";
/// Label of the objects that a webhook shall see; its value says which.
pub(crate) const ADMITTED_BY: &str = "bench-admitted-by";
/// Value of that label for the operator's own webhooks.
pub(crate) const OURS: &str = "ours";

/// Every request once; with its body where one is to be sent again.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Request
    namespaces: [bench-recording]
  - level: Metadata
";

/// A control plane and an installed operator, which does not run yet.
pub(crate) struct Stage {
    pub(crate) plane: ControlPlane,
    pub(crate) operator: Operator,
    /// Of the administrator.
    pub(crate) admin: Client,
    pub(crate) audit_log: PathBuf,
    _policy: tempfile::NamedTempFile,
}

impl Stage {
    /// Sets the stage. Of the controllers only those run that a namespace needs: the children stay as they were applied,
    /// and nobody but the arms uses the processors.
    ///
    /// # Errors
    /// When anything does not start.
    pub(crate) fn set() -> Result<Self, Error> {
        let policy = tempfile::NamedTempFile::new()?;
        std::fs::write(policy.path(), AUDIT_POLICY)?;
        let plane = ControlPlane::start(Options {
            audit: true,
            extra_apiserver_args: vec![format!("--audit-policy-file={}", policy.path().display())],
            extra_controller_manager_args: vec!["--controllers=serviceaccount-controller".to_owned()],
            ..Options::default()
        })?;
        let operator = Operator::install(&plane, &Operator::program()?, true)?;
        let audit_log = plane.audit_log().ok_or("there is no audit log")?.to_owned();
        let admin = futures::executor::block_on(client(plane.kubeconfig()))?;
        let stage = Self { plane, operator, admin, audit_log, _policy: policy };
        stage.leave_objects_to_the_reconciler()?;
        Ok(stage)
    }

    /// The webhooks are for objects with a label: what reconciling costs is measured without them, and they without it.
    fn leave_objects_to_the_reconciler(&self) -> Result<(), Error> {
        let selector = json!({ "matchLabels": { ADMITTED_BY: OURS } });
        let patch = json!([{ "op": "replace", "path": "/webhooks/0/objectSelector", "value": selector }]);
        let installation = celery_operator::manifests::Installation::default();
        for name in [
            format!("mutatingwebhookconfiguration/{}", installation.mutating()),
            format!("validatingwebhookconfiguration/{}", installation.validating()),
        ] {
            let mut kubectl = self.plane.kubectl();
            let output = kubectl.args(["patch", &name, "--type=json", "-p", &patch.to_string()]).output()?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
            }
        }
        Ok(())
    }

    /// A client with connections of its own that is, for the API server, the operator.
    ///
    /// # Errors
    /// When its configuration cannot be read.
    pub(crate) fn bare(&self) -> Result<Client, Error> {
        futures::executor::block_on(client(&self.operator.kubeconfig))
    }

    /// Starts the operator and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub(crate) async fn start_operator(&self) -> Result<Process, Error> {
        let operator = self.operator.clone();
        Ok(tokio::task::spawn_blocking(move || operator.start()).await??)
    }

    /// The version of Kubernetes.
    ///
    /// # Errors
    /// When the API server does not say.
    pub(crate) async fn version(&self) -> Result<String, Error> {
        let answer = succeed(&self.admin, Message::new("GET", "/version", JSON, "")).await?;
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        Ok(answer["gitVersion"].as_str().unwrap_or_default().to_owned())
    }

    /// Makes a namespace.
    ///
    /// # Errors
    /// When the API server refuses.
    pub(crate) async fn space(&self, name: &str) -> Result<(), Error> {
        let namespace =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }).to_string();
        succeed(&self.admin, Message::new("POST", "/api/v1/namespaces", JSON, namespace)).await.map(drop)
    }

    /// Deletes all objects and children of a namespace.
    ///
    /// # Errors
    /// When the API server refuses.
    pub(crate) async fn clear(&self, namespace: &str) -> Result<(), Error> {
        for (collection, _) in [(CELERIES, 1)].into_iter().chain(COLLECTIONS) {
            let path = within(namespace, collection);
            succeed(&self.admin, Message::new("DELETE", path, JSON, "")).await?;
        }
        Ok(())
    }

    /// Changes an object as a user does.
    ///
    /// # Errors
    /// When the API server refuses.
    pub(crate) async fn merge(&self, path: String, change: &serde_json::Value) -> Result<String, Error> {
        succeed(&self.admin, Message::new("PATCH", path, MERGE, change.to_string())).await
    }
}
