// SPDX-License-Identifier: Apache-2.0
//! Beat's Deployment: one pod, which is gone before its successor comes.

use k8s_openapi::api::apps::v1::DeploymentStrategy;
use k8s_openapi::api::core::v1::Container;

use super::deployment::{self, Workload};
use super::manifest::Manifest;
use crate::labels::Component;
use crate::names;
use crate::resolve::{Beat, Pace, Resolved};

pub(super) fn deployment(resolved: &Resolved, beat: &Beat) -> Manifest {
    let workload = Workload {
        name: names::beat(&resolved.app),
        component: Component::Beat,
        pool: None,
        replicas: Beat::COUNT.first(),
        strategy: DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None },
        pace: Pace::default(),
        pod: &beat.pod,
        container: Container {
            name: names::BEAT_CONTAINER.to_owned(),
            args: Some(beat.args.clone()),
            resources: beat.resources.clone(),
            ..Container::default()
        },
    };
    deployment::deployment(resolved, workload)
}
