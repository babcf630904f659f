// SPDX-License-Identifier: Apache-2.0
//! The Celery kind: one application's workers, Flower and autoscalers.
#![allow(clippy::duplicated_attributes)] // each printcolumn of the derive has the same keys

use garde::Validate;
use k8s_openapi::api::core::v1::{LocalObjectReference, Volume, VolumeMount};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grammar;
use super::open::{Open, Word};
use super::{Broker, CeleryStatus, FlowerSpec, ScaleTarget, WorkerSpec};

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
    /// What workers and Flower share: the image, the application, the broker.
    #[serde(default)]
    #[garde(dive)]
    pub common: Common,
    /// The worker pool called `default`; absent means that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub worker_spec: Option<WorkerSpec>,
    /// Flower, Celery's monitor; present means on, absent means off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub flower_spec: Option<FlowerSpec>,
    /// Autoscalers, at most one for each target. Who is listed here owns the replicas of its target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(dive)]
    pub scale_target_ref: Vec<ScaleTarget>,
}

/// What workers and Flower share.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["image"]))]
pub struct Common {
    /// Image of the application; it must contain Celery, and Flower when `flowerSpec` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(grammar::image))]
    pub image: Option<String>,
    /// When nodes pull the image: `Always`, `IfNotPresent` or `Never`. Absent: `Always` for the tag `latest` or no
    /// tag, `IfNotPresent` otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub image_pull_policy: Option<Open<ImagePullPolicy>>,
    /// Secrets of the namespace with registry credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// Where the volumes appear in the containers of workers and Flower.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub volume_mounts: Vec<VolumeMount>,
    /// Volumes of the pods of workers and Flower.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub volumes: Vec<Volume>,
    /// Version of Celery in the image, in quotes: `"5.5"` or `"5.5.3"`. Pods carry it as a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(grammar::celery_version))]
    pub celery_version: Option<String>,
    /// Prefix of the names of everything that is created; `metadata.name` when absent. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(grammar::app_name))]
    pub app_name: Option<String>,
    /// The application as `celery -A` takes it: `module.path` or `module.path:attribute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(grammar::celery_app))]
    pub celery_app: Option<String>,
    /// Where tasks travel: exactly one of `url`, `urlSecretRef`, `redis`, `rabbitmq`, `sqs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub broker: Option<Broker>,
}

/// When a node pulls an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImagePullPolicy {
    /// At every start of a container.
    Always,
    /// Only when the node does not have it.
    IfNotPresent,
    /// Never; the image was loaded by hand.
    Never,
}

impl Word for ImagePullPolicy {
    const SPELLINGS: &'static [(&'static str, Self)] =
        &[("Always", Self::Always), ("IfNotPresent", Self::IfNotPresent), ("Never", Self::Never)];
}
