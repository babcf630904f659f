// SPDX-License-Identifier: Apache-2.0
//! Leaders that die, sleep and are asked to end: how soon another one writes, and whether one ever writes whose Lease
//! has lapsed.

use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use testbed::{audit, until};

use crate::Error;
use crate::admission::{CELERIES, celery};
use crate::lapse::{Judgement, Write, judge};
use crate::outcome::{Outcome, count, largest};
use crate::stage::{PATIENCE, Replica, Stage};
use crate::work::Work;

/// Objects that are changed all the time.
const OBJECTS: usize = 10;

/// How often what is done to a leader.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Leaders that are killed.
    pub kills: usize,
    /// Leaders that are frozen and wake up.
    pub freezes: usize,
    /// Leaders that are asked to end.
    pub ends: usize,
    /// Seconds that the Lease lasts.
    pub lease_seconds: u16,
    /// How long a frozen leader sleeps: longer than the Lease lasts.
    pub asleep: Duration,
    /// How long it may take, beyond the Lease, until somebody else writes.
    pub beyond: Duration,
    /// How long that may take where the Lease is given back.
    pub given_back: Duration,
}

/// What is done to a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    Kill,
    Freeze,
    End,
}

/// A blow, and when.
struct Struck {
    blow: Blow,
    at: Timestamp,
    victim: u32,
}

/// Lets two replicas write in turn, and takes away the one that does.
///
/// # Errors
/// When none takes over.
pub fn run(stage: &Stage, plan: Plan) -> Result<Outcome, Error> {
    let webhook = stage.replicas(1, &["--role=webhook".to_owned()])?;
    let log = stage.plane.audit_log().ok_or("there is no audit log")?.to_owned();
    let from = audit::length(&log)?;
    for index in 0..OBJECTS {
        stage.send("POST", CELERIES, Some(&celery(&name(index))))?;
    }
    let mut pair = [candidate(stage, plan)?, candidate(stage, plan)?];
    let work = Work::begin(stage, OBJECTS, name);
    let mut blows = Vec::new();
    for (blow, times) in [(Blow::Kill, plan.kills), (Blow::Freeze, plan.freezes), (Blow::End, plan.ends)] {
        for _ in 0..times {
            blows.push(strike(stage, plan, blow, &mut pair)?);
        }
    }
    let changes = work.end(stage)?;
    until_written(&log, from, blows.last())?;
    let writes = writes(&log, from)?;
    for replica in pair.into_iter().chain(webhook) {
        stage.forget(replica);
    }
    for index in 0..OBJECTS {
        stage.send("DELETE", &format!("{CELERIES}/{}", name(index)), None)?;
    }
    let judgement = judge(&writes, Duration::from_secs(plan.lease_seconds.into()));
    told(plan, &blows, &writes, judgement, changes)
}

fn name(index: usize) -> String {
    format!("changed-{index}")
}

/// A replica that writes or waits for its turn, and serves no webhooks.
fn candidate(stage: &Stage, plan: Plan) -> Result<Replica, Error> {
    let arguments = ["--role=controller".to_owned(), format!("--lease-seconds={}", plan.lease_seconds)];
    let mut replica = stage.replica_aside(&arguments)?;
    replica.launch.await_ready(&mut replica.process)?;
    Ok(replica)
}

/// The position of the one that writes, while the other one waits for its turn.
fn leader(pair: &[Replica; 2]) -> Result<usize, Error> {
    let leader = until("one of two replicas writes", PATIENCE, || {
        let said = pair.each_ref().map(|replica| replica.launch.ask("/readyz").unwrap_or_default());
        let writes = said.each_ref().map(|said| said.contains("] this replica writes"));
        let waits = said.each_ref().map(|said| said.contains("] another replica writes"));
        match (writes, waits) {
            ([true, _], [_, true]) => Ok(0),
            ([_, true], [true, _]) => Ok(1),
            _ => Err(said.join("\n")),
        }
    });
    Ok(leader?)
}

/// Takes the leader away and waits until the other one writes; afterwards there are two again.
fn strike(stage: &Stage, plan: Plan, blow: Blow, pair: &mut [Replica; 2]) -> Result<Struck, Error> {
    let leader = leader(pair)?;
    let (victim, heir) = (&pair[leader], &pair[1 - leader]);
    let (begin, struck) =
        (Instant::now(), Struck { blow, at: Timestamp::now(), victim: victim.process.id() });
    match blow {
        Blow::Kill => victim.process.kill()?,
        Blow::Freeze => victim.process.stop()?,
        Blow::End => victim.process.terminate()?,
    }
    until("the other replica writes", PATIENCE, || {
        let said = heir.launch.ask("/readyz").unwrap_or_else(|error| error.to_string());
        if said.contains("] this replica writes") { Ok(()) } else { Err(said) }
    })?;
    if blow == Blow::Freeze {
        // It is the length of the sleep that is tried, not what happens meanwhile.
        thread::sleep(plan.asleep.saturating_sub(begin.elapsed()));
        victim.process.cont()?;
        return Ok(struck);
    }
    let mut gone = std::mem::replace(&mut pair[leader], candidate(stage, plan)?);
    let ended = gone.process.wait(PATIENCE).ok_or("a replica does not end")?;
    if blow == Blow::End && !ended.success() {
        return Err(format!("a replica that was asked to end did so with {ended}").into());
    }
    stage.forget(gone);
    Ok(struck)
}

/// What the operator has written since then, in order.
fn writes(log: &std::path::Path, from: u64) -> Result<Vec<Write>, Error> {
    let events = audit::requests(log, from)?;
    events.iter().filter_map(|event| Write::of(event).transpose()).collect()
}

/// The first write that took the place of the leader's, and how long that took.
fn takeover(struck: &Struck, writes: &[Write]) -> Option<Duration> {
    let victim = format!("_{}_", struck.victim);
    let mut others = writes.iter().filter(|write| write.is_work() && !write.by.contains(&victim));
    let first = others.find(|write| write.received >= struck.at)?;
    Duration::try_from(first.received.duration_since(struck.at)).ok()
}

/// A request is logged when it has been answered.
fn until_written(log: &std::path::Path, from: u64, last: Option<&Struck>) -> Result<(), Error> {
    let logged = until("the last takeover is logged", PATIENCE, || {
        let writes = writes(log, from)?;
        let is_logged = last.is_none_or(|last| takeover(last, &writes).is_some());
        if is_logged { Ok(()) } else { Err(Error::from(format!("{} writes", writes.len()))) }
    });
    Ok(logged?)
}

fn told(
    plan: Plan,
    blows: &[Struck],
    writes: &[Write],
    judgement: Judgement,
    changes: usize,
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::new(
        "Leaders that die, sleep and are asked to end",
        "Two replicas, of which one writes, and objects whose specs change five times a second. The one that writes is \
         killed, frozen for longer than its Lease lasts, or asked to end. The API server's audit log says who wrote \
         what and who held the Lease then.",
    );
    let lapsing = Duration::from_secs(plan.lease_seconds.into()) + plan.beyond;
    for (blow, title, limit) in [
        (Blow::Kill, "from SIGKILL to the successor's first write", lapsing),
        (Blow::Freeze, "from SIGSTOP to the successor's first write", lapsing),
        (Blow::End, "from SIGTERM to the successor's first write", plan.given_back),
    ] {
        let mut seconds = Vec::new();
        for struck in blows.iter().filter(|struck| struck.blow == blow) {
            let took = takeover(struck, writes).ok_or("a takeover without a write")?;
            seconds.push(took.as_secs_f64());
        }
        outcome.limited(format!("longest time {title}"), largest(&seconds), "s", limit.as_secs_f64());
        outcome.rounds(title, "s", seconds);
    }
    outcome.limited("writes by a process whose Lease had lapsed", count(judgement.lapsed.len()), "", 0.0);
    outcome.told(
        "writes that were given up as soon as such a process woke up",
        count(judgement.given_up.len()),
        "",
    );
    outcome.told("writes that were judged", count(judgement.judged), "");
    outcome.told("longest time from a renewal to a write", judgement.longest.as_secs_f64(), "s");
    outcome.told("changes of specs meanwhile", count(changes), "");
    outcome.told("the Lease lasts", f64::from(plan.lease_seconds), "s");
    outcome.told("a frozen leader sleeps", plan.asleep.as_secs_f64(), "s");
    outcome.remarks = [judgement.lapsed, judgement.given_up].concat();
    Ok(outcome)
}
