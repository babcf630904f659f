// SPDX-License-Identifier: Apache-2.0
//! What installs the operator: the charts as they render, and the one file of plain manifests.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::cases::Case;
use crate::patience::printed;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// Every value of the chart that adds something. An issuer is left out: its kinds are not known here.
const EVERYTHING: &str = "podDisruptionBudget.enabled=true,networkPolicy.enabled=true,rbac.create=true,rbac.aggregate=true,serviceAccount.create=true,hostNetwork=false,certificates.issuerRef=null,image.digest=";

/// Each way to install it.
pub(crate) fn cases(helm: &Path, folder: &TempDir) -> Result<Vec<Case>, Box<dyn Error>> {
    let values = format!("{ROOT}/tests/chart/full.yaml");
    let everything = ["--values", &values, "--set", EVERYTHING];
    let renderings: [(&str, &str, &[&str]); 3] = [
        ("celery-operator-crds", "chart of the definition", &[]),
        ("celery-operator", "chart of the operator", &[]),
        ("celery-operator", "chart of the operator with everything", &everything),
    ];
    let mut cases = vec![case("install.yaml", PathBuf::from(format!("{ROOT}/config/install.yaml")))?];
    for (at, (chart, name, arguments)) in renderings.into_iter().enumerate() {
        let mut command = Command::new(helm);
        command.args(["template", "celery-operator"]).arg(format!("{ROOT}/charts/{chart}"));
        command.args(["--namespace", "celery-system"]).args(arguments);
        let file = folder.path().join(format!("{at}.yaml"));
        fs::write(&file, printed(&mut command)?)?;
        cases.push(case(name, file)?);
    }
    Ok(cases)
}

fn case(name: &str, file: PathBuf) -> Result<Case, Box<dyn Error>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(&fs::read_to_string(&file)?)?;
    let documents = documents.into_iter().filter(|document| !document.is_null()).collect();
    Ok(Case { name: name.to_owned(), file, documents })
}
