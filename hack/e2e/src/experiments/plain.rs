// SPDX-License-Identifier: Apache-2.0
//! The operator without Helm, as `docs/install.md` says: by `config/install.yaml`, and by what the program prints.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::install::DEFINITION;
use crate::outcome::Outcome;
use crate::sample::Sample;
use crate::stage::{Stage, printed};
use crate::{Error, images, install};

/// Kinds of which something is left behind when removing goes wrong.
const KINDS: &str = "namespaces,customresourcedefinitions,mutatingwebhookconfigurations,\
    validatingwebhookconfigurations,clusterroles,clusterrolebindings";
/// Another namespace than the usual one.
const ELSEWHERE: &str = "operators";

/// Installs and removes in both ways, and leaves the operator as it was installed before.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    install::uninstall(stage)?;
    install::forget(stage)?;
    let mut outcome = Outcome::default();
    let done = by_file(stage, &mut outcome).and_then(|()| by_program(stage, &mut outcome));
    // Whatever this has left: the experiments behind it need an operator.
    stage.kubectl(&["delete", "namespace", ELSEWHERE, "--ignore-not-found"])?;
    stage.kubectl(&["delete", "customresourcedefinitions", DEFINITION, "--ignore-not-found"])?;
    install::install(stage)?;
    done.map(|()| outcome)
}

fn by_file(stage: &Stage, outcome: &mut Outcome) -> Result<(), Error> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/install.yaml");
    let file = file.to_str().ok_or("the repository lies in a folder whose name is no UTF-8")?;
    stage.kubectl(&["apply", "-f", file])?;
    install::available(stage, install::NAMESPACE)?;
    works(stage, "plain-file", 50)?;
    outcome.held(true, "config/install.yaml: tasks come back");
    stage.kubectl(&["delete", "-f", file, "--wait"])?;
    let left = left(stage)?;
    outcome.held(left.is_empty(), format!("deleted again: {}", told(&left)));
    stage.kubectl(&["delete", "namespace", "plain-file", "--wait=false"]).map(drop)
}

fn by_program(stage: &Stage, outcome: &mut Outcome) -> Result<(), Error> {
    let image = format!("{}:{}", images::OPERATOR, images::OPERATOR_TAGS[0]);
    let print = |what: &str| manifests(&[what, "--namespace", ELSEWHERE, "--image", &image]);
    stage.apply(&print("all")?, &[])?;
    install::available(stage, ELSEWHERE)?;
    let sample = works(stage, "plain-printed", 52)?;
    outcome.held(true, "manifests all, into another namespace: tasks come back");
    let before = sample.pods()?;
    // In the order of the page, which keeps the definition and its objects.
    for what in ["webhooks", "manager", "rbac"] {
        let output = stage.plane.kubectl_reading(&["delete", "--wait", "-f", "-"], &print(what)?)?;
        printed(&output)?;
    }
    let left = left(stage)?;
    let kept = [
        format!("customresourcedefinition.apiextensions.k8s.io/{DEFINITION}"),
        format!("namespace/{ELSEWHERE}"),
    ];
    let is_all = left.iter().all(|name| kept.contains(name)) && left.contains(&kept[0]);
    outcome.held(
        is_all && sample.pods()? == before,
        format!("deleted but for the definition, and no worker noticed: {}", told(&left)),
    );
    sample.end()
}

/// A sample that works.
fn works<'s>(stage: &'s Stage, namespace: &'static str, database: u8) -> Result<Sample<'s>, Error> {
    let sample = Sample::new(stage, namespace, "redis", database)?;
    sample.change(&[("/spec/beatSpec", Value::Null), ("/spec/workerSpec/numOfWorkers", json!(1))])?;
    sample.ready()?;
    sample.send(&["quick", "5", "--wait", "60"])?;
    let done = sample.page("quick")?.done();
    if done == 5 { Ok(sample) } else { Err(format!("{done} of 5 tasks came back").into()) }
}

/// What the program prints.
fn manifests(arguments: &[&str]) -> Result<String, Error> {
    let program: PathBuf = images::program()?;
    Ok(printed(&Command::new(program).arg("manifests").args(arguments).output()?)?)
}

/// What bears the operator's name.
///
/// # Errors
/// When kubectl cannot.
pub(super) fn left(stage: &Stage) -> Result<Vec<String>, Error> {
    let names = stage.kubectl(&["get", KINDS, "--selector", install::SELECTOR, "--output=name"])?;
    Ok(names.lines().map(str::to_owned).collect())
}

/// What is left, in words.
pub(super) fn told(left: &[String]) -> String {
    if left.is_empty() { "nothing is left".to_owned() } else { format!("{} is left", left.join(", ")) }
}
