// SPDX-License-Identifier: Apache-2.0
//! KEDA's own admission webhooks, as a process beside the API server.

use std::error::Error;

use serde_json::{Value, json};
use testbed::ControlPlane;

use crate::cases::Case;
use crate::patience::{printed, said, until};

/// What KEDA's webhooks complain about, whose definitions are there from now on.
pub(crate) fn complaints(plane: &ControlPlane, cases: &[Case]) -> Result<Vec<String>, Box<dyn Error>> {
    let webhooks = testbed::keda::start_webhooks(plane)?;
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
