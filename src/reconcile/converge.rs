// SPDX-License-Identifier: Apache-2.0
//! Bringing the children of one Celery in line with its spec.

use std::sync::Arc;

use kube::ResourceExt as _;
use kube::core::DynamicObject;
use tracing::info;

use super::Context;
use crate::api::Celery;
use crate::build::{self, Applied, Capabilities, ChildKind, Manifest};
use crate::cluster;
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
    let capabilities = Capabilities {
        keda: context.index.knows(ChildKind::ScaledObject),
        monitors: context.index.knows(ChildKind::ServiceMonitor),
    };
    let wanted = build::children(&resolved, capabilities);
    let mut failure = prune(context, &resolved.owner, &wanted).await;
    let mut children = Vec::new();
    // The Deployments that would mount somebody else's claim; they are called like it.
    let mut unsafe_to_start = Vec::new();
    for manifest in &wanted.manifests {
        let is_unsafe = manifest.kind == ChildKind::Deployment && unsafe_to_start.contains(&&manifest.name);
        if is_unsafe || waits(context, &resolved.owner, manifest) {
            continue;
        }
        let key = (manifest.kind, namespace.clone(), manifest.name.clone());
        let live = context.index.get(&key);
        let seen = live.clone();
        match cluster::apply(&context.client, &resolved.owner, manifest, live).await {
            Ok(live) => {
                let changed = seen.is_none_or(|seen| !Arc::ptr_eq(&seen, &live));
                if changed {
                    info!(kind = manifest.kind.as_str(), %namespace, name = manifest.name, "applied");
                    context.index.put(manifest.kind, DynamicObject::clone(&live));
                }
                children.push(Applied { kind: manifest.kind, name: manifest.name.clone(), live });
            }
            Err(error) => {
                let is_claim = manifest.kind == ChildKind::PersistentVolumeClaim;
                if is_claim && matches!(error, cluster::Error::NameTaken { .. }) {
                    unsafe_to_start.push(&manifest.name);
                }
                failure = failure.or(Some(error));
            }
        }
    }
    Ok((Outcome { resolved, children, capabilities }, failure))
}

/// Deletes what this Celery owns and no longer wants; returns the first error.
async fn prune(context: &Context, owner: &Owner, wanted: &build::Children) -> Option<cluster::Error> {
    let mut failure = None;
    for (key, live) in context.index.owned(&owner.uid) {
        let (kind, _, name) = &key;
        let stays = wanted.manifests.iter().any(|manifest| manifest.kind == *kind && manifest.name == *name)
            || wanted.kept.iter().any(|(kept, kept_name)| kept == kind && kept_name == name)
            || live.metadata.deletion_timestamp.is_some();
        if stays {
            continue;
        }
        let uid = live.metadata.uid.as_deref().unwrap_or_default();
        match cluster::delete(&context.client, &key, uid).await {
            Ok(going) => {
                info!(kind = kind.as_str(), namespace = owner.namespace, name, "deleted");
                match going {
                    Some(going) => drop(context.index.put(*kind, going)),
                    None => context.index.remove(&key, uid),
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
    present.iter().any(|((kind, _, name), _)| *kind == predecessor && *name == manifest.name)
}
