// SPDX-License-Identifier: Apache-2.0
//! The disruption budget of a worker pool: how many pods a drained node may take along at once.

use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::manifest::{ChildKind, Manifest};
use super::metadata;
use crate::labels::{self, Component};
use crate::names;
use crate::resolve::{Pool, Resolved};

pub(super) fn budget(resolved: &Resolved, pool: &Pool) -> Option<Manifest> {
    let budget = pool.budget.as_ref()?;
    let name = names::worker(&resolved.app, &pool.name);
    let selector = labels::selector(&resolved.owner.name, Component::Worker, Some(&pool.name));
    let object = PodDisruptionBudget {
        metadata: metadata(resolved, &name, Some(Component::Worker), Some(&pool.name)),
        spec: Some(PodDisruptionBudgetSpec {
            min_available: budget.min_available.clone(),
            max_unavailable: budget.max_unavailable.clone(),
            selector: Some(LabelSelector { match_labels: Some(selector), ..LabelSelector::default() }),
            ..PodDisruptionBudgetSpec::default()
        }),
        status: None,
    };
    Some(Manifest::new(ChildKind::PodDisruptionBudget, &name, &object))
}
