// SPDX-License-Identifier: Apache-2.0
//! Autoscalers: what they scale, between which bounds, by which metrics.

use garde::Validate;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscalerBehavior;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grammar;
use super::open::{Open, Word};

/// One autoscaler: cpu and memory become a `HorizontalPodAutoscaler`; as soon as `task_queue_length` is among the
/// metrics, all of them become one KEDA `ScaledObject`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["kind", "maxReplicas", "metrics"]))]
pub struct ScaleTarget {
    /// What is scaled: `worker` or `flower`.
    #[garde(skip)]
    #[serde(default)]
    pub kind: Open<ScaleKind>,
    /// Which worker pool: `default` is `workerSpec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "default"))]
    #[garde(skip)]
    pub pool: Option<String>,
    /// Fewest pods; 0 needs a `task_queue_length` metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 1))]
    #[garde(range(min = 0))]
    pub min_replicas: Option<i32>,
    /// Most pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    pub max_replicas: Option<i32>,
    /// What the number of pods follows.
    #[serde(default)]
    #[garde(dive)]
    pub metrics: Vec<Metric>,
    /// How fast pods are added and taken away. Absent: what Kubernetes does, which adds four pods or as many as there are
    /// every 15 seconds, and takes away what has been too much for 300 seconds, at once. With `task_queue_length` pods go
    /// one a minute instead, unless `scaleDown` is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub behavior: Option<HorizontalPodAutoscalerBehavior>,
    /// Seconds between two looks into the queue while there are no pods; absent: 15.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    pub polling_interval: Option<i32>,
    /// Seconds of an empty queue before the last pod goes; absent: 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    pub cooldown_period: Option<i32>,
    /// Pods while there is nothing to do: absent, or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0, max = 0))]
    pub idle_replicas: Option<i32>,
    /// Waiting tasks above which the first pod is started; absent: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0))]
    pub activation_value: Option<i64>,
    /// Queues whose tasks are counted; absent: those of the pool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub queues: Vec<String>,
    /// Count tasks too that a worker has fetched and not finished. Absent: no on Redis and `RabbitMQ`, yes on SQS, which
    /// is what KEDA does there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub include_unacked: Option<bool>,
    /// Priorities in use, whose lists in Redis are counted. Absent: the `priority_steps` of the broker, or else 0, 3, 6, 9.
    /// RabbitMQ keeps all priorities of a queue
    /// in that one queue: the application declares it with `x-max-priority`, its length counts every task, and nothing
    /// is set here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(range(min = 0, max = 9)))]
    #[garde(skip)]
    pub priority_steps: Vec<i32>,
    /// Pods while the queue cannot be looked into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub fallback: Option<Fallback>,
    /// A `TriggerAuthentication` of yours instead of the one that the operator makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub trigger_authentication_ref: Option<TriggerAuthenticationRef>,
}

/// Pods while the queue cannot be looked into.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["failureThreshold", "replicas"]))]
pub struct Fallback {
    /// Failed looks in a row that count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0))]
    pub failure_threshold: Option<i32>,
    /// How many pods then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0))]
    pub replicas: Option<i32>,
    /// Which number wins: `static` (when absent), `currentReplicas`, `currentReplicasIfHigher` or
    /// `currentReplicasIfLower`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub behavior: Option<Open<FallbackBehavior>>,
}

/// Which number of pods wins while the queue cannot be looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FallbackBehavior {
    /// The written one.
    Static,
    /// The present one.
    CurrentReplicas,
    /// The present one when it is higher.
    CurrentReplicasIfHigher,
    /// The present one when it is lower.
    CurrentReplicasIfLower,
}

impl Word for FallbackBehavior {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("static", Self::Static),
        ("currentReplicas", Self::CurrentReplicas),
        ("currentReplicasIfHigher", Self::CurrentReplicasIfHigher),
        ("currentReplicasIfLower", Self::CurrentReplicasIfLower),
    ];
}

/// A `TriggerAuthentication` or `ClusterTriggerAuthentication`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["name"]))]
pub struct TriggerAuthenticationRef {
    /// Its name.
    #[serde(default)]
    #[garde(custom(grammar::trigger_authentication))]
    pub name: String,
    /// `TriggerAuthentication` (when absent) or `ClusterTriggerAuthentication`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub kind: Option<Open<TriggerAuthenticationKind>>,
}

/// Where a TriggerAuthentication lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerAuthenticationKind {
    /// In the namespace.
    Namespaced,
    /// In the cluster.
    Cluster,
}

impl Word for TriggerAuthenticationKind {
    const SPELLINGS: &'static [(&'static str, Self)] =
        &[("TriggerAuthentication", Self::Namespaced), ("ClusterTriggerAuthentication", Self::Cluster)];
}

/// One metric and its target.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["name", "target"]))]
pub struct Metric {
    /// `cpu`, `memory` or `task_queue_length`.
    #[serde(default)]
    #[garde(skip)]
    pub name: Open<MetricName>,
    /// The value to keep.
    #[serde(default)]
    #[garde(dive)]
    pub target: MetricTarget,
}

/// The value a metric is kept at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["type"]))]
pub struct MetricTarget {
    /// `Utilization` (percent of the requests) or `AverageValue` (an amount for each pod).
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub type_: Option<Open<TargetType>>,
    /// Amount for each pod: a quantity of cpu or memory, or a number of waiting tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub average_value: Option<Quantity>,
    /// Percent of the requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    pub average_utilization: Option<i32>,
}

/// What an autoscaler scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleKind {
    /// A worker pool.
    Worker,
    /// Flower.
    Flower,
}

impl Word for ScaleKind {
    const SPELLINGS: &'static [(&'static str, Self)] = &[("worker", Self::Worker), ("flower", Self::Flower)];
}

/// What the number of pods follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricName {
    /// Processor time used.
    Cpu,
    /// Memory used.
    Memory,
    /// Tasks that wait in the broker.
    TaskQueueLength,
}

impl Word for MetricName {
    const SPELLINGS: &'static [(&'static str, Self)] =
        &[("cpu", Self::Cpu), ("memory", Self::Memory), ("task_queue_length", Self::TaskQueueLength)];
}

/// How a target is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetType {
    /// Percent of the requests.
    Utilization,
    /// An amount for each pod; written `AverageValue` or `Average Value`.
    AverageValue,
}

impl Word for TargetType {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("Utilization", Self::Utilization),
        ("AverageValue", Self::AverageValue),
        ("Average Value", Self::AverageValue),
    ];
}

impl ScaleTarget {
    /// The pool this autoscaler means.
    #[must_use]
    pub fn pool(&self) -> &str {
        self.pool.as_deref().unwrap_or(super::DEFAULT_POOL)
    }

    /// Whether one of the metrics has this name.
    #[must_use]
    pub fn follows(&self, name: MetricName) -> bool {
        self.metrics.iter().any(|metric| metric.name.known() == Some(name))
    }
}
