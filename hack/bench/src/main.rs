// SPDX-License-Identifier: Apache-2.0
//! What `make bench` does: the operator against a bare client, on one local API server.
//!
//! Seconds say more about the machine than about the operator. So everything that can be is a ratio of two things that
//! were measured in turn within one run, and the other figures are counts and sizes. The results go to
//! `docs/benchmarks/`.
#![allow(clippy::print_stdout)] // the progress is what it prints

mod admission;
mod arms;
mod celery;
mod latency;
mod null;
mod page;
mod plan;
mod plot;
mod process;
mod recording;
mod results;
mod settled;
mod stage;
mod standing;
mod statistics;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use plan::Plan;
use results::Results;
use stage::Stage;
use testbed::machine::facts;

/// Whatever ends a run early.
type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run().await {
        Ok(results) if results.failures().is_empty() => ExitCode::SUCCESS,
        Ok(results) => {
            for failure in results.failures() {
                eprintln!("missed: {failure}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the benchmark ends here: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<Results, Error> {
    let plan = Plan::from_environment()?;
    println!("{plan}");
    let stage = Stage::set()?;
    let recording = recording::record(&stage).await?;
    println!("the operator sends for one object:\n{recording}");
    let arms = arms::run(&stage, &recording, &plan).await?;
    let standing = standing::run(&stage, &recording, &plan).await?;
    let machine = facts(&stage.version().await?, env!("CARGO_PKG_VERSION"));
    let results = Results::new(&plan, machine, &recording, arms, standing);
    let folder = plan.output.as_deref().map_or_else(default_folder, Path::to_owned);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("results.json"), format!("{:#}\n", results.json()))?;
    fs::write(folder.join("results.svg"), plot::svg(&results))?;
    fs::write(folder.join("README.md"), page::page(&results))?;
    println!("\n{}", page::table(&results));
    println!("written to {}", folder.display());
    Ok(results)
}

fn default_folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks")
}
