// SPDX-License-Identifier: Apache-2.0
//! The Deployment of a worker pool.

use k8s_openapi::api::core::v1::Container;

use super::deployment::{self, Workload};
use super::manifest::Manifest;
use crate::labels::Component;
use crate::names;
use crate::resolve::{Pool, Resolved};

/// How long a worker may finish its tasks after SIGTERM, in seconds: ten minutes, as charts of long-running workers
/// have it. A task that takes longer is killed.
const GRACE_SECONDS: i64 = 600;

pub(super) fn deployment(resolved: &Resolved, pool: &Pool) -> Manifest {
    let workload = Workload {
        name: names::worker(&resolved.app, &pool.name),
        component: Component::Worker,
        pool: Some(&pool.name),
        replicas: pool.replicas,
        strategy: Some(pool.strategy.clone()),
        container: Container {
            name: names::WORKER_CONTAINER.to_owned(),
            args: Some(pool.args.clone()),
            resources: pool.resources.clone(),
            ..Container::default()
        },
        grace_seconds: GRACE_SECONDS,
        share_process_namespace: true,
    };
    deployment::deployment(resolved, workload)
}
