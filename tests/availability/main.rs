// SPDX-License-Identifier: Apache-2.0
//! A little of each experiment that `make test-availability` does at full size: admissions go on, through a real API
//! server, while replicas, certificates and connections fail.
//!
//! One control plane is shared, and the experiments take turns: each needs the processors for itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout)] // Figures that were measured, shown with --nocapture.

use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use availability::{Error, Outcome, Stage, leaders, restarts};

/// The operator's program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_celery-operator");

/// Runs an experiment when it is its turn; no figure may be beyond its limit.
fn check(experiment: impl FnOnce(&Stage) -> Result<Outcome, Error>) {
    static STAGE: LazyLock<Mutex<Stage>> =
        LazyLock::new(|| Mutex::new(Stage::set(Path::new(PROGRAM)).unwrap()));
    let mut stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let outcome = experiment(&stage).and_then(|outcome| {
        println!("{outcome:#?}");
        match outcome.missed() {
            missed if missed.is_empty() => Ok(()),
            missed => Err(format!("{}\n{}", missed.join("\n"), outcome.remarks.join("\n")).into()),
        }
    });
    if let Err(error) = outcome {
        panic!("{error}\nlogs are kept in {}", stage.keep().display());
    }
}

#[test]
fn replicas_are_replaced_and_no_admission_fails() {
    check(|stage| restarts::run(stage, restarts::Plan { rounds: 1, rate: 50, drain_seconds: 4 }));
}

#[test]
fn one_replica_writes_and_another_follows_it_in_time() {
    let asleep = Duration::from_secs(6);
    let plan = leaders::Plan { kills: 1, freezes: 1, ends: 1, lease_seconds: 3, asleep };
    check(|stage| leaders::run(stage, plan));
}
