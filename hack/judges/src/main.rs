// SPDX-License-Identifier: Apache-2.0
//! Asks kubeconform and KEDA's own admission webhooks what they think of the golden files.
//!
//! Both are what others put between a manifest and a cluster: kubeconform in pipelines, with the schemas of a real API
//! server; KEDA's webhooks in every cluster that has KEDA. Each is first shown something bad, since a judge that takes
//! everything judges nothing.
#![allow(clippy::print_stdout)] // its output is for people

mod cases;
mod keda;
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
    let programs = (testbed::tools::kubeconform()?, testbed::tools::keda_webhooks()?);
    let plane = ControlPlane::start(Options::default())?;
    keda::install(&plane)?;
    let cases = cases::cases()?;
    let mut complaints = kubeconform::complaints(&plane, &programs.0, &cases)?;
    complaints.extend(keda::complaints(&plane, &programs.1, &cases)?);
    Ok(complaints)
}
