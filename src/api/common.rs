// SPDX-License-Identifier: Apache-2.0
//! What all components of one application share.

use std::collections::BTreeMap;

use garde::Validate;
use k8s_openapi::api::core::v1::{
    Affinity, Container, EnvFromSource, EnvVar, LocalObjectReference, PodDNSConfig, PodSecurityContext,
    SecurityContext, Toleration, TopologySpreadConstraint, Volume, VolumeMount,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grammar;
use super::json::{AnyObject, Anything};
use super::open::{Open, Word};
use super::{Broker, ResultBackend};

/// What workers, beat and Flower share.
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
    /// Where the volumes appear in the containers of workers, beat and Flower.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub volume_mounts: Vec<VolumeMount>,
    /// Volumes of the pods of workers, beat and Flower.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub volumes: Vec<Volume>,
    /// Version of Celery in the image, in quotes: `"5.5"` or `"5.5.3"`. Pods carry it as a label. Absent: only what
    /// no supported version takes is refused.
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
    /// Where tasks travel: exactly one of `url`, `urlSecretRef`, `redis`, `rabbitmq`, `sqs`. Pods get its URL as
    /// `CELERY_BROKER_URL`, which Celery reads before anything in the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub broker: Option<Broker>,
    /// Where results are kept: exactly one of `url`, `urlSecretRef`. Pods get it as `CELERY_RESULT_BACKEND`. Absent: what
    /// the application says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub result_backend: Option<ResultBackend>,
    /// Celery settings by their lower-case names, `task_acks_late: true`; they reach workers and beat on their command
    /// line and win over the application's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[garde(skip)]
    pub config: BTreeMap<String, Anything>,
    /// Environment variables of all containers; a component's own entry of the same name wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub env: Vec<EnvVar>,
    /// Secrets and `ConfigMap`s whose keys become environment variables of all containers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub env_from: Vec<EnvFromSource>,
    /// What starts Celery, one word per element; absent: `celery`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub command: Vec<String>,
    /// Service account of the pods; absent: the namespace's default one, without a token. An account that a `podTemplate`
    /// names instead has none either, unless `automountServiceAccountToken: true` stands beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub service_account_name: Option<String>,
    /// Labels of the pods, beside those of the operator.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[garde(skip)]
    pub pod_labels: BTreeMap<String, String>,
    /// Annotations of the pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[garde(skip)]
    pub pod_annotations: BTreeMap<String, String>,
    /// Labels that a node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[garde(skip)]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that the pods put up with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub tolerations: Vec<Toleration>,
    /// Which nodes and neighbours the pods want.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub affinity: Option<Affinity>,
    /// How the pods spread over nodes and zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// Priority class of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub priority_class_name: Option<String>,
    /// Security settings of the pods; absent: the runtime's default seccomp profile. The level `restricted` of Pod Security
    /// wants `securityContext: {runAsNonRoot: true}`, an image whose user is a number other than 0 (or `runAsUser`), and
    /// `containerSecurityContext: {capabilities: {drop: [ALL]}}`; the rest is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub security_context: Option<PodSecurityContext>,
    /// Security settings of the containers; absent: no escalation of privileges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub container_security_context: Option<SecurityContext>,
    /// Containers that run to their end before Celery starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub init_containers: Vec<Container>,
    /// DNS settings of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub dns_config: Option<PodDNSConfig>,
    /// A pod template laid over the rendered one, last: for what has no field of its own, `podTemplate: {spec:
    /// {runtimeClassName: gvisor}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub pod_template: Option<AnyObject>,
    /// What Prometheus is asked to scrape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub metrics: Option<Monitoring>,
}

impl Common {
    /// Whether containers run as root, as far as anything is written; else their image says.
    #[must_use]
    pub fn runs_as_root(&self) -> Option<bool> {
        let (pod, container) = (self.security_context.as_ref(), self.container_security_context.as_ref());
        let user = container.and_then(|context| context.run_as_user);
        let user = user.or_else(|| pod.and_then(|context| context.run_as_user));
        let is_barred = container.and_then(|context| context.run_as_non_root);
        let is_barred = is_barred.or_else(|| pod.and_then(|context| context.run_as_non_root));
        user.map(|user| user == 0).or_else(|| (is_barred == Some(true)).then_some(false))
    }
}

/// What Prometheus is asked to scrape, where its operator is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Monitoring {
    /// A `ServiceMonitor` for Flower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flower_service_monitor: Option<bool>,
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
