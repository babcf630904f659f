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

use availability::{Error, Outcome, Stage, arrivals, faults, hostile, leaders, page, restarts, rotations};

/// The operator's program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_celery-operator");

/// Later than anything comes on a machine that has other things to do as well; the true limits are those at full size.
const LATE: Duration = Duration::from_secs(10);

/// Runs an experiment when it is its turn; no figure may be beyond its limit.
fn check(experiment: impl FnOnce(&Stage) -> Result<Outcome, Error>) {
    static STAGE: LazyLock<Mutex<Stage>> =
        LazyLock::new(|| Mutex::new(Stage::set(Path::new(PROGRAM)).unwrap()));
    let mut stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let outcome = experiment(&stage).and_then(|outcome| {
        println!("{}", page::table(&outcome));
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
    check(|stage| restarts::run(stage, restarts::Plan { rounds: 1, rate: 30, drain_seconds: 4 }));
}

#[test]
fn one_replica_writes_and_another_follows_it_in_time() {
    let plan = leaders::Plan {
        kills: 1,
        freezes: 1,
        ends: 1,
        lease_seconds: 3,
        asleep: Duration::from_secs(6),
        beyond: LATE,
        given_back: LATE,
    };
    check(|stage| leaders::run(stage, plan));
}

#[test]
fn certificates_and_authorities_are_renewed_and_no_admission_fails() {
    let plan = rotations::Plan { leaves: 2, leaf_seconds: 9, authorities: 1, rate: 30 };
    check(|stage| rotations::run(stage, plan));
}

#[test]
fn broken_certificates_heal_while_the_replicas_run() {
    check(|stage| faults::run(stage, faults::Plan { every: 8, rate: 20, within: LATE }));
}

#[test]
fn objects_arrive_and_no_admission_fails() {
    let calm = Duration::from_secs(3);
    let plan = arrivals::Plan { objects: 60, per_second: 10, rate: 20, calm, at_most_times: None };
    check(|stage| arrivals::run(stage, plan));
}

#[test]
fn connections_that_want_nothing_good_fail_no_admission() {
    let lasting = Duration::from_secs(2);
    let plan = hostile::Plan { idle: 1000, half_open: 50, slow: 50, large: 2, lasting, rate: 30 };
    check(|stage| hostile::run(stage, plan));
}
