// SPDX-License-Identifier: Apache-2.0
//! What the operator reports.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is true of a Celery, as far as the operator has seen it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CeleryStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions by type; `Ready`, `Reconciling` and `Stalled` follow the kstatus conventions.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// Pods of the default pool, for `kubectl scale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Label selector of the default pool's pods, for `kubectl scale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Ready and desired worker pods, `ready/desired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<String>,
    /// The worker pools.
    #[serde(default)]
    pub pools: Vec<PoolStatus>,
    /// Beat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beat: Option<BeatStatus>,
    /// Flower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flower: Option<FlowerStatus>,
    /// The broker, without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<BrokerStatus>,
    /// The objects that belong to this Celery.
    #[serde(default)]
    pub children: Vec<Child>,
    /// What the rules find in the spec: denials first, then at most 32 warnings, 256 in all.
    #[serde(default)]
    pub findings: Vec<FindingStatus>,
    /// What was decided where the spec leaves it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<EffectiveStatus>,
}

/// One aspect of the state.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Type of the condition.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The generation of the spec that this condition speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When the status last changed.
    pub last_transition_time: Time,
    /// One word for programs.
    pub reason: String,
    /// One sentence for people.
    pub message: String,
}

/// A worker pool.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolStatus {
    /// Name of the pool.
    pub name: String,
    /// Pods that should be there.
    pub desired: i32,
    /// Pods that are there.
    pub replicas: i32,
    /// Pods that are ready.
    pub ready: i32,
    /// Pods that run the current spec.
    pub updated: i32,
    /// Who owns the number of pods.
    pub autoscaler: Autoscaler,
    /// What the pods run, word by word.
    #[serde(default)]
    pub command: Vec<String>,
}

/// Who owns the number of pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Autoscaler {
    /// The spec.
    #[default]
    None,
    /// A `HorizontalPodAutoscaler`.
    #[serde(rename = "HPA")]
    Hpa,
    /// A KEDA `ScaledObject`.
    #[serde(rename = "KEDA")]
    Keda,
}

/// Beat, as seen.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BeatStatus {
    /// Ready and desired pods, `ready/desired`.
    pub ready: String,
}

/// Flower.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlowerStatus {
    /// Ready and desired pods, `ready/desired`.
    pub ready: String,
    /// Where it answers inside the cluster.
    pub url: String,
}

/// The broker, without credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrokerStatus {
    /// Scheme of the URL.
    pub scheme: String,
    /// Hosts, in the order of failover.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Which form of `spec.common.broker` it comes from.
    pub source: String,
}

/// An object that belongs to this Celery.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Child {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Whether it does what it is there for.
    pub ready: bool,
}

/// What a rule found in the spec.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingStatus {
    /// Id of the rule.
    pub rule: String,
    /// `deny` or `warn`.
    pub severity: String,
    /// The field.
    pub path: String,
    /// The field by the names of list items, where that is another text: it stays the same when items move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The value, cut and without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong and what to write instead.
    pub message: String,
    /// `true` where a spec with this denial was followed before: it alone keeps no spec from being followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerated: Option<bool>,
}

/// What was decided where the spec leaves it open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EffectiveStatus {
    /// Prefix of the children's names.
    pub app_name: String,
    /// When nodes pull the image.
    pub image_pull_policy: String,
    /// Port of Flower and of its Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flower_port: Option<i32>,
    /// File of Flower's history on its volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flower_history: Option<String>,
    /// File of beat's schedule on its volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beat_schedule: Option<String>,
    /// Tasks that a worker of the default pool runs at once; absent where its arguments say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Log level of the default pool; absent where its arguments say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_level: Option<String>,
    /// Tasks that a worker of the default pool takes in advance for each it runs; absent where nothing was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefetch_multiplier: Option<u32>,
    /// Queues that the default pool consumes, as far as its arguments tell; `celery` otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queues: Option<String>,
}
