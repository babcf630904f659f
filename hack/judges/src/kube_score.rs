// SPDX-License-Identifier: Apache-2.0
//! kube-score, which looks for what is unwise.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use crate::cases::Case;
use crate::patience::said;

/// What is not followed: a limit for the processor makes whoever writes an object wait, and an image whose tag never
/// changes need not be asked for at each start.
const NOT_FOLLOWED: &[&str] = &["--ignore-container-cpu-limit", "--ignore-test=container-image-pull-policy"];

/// What kube-score finds critical.
pub(crate) fn complaints(program: &Path, cases: &[Case]) -> Result<Vec<String>, Box<dyn Error>> {
    let mut complaints = Vec::new();
    for case in cases {
        let critical = critical(program, &case.file, NOT_FOLLOWED)?;
        complaints.extend(critical.into_iter().map(|line| format!("kube-score, {}: {line}", case.name)));
    }
    let Some(first) = cases.first() else { return Ok(complaints) };
    if critical(program, &first.file, &[])?.is_empty() {
        return Err("kube-score finds nothing, not even what is not followed".into());
    }
    println!(
        "kube-score {}: {} critical findings in {} installations",
        testbed::tools::KUBE_SCORE_VERSION,
        complaints.len(),
        cases.len()
    );
    Ok(complaints)
}

fn critical(program: &Path, file: &Path, arguments: &[&str]) -> Result<Vec<String>, Box<dyn Error>> {
    let output =
        Command::new(program).args(["score", "--output-format=ci"]).args(arguments).arg(file).output()?;
    let said = said(&output);
    let critical: Vec<String> =
        said.lines().filter(|line| line.starts_with("[CRITICAL]")).map(str::to_owned).collect();
    // It fails because of what is critical, or of something else.
    if output.status.success() || !critical.is_empty() {
        Ok(critical)
    } else {
        Err(format!("kube-score: {said}").into())
    }
}
