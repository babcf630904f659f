// SPDX-License-Identifier: Apache-2.0
//! Who scales a Deployment, and by what.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::api::{CelerySpec, Metric, MetricName, Open, ScaleKind, TargetType};
use crate::celery::queues::DEFAULT_QUEUE;

/// Who scales a Deployment: a `HorizontalPodAutoscaler`, or KEDA as soon as a queue is looked at. Never both.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaler {
    /// Fewest pods.
    pub min: i32,
    /// Most pods.
    pub max: i32,
    /// cpu and memory.
    pub resources: Vec<ResourceMetric>,
    /// The queue length, which makes it KEDA's.
    pub queue: Option<QueueLength>,
}

/// cpu or memory.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceMetric {
    /// `cpu` or `memory`.
    pub name: &'static str,
    /// The value to keep.
    pub target: ResourceTarget,
}

/// The value to keep.
#[derive(Clone, Debug, PartialEq)]
pub enum ResourceTarget {
    /// Percent of the requests.
    Utilization(i32),
    /// An amount for each pod.
    AverageValue(Quantity),
}

/// Tasks that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueLength {
    /// Tasks that may wait for each pod.
    pub for_each_pod: String,
    /// The queues that count.
    pub queues: Vec<String>,
}

/// The autoscaler of a target. Metrics that the rules refuse are left out: an object that slipped past them is parked
/// before it comes here.
pub(super) fn scaler(
    spec: &CelerySpec,
    kind: ScaleKind,
    pool: &str,
    queues: Option<&[String]>,
) -> Option<Scaler> {
    let target = spec
        .scale_target_ref
        .iter()
        .find(|target| target.kind.known() == Some(kind) && target.pool() == pool)?;
    let max = target.max_replicas?;
    let queue = target.metrics.iter().find(|metric| metric.name.known() == Some(MetricName::TaskQueueLength));
    Some(Scaler {
        min: target.min_replicas.unwrap_or(1),
        max,
        resources: target.metrics.iter().filter_map(resource).collect(),
        queue: queue.and_then(|metric| metric.target.average_value.as_ref()).map(|Quantity(length)| {
            QueueLength {
                for_each_pod: length.clone(),
                queues: queues.map_or_else(|| vec![DEFAULT_QUEUE.to_owned()], <[String]>::to_vec),
            }
        }),
    })
}

fn resource(metric: &Metric) -> Option<ResourceMetric> {
    let name = match metric.name.known()? {
        MetricName::Cpu => "cpu",
        MetricName::Memory => "memory",
        MetricName::TaskQueueLength => return None,
    };
    let target = match metric.target.type_.as_ref().and_then(Open::known)? {
        TargetType::Utilization => ResourceTarget::Utilization(metric.target.average_utilization?),
        TargetType::AverageValue => ResourceTarget::AverageValue(metric.target.average_value.clone()?),
    };
    Some(ResourceMetric { name, target })
}
