// SPDX-License-Identifier: Apache-2.0
//! What `make e2e` does: the operator installed as pods on a real node, its webhooks behind their Service, real Celery on
//! real brokers, and one experiment after the other. Figures are counted by the sample application itself.
//!
//! `ONLY=name,name` picks experiments. `e2e image FILE` writes the operator's image and does nothing else.
#![allow(clippy::print_stdout)] // the table is what it prints

mod brokers;
mod experiments;
mod images;
mod install;
mod ledger;
mod outcome;
mod replicas;
mod sample;
mod stage;

use std::env;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use experiments::EXPERIMENTS;
use outcome::{Outcome, Table};
use stage::Stage;

/// Whatever ends an experiment early.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match arguments[..] {
        [] => run(),
        ["image", file] => image(Path::new(file)).map(|()| true),
        _ => Err("usage: e2e, or e2e image FILE".into()),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("e2e: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything was as it was to be.
fn run() -> Result<bool, Error> {
    let only = env::var("ONLY").unwrap_or_default();
    let wanted: Vec<&str> = only.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !EXPERIMENTS.iter().any(|(known, _)| known == *name)) {
        let known: Vec<&str> = EXPERIMENTS.iter().map(|(name, _)| *name).collect();
        let known = known.join(", ");
        return Err(format!("ONLY={unknown}: there is no such experiment; known: {known}").into());
    }
    let begin = Instant::now();
    let mut stage = Stage::set(&images::program()?)?;
    eprintln!("e2e: everything is up after {:.0} s", begin.elapsed().as_secs_f64());
    let (mut table, mut all_hold) = (Table::default(), true);
    for (name, experiment) in EXPERIMENTS {
        if !wanted.is_empty() && !wanted.contains(name) {
            continue;
        }
        eprintln!("e2e: {name}");
        let begin = Instant::now();
        let mut outcome = experiment(&stage).unwrap_or_else(|error| {
            let mut outcome = Outcome::default();
            outcome.held(false, format!("ended early: {error}"));
            outcome
        });
        if let Err(error) = stage.check_alive() {
            outcome.held(false, error.to_string());
        }
        eprintln!("e2e: {name} took {:.0} s", begin.elapsed().as_secs_f64());
        all_hold &= outcome.holds();
        table.add(name, &outcome);
    }
    if !all_hold {
        eprintln!("e2e: logs are kept in {}", stage.keep().display());
    }
    println!("{table}");
    Ok(all_hold)
}

/// Writes the operator's image for `docker load`, `podman load` or `ctr images import`.
fn image(to: &Path) -> Result<(), Error> {
    let tag = images::OPERATOR_TAGS[0];
    images::operator(&images::program()?, &[tag], to)?;
    let size = fs::metadata(to)?.len();
    println!("{} holds {}:{tag}, {}", to.display(), images::OPERATOR, mebibytes(size));
    Ok(())
}

/// A size for people.
fn mebibytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
