// SPDX-License-Identifier: Apache-2.0
//! Flower, Celery's monitor.

use garde::Validate;
use k8s_openapi::api::core::v1::ResourceRequirements;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::open::{Open, Word};

/// Flower and its Service.
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
