// SPDX-License-Identifier: Apache-2.0
//! Bringing the children of one Celery in line with its spec.

use std::sync::Arc;

use kube::ResourceExt as _;
use kube::core::DynamicObject;
use tracing::info;

use super::{Context, Error};
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
/// A child that fails does not keep the others waiting; its error is returned beside them.
pub(super) async fn converge(
    context: &Context,
    celery: &Celery,
) -> Result<(Outcome, Option<cluster::Error>), Error> {
    let namespace = celery.namespace().unwrap_or_default();
    let sources = cluster::read_secrets(&context.client, &namespace, resolve::secrets(&celery.spec)).await?;
    let resolved = resolve::resolved(celery, &sources);
    let capabilities = Capabilities { keda: context.index.knows(ChildKind::ScaledObject) };
    let wanted = build::children(&resolved, capabilities);
    prune(context, &resolved.owner, &wanted).await?;
    let mut children = Vec::new();
    let mut failure = None;
    for manifest in &wanted.manifests {
        if waits(context, &resolved.owner, manifest) {
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
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Ok((Outcome { resolved, children, capabilities }, failure))
}

/// Deletes what this Celery owns and no longer wants.
async fn prune(context: &Context, owner: &Owner, wanted: &build::Children) -> Result<(), Error> {
    for (key, live) in context.index.owned(&owner.uid) {
        let (kind, _, name) = &key;
        let stays = wanted.manifests.iter().any(|manifest| manifest.kind == *kind && manifest.name == *name)
            || wanted.kept.iter().any(|(kept, kept_name)| kept == kind && kept_name == name)
            || live.metadata.deletion_timestamp.is_some();
        if stays {
            continue;
        }
        let uid = live.metadata.uid.as_deref().unwrap_or_default();
        info!(kind = kind.as_str(), namespace = owner.namespace, name, "deleted");
        match cluster::delete(&context.client, &key, uid).await? {
            Some(going) => drop(context.index.put(*kind, going)),
            None => context.index.remove(&key),
        }
    }
    Ok(())
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
