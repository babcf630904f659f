// SPDX-License-Identifier: Apache-2.0
//! The password of the broker changes under load: the Secret is written, and pods that read it are replaced.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Error;
use crate::outcome::Outcome;
use crate::sample::Sample;
use crate::stage::{Stage, wait_for};

const TASKS: usize = 60;
/// From the Secret to pods that all have it; the longest task is part of it.
const REPLACED_WITHIN: Duration = Duration::from_mins(3);

/// Changes the password once. Both are good until every pod has the new one, as in a rotation that is meant to lose
/// nothing.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    stage.broker.take_password("the-first")?;
    let sample = Sample::new(stage, "password", "redis", 12)?;
    sample.change(&[("/spec/beatSpec", Value::Null), ("/spec/workerSpec/concurrency", json!(8))])?;
    sample.ready()?;
    sample.send(&["slow", &TASKS.to_string(), "--seconds", "1", "10"])?;
    let before = pods(&sample)?;

    stage.broker.take_password("the-second")?;
    let begin = Instant::now();
    sample.write_urls()?;
    wait_for("pods with the new password", || {
        let now = pods(&sample)?;
        let old = now.iter().filter(|uid| before.contains(uid)).count();
        Ok(if old == 0 { Ok(()) } else { Err(format!("{old} pods of before")) })
    })?;
    sample.ready()?;
    let took = begin.elapsed();
    outcome.held(
        took < REPLACED_WITHIN,
        format!("every pod replaced {:.0} s after the Secret", took.as_secs_f64()),
    );

    stage.broker.forget_password("the-first")?;
    sample.send(&["quick", "10", "--wait", "60"])?;
    let done = sample.page("quick")?.done();
    outcome.held(done == 10, format!("{done} of 10 tasks come back once the old password is gone"));
    let all = wait_for("every task", || {
        let done = sample.page("slow")?.done();
        Ok(if done == TASKS { Ok(()) } else { Err(format!("{done} are done")) })
    });
    let page = sample.page("slow")?;
    outcome.held(
        all.is_ok(),
        format!("{} of {TASKS} tasks lost, {} started twice", TASKS - page.done(), page.started_twice()),
    );
    sample.end()?;
    Ok(outcome)
}

/// Identities of all pods.
fn pods(sample: &Sample<'_>) -> Result<Vec<String>, Error> {
    let pods = sample.get(&["pods"])?;
    let items = pods["items"].as_array().into_iter().flatten();
    Ok(items.filter_map(|pod| pod["metadata"]["uid"].as_str()).map(str::to_owned).collect())
}
