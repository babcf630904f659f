// SPDX-License-Identifier: Apache-2.0
//! Certificates that somebody breaks: how soon admission works again, with nobody's help and no restart.

use std::time::Duration;

use k8s_openapi::ByteString;
use serde_json::{Value, json};
use testbed::until;
use webhook_certs::Lifetimes;
use webhook_certs::state::Entries;

use crate::Error;
use crate::cases::{CASES, Case, Fault, Parts, Reach};
use crate::load::{Load, Tally};
use crate::outcome::{Outcome, count, largest};
use crate::published::{SECRET, SECRETS, replace, sound};
use crate::stage::{CONFIGURATIONS, PATIENCE, Replica, Stage};

const HOW: &str = "Two replicas, whose Secret and configurations are broken in one way after the other, while they run or \
                   before they start. Admissions may fail meanwhile; the clock runs to the last one that does, from the \
                   fault, or from when a replica lives that was started. Everything is well when the Secret needs \
                   nothing, both configurations carry its bundle and both replicas show its leaf: a leaf of a new \
                   authority is served when API servers had three seconds to learn of it.";

/// How long it has to go on without a failure until it is said to work.
const STEADY: Duration = Duration::from_secs(1);
/// Where configurations are.
const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";

/// How much is broken.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Of all cases every so many; 1 for all.
    pub every: usize,
    /// Admissions per second.
    pub rate: u32,
    /// How soon admission has to work again.
    pub within: Duration,
}

/// What came of one case.
struct Found {
    name: &'static str,
    /// From the fault to the last admission that failed, in seconds; 0 when none did.
    failing: f64,
    /// From the fault until everything was as it should be again, in seconds.
    well_after: f64,
    restarts: usize,
}

/// Breaks the certificates of two replicas in one way after the other.
///
/// # Errors
/// When one is not healed at all.
pub fn run(stage: &Stage, plan: Plan) -> Result<Outcome, Error> {
    let mut replicas = stage.replicas(2, &[])?;
    let load = Load::begin(stage, plan.rate);
    let mut all = Vec::new();
    for case in CASES.iter().step_by(plan.every) {
        let lifetimes = Lifetimes::default();
        let sound = until("all is well", PATIENCE, || sound(stage, &replicas, &lifetimes))?;
        let found = heal(stage, &load, case, &Parts::around(sound)?, &mut replicas);
        all.push(found.map_err(|error| format!("{}: {error}", case.name))?);
    }
    let tally = load.end(stage)?;
    for replica in replicas {
        stage.forget(replica);
    }
    Ok(told(plan, &all, &tally))
}

fn told(plan: Plan, all: &[Found], tally: &Tally) -> Outcome {
    let mut outcome = Outcome::new("Certificates that somebody breaks", HOW);
    let failing: Vec<f64> = all.iter().map(|found| found.failing).collect();
    outcome.told("cases", count(all.len()), "");
    outcome.limited(
        "longest time in which admissions failed",
        largest(&failing),
        "s",
        plan.within.as_secs_f64(),
    );
    outcome.limited("restarts", count(all.iter().map(|found| found.restarts).sum()), "", 0.0);
    tally.tell_times(&mut outcome);
    outcome.told("admissions that failed", count(tally.failed()), "");
    outcome.cases.measured = ["admissions fail for", "everything is well after"].map(str::to_owned).into();
    let row = |found: &Found| (found.name.to_owned(), vec![found.failing, found.well_after]);
    outcome.cases.rows = all.iter().map(row).collect();
    outcome.rounds("time in which admissions failed", "s", failing);
    outcome
}

/// Makes one fault and waits until all is well.
fn heal(
    stage: &Stage,
    load: &Load,
    case: &Case,
    parts: &Parts,
    replicas: &mut Vec<Replica>,
) -> Result<Found, Error> {
    let from = break_it(stage, load, case.fault, parts, replicas)?;
    let lifetimes = Lifetimes::default();
    let healed =
        until("all is well again", PATIENCE, || sound(stage, replicas, &lifetimes).map(|_| load.now()))?;
    until("admissions go well", PATIENCE, || {
        let last = load.last_failure(from).unwrap_or(healed).max(healed);
        if load.now() >= last + STEADY { Ok(()) } else { Err(format!("the last failure was at {last:?}")) }
    })?;
    let failing =
        load.last_failure(from).map_or(Duration::ZERO, |last| last.saturating_sub(from)).as_secs_f64();
    let well_after = healed.saturating_sub(from).as_secs_f64();
    let restarts = replicas.iter_mut().filter_map(|replica| replica.process.try_exit()).count();
    Ok(Found { name: case.name, failing, well_after, restarts })
}

/// Makes one fault. Returns the moment from which on it is there.
fn break_it(
    stage: &Stage,
    load: &Load,
    fault: Fault,
    parts: &Parts,
    replicas: &mut Vec<Replica>,
) -> Result<Duration, Error> {
    let mut from = load.now();
    match fault {
        Fault::Held(made) => replace(stage, &made(parts))?,
        Fault::Deleted => stage.send("DELETE", SECRET, None).map(drop)?,
        Fault::Remade(made) => {
            stage.send("DELETE", SECRET, None)?;
            // The operator may have been faster.
            if stage.send("POST", SECRETS, Some(&secret(&made(parts)))).is_err() {
                replace(stage, &made(parts))?;
            }
        }
        Fault::Carried(made, reach) => {
            let skipped = usize::from(reach == Reach::One);
            for configuration in &CONFIGURATIONS[skipped..] {
                carry(stage, configuration, made(parts))?;
            }
        }
        Fault::Reinstalled => {
            let saved = CONFIGURATIONS.map(|configuration| stage.configuration(configuration));
            for configuration in CONFIGURATIONS {
                stage.send("DELETE", &format!("{GROUP}/{configuration}"), None)?;
            }
            from = load.now();
            for (configuration, saved) in CONFIGURATIONS.iter().zip(saved) {
                reinstall(stage, configuration, &saved?)?;
            }
        }
        Fault::AtStart(made) => {
            for replica in replicas.drain(..) {
                replica.process.kill()?;
                stage.forget(replica);
            }
            match made(parts) {
                Some(entries) => replace(stage, &entries)?,
                None => stage.send("DELETE", SECRET, None).map(drop)?,
            }
            replicas.extend([stage.replica(&[])?, stage.replica(&[])?]);
            // How long a machine needs to start a program is not looked at.
            until("a replica lives", PATIENCE, || {
                let lives = replicas.iter().any(|replica| replica.launch.ask("/livez").is_ok());
                if lives { Ok(()) } else { Err("no answer") }
            })?;
            from = load.now();
        }
    }
    Ok(from)
}

fn carry(stage: &Stage, configuration: &str, bundle: Vec<u8>) -> Result<(), Error> {
    let place = "/webhooks/0/clientConfig/caBundle";
    let patch = if bundle.is_empty() {
        json!([{ "op": "remove", "path": place }])
    } else {
        json!([{ "op": "replace", "path": place, "value": ByteString(bundle) }])
    };
    stage.patch_configuration(configuration, &patch)
}

/// The configuration as a chart would write it: without a bundle.
fn reinstall(stage: &Stage, configuration: &str, saved: &Value) -> Result<(), Error> {
    let (plural, name) = configuration.split_once('/').unwrap_or_default();
    let mut anew = saved.clone();
    anew["metadata"] = json!({ "name": name, "labels": saved["metadata"]["labels"] });
    if let Some(client) = anew["webhooks"][0]["clientConfig"].as_object_mut() {
        client.remove("caBundle");
    }
    stage.send("POST", &format!("{GROUP}/{plural}"), Some(&anew)).map(drop)
}

fn secret(entries: &Entries) -> Value {
    let data: serde_json::Map<String, Value> =
        entries.iter().map(|(name, value)| (name.clone(), json!(ByteString(value.clone())))).collect();
    let (_, name) = SECRET.rsplit_once('/').unwrap_or_default();
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "data": data })
}
