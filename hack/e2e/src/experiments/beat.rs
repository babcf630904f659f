// SPDX-License-Identifier: Apache-2.0
//! Beat's pod is deleted, and its node drained: another one sends, and never two at once.

use std::time::{Duration, Instant};

use serde_json::json;
use testbed::node::NAME as NODE_NAME;

use crate::Error;
use crate::outcome::Outcome;
use crate::sample::Sample;
use crate::stage::{Stage, wait_for};

/// Seconds between two things that beat sends, as the sample has it.
const TICK: u64 = 5;
/// From the deletion to the first thing that the next pod sends.
const BACK_WITHIN: Duration = Duration::from_mins(1);
const BEAT: &str = "app.kubernetes.io/component=beat";

/// Deletes the pod, twice, and drains the node.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    let sample = Sample::new(stage, "beat", "redis", 10)?;
    let mut outcome = Outcome::default();
    sample.change(&[("/spec/workerSpec/numOfWorkers", json!(1)), ("/spec/flowerSpec", json!(null))])?;
    sample.ready()?;
    let ticks = |more_than: usize| {
        wait_for("a tick of beat", || {
            let ticks = sample.page("tick")?.done();
            Ok(if ticks > more_than { Ok(ticks) } else { Err(format!("{ticks} so far")) })
        })
    };
    let first = ticks(0)?;
    let begin = Instant::now();
    let mut slowest = Duration::ZERO;
    for _ in 0..2 {
        let deleted = Instant::now();
        sample.kubectl(&["delete", "pods", "--selector", BEAT])?;
        // Gone by now: what comes later is from the next.
        let before = sample.page("tick")?.done();
        ticks(before)?;
        slowest = slowest.max(deleted.elapsed());
    }
    outcome.held(slowest < BACK_WITHIN, format!("sends again after {:.1} s", slowest.as_secs_f64()));

    let drained = Instant::now();
    let selector = format!("--pod-selector={BEAT}");
    stage.kubectl(&["drain", NODE_NAME, &selector, "--delete-emptydir-data", "--timeout=60s"])?;
    let before = sample.page("tick")?.done();
    // The only node: what it no longer takes has nowhere else to go.
    stage.kubectl(&["uncordon", NODE_NAME])?;
    ticks(before)?;
    let took = drained.elapsed();
    outcome.held(
        took < BACK_WITHIN,
        format!("sends again {:.1} s after its node was drained", took.as_secs_f64()),
    );
    let sent = sample.page("tick")?.done() - first;
    // Each pod sends one at its start at most, beside those of the clock.
    let most = usize::try_from(begin.elapsed().as_secs() / TICK)? + 3;
    outcome.held(
        sent <= most,
        format!("{sent} sent in {:.0} s, no more than one beat sends", begin.elapsed().as_secs_f64()),
    );
    sample.end()?;
    Ok(outcome)
}
