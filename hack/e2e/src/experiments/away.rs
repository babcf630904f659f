// SPDX-License-Identifier: Apache-2.0
//! The broker is stopped for two minutes while KEDA has made every pod that is allowed, and started again.
//!
//! It is stopped for good and keeps what it has on a disk: who asks is refused, as by a broker whose node has gone, and
//! workers lose their connections with tasks in hand. A frozen process would have kept both.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::queue;
use crate::Error;
use crate::outcome::Outcome;
use crate::replicas::Replicas;
use crate::sample::Sample;
use crate::stage::{Stage, wait_for};

const TASKS: usize = 300;
/// How long the broker is away.
const OUTAGE: Duration = Duration::from_mins(2);
/// How often it is looked meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// From the stop to a status that says it.
const TOLD_WITHIN: Duration = Duration::from_mins(1);
/// From the start to a status that says that all is well.
const WELL_WITHIN: Duration = Duration::from_mins(1);
/// Seconds after which a task comes back whose worker did not acknowledge it. By default it is an hour, and so long a pool
/// that counts such tasks keeps a pod.
const REDELIVERED_AFTER: u64 = 60;

/// What the outage looked like from outside.
#[derive(Default)]
struct Seen {
    fewest: Option<u64>,
    most: u64,
    /// When the Celery told it first, and as what.
    told: Option<(Duration, String, String)>,
}

/// One outage.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    stage.bring_keda()?;
    let broker = stage.durable_broker()?;
    let sample = Sample::on(stage, &broker, "broker-away", "redis", 44)?;
    let mut pool = Replicas::of(&sample, "slow");
    let redelivery = json!({ "visibility_timeout": REDELIVERED_AFTER });
    let also = [("/spec/common/broker/transportOptions", redelivery)];
    sample.change(&[&queue::scaled()[..], &also].concat())?;
    queue::none_at_first(&sample, &mut pool)?;
    let tasks = TASKS.to_string();
    sample.send(&[&["slow", &tasks, "--seconds", "2", "4"][..], &queue::WHERE].concat())?;
    queue::all_out(&mut pool)?;
    let out = pool.until("pods that all work", |look| look.ready == look.asked && look.running > 0)?;
    queue::works(&sample)?;

    broker.stop()?;
    let seen = endure(&sample, &mut pool)?;
    let (fewest, most) = (seen.fewest.unwrap_or_default(), seen.most);
    outcome.held(
        (fewest, most) == (out.asked, out.asked),
        format!("{fewest} to {most} pods asked for while the broker was away, {} before", out.asked),
    );
    match seen.told {
        Some((after, reason, message)) => {
            eprintln!("e2e: told as {reason}: {message}");
            outcome.held(
                after < TOLD_WITHIN && message.contains("stays as it is"),
                format!("AutoscalingReady is False as {reason} after {:.0} s", after.as_secs_f64()),
            );
        }
        None => outcome.held(false, "AutoscalingReady stays True"),
    }

    broker.start_again()?;
    let took = queue::works(&sample)?;
    outcome.held(took < WELL_WITHIN, format!("True again {:.0} s after its return", took.as_secs_f64()));
    let all = pool.until_done(TASKS);
    let back = pool.until("a pool without pods again", |look| look.asked == 0 && look.there == 0);
    outcome.held(back.is_ok(), "and the pool goes to no pod again, by itself");
    let page = sample.page("slow")?;
    let lost = TASKS - page.done();
    outcome.held(all.is_ok() && lost == 0, format!("{lost} of {TASKS} tasks lost"));
    outcome.held(
        page.started_twice() <= queue::at_once(),
        format!(
            "{} started twice, no more than {} that ran when it went",
            page.started_twice(),
            queue::at_once()
        ),
    );
    sample.send(&[&["quick", "10", "--wait", "120"][..], &queue::WHERE].concat())?;
    let done = wait_for("new tasks", || {
        let done = sample.page("quick")?.done();
        Ok(if done == 10 { Ok(done) } else { Err(format!("{done} are done")) })
    })?;
    outcome.held(done == 10, format!("{done} of 10 new tasks come back"));
    sample.end()?;
    Ok(outcome)
}

/// Looks again and again until the outage is over.
fn endure(sample: &Sample<'_>, pool: &mut Replicas<'_>) -> Result<Seen, Error> {
    let (begin, mut seen) = (Instant::now(), Seen::default());
    while begin.elapsed() < OUTAGE {
        let look = pool.look()?;
        seen.fewest = Some(seen.fewest.map_or(look.asked, |fewest| fewest.min(look.asked)));
        seen.most = seen.most.max(look.asked);
        let condition = sample.condition("AutoscalingReady")?;
        if seen.told.is_none() && condition["status"] == "False" {
            let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
            seen.told = Some((begin.elapsed(), text("reason"), text("message")));
        }
        // The outage is as long as it is: there is nothing to wait for.
        thread::sleep(LOOK_EVERY);
    }
    Ok(seen)
}
