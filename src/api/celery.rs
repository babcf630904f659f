// SPDX-License-Identifier: Apache-2.0
//! The Celery kind: one application's workers, beat, Flower and autoscalers.
#![allow(clippy::duplicated_attributes)] // each printcolumn of the derive has the same keys

use garde::Validate;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BeatSpec, CeleryStatus, Common, FlowerSpec, ScaleTarget, WorkerPool, WorkerSpec};

/// What to run: one Celery application, described once for all its parts.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[kube(
    group = "celeryproject.org",
    version = "v1alpha1",
    kind = "Celery",
    plural = "celeries",
    singular = "celery",
    shortname = "cel",
    shortname = "capp",
    category = "all",
    namespaced,
    status = "CeleryStatus",
    derive = "PartialEq",
    scale(
        spec_replicas_path = ".spec.workerSpec.numOfWorkers",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(name = "Workers", type_ = "string", json_path = ".status.workers"),
    printcolumn(name = "Flower", type_ = "string", json_path = ".status.flower.ready"),
    printcolumn(name = "Broker", type_ = "string", json_path = ".status.broker.scheme"),
    printcolumn(name = "Image", type_ = "string", json_path = ".spec.common.image", priority = 1),
    printcolumn(name = "Celery", type_ = "string", json_path = ".spec.common.celeryVersion", priority = 1),
    printcolumn(name = "Queues", type_ = "string", json_path = ".status.effective.queues", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["common"]))]
pub struct CelerySpec {
    /// What workers, beat and Flower share: the image, the application, the broker.
    #[serde(default)]
    #[garde(dive)]
    pub common: Common,
    /// The worker pool called `default`; absent means that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub worker_spec: Option<WorkerSpec>,
    /// Further worker pools, each with a name; `default` is reserved for `workerSpec`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(dive)]
    pub worker_pools: Vec<WorkerPool>,
    /// Beat, the scheduler of periodic tasks: always exactly one pod. Present means on, absent means off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub beat_spec: Option<BeatSpec>,
    /// Flower, Celery's monitor; present means on, absent means off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub flower_spec: Option<FlowerSpec>,
    /// Autoscalers, at most one for each target. Who is listed here owns the replicas of its target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(dive)]
    pub scale_target_ref: Vec<ScaleTarget>,
}
