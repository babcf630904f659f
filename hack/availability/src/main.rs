// SPDX-License-Identifier: Apache-2.0
//! What `make test-availability` does: every experiment at full size, into `docs/reliability/`.
#![allow(clippy::print_stdout)] // the progress is what it prints

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use availability::page::Record;
use availability::{Error, Outcome, Stage, arrivals, faults, hostile, leaders, page, restarts, rotations};
use testbed::{Operator, machine};

/// All rounds, for programs.
const RESULTS: &str = "results.json";

/// An experiment at a part of its full size.
type Experiment = fn(&Stage, usize) -> Result<Outcome, Error>;

/// All of them, in the order of the page.
const EXPERIMENTS: &[(&str, Experiment)] = &[
    ("restarts", restart),
    ("leaders", lead),
    ("rotations", rotate),
    ("faults", break_certificates),
    ("arrivals", let_arrive),
    ("hostile", attack),
];

fn restart(stage: &Stage, part: usize) -> Result<Outcome, Error> {
    restarts::run(stage, restarts::Plan { rounds: of(30, part), rate: 50, drain_seconds: 10 })
}

fn lead(stage: &Stage, part: usize) -> Result<Outcome, Error> {
    let plan = leaders::Plan {
        kills: of(30, part),
        freezes: of(10, part),
        ends: of(10, part),
        lease_seconds: 15,
        asleep: Duration::from_secs(20),
        beyond: Duration::from_secs(2),
        given_back: Duration::from_secs(3),
    };
    leaders::run(stage, plan)
}

fn rotate(stage: &Stage, part: usize) -> Result<Outcome, Error> {
    let plan =
        rotations::Plan { leaves: of(200, part), leaf_seconds: 6, authorities: of(50, part), rate: 100 };
    rotations::run(stage, plan)
}

fn break_certificates(stage: &Stage, part: usize) -> Result<Outcome, Error> {
    faults::run(stage, faults::Plan { every: part, rate: 20, within: Duration::from_secs(5) })
}

fn let_arrive(stage: &Stage, part: usize) -> Result<Outcome, Error> {
    let plan = arrivals::Plan {
        objects: of(10_000, part),
        per_second: 20,
        rate: 20,
        calm: Duration::from_mins(1),
        at_most_times: Some(2.0),
    };
    arrivals::run(stage, plan)
}

fn attack(stage: &Stage, part: usize) -> Result<Outcome, Error> {
    let plan = hostile::Plan {
        idle: 1000,
        half_open: 200,
        slow: 200,
        large: 4,
        lasting: Duration::from_mins(1) / u32::try_from(part)?,
        rate: 50,
    };
    hostile::run(stage, plan)
}

/// So much of a full number, and something in any case.
fn of(full: usize, part: usize) -> usize {
    full.div_ceil(part)
}

fn main() -> ExitCode {
    match run() {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            for missed in missed {
                eprintln!("missed: {missed}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the experiments end here: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Vec<String>, Error> {
    let part = variable("PART").map_or(Ok(1), |part| part.parse::<usize>())?.max(1);
    let only = variable("ONLY");
    let wanted: Vec<&str> = only.iter().flat_map(|only| only.split(',')).map(str::trim).collect();
    if let Some(unknown) = wanted.iter().find(|name| !EXPERIMENTS.iter().any(|(known, _)| known == *name)) {
        let known: Vec<&str> = EXPERIMENTS.iter().map(|(name, _)| *name).collect();
        return Err(
            format!("ONLY={unknown}: there is no such experiment; known: {}", known.join(", ")).into()
        );
    }
    let folder = variable("OUT").map_or_else(default_folder, PathBuf::from);
    fs::create_dir_all(&folder)?;
    let program = Operator::program()?;
    let mut records = earlier(&folder);
    let mut missed = Vec::new();
    for (name, experiment) in EXPERIMENTS {
        if !wanted.is_empty() && !wanted.contains(name) {
            continue;
        }
        println!("{name}");
        let record = match one(name, *experiment, &program, part) {
            Ok(record) => record,
            Err(error) => {
                // The others are worth an hour all the same.
                missed.push(format!("{name} ended early: {error}"));
                continue;
            }
        };
        missed.extend(record.outcome.missed());
        records.retain(|earlier| earlier.experiment != *name);
        records.push(record);
        records.sort_by_key(|record| EXPERIMENTS.iter().position(|(name, _)| record.experiment == *name));
        // After each: what has been found is not lost when a later one ends early.
        fs::write(folder.join(RESULTS), format!("{}\n", serde_json::to_string_pretty(&records)?))?;
        fs::write(folder.join("README.md"), page::page(&records))?;
    }
    println!("written to {}", folder.display());
    Ok(missed)
}

/// One experiment. It has a control plane of its own: what one leaves behind is no burden for the next.
fn one(name: &str, experiment: Experiment, program: &Path, part: usize) -> Result<Record, Error> {
    let mut stage = Stage::set(program)?;
    let outcome = experiment(&stage, part);
    if outcome.as_ref().map_or(true, |outcome| !outcome.missed().is_empty()) {
        println!("logs are kept in {}", stage.keep().display());
    }
    let outcome = outcome?;
    println!("{}", page::table(&outcome));
    let machine = machine::facts(&stage.version()?, env!("CARGO_PKG_VERSION"));
    let optimised = !cfg!(debug_assertions);
    Ok(Record { experiment: name.to_owned(), machine, part, optimised, outcome })
}

/// What other runs have found; nothing where there is none, or of another form.
fn earlier(folder: &Path) -> Vec<Record> {
    let text = fs::read_to_string(folder.join(RESULTS)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn default_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability")
}
