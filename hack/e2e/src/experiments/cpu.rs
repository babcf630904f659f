// SPDX-License-Identifier: Apache-2.0
//! Tasks keep processors busy, and Kubernetes' own autoscaler makes pods of it, and takes them away again.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::queue::works;
use crate::Error;
use crate::outcome::Outcome;
use crate::replicas::Replicas;
use crate::sample::Sample;
use crate::stage::Stage;

/// Of two seconds each: more than one pod gets done before others have come.
const TASKS: usize = 90;
const MOST: u64 = 3;
/// From the first task to as many pods as are allowed: two readings of metrics-server, and then one of the autoscaler.
const OUT_WITHIN: Duration = Duration::from_mins(2);

/// One pod at first and at last.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    stage.bring_metrics_server()?;
    let sample = Sample::new(stage, "cpu", "redis", 42)?;
    let mut pool = Replicas::of(&sample, "busy");
    sample.change(&[
        ("/spec/beatSpec", Value::Null),
        ("/spec/workerSpec/numOfWorkers", Value::Null),
        ("/spec/workerSpec/concurrency", json!(1)),
        // A busy worker takes half a processor: all of them together leave something of two to everybody else.
        (
            "/spec/workerSpec/resources",
            json!({ "requests": { "cpu": "300m", "memory": "128Mi" }, "limits": { "memory": "512Mi" } }),
        ),
        (
            "/spec/scaleTargetRef",
            json!([{
                "kind": "worker",
                "minReplicas": 1,
                "maxReplicas": MOST,
                "behavior": { "scaleDown": {
                    "stabilizationWindowSeconds": 15,
                    "policies": [{ "type": "Pods", "value": 1, "periodSeconds": 15 }],
                } },
                "metrics": [{
                    "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 80 },
                }],
            }]),
        ),
    ])?;
    sample.ready()?;
    let took = works(&sample)?;
    outcome.held(true, format!("AutoscalingReady {:.0} s after Ready", took.as_secs_f64()));
    // A worker that loads its modules looks busy too.
    pool.until("one pod", |look| look.asked == 1 && look.ready == 1)?;

    let mut pool = Replicas::of(&sample, "busy");
    let begin = Instant::now();
    sample.send(&["busy", &TASKS.to_string(), "--seconds", "2", "2"])?;
    pool.until("as many pods as are allowed", |look| look.asked >= MOST)?;
    let took = begin.elapsed();
    outcome.held(
        took < OUT_WITHIN,
        format!("from 1 to {MOST} pods {:.0} s after the first task", took.as_secs_f64()),
    );
    let all = pool.until_done(TASKS);
    outcome.told(format!("every task done after {:.0} s", begin.elapsed().as_secs_f64()));
    let done = Instant::now();
    let back = pool.until("one pod again", |look| look.asked == 1 && look.there == 1);
    outcome.held(
        back.is_ok(),
        match &back {
            Ok(_) => format!("one pod again {:.0} s after the last task", done.elapsed().as_secs_f64()),
            Err(error) => error.to_string(),
        },
    );
    outcome.held(pool.most() == MOST, format!("{} pods at most, {MOST} are allowed", pool.most()));
    let page = sample.page("busy")?;
    let lost = TASKS - page.done();
    outcome.held(all.is_ok() && lost == 0, format!("{lost} of {TASKS} tasks lost"));
    outcome.held_once(&page, "");
    works(&sample)?;
    outcome.held(true, "AutoscalingReady at the end");
    sample.end()?;
    Ok(outcome)
}
