// SPDX-License-Identifier: Apache-2.0
//! Flower, Celery's monitor.

use std::collections::BTreeMap;

use garde::Validate;
use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretKeyRef;
use super::flower_auth::FlowerAuth;
use super::grammar;
use super::json::AnyObject;
use super::open::{Open, Word};

/// Folder of the volume of `persistence` in Flower's container when nobody says another.
pub const FLOWER_FOLDER: &str = "/data/flower";

/// Flower and how it is reached.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FlowerSpec {
    /// How many Flower pods; each keeps a history of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 1))]
    #[garde(range(min = 0))]
    pub replicas: Option<i32>,
    /// Arguments after `celery -A <celeryApp> flower`, each as `--option=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub args: Vec<String>,
    /// Port of Flower and of its Service; absent: 5555.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 65535))]
    pub service_port: Option<i32>,
    /// Type of the Service; `Default` means `ClusterIP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Default"))]
    #[garde(skip)]
    pub service_type: Option<Open<ServiceType>>,
    /// Requests and limits of Flower's container; absent: requests of 50m cpu and 128Mi, a limit of 512Mi memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub resources: Option<ResourceRequirements>,
    /// Image of Flower; absent: the shared one, which then must contain Flower. With an image of Flower alone, such as
    /// `mher/flower:2.0`, leave `celeryApp` to the workers: it is not loaded there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(grammar::image_of_its_own)))]
    pub image: Option<String>,
    /// Version of Flower in the image, in quotes; absent: the newest known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(grammar::flower_version))]
    pub version: Option<String>,
    /// Port on every node, with the type `NodePort` or `LoadBalancer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 65535))]
    pub node_port: Option<i32>,
    /// Address ranges that a load balancer lets in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub load_balancer_source_ranges: Vec<String>,
    /// Annotations of the Service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[garde(skip)]
    pub service_annotations: BTreeMap<String, String>,
    /// Whether a client keeps its pod: `None` or `ClientIP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub session_affinity: Option<Open<SessionAffinity>>,
    /// Path under which Flower answers, without slashes at its ends: `flower`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(grammar::url_prefix))]
    pub url_prefix: Option<String>,
    /// Who may look: exactly one of `basic`, `oauth`, or `allowUnauthenticated: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub auth: Option<FlowerAuth>,
    /// Open the API, which can send and stop tasks, to everybody who reaches Flower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub unauthenticated_api: Option<bool>,
    /// An Ingress for Flower; present means on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub ingress: Option<FlowerIngress>,
    /// A volume for Flower's history; present means on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub persistence: Option<FlowerPersistence>,
    /// Tasks to remember; absent: 20000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    pub max_tasks: Option<i32>,
    /// Workers to remember; absent: 5000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    pub max_workers: Option<i32>,
    /// Seconds after which a worker that is gone is forgotten; absent: 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0))]
    pub purge_offline_workers_seconds: Option<i32>,
    /// The key of a Secret with the URL of RabbitMQ's management API: `http://user:password@host:15672/api/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub broker_api_secret_ref: Option<SecretKeyRef>,
    /// Show only: no control of workers and tasks; Flower 2.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub read_only: Option<bool>,
    /// Show times as "3 minutes ago".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub natural_time: Option<bool>,
    /// Milliseconds to wait for answers of workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    pub inspect_timeout_ms: Option<i32>,
    /// Columns of the page of tasks: `name,uuid,state`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub tasks_columns: Option<String>,
    /// Believe the headers of a proxy about the client's address; absent: with an Ingress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub xheaders: Option<bool>,
    /// Flower's own certificate: it then speaks HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub tls: Option<FlowerTls>,
    /// Whether the shared volumes appear in Flower's pod too; absent: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub inherit_volumes: Option<bool>,
    /// Environment variables of Flower.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub env: Vec<EnvVar>,
    /// Secrets and `ConfigMap`s whose keys become environment variables of Flower.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub env_from: Vec<EnvFromSource>,
    /// A pod template laid over the rendered one and over `common.podTemplate`, last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub pod_template: Option<AnyObject>,
}

/// How Flower is reached from outside the cluster.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FlowerIngress {
    /// Class of the Ingress; absent: the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub class_name: Option<String>,
    /// Host name; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(grammar::ingress_host))]
    pub host: Option<String>,
    /// Path; absent: `urlPrefix`, else `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub path: Option<String>,
    /// How the path is compared: `Prefix` (when absent), `Exact` or `ImplementationSpecific`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub path_type: Option<Open<PathType>>,
    /// Secret with the certificate of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(grammar::object_name)))]
    pub tls_secret_name: Option<String>,
    /// Annotations of the Ingress.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[garde(skip)]
    pub annotations: BTreeMap<String, String>,
}

/// A volume for Flower's history: an existing claim, or a new one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FlowerPersistence {
    /// A claim of the namespace that is already there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub existing_claim: Option<String>,
    /// Size of a new claim; absent: `1Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub size: Option<Quantity>,
    /// Storage class of a new claim; absent: the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub storage_class: Option<String>,
    /// Whether the new claim stays when the Celery is deleted; absent: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub retain: Option<bool>,
    /// Folder of the volume in Flower's container; absent: `/data/flower`. A container that does not run as root needs
    /// `common.securityContext.fsGroup` to write there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub path: Option<String>,
    /// Seconds between two writes of the history; absent: 60. With 0 it is written only on a clean stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0))]
    pub save_interval_seconds: Option<i32>,
}

/// Flower's own certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["secretName"]))]
pub struct FlowerTls {
    /// Secret of the type `kubernetes.io/tls`.
    #[serde(default)]
    #[garde(custom(grammar::object_name))]
    pub secret_name: String,
}

/// How Flower's Service is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceType {
    /// Inside the cluster; written `Default` or `ClusterIP`.
    ClusterIp,
    /// On a port of every node.
    NodePort,
    /// Through a load balancer of the cloud.
    LoadBalancer,
}

impl Word for ServiceType {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("Default", Self::ClusterIp),
        ("ClusterIP", Self::ClusterIp),
        ("NodePort", Self::NodePort),
        ("LoadBalancer", Self::LoadBalancer),
    ];
}

/// Whether a client keeps its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionAffinity {
    /// No.
    None,
    /// By its address.
    ClientIp,
}

impl Word for SessionAffinity {
    const SPELLINGS: &'static [(&'static str, Self)] = &[("None", Self::None), ("ClientIP", Self::ClientIp)];
}

/// How the path of an Ingress is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathType {
    /// By its leading elements.
    Prefix,
    /// As a whole.
    Exact,
    /// As the controller likes.
    ImplementationSpecific,
}

impl Word for PathType {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("Prefix", Self::Prefix),
        ("Exact", Self::Exact),
        ("ImplementationSpecific", Self::ImplementationSpecific),
    ];
}
