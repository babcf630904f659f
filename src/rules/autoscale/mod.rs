// SPDX-License-Identifier: Apache-2.0
//! Rules about autoscalers: what they scale, what they follow, and what KEDA and Kubernetes make of it.

pub(super) mod behavior;
pub(super) mod keda;
pub(super) mod metrics;
pub(super) mod priorities;
pub(super) mod queue;
pub(super) mod resources;
pub(super) mod target;
pub(super) mod zero;

#[cfg(test)]
mod tests;

use super::subject::{Pool, Subject};
use crate::api::{Metric, MetricName, ScaleKind, ScaleTarget};

/// An autoscaler of a worker pool that follows its queues.
#[derive(Debug)]
struct Follower<'s> {
    /// `spec.scaleTargetRef[0]`.
    path: String,
    target: &'s ScaleTarget,
    /// `spec.scaleTargetRef[0].metrics[1]`.
    metric: String,
    /// `None` when there is no such pool, which is another rule's matter.
    pool: Option<&'s Pool<'s>>,
}

/// The autoscalers that follow queues.
fn followers<'s>(subject: &'s Subject<'s>) -> impl Iterator<Item = Follower<'s>> {
    let workers = subject.targets().filter(|(_, target)| target.kind.known() == Some(ScaleKind::Worker));
    workers.filter_map(|(path, target)| {
        let index = target.metrics.iter().position(is_queue)?;
        let metric = format!("{path}.metrics[{index}]");
        Some(Follower { path, target, metric, pool: subject.pool_of(target) })
    })
}

fn is_queue(metric: &Metric) -> bool {
    metric.name.known() == Some(MetricName::TaskQueueLength)
}
