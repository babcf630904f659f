// SPDX-License-Identifier: Apache-2.0
//! Many objects that arrive while admissions go on: whether the reconciler, which works in the same process, takes
//! anything away from the webhooks.

use std::time::{Duration, Instant};

use kube::Client;
use serde_json::Value;
use testbed::exchange::{JSON, Message, succeed};
use testbed::until;
use tokio::task::JoinSet;

use crate::Error;
use crate::admission::{CELERIES, celery};
use crate::load::{Load, Tally};
use crate::outcome::{Outcome, count};
use crate::stage::{PATIENCE, Stage};

/// Objects that are asked for at a time when all are counted.
const PAGE: usize = 500;
/// How many times its own length an arrival may take until all objects are settled.
const TIMES: u32 = 10;

/// How much arrives.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Objects.
    pub objects: usize,
    /// How many of them arrive per second.
    pub per_second: u32,
    /// Admissions per second beside them.
    pub rate: u32,
    /// How long admissions go on when nothing arrives.
    pub calm: Duration,
    /// How many times the 99th percentile with an idle reconciler may be what it is with one that works; told only when
    /// absent, since so few admissions as a short run has say little about it.
    pub at_most_times: Option<f64>,
}

/// Lets the same objects arrive twice, first where nobody reconciles them.
///
/// # Errors
/// When an object is refused, or is not settled in the end.
pub fn run(stage: &Stage, plan: Plan) -> Result<Outcome, Error> {
    let mut outcome = Outcome::new(
        "Objects that arrive while the reconciler works",
        "One replica. The same objects arrive twice, beside the admissions: first nobody reconciles them, then the replica \
         that serves the webhooks does. Whatever else the arrivals cost API server and etcd is in both.",
    );
    outcome.told("objects", count(plan.objects), "");
    outcome.told("objects per second", f64::from(plan.per_second), "");
    let idle = stage.replicas(1, &["--role=webhook".to_owned()])?;
    let load = Load::begin(stage, plan.rate);
    // It is the length of the calm that is looked at.
    std::thread::sleep(plan.calm);
    let calm = load.end(stage)?;
    let alone = arrive(stage, plan)?;
    clear(stage)?;
    for replica in idle {
        stage.forget(replica);
    }
    let working = stage.replicas(1, &["--role=all".to_owned()])?;
    let beside = arrive(stage, plan)?;
    let settled = until_settled(stage, plan)?;
    clear(stage)?;
    for replica in working {
        stage.forget(replica);
    }
    outcome.told("p99 admission when nothing arrives", calm.p99(), "ms");
    outcome.told("p99 admission when objects arrive that nobody reconciles", alone.tally.p99(), "ms");
    // What is left of the difference is the API server's and etcd's, which store what the reconciler writes.
    outcome.told("mean call of a webhook with an idle reconciler", alone.call, "ms");
    outcome.told("mean call of a webhook with one at work", beside.call, "ms");
    let times = beside.tally.p99() / alone.tally.p99();
    let title = "p99 admission with a reconciler at work / with one that is idle";
    match plan.at_most_times {
        Some(limit) => outcome.limited(title, times, "", limit),
        None => outcome.told(title, times, ""),
    }
    outcome.limited("failed admissions with an idle reconciler", count(alone.tally.failed()), "", 0.0);
    beside.tally.tell(&mut outcome);
    outcome.told("all objects have arrived after", beside.took.as_secs_f64(), "s");
    outcome.told("all objects are settled after another", settled.as_secs_f64(), "s");
    Ok(outcome)
}

/// What was seen while objects arrived.
struct Arrival {
    tally: Tally,
    took: Duration,
    /// How long a call of a webhook took, in milliseconds: the mean.
    call: f64,
}

/// Lets the objects arrive, each at its moment, and counts the admissions meanwhile.
fn arrive(stage: &Stage, plan: Plan) -> Result<Arrival, Error> {
    let before = calls(stage)?;
    let load = Load::begin(stage, plan.rate);
    let begin = Instant::now();
    stage.runtime.block_on(create(&stage.admin, plan))?;
    let took = begin.elapsed();
    let tally = load.end(stage)?;
    let after = calls(stage)?;
    let call = (after.seconds - before.seconds) / (after.count - before.count) * 1000.0;
    Ok(Arrival { tally, took, call })
}

/// Calls of the webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Calls {
    count: f64,
    seconds: f64,
}

/// The calls of the webhooks so far, by the API server's own account.
fn calls(stage: &Stage) -> Result<Calls, Error> {
    let answer = succeed(&stage.admin, Message::new("GET", "/metrics", JSON, ""));
    Ok(counted(&stage.runtime.block_on(answer)?))
}

fn counted(metrics: &str) -> Calls {
    let mut calls = Calls::default();
    for line in metrics.lines().filter(|line| line.contains("celeryproject.org")) {
        let Some(rest) = line.strip_prefix("apiserver_admission_webhook_admission_duration_seconds_") else {
            continue;
        };
        let value = rest.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()).unwrap_or_default();
        if rest.starts_with("sum") {
            calls.seconds += value;
        } else if rest.starts_with("count") {
            calls.count += value;
        }
    }
    calls
}

async fn create(client: &Client, plan: Plan) -> Result<(), Error> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / plan.per_second);
    let mut created = JoinSet::new();
    for index in 0..plan.objects {
        ticks.tick().await;
        while let Some(done) = created.try_join_next() {
            done??;
        }
        let message = Message::new("POST", CELERIES, JSON, celery(&format!("arrived-{index}")).to_string());
        let client = client.clone();
        created.spawn(async move { succeed(&client, message).await.map(drop) });
    }
    while let Some(done) = created.join_next().await {
        done??;
    }
    Ok(())
}

/// Waits until the status of every object speaks of its spec.
fn until_settled(stage: &Stage, plan: Plan) -> Result<Duration, Error> {
    let begin = Instant::now();
    let patience = Duration::from_secs(1) * u32::try_from(plan.objects)? / plan.per_second * TIMES + PATIENCE;
    // The last one first: as long as it is not settled nobody needs to count.
    until("the objects are settled", patience, || {
        let last = stage.send("GET", &format!("{CELERIES}/arrived-{}", plan.objects - 1), None)?;
        if !is_settled(&last) {
            return Err(Error::from("the last one is not"));
        }
        let settled = settled(stage)?;
        if settled == plan.objects { Ok(()) } else { Err(format!("{settled} of {}", plan.objects).into()) }
    })?;
    Ok(begin.elapsed())
}

/// How many objects are settled.
fn settled(stage: &Stage) -> Result<usize, Error> {
    let (mut settled, mut rest) = (0, String::new());
    loop {
        let list = stage.send("GET", &format!("{CELERIES}?limit={PAGE}&continue={rest}"), None)?;
        let items = list["items"].as_array().into_iter().flatten();
        settled += items.filter(|item| is_settled(item)).count();
        list["metadata"]["continue"].as_str().unwrap_or_default().clone_into(&mut rest);
        if rest.is_empty() {
            return Ok(settled);
        }
    }
}

fn is_settled(object: &Value) -> bool {
    let generation = &object["metadata"]["generation"];
    object["status"]["observedGeneration"] == *generation && !generation.is_null()
}

fn clear(stage: &Stage) -> Result<(), Error> {
    stage.send("DELETE", CELERIES, None).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_all_webhooks_are_added_up() {
        let of = |part: &str, name: &str, value: &str| {
            format!(
                "apiserver_admission_webhook_admission_duration_seconds_{part}{{name=\"{name}\"}} {value}\n"
            )
        };
        let metrics = [
            of("sum", "default.celery.celeryproject.org", "0.5"),
            of("count", "default.celery.celeryproject.org", "10"),
            of("sum", "validate.celery.celeryproject.org", "1.5"),
            of("count", "validate.celery.celeryproject.org", "10"),
            of("bucket", "validate.celery.celeryproject.org", "99"),
            of("count", "another.example.com", "99"),
        ];
        assert_eq!(counted(&metrics.concat()), Calls { count: 20.0, seconds: 2.0 });
    }
}
