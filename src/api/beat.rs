// SPDX-License-Identifier: Apache-2.0
//! Beat, the scheduler of periodic tasks.

use garde::Validate;
use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Probes;
use super::json::AnyObject;
use super::open::Open;
use super::worker_choices::LogLevel;

/// Folder of the volume of `persistence` in beat's container.
pub const BEAT_FOLDER: &str = "/data/beat";

/// Beat: one pod, replaced and never doubled, since two of them send every task twice.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct BeatSpec {
    /// Class of the scheduler, `package.module:Class`, or a registered name such as `django`; absent: Celery's own,
    /// which keeps a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub scheduler: Option<String>,
    /// File in which Celery's own scheduler keeps what it sent; absent: `/tmp/celerybeat-schedule`, with `persistence`
    /// `/data/beat/celerybeat-schedule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub schedule_file: Option<String>,
    /// Longest sleep between two looks at the schedule, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    pub max_interval: Option<i32>,
    /// What is logged; absent: `INFO`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub log_level: Option<Open<LogLevel>>,
    /// Arguments after `celery -A <celeryApp> beat`, one word per element.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub args: Vec<String>,
    /// Options that the application adds through `app.user_options`, such as `--tenant`; they may then stand in `args`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub user_options: Vec<String>,
    /// Requests and limits of beat's container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub resources: Option<ResourceRequirements>,
    /// A volume for the schedule file, at `/data/beat`; absent: it starts anew with every pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub persistence: Option<BeatPersistence>,
    /// How kubelet sees that beat is up; absent: nothing is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub probes: Option<Probes>,
    /// Environment variables of beat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub env: Vec<EnvVar>,
    /// Secrets and `ConfigMap`s whose keys become environment variables of beat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub env_from: Vec<EnvFromSource>,
    /// A pod template laid over the rendered one and over `common.podTemplate`, last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub pod_template: Option<AnyObject>,
}

/// A volume that outlives the pod: an existing claim, or a new one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BeatPersistence {
    /// A claim of the namespace that is already there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing_claim: Option<String>,
    /// Size of a new claim; absent: `1Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Quantity>,
    /// Storage class of a new claim; absent: the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Whether the new claim stays when the Celery is deleted; absent: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<bool>,
}
