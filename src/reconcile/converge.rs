// SPDX-License-Identifier: Apache-2.0
//! Bringing the children of one Celery in line with its spec.

use std::sync::Arc;

use futures::future::join_all;
use kube::ResourceExt as _;
use tracing::info;

use super::Context;
use crate::api::Celery;
use crate::build::{self, Applied, Capabilities, ChildKind, Manifest};
use crate::cluster::{self, Expectation};
use crate::resolve::{self, Owner, Resolved};

/// What converging came to.
pub(super) struct Outcome {
    pub(super) resolved: Resolved,
    pub(super) children: Vec<Applied>,
    pub(super) capabilities: Capabilities,
}

/// Brings the children in line: what must not be there goes first, so that an autoscaler never meets its successor.
/// A child that fails does not keep the others waiting; the first error is returned beside them.
///
/// # Errors
/// When a Secret cannot be read: nothing can be decided then, and the children stay as they are.
pub(super) async fn converge(
    context: &Context,
    celery: &Celery,
) -> Result<(Outcome, Option<cluster::Error>), cluster::Error> {
    let namespace = celery.namespace().unwrap_or_default();
    let sources = cluster::read_secrets(&context.client, &namespace, resolve::secrets(&celery.spec)).await?;
    let resolved = resolve::resolved(celery, &sources);
    let capabilities = Capabilities { keda: context.index.knows(ChildKind::ScaledObject) };
    let wanted = build::children(&resolved, capabilities);
    let mut failure = prune(context, &resolved.owner, &wanted).await;
    let mut outcomes: Vec<_> = wanted.manifests.iter().map(|_| None).collect();
    for step in STEPS {
        let members = wanted.manifests.iter().enumerate().filter(|(_, manifest)| step(manifest.kind));
        let applies = members
            .filter(|(_, manifest)| !waits(context, &resolved.owner, manifest))
            .map(async |(index, manifest)| (index, apply(context, &resolved.owner, manifest).await));
        for (index, outcome) in join_all(applies).await {
            outcomes[index] = Some(outcome);
        }
    }
    let mut children = Vec::new();
    // In the order of the manifests, whoever was first: a status is the same for the same children.
    for outcome in outcomes.into_iter().flatten() {
        match outcome {
            Ok(applied) => children.push(applied),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Ok((Outcome { resolved, children, capabilities }, failure))
}

/// What is applied at the same time; a step begins when the one before it has ended. What others read comes first, and
/// what scales something after it.
const STEPS: [fn(ChildKind) -> bool; 3] =
    [is_read_by_others, |kind| !is_read_by_others(kind) && !is_scaler(kind), is_scaler];

fn is_read_by_others(kind: ChildKind) -> bool {
    matches!(kind, ChildKind::Secret | ChildKind::TriggerAuthentication)
}

fn is_scaler(kind: ChildKind) -> bool {
    matches!(kind, ChildKind::HorizontalPodAutoscaler | ChildKind::ScaledObject)
}

/// Applies one child and notes what it is then.
async fn apply(context: &Context, owner: &Owner, manifest: &Manifest) -> Result<Applied, cluster::Error> {
    let key = (manifest.kind, owner.namespace.clone(), manifest.name.clone());
    let seen = context.index.get(&key);
    // Whoever is in the way is not run into time and again.
    let expectation = if context.has_failed(&owner.uid) { Expectation::Doubtful } else { Expectation::Free };
    let live = cluster::apply(&context.client, owner, manifest, seen.clone(), expectation).await?;
    if seen.is_none_or(|seen| !Arc::ptr_eq(&seen, &live)) {
        info!(kind = manifest.kind.as_str(), namespace = owner.namespace, name = manifest.name, "applied");
        context.index.put(manifest.kind, &live);
    }
    Ok(Applied { kind: manifest.kind, name: manifest.name.clone(), live })
}

/// Deletes what this Celery owns and no longer wants; returns the first error.
async fn prune(context: &Context, owner: &Owner, wanted: &build::Children) -> Option<cluster::Error> {
    let mut failure = None;
    for child in context.index.owned(&owner.uid) {
        let (kind, _, name) = &child.key;
        let stays = wanted.manifests.iter().any(|manifest| manifest.kind == *kind && manifest.name == *name)
            || wanted.kept.iter().any(|(kept, kept_name)| kept == kind && kept_name == name)
            || child.leaves;
        if stays {
            continue;
        }
        match cluster::delete(&context.client, &child.key, &child.uid).await {
            Ok(going) => {
                info!(kind = kind.as_str(), namespace = owner.namespace, name, "deleted");
                match going {
                    Some(going) => context.index.put(*kind, &going),
                    None => context.index.remove(&child.key, &child.uid),
                }
            }
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure
}

/// Whether an autoscaler has to wait for its predecessor, which KEDA's finalizer may hold for a while: two of them
/// would undo each other's work. The end of the predecessor is an event of its own.
fn waits(context: &Context, owner: &Owner, manifest: &Manifest) -> bool {
    let predecessor = match manifest.kind {
        ChildKind::HorizontalPodAutoscaler => ChildKind::ScaledObject,
        ChildKind::ScaledObject => ChildKind::HorizontalPodAutoscaler,
        _ => return false,
    };
    let present = context.index.owned(&owner.uid);
    present.iter().any(|child| child.key.0 == predecessor && child.key.2 == manifest.name)
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
        let secret = step_of(ChildKind::Secret);
        let deployment = step_of(ChildKind::Deployment);
        assert!(secret < deployment);
        for scaler in [ChildKind::HorizontalPodAutoscaler, ChildKind::ScaledObject] {
            assert!(step_of(scaler) > deployment);
            assert!(step_of(scaler) > step_of(ChildKind::TriggerAuthentication));
        }
    }
}
