// SPDX-License-Identifier: Apache-2.0
//! Tasks wait in two queues with four priorities each, and KEDA makes pods of it: from none to as many as allowed, and
//! back, while tasks run.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Error;
use crate::outcome::Outcome;
use crate::replicas::Replicas;
use crate::sample::Sample;
use crate::stage::{Stage, wait_for};

const TASKS: usize = 500;
/// Tasks that one pod runs at once.
const CONCURRENCY: u64 = 2;
const MOST: u64 = 4;
/// Tasks for each pod. No list alone comes to as many pods as are allowed, all of them together do.
const FOR_EACH: u64 = 40;
/// From the first task to the first pod that is asked for.
const OUT_WITHIN: Duration = Duration::from_mins(1);
/// As `send.py` is told: every queue gets every priority.
pub(super) const WHERE: [&str; 8] = ["--queues", "mail", "orders", "--priorities", "0", "3", "6", "9"];

/// What is changed about the sample.
pub(super) fn scaled() -> Vec<(&'static str, Value)> {
    vec![
        ("/spec/beatSpec", Value::Null),
        ("/spec/workerSpec/numOfWorkers", Value::Null),
        ("/spec/workerSpec/concurrency", json!(CONCURRENCY)),
        ("/spec/workerSpec/queues", json!(["mail", "orders"])),
        (
            "/spec/scaleTargetRef",
            json!([{
                "kind": "worker",
                "minReplicas": 0,
                "maxReplicas": MOST,
                "includeUnacked": true,
                "cooldownPeriod": 30,
                // Pods go while tasks still wait, which is when something could be lost.
                "behavior": { "scaleDown": {
                    "stabilizationWindowSeconds": 5,
                    "policies": [{ "type": "Pods", "value": 1, "periodSeconds": 5 }],
                } },
                "metrics": [{
                    "name": "task_queue_length",
                    "target": { "type": "AverageValue", "averageValue": FOR_EACH },
                }],
            }]),
        ),
    ]
}

/// Tasks that one pool as above runs at once.
pub(super) fn at_once() -> usize {
    usize::try_from(MOST * CONCURRENCY).unwrap_or(usize::MAX)
}

/// Waits until the autoscaler works and has taken away the pod with which a Deployment begins.
pub(super) fn none_at_first(sample: &Sample<'_>, pool: &mut Replicas<'_>) -> Result<(), Error> {
    sample.ready()?;
    pool.until("a pool without pods", |look| look.asked == 0 && look.there == 0)?;
    works(sample).map(drop)
}

/// Waits until the Celery says that its autoscaler works.
pub(super) fn works(sample: &Sample<'_>) -> Result<Duration, Error> {
    let begin = Instant::now();
    wait_for("AutoscalingReady", || {
        let condition = sample.condition("AutoscalingReady")?;
        Ok(if condition["status"] == "True" { Ok(()) } else { Err(condition.to_string()) })
    })?;
    Ok(begin.elapsed())
}

/// Waits until as many pods are asked for as are allowed.
pub(super) fn all_out(pool: &mut Replicas<'_>) -> Result<(), Error> {
    pool.until("as many pods as are allowed", |look| look.asked >= MOST).map(drop)
}

/// As many tasks as come to every pod.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    stage.bring_keda()?;
    let sample = Sample::new(stage, "queue", "redis", 40)?;
    let mut pool = Replicas::of(&sample, "slow");
    sample.change(&scaled())?;
    none_at_first(&sample, &mut pool)?;
    outcome.held(true, "AutoscalingReady without a pod");

    // Nothing of before is counted.
    let mut pool = Replicas::of(&sample, "slow");
    let begin = Instant::now();
    let tasks = TASKS.to_string();
    sample.send(&[&["slow", &tasks, "--seconds", "0.8", "1.2"][..], &WHERE].concat())?;
    pool.until("the first pod", |look| look.asked > 0)?;
    let took = begin.elapsed();
    outcome.held(took < OUT_WITHIN, format!("first pod {:.1} s after the first task", took.as_secs_f64()));
    all_out(&mut pool)?;
    outcome.told(format!("{MOST} pods after {:.1} s", begin.elapsed().as_secs_f64()));
    works(&sample)?;
    outcome.held(true, format!("AutoscalingReady with {MOST} pods"));

    let all = pool.until_done(TASKS);
    outcome.told(format!("every task done after {:.0} s", begin.elapsed().as_secs_f64()));
    let page = sample.page("slow")?;
    let lost = TASKS - page.done();
    outcome.held(all.is_ok() && lost == 0, format!("{lost} of {TASKS} tasks lost"));
    let back = pool.until("a pool without pods again", |look| look.asked == 0 && look.there == 0);
    outcome.held(
        back.is_ok(),
        match &back {
            Ok(_) => format!("no pod again after {:.0} s", begin.elapsed().as_secs_f64()),
            Err(error) => error.to_string(),
        },
    );
    outcome.held(pool.most() == MOST, format!("{} pods at most, {MOST} are allowed", pool.most()));
    // Read again: a task that was cut off would have been started once more since.
    let page = sample.page("slow")?;
    outcome.held_once(&page, &format!("; {} pods were taken away while tasks ran", pool.taken_at_work()));
    outcome.held(!pool.none_at_work(), "never without a pod while tasks ran");
    works(&sample)?;
    outcome.held(true, "AutoscalingReady without a pod again");
    sample.end()?;
    Ok(outcome)
}
