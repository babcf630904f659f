// SPDX-License-Identifier: Apache-2.0
//! Connections that want nothing good, straight to the webhook port, while admissions go on through the API server.

use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use testbed::until;
use webhook_certs::Lifetimes;
use webhook_certs::state::Pair;

use crate::Error;
use crate::attack::{Attack, Kind};
use crate::load::Load;
use crate::outcome::{Outcome, count};
use crate::published::sound;
use crate::stage::{PATIENCE, Stage};

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Connections that say nothing.
    pub idle: usize,
    /// Connections that begin a handshake and do not go on.
    pub half_open: usize,
    /// Connections that send the head of a request byte by byte, and as many that do so with the body.
    pub slow: usize,
    /// Connections that send bodies of 20 MiB, one after the other.
    pub large: usize,
    /// How long each kind goes on.
    pub lasting: Duration,
    /// Admissions per second.
    pub rate: u32,
}

/// Attacks one replica, in one way after the other and then in all of them.
///
/// # Errors
/// When an attack cannot be made, or the replica ends.
pub fn run(stage: &Stage, plan: Plan) -> Result<Outcome, Error> {
    raise_limit()?;
    let mut replicas = stage.replicas(1, &[])?;
    let lifetimes = Lifetimes::default();
    let pair = until("a leaf is served", PATIENCE, || sound(stage, &replicas, &lifetimes))?;
    let port = replicas[0].launch.webhook_port;
    let kinds = [
        (Kind::Idle, plan.idle),
        (Kind::HalfOpen, plan.half_open),
        (Kind::SlowHead, plan.slow),
        (Kind::SlowBody, plan.slow),
        (Kind::Large, plan.large),
    ];
    let mut outcome = Outcome::new(
        "Connections that want nothing good",
        "One replica, whose webhook port gets connections that say nothing, handshakes that do not go on, requests whose \
         head or body comes byte by byte, and bodies that are too large; those that are cut off come again.",
    );
    let load = Load::begin(stage, plan.rate);
    let from = load.now();
    // It is the length of the calm, and of each attack, that is looked at.
    std::thread::sleep(plan.lasting);
    outcome.told("p99 admission without them", load.p99(from), "ms");
    for (kind, connections) in kinds {
        let from = load.now();
        let attack = Attack::begin(stage, kind, connections, port, &pair)?;
        attack.until_all_are_there()?;
        std::thread::sleep(plan.lasting);
        let done = attack.end(stage)?;
        outcome.told(format!("{}: {done}, p99 admission", kind.title(connections)), load.p99(from), "ms");
    }
    let p99 = all_at_once(stage, &load, kinds, plan.lasting, port, &pair)?;
    outcome.told("all of them at once, p99 admission", p99, "ms");
    load.end(stage)?.tell(&mut outcome);
    let ended = replicas.iter_mut().filter_map(|replica| replica.process.try_exit()).count();
    outcome.limited("replicas that ended", count(ended), "", 0.0);
    for replica in replicas {
        stage.forget(replica);
    }
    Ok(outcome)
}

/// The 99th percentile while every kind is there.
fn all_at_once(
    stage: &Stage,
    load: &Load,
    kinds: [(Kind, usize); 5],
    lasting: Duration,
    port: u16,
    pair: &Pair,
) -> Result<f64, Error> {
    let from = load.now();
    let begun = kinds.iter().map(|(kind, clients)| Attack::begin(stage, *kind, *clients, port, pair));
    let attacks = begun.collect::<Result<Vec<Attack>, Error>>()?;
    for attack in &attacks {
        attack.until_all_are_there()?;
    }
    std::thread::sleep(lasting);
    for attack in attacks {
        attack.end(stage)?;
    }
    Ok(load.p99(from))
}

/// As many open files as the system allows: each connection is one here and one in the replica, which inherits it.
fn raise_limit() -> Result<(), Error> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}
