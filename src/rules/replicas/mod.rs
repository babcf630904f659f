// SPDX-License-Identifier: Apache-2.0
//! Rules about pods: how many, how they are replaced, what they may use.

mod amounts;
pub(super) mod disruption;
pub(super) mod resources;
pub(super) mod rollout;

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::subject::{Pool, Subject};
use crate::api::DEFAULT_POOL;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "K01", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a number of pods is not negative",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::field(
            &["spec.workerSpec.numOfWorkers", "spec.workerPools[].numOfWorkers", "spec.flowerSpec.replicas", "spec.scaleTargetRef[].minReplicas"],
            "use 0 or more",
        ),
        example: Example { bad: "spec: {workerSpec: {numOfWorkers: -1}}", at: "spec.workerSpec.numOfWorkers", good: "spec: {workerSpec: {numOfWorkers: 1}}", old: None },
    },
    Rule {
        id: "K02", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a pool without an autoscaler has a worker",
        consequence: "Nothing takes tasks from the queues of the pool.",
        check: Check::object(k02),
        example: Example { bad: "spec: {workerSpec: {numOfWorkers: 0}}", at: "spec.workerSpec.numOfWorkers", good: "spec: {workerSpec: {numOfWorkers: 2}}", old: None },
    },
    Rule {
        id: "K03", severity: Severity::Warn, schema: false, since: "0.1",
        title: "numOfWorkers is not set against an autoscaler",
        consequence: "The number is ignored; the autoscaler alone decides.",
        check: Check::object(k03),
        example: Example {
            bad: "spec: {workerSpec: {numOfWorkers: 9}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: memory, target: {type: AverageValue, averageValue: 200Mi}}]}]}",
            at: "spec.workerSpec.numOfWorkers",
            good: "spec: {workerSpec: {numOfWorkers: 2}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: memory, target: {type: AverageValue, averageValue: 200Mi}}]}]}",
            old: None,
        },
    },
];

fn k02(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        if pool.spec.num_of_workers == Some(0) && subject.target_of(pool.name).is_none() {
            let path = format!("{}.numOfWorkers", pool.path);
            report.add(
                Kind::Invalid,
                path,
                "means that no worker runs",
                "use 1 or more, or add an autoscaler",
            );
        }
    }
}

fn k03(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let Some(number) = pool.spec.num_of_workers else { continue };
        let Some((_, target)) = subject.target_of(pool.name) else { continue };
        let (least, most) = (target.min_replicas.unwrap_or(1), target.max_replicas.unwrap_or(i32::MAX));
        if !(least..=most).contains(&number) && number != before(subject, pool).unwrap_or(-1) {
            report.add(
                Kind::Invalid,
                format!("{}.numOfWorkers", pool.path),
                "is ignored: an autoscaler owns the number",
                "remove it",
            );
        }
    }
}

/// The number that stood there before this request.
fn before(subject: &Subject<'_>, pool: &Pool<'_>) -> Option<i32> {
    let old = &subject.old?.spec;
    if pool.name == DEFAULT_POOL {
        return old.worker_spec.as_ref()?.num_of_workers;
    }
    old.worker_pools.iter().find(|before| before.name == pool.name)?.spec.num_of_workers
}
