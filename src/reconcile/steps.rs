// SPDX-License-Identifier: Apache-2.0
//! In which order children are applied, and what one that is not applied keeps from being made.

use std::collections::BTreeMap;

use super::deeds::Done;
use crate::build::{Applied, ChildKind, Manifest};
use crate::cluster;
use crate::status::{ChildRef, Failure};

/// What is applied at the same time; a step begins when the one before it has ended. What others read or mount comes
/// first, and what scales something after it.
pub(super) const STEPS: [fn(ChildKind) -> bool; 3] =
    [is_used_by_others, |kind| !is_used_by_others(kind) && !is_scaler(kind), is_scaler];

fn is_used_by_others(kind: ChildKind) -> bool {
    use ChildKind::{ConfigMap, PersistentVolumeClaim, Secret, TriggerAuthentication};
    matches!(kind, Secret | ConfigMap | PersistentVolumeClaim | TriggerAuthentication)
}

fn is_scaler(kind: ChildKind) -> bool {
    matches!(kind, ChildKind::HorizontalPodAutoscaler | ChildKind::ScaledObject)
}

/// Whether a Deployment would mount somebody else's claim, which is called like it.
pub(super) fn mounts_what_is_taken(
    deployment: &Manifest,
    manifests: &[Manifest],
    outcomes: &[Option<Result<Done, cluster::Error>>],
) -> bool {
    let mut claims = manifests.iter().zip(outcomes).filter(|(manifest, _)| {
        manifest.kind == ChildKind::PersistentVolumeClaim && manifest.name == deployment.name
    });
    deployment.kind == ChildKind::Deployment
        && claims.any(|(_, outcome)| matches!(outcome, Some(Err(cluster::Error::NameTaken { .. }))))
}

/// A Deployment that is not made for want of its claim has the obstacle of the claim.
pub(super) fn pass_on(
    obstacles: &mut BTreeMap<ChildRef, Failure>,
    manifests: &[Manifest],
    children: &[Applied],
) {
    for manifest in manifests.iter().filter(|manifest| manifest.kind == ChildKind::Deployment) {
        let is_it = |child: &Applied| child.kind == ChildKind::Deployment && child.name == manifest.name;
        let claim = (ChildKind::PersistentVolumeClaim, manifest.name.clone());
        if let Some(failure) = obstacles.get(&claim).filter(|_| !children.iter().any(is_it)).cloned() {
            obstacles.entry((ChildKind::Deployment, manifest.name.clone())).or_insert(failure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_applied_in_one_step_and_a_scaler_after_what_it_scales() {
        let step_of = |kind: ChildKind| {
            let mut steps = STEPS.iter().enumerate().filter(|(_, step)| step(kind));
            let first = steps.next().map(|(index, _)| index);
            assert!(steps.next().is_none(), "{kind:?} is applied twice");
            first
        };
        assert!(ChildKind::ALL.iter().all(|kind| step_of(*kind).is_some()));
        let deployment = step_of(ChildKind::Deployment);
        for before in [ChildKind::Secret, ChildKind::ConfigMap, ChildKind::PersistentVolumeClaim] {
            assert!(step_of(before) < deployment);
        }
        for scaler in [ChildKind::HorizontalPodAutoscaler, ChildKind::ScaledObject] {
            assert!(deployment < step_of(scaler));
        }
    }
}
