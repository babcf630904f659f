// SPDX-License-Identifier: Apache-2.0
//! In which order children are applied, and what one that may be somebody else's keeps from being made.

use std::collections::{BTreeMap, BTreeSet};

use crate::build::{self, ChildKind, Manifest};
use crate::status::{ChildRef, Failure};

/// What is applied at the same time; a step begins when the one before it has ended. Whatever names another child comes
/// after it: by then it is known whose that one is.
pub(super) const STEPS: [fn(ChildKind) -> bool; 3] =
    [is_read, |kind| !is_read(kind) && !is_last(kind), is_last];

/// What pods and KEDA read or mount.
fn is_read(kind: ChildKind) -> bool {
    matches!(kind, ChildKind::Secret | ChildKind::ConfigMap | ChildKind::PersistentVolumeClaim)
}

/// What scales a Deployment or publishes a Service.
fn is_last(kind: ChildKind) -> bool {
    matches!(kind, ChildKind::HorizontalPodAutoscaler | ChildKind::ScaledObject | ChildKind::Ingress)
}

/// The child that keeps this one from being applied: it is named, and `in_doubt`, since it may be somebody else's. His
/// Deployment would be scaled, his Service published, his broker used.
pub(super) fn kept_by(manifest: &Manifest, in_doubt: &BTreeSet<ChildRef>) -> Option<ChildRef> {
    // Most of the time nothing is in doubt, and nobody has to look.
    if in_doubt.is_empty() {
        return None;
    }
    build::mentions(manifest).into_iter().find(|named| in_doubt.contains(named))
}

/// A child that is withheld has the obstacle of the one that it is withheld for.
pub(super) fn pass_on(obstacles: &mut BTreeMap<ChildRef, Failure>, withheld: &BTreeMap<ChildRef, ChildRef>) {
    for child in withheld.keys() {
        let mut cause = child;
        // Each is of an earlier step than the one before.
        while let Some(earlier) = withheld.get(cause) {
            cause = earlier;
        }
        if let Some(failure) = obstacles.get(cause).cloned() {
            obstacles.entry(child.clone()).or_insert(failure);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step_of(kind: ChildKind) -> usize {
        let mut steps = STEPS.iter().enumerate().filter(|(_, step)| step(kind));
        let (first, _) = steps.next().expect("a step");
        assert!(steps.next().is_none(), "{kind:?} is applied twice");
        first
    }

    #[test]
    fn every_kind_is_applied_in_one_step_and_after_what_it_names() {
        use ChildKind::{
            ConfigMap, Deployment, HorizontalPodAutoscaler, Ingress, PersistentVolumeClaim, ScaledObject,
            Secret, Service, TriggerAuthentication,
        };
        for kind in ChildKind::ALL {
            step_of(kind);
        }
        for (before, after) in [
            (Secret, Deployment),
            (ConfigMap, Deployment),
            (PersistentVolumeClaim, Deployment),
            (Secret, TriggerAuthentication),
            (TriggerAuthentication, ScaledObject),
            (Deployment, ScaledObject),
            (Deployment, HorizontalPodAutoscaler),
            (Service, Ingress),
        ] {
            assert!(step_of(before) < step_of(after), "{before:?} before {after:?}");
        }
    }

    fn child(kind: ChildKind, name: &str) -> ChildRef {
        (kind, name.to_owned())
    }

    #[test]
    fn only_what_names_a_child_in_doubt_is_withheld() {
        let body = json!({"spec": {"scaleTargetRef": {"name": "shop-worker"}}});
        let scaler = Manifest {
            kind: ChildKind::HorizontalPodAutoscaler,
            name: "shop-worker".to_owned(),
            body,
            hash: String::new(),
        };
        let deployment = |name: &str| child(ChildKind::Deployment, name);
        let kept_by = |in_doubt: &[ChildRef]| super::kept_by(&scaler, &in_doubt.iter().cloned().collect());
        assert_eq!(kept_by(&[]), None);
        assert_eq!(kept_by(&[deployment("shop-beat"), child(ChildKind::Secret, "shop-worker")]), None);
        assert_eq!(kept_by(&[deployment("shop-worker")]), Some(deployment("shop-worker")));
    }

    #[test]
    fn an_obstacle_is_that_of_the_first_cause() {
        let failure = |reason| Failure { reason, message: String::new(), stalled: true };
        let [secret, proof, scaler, worker] = [
            ChildKind::Secret,
            ChildKind::TriggerAuthentication,
            ChildKind::ScaledObject,
            ChildKind::Deployment,
        ]
        .map(|kind| child(kind, "shop"));
        let mut obstacles = BTreeMap::from([(secret.clone(), failure("NameTaken"))]);
        let withheld = BTreeMap::from([(proof.clone(), secret), (scaler.clone(), proof.clone())]);
        pass_on(&mut obstacles, &withheld);
        assert_eq!((obstacles[&proof].reason, obstacles[&scaler].reason), ("NameTaken", "NameTaken"));
        assert!(!obstacles.contains_key(&worker));
    }
}
