// SPDX-License-Identifier: Apache-2.0
//! Asks kubeconform, kube-score and KEDA's own admission webhooks what they think of the golden files, and of what
//! installs the operator.
//!
//! All are what others put between a manifest and a cluster: kubeconform in pipelines, with the schemas of a real API
//! server; kube-score there too, for what is unwise; KEDA's webhooks in every cluster that has KEDA. Each is first shown
//! something bad, since a judge that takes everything judges nothing.
#![allow(clippy::print_stdout)] // its output is for people

mod cases;
mod installs;
mod keda;
mod kube_score;
mod kubeconform;
mod patience;
mod schema;

use std::error::Error;
use std::process::ExitCode;

use testbed::{ControlPlane, Options};

fn main() -> ExitCode {
    match judge() {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            eprintln!("{}\n{} complaints", complaints.join("\n"), complaints.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("judges: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What is complained about.
fn judge() -> Result<Vec<String>, Box<dyn Error>> {
    // Before the control plane starts: the first call builds for minutes.
    let kubeconform = testbed::tools::kubeconform()?;
    testbed::tools::keda_webhooks()?;
    let (helm, kube_score) = (testbed::tools::helm()?, testbed::tools::kube_score()?);
    let folder = tempfile::TempDir::new()?;
    let installs = installs::cases(&helm, &folder)?;
    let mut complaints = kube_score::complaints(&kube_score, &installs)?;
    let plane = ControlPlane::start(Options::default())?;
    let monitors = testbed::prometheus::service_monitors()?;
    let rules = monitors.with_file_name("monitoring.coreos.com_prometheusrules.yaml");
    let mut kubectl = plane.kubectl();
    patience::printed(kubectl.args(["apply", "--server-side", "-f"]).arg(monitors).arg("-f").arg(rules))?;
    let cases = cases::cases()?;
    complaints.extend(keda::complaints(&plane, &cases)?);
    let every: Vec<cases::Case> = cases.into_iter().chain(installs).collect();
    complaints.extend(kubeconform::complaints(&plane, &kubeconform, &every)?);
    Ok(complaints)
}
