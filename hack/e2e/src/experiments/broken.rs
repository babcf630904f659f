// SPDX-License-Identifier: Apache-2.0
//! A change that cannot work: it is told with the pods' own reason, and the pods of before go on.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Error;
use crate::outcome::Outcome;
use crate::sample::Sample;
use crate::stage::{Stage, wait_for};

/// From the change to what is told of it.
const TOLD_WITHIN: Duration = Duration::from_mins(2);

/// How long the broker is away.
const OUTAGE: Duration = Duration::from_mins(2);

/// Each change, and the field that the message has to name.
const CHANGES: [(&str, &str, &str, &str); 2] = [
    ("an image that does not exist", "/spec/common/image", "celery-sample:9.9", "spec.common.image"),
    ("a module that does not exist", "/spec/common/celeryApp", "shop.nowhere", "spec.common.celeryApp"),
];

/// Breaks a Celery that works, and mends it.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    let sample = Sample::new(stage, "broken", "redis", 8)?;
    let mut outcome = Outcome::default();
    let good = [("/spec/beatSpec", Value::Null), ("/spec/workerSpec/numOfWorkers", json!(1))];
    sample.change(&good)?;
    sample.ready()?;
    for (number, (what, place, value, named)) in CHANGES.into_iter().enumerate() {
        let begin = Instant::now();
        sample.change(&[&good[..], &[(place, json!(value))]].concat())?;
        let stalled = wait_for("a Celery that is stalled", || {
            let stalled = sample.condition("Stalled")?;
            Ok(if stalled["status"] == "True" { Ok(stalled) } else { Err(stalled.to_string()) })
        })?;
        let took = begin.elapsed();
        let reason = stalled["reason"].as_str().unwrap_or_default();
        let message = stalled["message"].as_str().unwrap_or_default();
        eprintln!("e2e: {what}: {reason}: {message}");
        outcome.held(
            took < TOLD_WITHIN && message.contains(named),
            format!("{what}: told as {reason} after {:.0} s", took.as_secs_f64()),
        );
        sample.change(&good)?;
        sample.ready()?;
        let sent = (number + 1) * 5;
        sample.send(&["quick", "5", "--wait", "60"])?;
        let done = sample.page("quick")?.done();
        outcome.held(done == sent, "mended, and tasks come back");
    }
    sample.end()?;
    start_without_a_broker(stage, &mut outcome)?;
    Ok(outcome)
}

/// Pods that begin while the broker is away: no worker answers the ping of the startup probe, and the former ones go on.
fn start_without_a_broker(stage: &Stage, outcome: &mut Outcome) -> Result<(), Error> {
    let broker = stage.durable_broker()?;
    let sample = Sample::on(stage, &broker, "broken-broker", "redis", 45)?;
    let one = [("/spec/beatSpec", Value::Null), ("/spec/workerSpec/numOfWorkers", json!(1))];
    sample.change(&one)?;
    sample.ready()?;
    broker.stop()?;
    let begin = Instant::now();
    sample.change(&[&one[..], &[("/spec/workerSpec/concurrency", json!(3))]].concat())?;
    let told = wait_for("a Celery that has not started", || {
        let ready = sample.condition("Ready")?;
        Ok(if ready["reason"] == "NotStarted" { Ok(ready) } else { Err(ready.to_string()) })
    })?;
    let (took, message) = (begin.elapsed(), told["message"].as_str().unwrap_or_default().to_owned());
    eprintln!("e2e: a broker that is away: {message}");
    outcome.held(
        took < TOLD_WITHIN
            && ["pool default", "startup probe", "spec.common.broker"].iter().all(|it| message.contains(it)),
        format!("workers that begin without a broker: told as NotStarted after {:.0} s", took.as_secs_f64()),
    );
    // As long as an outage is meant to last, whatever was told by then.
    thread::sleep(OUTAGE.saturating_sub(begin.elapsed()));
    broker.start_again()?;
    let back = Instant::now();
    sample.ready()?;
    outcome.held(true, format!("ready by itself {:.0} s after its return", back.elapsed().as_secs_f64()));
    sample.send(&["quick", "5", "--wait", "60"])?;
    outcome.held(sample.page("quick")?.done() == 5, "and tasks come back");
    sample.end()?;
    Ok(())
}
