// SPDX-License-Identifier: Apache-2.0
//! KEDA's own admission webhooks, as a process beside the API server.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use k8s_openapi::ByteString;
use serde_json::{Value, json};
use testbed::{ControlPlane, Process, free_port};

use crate::cases::Case;
use crate::patience::{printed, said, until};

/// Installs KEDA's definitions.
pub(crate) fn install(plane: &ControlPlane) -> Result<(), Box<dyn Error>> {
    let mut kubectl = plane.kubectl();
    kubectl.args(["apply", "--server-side"]);
    for file in testbed::keda::crds()? {
        kubectl.arg("-f").arg(file);
    }
    printed(&mut kubectl)?;
    // Looked at as a whole: right after the apply there are no conditions, which `kubectl wait` takes for an error.
    until("KEDA's definitions are established", || {
        let list: Value = serde_json::from_str(&printed(plane.kubectl().args(["get", "crd", "-o=json"]))?)?;
        let mut definitions = list["items"].as_array().into_iter().flatten();
        let established = definitions.all(|definition| {
            let mut conditions = definition["status"]["conditions"].as_array().into_iter().flatten();
            conditions.any(|it| it["type"] == "Established" && it["status"] == "True")
        });
        Ok(established.then_some(()))
    })
}

/// What KEDA's webhooks complain about.
pub(crate) fn complaints(
    plane: &ControlPlane,
    program: &Path,
    cases: &[Case],
) -> Result<Vec<String>, Box<dyn Error>> {
    let webhooks = start(plane, program)?;
    until("KEDA's webhooks refuse what is wrong", || refuses_what_is_wrong(plane))
        .map_err(|error| format!("{error}, see {}", webhooks.log().display()))?;
    let (mut judged, mut complaints) = (0, Vec::new());
    for (index, case) in cases.iter().enumerate() {
        let (kedas, others): (Vec<&Value>, Vec<&Value>) =
            case.documents.iter().partition(|document| document["apiVersion"] == "keda.sh/v1alpha1");
        if kedas.is_empty() {
            continue;
        }
        let namespace = format!("case-{index}");
        printed(plane.kubectl().args(["create", "namespace", &namespace]))?;
        // The webhooks look for what is scaled, and for other autoscalers of it.
        let seen = |document: &&&Value| {
            ["Deployment", "HorizontalPodAutoscaler"].iter().any(|it| document["kind"] == *it)
        };
        for document in others.iter().filter(seen) {
            let answer = apply(plane, &namespace, document)?;
            if let Some(refusal) = answer {
                return Err(format!("{}: {refusal}", case.name).into());
            }
        }
        for document in kedas {
            judged += 1;
            let refusal = apply(plane, &namespace, document)?;
            complaints.extend(refusal.map(|refusal| format!("KEDA, {}: {refusal}", case.name)));
        }
    }
    println!("KEDA {}: {} of {judged} objects are taken", testbed::keda::VERSION, judged - complaints.len());
    if judged == 0 {
        return Err("no golden file has an object of KEDA's".into());
    }
    Ok(complaints)
}

/// Applies a document in another namespace, without its owner, who is not there; says why it was refused.
fn apply(plane: &ControlPlane, namespace: &str, document: &Value) -> Result<Option<String>, Box<dyn Error>> {
    let mut document = document.clone();
    document["metadata"]["namespace"] = json!(namespace);
    if let Some(metadata) = document["metadata"].as_object_mut() {
        metadata.remove("ownerReferences");
    }
    let output = plane.kubectl_apply(&document.to_string(), &["--server-side", "--validate=strict"])?;
    Ok((!output.status.success()).then(|| said(&output)))
}

/// Two that scale the same is what only the webhooks know to be wrong.
fn refuses_what_is_wrong(plane: &ControlPlane) -> Result<Option<()>, Box<dyn Error>> {
    let scaled = |name: &str| {
        json!({
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": name},
            "spec": {"scaleTargetRef": {"name": "contested"},
                     "triggers": [{"type": "redis", "metadata": {"address": "cache:6379", "listName": "mail", "listLength": "5"}}]},
        })
    };
    if let Some(refusal) = apply(plane, "default", &scaled("first"))? {
        return Err(refusal.into());
    }
    let second = apply(plane, "default", &scaled("second"))?;
    match second {
        Some(refusal) if refusal.contains("already managed by") => Ok(Some(())),
        Some(refusal) => Err(refusal.into()),
        None => {
            printed(plane.kubectl().args(["delete", "scaledobject/second", "--namespace=default"]))?;
            Ok(None)
        }
    }
}

/// Starts the webhooks and has the API server ask them.
fn start(plane: &ControlPlane, program: &Path) -> Result<Process, Box<dyn Error>> {
    let folder = plane.dir().join("keda-webhooks");
    fs::create_dir(&folder)?;
    // The API server's own certificate names this host as well.
    fs::write(folder.join("ca.crt"), plane.ca_pem())?;
    fs::copy(plane.dir().join("apiserver.crt"), folder.join("tls.crt"))?;
    fs::copy(plane.dir().join("apiserver.key"), folder.join("tls.key"))?;
    printed(plane.kubectl().args(["create", "namespace", "keda"]))?;
    let (port, probes) = (free_port()?, free_port()?);
    let mut command = Command::new(program);
    command
        .arg(format!("--cert-dir={}", folder.display()))
        .arg(format!("--port={port}"))
        .arg(format!("--health-probe-bind-address=127.0.0.1:{probes}"))
        .arg("--metrics-bind-address=0")
        .env("KUBECONFIG", plane.kubeconfig())
        .env("WATCH_NAMESPACE", "")
        .env("POD_NAMESPACE", "keda")
        .env("KEDA_CLUSTER_OBJECT_NAMESPACE", "keda");
    let process = Process::spawn("keda-webhooks", &command, &plane.dir().join("keda-webhooks.log"))?;
    let webhook = |name: &str, plural: &str| {
        json!({
            "name": format!("{name}.kb.io"),
            "clientConfig": {
                "url": format!("https://127.0.0.1:{port}/validate-keda-sh-v1alpha1-{name}"),
                "caBundle": ByteString(plane.ca_pem().as_bytes().to_vec()),
            },
            "rules": [{"apiGroups": ["keda.sh"], "apiVersions": ["v1alpha1"], "operations": ["CREATE", "UPDATE"],
                       "resources": [plural], "scope": "Namespaced"}],
            "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": 10,
        })
    };
    until("KEDA's webhooks listen", || Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(drop)))?;
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "keda-admission"},
        "webhooks": [webhook("scaledobject", "scaledobjects"), webhook("triggerauthentication", "triggerauthentications")],
    });
    let output = plane.kubectl_apply(&configuration.to_string(), &["--server-side"])?;
    if output.status.success() { Ok(process) } else { Err(said(&output).into()) }
}
