// SPDX-License-Identifier: Apache-2.0
//! The Deployment of a worker pool.

use k8s_openapi::api::core::v1::Container;

use super::deployment::{self, Workload};
use super::manifest::Manifest;
use crate::labels::Component;
use crate::names;
use crate::resolve::{Pool, Resolved};

pub(super) fn deployment(resolved: &Resolved, pool: &Pool) -> Manifest {
    let workload = Workload {
        name: names::worker(&resolved.app, &pool.name),
        component: Component::Worker,
        pool: Some(&pool.name),
        replicas: pool.count.first(),
        strategy: pool.strategy.clone(),
        pace: pool.pace,
        pod: &pool.pod,
        container: Container {
            name: names::WORKER_CONTAINER.to_owned(),
            args: Some(pool.args.clone()),
            resources: pool.resources.clone(),
            ..Container::default()
        },
    };
    deployment::deployment(resolved, workload)
}
