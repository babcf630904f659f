// SPDX-License-Identifier: Apache-2.0
//! Deleting what is no longer wanted, each kind when nobody needs it any more.
//!
//! An autoscaler goes before its successor comes. What pods and KEDA read goes last: until the pods of an older spec are
//! gone, a container of theirs that starts again would find no Secret, and a worker with tasks in hand would be lost.

use kube::ResourceExt as _;
use tracing::info;

use super::super::deeds::told;
use super::{Made, Run, child_ref};
use crate::build::{Applied, ChildKey, ChildKind, Children};
use crate::cluster;
use crate::index::Owned;

/// When a kind is pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// Before anything is applied.
    First,
    /// When nothing that is applied names it any more.
    Unnamed,
    /// When no pod reads it any more.
    Unread,
}

impl Moment {
    fn of(kind: ChildKind) -> Self {
        match kind {
            ChildKind::Secret | ChildKind::ConfigMap => Self::Unread,
            ChildKind::TriggerAuthentication => Self::Unnamed,
            ChildKind::Deployment
            | ChildKind::Service
            | ChildKind::HorizontalPodAutoscaler
            | ChildKind::ScaledObject
            | ChildKind::PodDisruptionBudget
            | ChildKind::Ingress
            | ChildKind::PersistentVolumeClaim
            | ChildKind::ServiceMonitor => Self::First,
        }
    }
}

impl Run<'_> {
    /// What this Celery owns and no longer wants.
    pub(super) fn unwanted(&self, wanted: &Children) -> Vec<Owned> {
        let stays = |(kind, _, name): &ChildKey| {
            wanted.manifests.iter().any(|manifest| manifest.kind == *kind && manifest.name == *name)
                || wanted.kept.iter().any(|(kept, kept_name)| kept == kind && kept_name == name)
        };
        let mut owned = self.context.index.owned(&self.owner.uid);
        owned.retain(|child| !child.leaves && !stays(&child.key));
        owned
    }

    /// Deletes what must not be there while anything is applied.
    pub(super) async fn prune_first(&self, wanted: &Children, made: &mut Made) {
        self.prune(wanted, Moment::First, made).await;
    }

    /// Deletes what is read, as far as nobody reads it any more. As long as anything is not as it should be, it may be as
    /// it was. The end of a rollout is an event of its own.
    pub(super) async fn prune_rest(&self, wanted: &Children, children: &[Applied], made: &mut Made) {
        if !made.is_whole() {
            return;
        }
        self.prune(wanted, Moment::Unnamed, made).await;
        if made.is_whole() && children.iter().all(Applied::is_replaced) {
            self.prune(wanted, Moment::Unread, made).await;
        }
    }

    async fn prune(&self, wanted: &Children, moment: Moment, made: &mut Made) {
        let due = self.unwanted(wanted).into_iter().filter(|child| Moment::of(child.key.0) == moment);
        for Owned { key, uid, .. } in due {
            self.delete(&key, &uid, made).await;
        }
    }

    /// Deletes our own autoscalers of what has become somebody else's: they would go on changing it.
    pub(super) async fn prune_strays(&self, wanted: &Children, children: &mut Vec<Applied>, made: &mut Made) {
        let scale = [ChildKind::HorizontalPodAutoscaler, ChildKind::ScaledObject];
        for manifest in wanted.manifests.iter().filter(|manifest| scale.contains(&manifest.kind)) {
            let target = made.withheld.get(&child_ref(manifest));
            let is_stray = target.is_some_and(|target| made.failures.name_is_taken(target));
            if let Some(stray) = self.own(manifest).filter(|_| is_stray) {
                self.delete(&self.key(manifest), &stray.uid().unwrap_or_default(), made).await;
                children.retain(|child| (child.kind, &child.name) != (manifest.kind, &manifest.name));
            }
        }
    }

    /// Deletes a child, and notes how that went.
    async fn delete(&self, key: &ChildKey, uid: &str, made: &mut Made) {
        let Self { context, owner, .. } = self;
        let (kind, _, name) = key;
        match cluster::delete(&context.client, key, uid).await {
            Ok(going) => {
                info!(kind = kind.as_str(), namespace = owner.namespace, name, "deleted");
                context.metrics.applied(kind.as_str(), "deleted");
                made.deeds.deleted.push(told(*kind, name));
                match going {
                    Some(going) => context.index.put(*kind, &going),
                    None => context.index.remove(key, uid),
                }
            }
            Err(error) => made.failures.of_child(*kind, name, error),
        }
    }
}
