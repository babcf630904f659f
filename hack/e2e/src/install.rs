// SPDX-License-Identifier: Apache-2.0
//! The operator as pods: its own charts, the one door by which it gets into the cluster and out again.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::Error;
use crate::images::OPERATOR_TAGS;
use crate::stage::{Stage, printed, wait_for};

/// Namespace of the operator.
pub(crate) const NAMESPACE: &str = "celery-system";
/// Selects its pods.
pub(crate) const SELECTOR: &str = "app.kubernetes.io/name=celery-operator";
/// Name of the release, and of its Deployment.
pub(crate) const NAME: &str = "celery-operator";
/// The one definition.
pub(crate) const DEFINITION: &str = "celeries.celeryproject.org";
/// Name of the release with the definitions.
const DEFINITIONS: &str = "celery-operator-crds";

/// Installs the operator from its charts and waits until it serves.
///
/// # Errors
/// When Helm refuses, or it does not become available.
pub(crate) fn install(stage: &Stage) -> Result<(), Error> {
    stage.namespace(NAMESPACE)?;
    release(stage, DEFINITIONS, &["--namespace", "default"])?;
    release(stage, NAME, &["--namespace", NAMESPACE, "--wait"])?;
    judges(stage)
}

/// The same under another tag of the image.
///
/// # Errors
/// When Helm refuses, or it does not become available.
pub(crate) fn upgrade(stage: &Stage) -> Result<(), Error> {
    let tag = format!("image.tag={}", OPERATOR_TAGS[1]);
    release(stage, NAME, &["--namespace", NAMESPACE, "--set", &tag, "--wait"])?;
    judges(stage)
}

/// Takes everything of the operator away, the definition and its objects apart.
///
/// # Errors
/// When Helm cannot.
pub(crate) fn uninstall(stage: &Stage) -> Result<(), Error> {
    helm(stage, &["uninstall", NAME, "--namespace", NAMESPACE, "--wait"])?;
    stage.kubectl(&["delete", "namespace", NAMESPACE, "--wait"]).map(drop)
}

/// Takes the definition away, and all objects with it.
///
/// # Errors
/// When kubectl or Helm cannot.
pub(crate) fn forget(stage: &Stage) -> Result<(), Error> {
    helm(stage, &["uninstall", DEFINITIONS, "--namespace", "default", "--wait"])?;
    stage.kubectl(&["delete", "customresourcedefinitions", DEFINITION, "--wait"]).map(drop)
}

/// Waits until every replica serves and the webhooks judge.
///
/// # Errors
/// When they do not in time.
pub(crate) fn available(stage: &Stage, namespace: &str) -> Result<(), Error> {
    let deployment = format!("deployment/{NAME}");
    stage.kubectl(&["rollout", "status", &deployment, "--namespace", namespace, "--timeout=5m"])?;
    judges(stage)
}

fn judges(stage: &Stage) -> Result<(), Error> {
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

/// Installs or upgrades a chart of this repository under its own name.
fn release(stage: &Stage, chart: &str, arguments: &[&str]) -> Result<(), Error> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts").join(chart);
    let folder = folder.to_str().ok_or("the repository lies in a folder whose name is no UTF-8")?;
    helm(stage, &[&["upgrade", "--install", chart, folder][..], arguments].concat())
}

/// Gives Helm folders of its own: what its user has configured is none of its business here.
pub(crate) fn with_own_folders(command: &mut Command, stage: &Stage) {
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(name, stage.plane.dir().join("helm").join(name));
    }
}

/// Calls Helm.
///
/// # Errors
/// When it fails: what it said.
pub(crate) fn helm(stage: &Stage, arguments: &[&str]) -> Result<(), Error> {
    let mut command = Command::new(testbed::tools::helm()?);
    with_own_folders(&mut command, stage);
    command.args(arguments).arg("--kubeconfig").arg(stage.plane.kubeconfig());
    printed(&command.output()?).map_err(|said| format!("helm {}: {said}", arguments.join(" ")))?;
    Ok(())
}
