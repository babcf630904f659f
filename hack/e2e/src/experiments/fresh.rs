// SPDX-License-Identifier: Apache-2.0
//! From nothing to results: the sample is applied, and tasks come back.

use std::time::{Duration, Instant};

use crate::outcome::Outcome;
use crate::sample::{NAME, Sample};
use crate::stage::{Stage, wait_for};
use crate::{Error, images, install, mebibytes};

/// From the first apply to a Celery that is ready, on a machine that does nothing else. Two workers, beat and Flower start
/// at once, and each of them imports Celery.
const READY_WITHIN: Duration = Duration::from_mins(2);
const TASKS: usize = 100;

/// What the operator's image is.
pub(crate) fn image(stage: &Stage) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let archive = stage.plane.dir().join("celery-operator.tar");
    let size = std::fs::metadata(&archive)?.len();
    let most = images::OPERATOR_AT_MOST;
    outcome.held(size < most, format!("{} of image, less than {}", mebibytes(size), mebibytes(most)));
    let space = ["--namespace", install::NAMESPACE];
    let shell = ["exec", "deployment/celery-operator", "--", "/bin/sh", "-c", "true"];
    let shell = stage.kubectl(&[&space[..], &shell].concat());
    let none = shell.is_err_and(|error| error.to_string().contains("no such file"));
    outcome.held(none, "no shell in it");
    let pods = stage.get(&[&["pods", "--selector", install::SELECTOR][..], &space].concat())?;
    let user = &pods["items"][0]["status"]["containerStatuses"][0]["user"]["linux"]["uid"];
    outcome.held(user.as_u64().is_some_and(|user| user > 0), format!("runs as user {user}"));
    Ok(outcome)
}

/// The sample on Redis.
pub(crate) fn redis(stage: &Stage) -> Result<Outcome, Error> {
    run(Sample::new(stage, "fresh-redis", "redis", 0)?)
}

/// The sample on `RabbitMQ`.
pub(crate) fn rabbitmq(stage: &Stage) -> Result<Outcome, Error> {
    run(Sample::new(stage, "fresh-rabbitmq", "amqp", 2)?)
}

fn run(sample: Sample<'_>) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    sample.change(&[])?;
    let took = sample.ready()?;
    outcome.held(took < READY_WITHIN, format!("ready after {:.1} s", took.as_secs_f64()));
    let begin = Instant::now();
    sample.send(&["quick", &TASKS.to_string(), "--wait", "60"])?;
    let took = begin.elapsed().as_secs_f64();
    let page = sample.page("quick")?;
    outcome.held(
        page.done() == TASKS && page.done_twice() == 0,
        format!("{} of {TASKS} tasks ran, every result was right, {took:.1} s", page.done()),
    );
    sample.send(&["failing", "3", "--wait", "60"])?;
    let page = sample.page("failing")?;
    outcome.held(
        (page.started(), page.done()) == (3, 0),
        format!("{} failing tasks ran once and were told as failed", page.started()),
    );
    let ticks = wait_for("what beat sends", || {
        let ticks = sample.page("tick")?.done();
        Ok(if ticks > 0 { Ok(ticks) } else { Err("nothing".to_owned()) })
    })?;
    outcome.held(ticks > 0, "beat sends");
    let pods = sample.get(&["pods"])?;
    let restarts: u64 = pods["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pod| pod["status"]["containerStatuses"][0]["restartCount"].as_u64())
        .sum();
    outcome.held(restarts == 0, format!("{restarts} restarts"));
    outcome.told(columns(&sample.kubectl(&["get", "celery", NAME, "--no-headers"])?));
    sample.end()?;
    Ok(outcome)
}

/// A line of kubectl with one blank between its columns.
fn columns(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
