// SPDX-License-Identifier: Apache-2.0
//! Certificates that are renewed while admissions go on: leaves that live for seconds, and authorities one after the
//! other.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use testbed::until;
use webhook_certs::Lifetimes;
use webhook_certs::state::{CA_KEY, LEAF};

use crate::Error;
use crate::load::{Load, Tally};
use crate::outcome::{Outcome, count};
use crate::published::{entries, replace, sound};
use crate::stage::{PATIENCE, Replica, Stage};

/// How much is renewed.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Renewals of the serving certificate.
    pub leaves: usize,
    /// Seconds that each lives.
    pub leaf_seconds: u32,
    /// Renewals of the authority.
    pub authorities: usize,
    /// Admissions per second.
    pub rate: u32,
}

/// Lets two replicas renew what they serve, while admissions go on.
///
/// # Errors
/// When nothing is renewed.
pub fn run(stage: &Stage, plan: Plan) -> Result<Outcome, Error> {
    let mut outcome = Outcome::new(
        "Certificates that are renewed",
        "Two replicas. First the serving certificate lives for seconds and is renewed after two thirds of that; then the \
         authority loses its key, which replaces it by the way on which one is replaced whose time has come.",
    );
    let (tally, seconds) = leaves(stage, plan)?;
    outcome.told("renewals of the serving certificate", count(plan.leaves), "");
    tally.tell(&mut outcome);
    outcome.told("all renewals of the serving certificate took", seconds, "s");
    let (tally, seconds) = authorities(stage, plan)?;
    outcome.told("renewals of the authority", count(plan.authorities), "");
    tally.tell(&mut outcome);
    outcome.rounds("from the loss of the authority's key until its successor is served", "s", seconds);
    Ok(outcome)
}

/// Certificates of short life, renewed when their time has come.
fn leaves(stage: &Stage, plan: Plan) -> Result<(Tally, f64), Error> {
    let seconds = plan.leaf_seconds;
    let replicas = stage.replicas(2, &[format!("--certificate-seconds={seconds}")])?;
    let life = Duration::from_secs(seconds.into());
    let lifetimes = Lifetimes::new(Lifetimes::default().ca(), life)?;
    // A leaf of an earlier life may still be in use.
    let first = until("a leaf of short life is served", PATIENCE, || sound(stage, &replicas, &lifetimes))?;
    let load = Load::begin(stage, plan.rate);
    let begin = Instant::now();
    let mut seen = BTreeSet::new();
    let patience = life * u32::try_from(plan.leaves)? + PATIENCE;
    until("the leaves are renewed", patience, || {
        seen.extend(entries(stage)?.and_then(|mut entries| entries.remove(LEAF)));
        let renewed = seen.len().saturating_sub(1);
        if renewed >= plan.leaves { Ok(()) } else { Err(Error::from(format!("{renewed} renewals"))) }
    })?;
    let last = until("the last leaf is served", PATIENCE, || sound(stage, &replicas, &lifetimes))?;
    if last.ca != first.ca {
        return Err("the authority has changed, which was not asked for".into());
    }
    let took = begin.elapsed().as_secs_f64();
    let tally = load.end(stage)?;
    end(stage, replicas)?;
    Ok((tally, took))
}

/// An authority without its key is of no use for the next leaf, and is replaced: by the way on which one is replaced
/// whose time has come.
fn authorities(stage: &Stage, plan: Plan) -> Result<(Tally, Vec<f64>), Error> {
    let replicas = stage.replicas(2, &[])?;
    let lifetimes = Lifetimes::default();
    let mut pair = until("a leaf is served", PATIENCE, || sound(stage, &replicas, &lifetimes))?;
    let load = Load::begin(stage, plan.rate);
    let mut seconds = Vec::new();
    for _ in 0..plan.authorities {
        let begin = Instant::now();
        let mut entries = pair.entries();
        entries.remove(CA_KEY);
        replace(stage, &entries)?;
        let next = until("a leaf of another authority is served", PATIENCE, || {
            let next = sound(stage, &replicas, &lifetimes)?;
            if next.ca == pair.ca { Err(Error::from("the authority is the same")) } else { Ok(next) }
        })?;
        if !next.trusts(&pair.ca.certificate) {
            return Err("the former authority is not in the bundle of the next".into());
        }
        pair = next;
        seconds.push(begin.elapsed().as_secs_f64());
    }
    let tally = load.end(stage)?;
    end(stage, replicas)?;
    Ok((tally, seconds))
}

/// None of them may have ended by itself.
fn end(stage: &Stage, replicas: Vec<Replica>) -> Result<(), Error> {
    for mut replica in replicas {
        let ended = replica.process.try_exit();
        stage.forget(replica);
        if let Some(status) = ended {
            return Err(format!("a replica ended with {status}").into());
        }
    }
    Ok(())
}
