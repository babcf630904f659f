// SPDX-License-Identifier: Apache-2.0
//! How pods are watched, stopped and kept from being taken all at once.

use garde::Validate;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::open::{Open, Word};

/// What happens to running tasks when a pod is stopped.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct GracefulShutdown {
    /// `Warm` (when absent): running tasks finish. `Soft`: they may finish for a while, then they go back to the queue.
    /// `Cold`: they go back at once. The latter two need `task_acks_late`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub mode: Option<Open<ShutdownMode>>,
    /// Seconds between the request to stop and the kill; absent: 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    pub timeout_seconds: Option<i32>,
    /// Seconds that tasks may go on in the mode `Soft`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0))]
    pub soft_timeout_seconds: Option<i32>,
}

impl GracefulShutdown {
    /// Seconds between the request to stop and the kill, where nobody writes a number.
    pub const TIMEOUT_SECONDS: i32 = 600;
    /// Seconds that a worker needs for itself after the soft timeout, at the least: less is refused.
    pub const LEAST_RESERVE_SECONDS: i32 = 5;
    /// The reserve that is left where the operator chooses the soft timeout: twice the least one, since nobody has asked
    /// for every second there.
    pub const RESERVE_SECONDS: i32 = 2 * Self::LEAST_RESERVE_SECONDS;
}

/// What happens to running tasks when a pod is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownMode {
    /// They finish.
    Warm,
    /// They may finish for a while.
    Soft,
    /// They go back to the queue.
    Cold,
}

impl Word for ShutdownMode {
    const SPELLINGS: &'static [(&'static str, Self)] =
        &[("Warm", Self::Warm), ("Soft", Self::Soft), ("Cold", Self::Cold)];
}

/// How kubelet sees that a container is up.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Probes {
    /// Whether the start is done; nothing else is asked before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub startup: Option<Probe>,
    /// Whether a rollout may go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub readiness: Option<Probe>,
    /// Whether the container must be restarted. Absent: nothing is asked. `Heartbeat` is for workers and beat that may
    /// hang: unlike `Ping` it needs no answer through the broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub liveness: Option<Probe>,
}

/// One probe.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["type"]))]
pub struct Probe {
    /// `Ping` asks the worker through the broker, `Heartbeat` looks at the age of a file that it touches, which
    /// needs `sh`, `stat` and `date` in the image, `Custom` runs a command, `None` asks nothing.
    #[serde(rename = "type", default)]
    #[garde(skip)]
    pub type_: Open<ProbeType>,
    /// What `Custom` runs, one word per element; no shell reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub command: Vec<String>,
    /// Oldest age of the file of `Heartbeat`, in seconds; absent: 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    #[schemars(range(min = 0))]
    pub max_age_seconds: Option<i32>,
    /// Seconds before the first question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    #[schemars(range(min = 0))]
    pub initial_delay_seconds: Option<i32>,
    /// Seconds between two questions. Absent: at the start 10; later 60 for `Ping`, 30 for `Heartbeat`; Kubernetes' own
    /// 10 for `Custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    #[schemars(range(min = 0))]
    pub period_seconds: Option<i32>,
    /// Seconds an answer may take. Absent: 15 for `Ping`, 10 for `Heartbeat`; Kubernetes' own 1 for `Custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    #[schemars(range(min = 0))]
    pub timeout_seconds: Option<i32>,
    /// Bad answers in a row that count. Absent: at the start 30; later 5 for `Ping`, 3 for `Heartbeat`; Kubernetes' own 3
    /// for `Custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    #[schemars(range(min = 0))]
    pub failure_threshold: Option<i32>,
}

/// What a probe decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeRole {
    /// Whether a container has started, so that the others may ask.
    Startup,
    /// Whether it counts as ready.
    Readiness,
    /// Whether it is restarted.
    Liveness,
}

impl ProbeRole {
    /// The name of its field.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::Readiness => "readiness",
            Self::Liveness => "liveness",
        }
    }
}

impl Probes {
    /// Those that are there, with what they decide.
    pub fn written(&self) -> impl Iterator<Item = (ProbeRole, &Probe)> {
        let all = [
            (ProbeRole::Startup, &self.startup),
            (ProbeRole::Readiness, &self.readiness),
            (ProbeRole::Liveness, &self.liveness),
        ];
        all.into_iter().filter_map(|(role, probe)| Some((role, probe.as_ref()?)))
    }

    /// Whether any of them looks at the heartbeat.
    #[must_use]
    pub fn look_at_heartbeat(&self) -> bool {
        self.written().any(|(_, probe)| probe.looks_at_heartbeat())
    }
}

impl Probe {
    /// Oldest age of a sign of life when nobody writes a number, in seconds: a broker may be away for a while.
    const MAX_AGE_SECONDS: i32 = 300;

    /// Whether it looks at the heartbeat.
    #[must_use]
    pub fn looks_at_heartbeat(&self) -> bool {
        self.type_.known() == Some(ProbeType::Heartbeat)
    }

    /// Seconds that a sign of life may be old.
    #[must_use]
    pub fn oldest(&self) -> i32 {
        self.max_age_seconds.unwrap_or(Self::MAX_AGE_SECONDS)
    }
}

/// What a probe looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeType {
    /// The answer of the worker through the broker.
    Ping,
    /// The age of a file.
    Heartbeat,
    /// A command.
    Custom,
    /// Nothing.
    None,
}

impl Word for ProbeType {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("Ping", Self::Ping),
        ("Heartbeat", Self::Heartbeat),
        ("Custom", Self::Custom),
        ("None", Self::None),
    ];
}

/// How many pods a node drain may take at once: exactly one of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodDisruptionBudget {
    /// Pods, or a percentage, that must stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_available: Option<IntOrString>,
    /// Pods, or a percentage, that may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_unavailable: Option<IntOrString>,
}
