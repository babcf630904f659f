// SPDX-License-Identifier: Apache-2.0
//! kubeconform, with the schemas of the API server that is running.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::ControlPlane;

use crate::cases::Case;
use crate::patience::{printed, said, until};
use crate::schema;

/// What kubeconform complains about.
pub(crate) fn complaints(
    plane: &ControlPlane,
    program: &Path,
    cases: &[Case],
) -> Result<Vec<String>, Box<dyn Error>> {
    let folder = TempDir::new()?;
    let schemas = schema::schemas(&openapi(plane)?);
    for (name, schema) in &schemas {
        fs::write(folder.path().join(name), schema.to_string())?;
    }
    refuses_what_nobody_knows(program, &folder, cases)?;
    let mut command = kubeconform(program, folder.path());
    command.args(cases.iter().map(|case| &case.file));
    let output = command.output()?;
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|_| said(&output))?;
    let count = |what: &str| answer["summary"][what].as_u64().unwrap_or_default();
    let documents: usize = cases.iter().map(|case| case.documents.len()).sum();
    println!(
        "kubeconform {}, {} schemas: {} of {documents} documents are valid",
        testbed::tools::KUBECONFORM_VERSION,
        schemas.len(),
        count("valid"),
    );
    let resources = answer["resources"].as_array().into_iter().flatten();
    let mut complaints: Vec<String> = resources.map(|resource| format!("kubeconform: {resource}")).collect();
    if count("valid") != documents as u64 && complaints.is_empty() {
        complaints.push(format!("kubeconform: {}", answer["summary"]));
    }
    Ok(complaints)
}

fn kubeconform(program: &Path, schemas: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["-strict", "-summary", "-output=json", "-schema-location"]);
    command.arg(schemas.join("{{.ResourceKind}}{{.KindSuffix}}.json"));
    command
}

/// What the API server says of every kind; of new ones it says it a moment after they are there.
fn openapi(plane: &ControlPlane) -> Result<Value, Box<dyn Error>> {
    until("the API server describes KEDA's kinds", || {
        let text = printed(plane.kubectl().args(["get", "--raw", "/openapi/v2"]))?;
        let openapi: Value = serde_json::from_str(&text)?;
        let described = openapi["definitions"].get("sh.keda.v1alpha1.ScaledObject").is_some();
        Ok(described.then_some(openapi))
    })
}

fn refuses_what_nobody_knows(program: &Path, folder: &TempDir, cases: &[Case]) -> Result<(), Box<dyn Error>> {
    for kind in ["Deployment", "Service", "ScaledObject"] {
        let mut documents = cases.iter().flat_map(|case| &case.documents);
        let Some(document) = documents.find(|document| document["kind"] == kind) else {
            return Err(format!("no golden file has a {kind}").into());
        };
        let mut document = document.clone();
        document["spec"]["nobodyKnowsThis"] = json!(1);
        let file = folder.path().join(format!("bad-{kind}.yaml"));
        fs::write(&file, document.to_string())?;
        let output = kubeconform(program, folder.path()).arg(&file).output()?;
        if !said(&output).contains("nobodyKnowsThis") {
            return Err(format!("kubeconform takes a {kind} with any field: {}", said(&output)).into());
        }
    }
    Ok(())
}
