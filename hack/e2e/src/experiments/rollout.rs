// SPDX-License-Identifier: Apache-2.0
//! Everything that replaces pods, while they work: two other images, fewer and more replicas, and a pod that is deleted.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Error;
use crate::outcome::Outcome;
use crate::sample::{Sample, image};
use crate::stage::{PATIENCE, Stage, wait_for};

const TASKS: usize = 200;
/// Seconds of the shortest and the longest task.
const SECONDS: [&str; 2] = ["1", "20"];
/// Tasks sleep, and so two processors are enough for many at once.
const CONCURRENCY: usize = 8;
/// From the last task that has ended: by then nothing is left to wait for.
const READY_WITHIN: Duration = Duration::from_mins(1);
const WORKERS: &str = "app.kubernetes.io/component=worker";

/// On Redis: nothing is lost, and nothing runs twice.
pub(crate) fn redis(stage: &Stage) -> Result<Outcome, Error> {
    run(Sample::new(stage, "rollout-redis", "redis", 4)?, Shutdown::Warm)
}

/// The same on `RabbitMQ`.
pub(crate) fn rabbitmq(stage: &Stage) -> Result<Outcome, Error> {
    run(Sample::new(stage, "rollout-rabbitmq", "amqp", 6)?, Shutdown::Warm)
}

/// Tasks that are not done after some seconds go back to the queue: nothing is lost.
pub(crate) fn soft(stage: &Stage) -> Result<Outcome, Error> {
    run(Sample::new(stage, "rollout-soft", "amqp", 16)?, Shutdown::Soft)
}

/// All of them go back at once: nothing is lost.
pub(crate) fn cold(stage: &Stage) -> Result<Outcome, Error> {
    run(Sample::new(stage, "rollout-cold", "amqp", 18)?, Shutdown::Cold)
}

/// How workers end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shutdown {
    Warm,
    Soft,
    Cold,
}

impl Shutdown {
    fn spec(self) -> Value {
        match self {
            Self::Warm => json!({ "mode": "Warm" }),
            Self::Soft => json!({ "mode": "Soft", "timeoutSeconds": 30, "softTimeoutSeconds": 5 }),
            Self::Cold => json!({ "mode": "Cold", "timeoutSeconds": 30 }),
        }
    }
}

/// What is done to the Celery when so many tasks have ended.
const STEPS: [(usize, Step); 5] = [
    (10, Step::Image(1)),
    (40, Step::Replicas(1)),
    (60, Step::Image(2)),
    (80, Step::Replicas(4)),
    (110, Step::DeletePod),
];

#[derive(Clone, Copy)]
enum Step {
    Image(usize),
    Replicas(u64),
    DeletePod,
}

fn run(sample: Sample<'_>, shutdown: Shutdown) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let (mut tag, mut replicas) = (0, 3);
    apply(&sample, shutdown, tag, replicas)?;
    sample.ready()?;
    sample.send(&["slow", &TASKS.to_string(), "--seconds", SECONDS[0], SECONDS[1]])?;
    for (after, step) in STEPS {
        done(&sample, after)?;
        match step {
            Step::Image(other) => tag = other,
            Step::Replicas(other) => replicas = other,
            Step::DeletePod => {
                let pod = sample.kubectl(&["get", "pods", "--selector", WORKERS, "--output=name"])?;
                let pod = pod.lines().next().ok_or("no worker is there")?;
                sample.kubectl(&["delete", pod, "--wait=false"])?;
                continue;
            }
        }
        apply(&sample, shutdown, tag, replicas)?;
    }
    // What is not done by then is lost.
    let all = done(&sample, TASKS);
    let page = sample.page("slow")?;
    let lost = TASKS - page.done();
    outcome.held(
        all.is_ok() && lost == 0,
        format!("{lost} of {TASKS} tasks lost over two images, 3 to 1 to 4 replicas, a deleted pod"),
    );
    match shutdown {
        Shutdown::Warm => outcome.held_once(&page, ""),
        // What was cut off runs again, that is what they are for; what had ended does not.
        Shutdown::Soft | Shutdown::Cold => {
            outcome.told(format!(
                "{} started twice, {} ended twice",
                page.started_twice(),
                page.done_twice()
            ));
        }
    }
    let took = sample.ready()?;
    outcome.held(took < READY_WITHIN, format!("ready {:.0} s after the last task", took.as_secs_f64()));
    sample.end()?;
    Ok(outcome)
}

fn apply(sample: &Sample<'_>, shutdown: Shutdown, tag: usize, replicas: u64) -> Result<(), Error> {
    sample.change(&[
        ("/spec/common/image", json!(image(tag))),
        ("/spec/workerSpec/numOfWorkers", json!(replicas)),
        ("/spec/workerSpec/concurrency", json!(CONCURRENCY)),
        ("/spec/workerSpec/gracefulShutdown", shutdown.spec()),
        ("/spec/beatSpec", Value::Null),
    ])
}

/// Waits until so many tasks have ended; gives up when none has for a while.
fn done(sample: &Sample<'_>, count: usize) -> Result<(), Error> {
    let mut before = sample.page("slow")?.done();
    loop {
        let progress = wait_for("another task that is done", || {
            let now = sample.page("slow")?.done();
            Ok(if now >= count || now > before { Ok(now) } else { Err(format!("{now} are done")) })
        });
        before = progress.map_err(|error| format!("{error} (given up after {} s)", PATIENCE.as_secs()))?;
        if before >= count {
            return Ok(());
        }
    }
}
