// SPDX-License-Identifier: Apache-2.0
//! Helm, called.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

/// The folder of a chart of this repository.
pub(crate) fn chart(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts").join(name)
}

/// A file beside these tests.
pub(crate) fn beside(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chart").join(name).display().to_string()
}

/// Helm with folders of its own: what its user has configured is none of these tests' business.
pub(crate) fn helm() -> Command {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| testbed::tools::helm().unwrap());
    static HOME: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());
    let mut command = Command::new(&*PROGRAM);
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(name, HOME.path().join(name));
    }
    command.env_remove("KUBECONFIG").env_remove("HELM_NAMESPACE");
    command
}

/// Everything that was said.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What is printed by a success.
#[track_caller]
pub(crate) fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// What `helm template` prints for a release `celery-operator` in `celery-system`, hooks included.
pub(crate) fn template(chart: &Path, arguments: &[&str]) -> Output {
    let mut command = helm();
    command.args(["template", "celery-operator"]).arg(chart).args(["--namespace", "celery-system"]);
    command.args(arguments).output().unwrap()
}

/// The objects that are rendered.
#[track_caller]
pub(crate) fn rendered(chart: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = template(chart, arguments);
    assert!(output.status.success(), "{}", said(&output));
    documents(&String::from_utf8(output.stdout).unwrap())
}

/// Why nothing is rendered.
#[track_caller]
pub(crate) fn refused(chart: &Path, arguments: &[&str]) -> String {
    let output = template(chart, arguments);
    assert!(!output.status.success(), "{}", said(&output));
    said(&output)
}

/// The documents of a text, those with nothing in them apart.
#[track_caller]
pub(crate) fn documents(text: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    documents.into_iter().filter(|document| !document.is_null()).collect()
}
