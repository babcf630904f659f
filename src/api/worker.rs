// SPDX-License-Identifier: Apache-2.0
//! A pool of workers.

use garde::Validate;
use k8s_openapi::api::apps::v1::DeploymentStrategy;
use k8s_openapi::api::core::v1::ResourceRequirements;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A pool of workers: one Deployment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct WorkerSpec {
    /// How many worker pods. Ignored while an autoscaler owns the pool; absent: one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0))]
    pub num_of_workers: Option<i32>,
    /// Arguments after `celery -A <celeryApp> worker`, one word an element: `["-Q", "mail,default", "-c", "4"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub args: Vec<String>,
    /// How pods are replaced on a change; absent: rolling, 25 % more pods at once, none missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub rollout_strategy: Option<DeploymentStrategy>,
    /// Requests and limits of the worker's container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub resources: Option<ResourceRequirements>,
}
