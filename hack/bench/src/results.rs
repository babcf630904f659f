// SPDX-License-Identifier: Apache-2.0
//! The figures, and whether they are what they should be.

use serde_json::{Value, json};

use crate::Plan;
use crate::arms::{Maker, Run};
use crate::celery::{CHILDREN, MIX};
use crate::recording::Recording;
use crate::standing::Standing;
use crate::statistics::{Estimate, estimate, estimate_of, median};

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    None,
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
            Self::None => true,
        }
    }
}

/// One figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// Its name in the JSON.
    pub(crate) key: &'static str,
    /// What it is, for people.
    pub(crate) title: String,
    pub(crate) unit: &'static str,
    pub(crate) estimate: Estimate,
    pub(crate) target: Target,
}

impl Figure {
    pub(crate) fn is_met(&self) -> bool {
        self.target.is_met(self.estimate.median)
    }
}

/// Everything that was measured.
pub(crate) struct Results {
    plan: Plan,
    steps: String,
    sent: usize,
    pub(crate) runs: Vec<Run>,
    standing: Standing,
    machine: Value,
    pub(crate) figures: Vec<Figure>,
}

impl Results {
    pub(crate) fn new(
        plan: &Plan,
        machine: Value,
        recording: &Recording,
        runs: Vec<Run>,
        standing: Standing,
    ) -> Self {
        let figures = figures(plan, &runs, &standing);
        Self {
            plan: plan.clone(),
            steps: recording.to_string(),
            sent: recording.requests().count(),
            runs,
            standing,
            machine,
            figures,
        }
    }

    /// The figures that are not what they should be.
    pub(crate) fn failures(&self) -> Vec<String> {
        let missed = self.figures.iter().filter(|figure| !figure.is_met());
        missed
            .map(|figure| format!("{}: {:.2} {}", figure.title, figure.estimate.median, figure.unit))
            .collect()
    }

    /// What the operator sends for one object, a step a line.
    pub(crate) fn steps(&self) -> &str {
        &self.steps
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Seconds of each run of an arm, in the order of the blocks.
    pub(crate) fn seconds(&self, maker: Maker) -> Vec<f64> {
        of(&self.runs, maker).map(|run| run.seconds).collect()
    }

    pub(crate) fn json(&self) -> Value {
        let figures = self.figures.iter().map(|figure| {
            let target = match figure.target {
                Target::AtLeast(limit) => json!({ "atLeast": limit }),
                Target::AtMost(limit) => json!({ "atMost": limit }),
                Target::None => Value::Null,
            };
            let figure = json!({
                "title": figure.title, "unit": figure.unit, "estimate": figure.estimate,
                "target": target, "met": figure.is_met(), "key": figure.key,
            });
            figure
        });
        let runs = self.runs.iter().map(|run| {
            json!({
                "arm": format!("{:?}", run.maker), "seconds": run.seconds, "creating": run.creating,
                "processorSeconds": {
                    "client": run.processors[0], "apiServer": run.processors[1], "etcd": run.processors[2],
                },
                "requests": run.requests, "mutating": run.mutating,
            })
        });
        let latency = &self.standing.latency;
        let admission = &self.standing.admission;
        let memory =
            |memory: &crate::process::Memory| json!({ "resident": memory.resident, "peak": memory.peak });
        json!({
            "machine": self.machine,
            "plan": self.plan,
            "restSeconds": self.plan.rest.as_secs(),
            "mix": MIX,
            "concurrency": celery_operator::reconcile::CONCURRENCY,
            "sentForOneObject": { "requests": self.sent, "steps": self.steps.trim().split("\n  ").collect::<Vec<_>>() },
            "figures": figures.collect::<Vec<_>>(),
            "runs": runs.collect::<Vec<_>>(),
            "kibibytes": {
                "empty": memory(&self.standing.empty), "full": memory(&self.standing.full),
                "double": memory(&self.standing.double), "restarted": memory(&self.standing.restarted),
            },
            "requestsAtRest": self.standing.rest,
            "milliseconds": {
                "changeToDeployment": estimate(&latency.whole), "knownToDeployment": estimate(&latency.reaction),
                "bareApply": estimate(&latency.bare), "createWithoutWebhook": estimate(&admission.none),
                "createWithNullWebhooks": estimate(&admission.null), "createWithOurs": estimate(&admission.ours),
                "createWithPatchingNullWebhooks": estimate(&admission.patch),
            },
        })
    }
}

fn of(runs: &[Run], maker: Maker) -> impl Iterator<Item = &Run> {
    runs.iter().filter(move |run| run.maker == maker)
}

fn figures(plan: &Plan, runs: &[Run], standing: &Standing) -> Vec<Figure> {
    let seconds = |maker| -> Vec<f64> { of(runs, maker).map(|run| run.seconds).collect() };
    let ratios = |bare: Maker| -> Vec<f64> {
        seconds(bare).iter().zip(seconds(Maker::Operator)).map(|(bare, operator)| bare / operator).collect()
    };
    let objects = number(plan.objects);
    let writes: Vec<f64> = of(runs, Maker::Operator).map(|run| number(run.mutating) / objects).collect();
    let figure = |key, title: &str, unit, estimate, target| Figure {
        key,
        title: title.to_owned(),
        unit,
        estimate,
        target,
    };
    let kib = |value: u64| Estimate {
        samples: 1,
        ..estimate(&[f64::from(u32::try_from(value).unwrap_or(u32::MAX))])
    };
    let mib = |value: u64| {
        let kib = kib(value).median / 1024.0;
        Estimate { median: kib, low: kib, high: kib, samples: 1 }
    };
    let growth = (kib(standing.double.resident).median - kib(standing.full.resident).median) / objects;
    // Fewer objects need as much for the work at full speed.
    let room = 64.0 * (objects / 1000.0).max(1.0);
    vec![
        figure(
            "r1",
            "R1: a bare client that sends the same / the operator",
            "",
            estimate(&ratios(Maker::Same)),
            Target::AtLeast(0.8),
        ),
        figure(
            "r2",
            "R2: a bare client that sends the least / the operator",
            "",
            estimate(&ratios(Maker::Least)),
            Target::AtLeast(0.6),
        ),
        figure(
            "writes",
            "Writes for a new object",
            "",
            estimate(&writes),
            Target::AtMost(number(CHILDREN) + 1.0),
        ),
        figure(
            "restWrites",
            "Writes at rest",
            "",
            estimate(&[number(standing.mutating)]),
            Target::AtMost(0.0),
        ),
        figure(
            "memory",
            &format!("Memory with {} objects", plan.objects),
            "MiB",
            mib(standing.full.resident),
            Target::AtMost(room),
        ),
        figure("growth", "Memory for each further object", "KiB", estimate(&[growth]), Target::AtMost(20.0)),
        figure(
            "latency",
            "From a change that can be seen to its Deployment / one bare apply",
            "",
            latency_ratio(standing),
            Target::AtMost(3.0),
        ),
        figure(
            "r3",
            "R3: what null webhooks add to a create / what ours add",
            "",
            admission_ratio(standing, &standing.admission.null),
            Target::None,
        ),
        figure(
            "r3Patch",
            "R3 of the logic: what null webhooks with the same patch add / what ours add",
            "",
            admission_ratio(standing, &standing.admission.patch),
            Target::None,
        ),
    ]
}

fn latency_ratio(standing: &Standing) -> Estimate {
    let latency = &standing.latency;
    let picked = |samples: &[f64], at: &[usize]| median(at.iter().map(|&index| samples[index]).collect());
    estimate_of(latency.reaction.len(), |at| picked(&latency.reaction, at) / picked(&latency.bare, at))
}

fn admission_ratio(standing: &Standing, null: &[f64]) -> Estimate {
    let admission = &standing.admission;
    let picked = |samples: &[f64], at: &[usize]| median(at.iter().map(|&index| samples[index]).collect());
    estimate_of(admission.none.len(), |at| {
        let none = picked(&admission.none, at);
        (picked(null, at) - none) / (picked(&admission.ours, at) - none)
    })
}

/// Counts here are far below what a float holds exactly.
#[allow(clippy::cast_precision_loss)]
fn number(count: usize) -> f64 {
    count as f64
}
