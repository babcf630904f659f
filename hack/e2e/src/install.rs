// SPDX-License-Identifier: Apache-2.0
//! The operator as pods: the one door by which it gets into the cluster and out again.

use std::process::Command;

use serde_json::{Value, json};

use crate::Error;
use crate::images::OPERATOR;
use crate::stage::{Stage, wait_for};

/// Namespace of the operator.
pub(crate) const NAMESPACE: &str = "celery-system";
/// Selects its pods.
pub(crate) const SELECTOR: &str = "app.kubernetes.io/name=celery-operator";
const NAME: &str = "celery-operator";
const REPLICAS: u64 = 2;

/// Installs the operator and waits until it serves.
///
/// # Errors
/// When it does not become available.
pub(crate) fn install(stage: &Stage) -> Result<(), Error> {
    stage.apply(&printed(stage, &["crd"])?, &["--server-side"])?;
    stage.namespace(NAMESPACE)?;
    for objects in objects(stage)? {
        stage.apply(&objects, &[])?;
    }
    available(stage)
}

/// Takes everything of the operator away, the definition and its objects apart.
///
/// # Errors
/// When kubectl cannot.
pub(crate) fn uninstall(stage: &Stage) -> Result<(), Error> {
    // First of all: they refuse what nobody is there to judge.
    let selector = format!("--selector={SELECTOR}");
    let configurations = "mutatingwebhookconfigurations,validatingwebhookconfigurations";
    stage.kubectl(&["delete", configurations, &selector])?;
    stage.kubectl(&["delete", "clusterroles,clusterrolebindings", &selector])?;
    stage.kubectl(&["delete", "namespace", NAMESPACE, "--wait"]).map(drop)
}

/// Waits until every replica serves and the webhooks judge.
///
/// # Errors
/// When they do not in time.
pub(crate) fn available(stage: &Stage) -> Result<(), Error> {
    wait_for("the operator", || {
        let deployment = stage.get(&["deployment", NAME, "--namespace", NAMESPACE])?;
        let status = &deployment["status"];
        let current = status["observedGeneration"] == deployment["metadata"]["generation"];
        let all = [&status["availableReplicas"], &status["updatedReplicas"], &status["replicas"]];
        Ok(if current && all.iter().all(|count| **count == REPLICAS) {
            Ok(())
        } else {
            Err(status.to_string())
        })
    })?;
    wait_for("its webhooks", || {
        // Refused by the operator alone: for the API server it is a text.
        let mistaken = crate::sample::celery(&[("/spec/common/broker", json!({ "url": "cache:6379" }))])?;
        let answer = stage.apply(&mistaken.to_string(), &["--dry-run=server"]);
        Ok(match answer {
            Err(error) if error.to_string().contains("[B04]") => Ok(()),
            Err(error) => Err(error.to_string()),
            Ok(_) => Err("admitted".to_owned()),
        })
    })
}

/// What is installed beside the definition, each to be applied by itself.
fn objects(stage: &Stage) -> Result<Vec<String>, Error> {
    Ok(vec![
        printed(stage, &["manifests", "rbac"])?,
        printed(stage, &["manifests", "webhooks"])?,
        service().to_string(),
        deployment().to_string(),
    ])
}

fn service() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "celery-operator-webhook", "namespace": NAMESPACE },
        "spec": {
            "selector": { "app.kubernetes.io/name": NAME },
            "ports": [{ "name": "webhook", "port": 443, "targetPort": "webhook" }],
        },
    })
}

fn deployment() -> Value {
    let probe = |path: &str| json!({ "httpGet": { "path": path, "port": "admin" }, "periodSeconds": 2 });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": NAME, "namespace": NAMESPACE },
        "spec": {
            "replicas": REPLICAS,
            "selector": { "matchLabels": { "app.kubernetes.io/name": NAME } },
            "template": {
                "metadata": { "labels": { "app.kubernetes.io/name": NAME } },
                "spec": {
                    "serviceAccountName": NAME,
                    "terminationGracePeriodSeconds": 45,
                    "securityContext": {
                        "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" },
                    },
                    "containers": [{
                        "name": NAME,
                        "image": OPERATOR,
                        "imagePullPolicy": "Never",
                        "ports": [
                            { "name": "webhook", "containerPort": 9443 },
                            { "name": "admin", "containerPort": 8080 },
                        ],
                        "readinessProbe": probe("/readyz"),
                        "livenessProbe": probe("/livez"),
                        "resources": {
                            "requests": { "cpu": "50m", "memory": "64Mi" }, "limits": { "memory": "256Mi" },
                        },
                        "securityContext": {
                            "allowPrivilegeEscalation": false,
                            "readOnlyRootFilesystem": true,
                            "capabilities": { "drop": ["ALL"] },
                        },
                    }],
                },
            },
        },
    })
}

/// What the operator's program prints.
fn printed(stage: &Stage, arguments: &[&str]) -> Result<String, Error> {
    let output = Command::new(&stage.program).args(arguments).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
