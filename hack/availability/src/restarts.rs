// SPDX-License-Identifier: Apache-2.0
//! Rolling restarts: every replica is replaced, again and again, while admissions go on.

use std::time::{Duration, Instant};

use crate::Error;
use crate::load::Load;
use crate::outcome::{Outcome, count, largest};
use crate::stage::{Replica, Stage};

/// Longer than a drain and what is left to finish behind it.
const ENDS_WITHIN: Duration = Duration::from_mins(1);
/// Replicas of the operator.
const REPLICAS: usize = 2;

/// How much is restarted.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Times that all replicas are replaced.
    pub rounds: usize,
    /// Admissions per second.
    pub rate: u32,
    /// Seconds that a replica goes on serving after SIGTERM.
    pub drain_seconds: u16,
}

/// Replaces the replicas one by one, as a Deployment that may have one too many and none too few: a successor has to be
/// ready before its predecessor is asked to end, and nobody waits for the predecessor's end.
///
/// # Errors
/// When a replica does not become ready.
pub fn run(stage: &Stage, plan: Plan) -> Result<Outcome, Error> {
    let arguments = [format!("--drain-seconds={}", plan.drain_seconds)];
    let mut replicas = stage.replicas(REPLICAS, &arguments)?;
    let load = Load::begin(stage, plan.rate);
    let (mut rounds, mut p99, mut bad_ends) = (Vec::new(), Vec::new(), Vec::new());
    let mut connections = 0;
    for _ in 0..plan.rounds {
        let (begin, from) = (Instant::now(), load.now());
        let mut ending = Vec::new();
        for replica in &mut replicas {
            let mut successor = stage.replica(&arguments)?;
            stage.until_it_takes_part(&mut successor)?;
            let former = std::mem::replace(replica, successor);
            former.process.terminate()?;
            ending.push(former);
        }
        for former in ending {
            connections += stage.balancer.taken(&former.launch);
            bad_ends.extend(bad_end(former, stage));
        }
        rounds.push(begin.elapsed().as_secs_f64());
        p99.push(load.p99(from));
    }
    let tally = load.end(stage)?;
    for replica in replicas {
        stage.forget(replica);
    }
    let mut outcome = Outcome::new(
        "Rolling restart of two replicas",
        "Two replicas are replaced one by one, as by a Deployment that may have one too many and none too few: a successor \
         has to be ready before its predecessor gets SIGTERM.",
    );
    outcome.told("restarts of both", count(plan.rounds), "");
    tally.tell(&mut outcome);
    outcome.limited("replicas that did not end with 0", count(bad_ends.len()), "", 0.0);
    outcome.told("connections that the API server opened to replaced replicas", count(connections), "");
    outcome.told("longest restart of both", largest(&rounds), "s");
    outcome.rounds("restart of both", "s", rounds);
    outcome.rounds("p99 admission of each restart", "ms", p99);
    outcome.remarks.extend(bad_ends);
    Ok(outcome)
}

/// How a replica ended that was asked to, if not well.
fn bad_end(mut former: Replica, stage: &Stage) -> Option<String> {
    let status = former.process.wait(ENDS_WITHIN);
    stage.forget(former);
    match status {
        Some(status) if status.success() => None,
        Some(status) => Some(format!("a replica ended with {status}")),
        None => Some(format!("a replica had not ended after {} s", ENDS_WITHIN.as_secs())),
    }
}
