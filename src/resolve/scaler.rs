// SPDX-License-Identifier: Apache-2.0
//! Who scales a Deployment, and by what.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscalerBehavior;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::api::{
    CelerySpec, Fallback, Metric, MetricName, Open, ScaleKind, ScaleTarget, TargetType,
    TriggerAuthenticationRef,
};

/// Who scales a Deployment: a `HorizontalPodAutoscaler`, or KEDA as soon as a queue is looked at. Never both.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaler {
    /// Fewest pods.
    pub min: i32,
    /// Most pods.
    pub max: i32,
    /// cpu and memory.
    pub resources: Vec<ResourceMetric>,
    /// How fast pods come and go, as written.
    pub behavior: Option<HorizontalPodAutoscalerBehavior>,
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
    /// Tasks above which the first pod is started.
    pub activation: i64,
    /// Whether tasks count that a worker has fetched and not finished; `None` leaves it to the broker.
    pub include_unacked: Option<bool>,
    /// Priorities whose lists in Redis are counted; empty where nothing but the broker says.
    pub priority_steps: Vec<i32>,
    /// When KEDA looks, and what it does while there is nothing to see.
    pub watch: Watch,
    /// A `TriggerAuthentication` of the user's own.
    pub authentication: Option<TriggerAuthenticationRef>,
}

/// When KEDA looks, and what it does while there is nothing to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Seconds between two looks while there are no pods.
    pub polling_interval: Option<i32>,
    /// Seconds of an empty queue before the last pod goes.
    pub cooldown_period: Option<i32>,
    /// Pods while there is nothing to do.
    pub idle_replicas: Option<i32>,
    /// Pods while the queue cannot be looked into.
    pub fallback: Option<Fallback>,
}

/// The autoscaler of a target. Metrics that the rules refuse are left out: an object that slipped past them is parked
/// before it comes here. `queues` are those of the pool, for a target that names none.
pub(super) fn scaler(spec: &CelerySpec, kind: ScaleKind, pool: &str, queues: &[String]) -> Option<Scaler> {
    let target = spec
        .scale_target_ref
        .iter()
        .find(|target| target.kind.known() == Some(kind) && target.pool() == pool)?;
    let max = target.max_replicas?;
    let queue = target.metrics.iter().find(|metric| metric.name.known() == Some(MetricName::TaskQueueLength));
    let queue = queue.and_then(|metric| metric.target.average_value.as_ref());
    Some(Scaler {
        min: target.min_replicas.unwrap_or(1),
        max,
        resources: target.metrics.iter().filter_map(resource).collect(),
        behavior: target.behavior.clone(),
        queue: queue.map(|Quantity(length)| queue_length(target, length, queues)),
    })
}

fn queue_length(target: &ScaleTarget, length: &str, queues: &[String]) -> QueueLength {
    QueueLength {
        for_each_pod: length.to_owned(),
        queues: if target.queues.is_empty() { queues.to_vec() } else { target.queues.clone() },
        activation: target.activation_value.unwrap_or_default(),
        include_unacked: target.include_unacked,
        priority_steps: target.priority_steps.clone(),
        watch: Watch {
            polling_interval: target.polling_interval,
            cooldown_period: target.cooldown_period,
            idle_replicas: target.idle_replicas,
            fallback: target.fallback.clone(),
        },
        authentication: target.trigger_authentication_ref.clone(),
    }
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
