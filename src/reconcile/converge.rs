// SPDX-License-Identifier: Apache-2.0
//! Bringing the children of one Celery in line with its spec.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use kube::core::DynamicObject;
use tracing::info;

use super::Context;
use super::roll::Followed;
use crate::annotations::Asked;
use crate::api::Celery;
use crate::build::{self, Applied, Capabilities, ChildKey, ChildKind, Children, Manifest, Stamp};
use crate::cluster::{self, Verb};
use crate::index::Troubles;
use crate::resolve::{self, Owner, Resolved};
use crate::status::{News, Paused, of_children};

/// What converging came to.
pub(super) struct Outcome {
    pub(super) resolved: Resolved,
    pub(super) children: Vec<Applied>,
    pub(super) capabilities: Capabilities,
    /// What a pause leaves undone.
    pub(super) paused: Option<Paused>,
    /// What the pods suffer from.
    pub(super) troubles: Troubles,
    /// Whether Secrets or ConfigMaps have to be looked at again before long.
    pub(super) follows_configs: bool,
}

/// What was done, each as `Deployment shop-worker`.
#[derive(Default)]
struct Deeds {
    created: Vec<String>,
    adopted: Vec<String>,
    deleted: Vec<String>,
    rolled: Vec<String>,
}

impl Deeds {
    fn news(&self) -> Vec<News> {
        of_children(&self.created, &self.adopted, &self.deleted, &self.rolled)
    }
}

/// Everything that one run needs.
struct Run<'a> {
    context: &'a Context,
    owner: &'a Owner,
    asked: &'a Asked,
    followed: Followed<'a>,
}

/// Brings the children in line: what must not be there goes first, so that an autoscaler never meets its successor.
/// A child that fails does not keep the others waiting; the first error is returned beside them. While it is paused
/// nothing is written, and what would have been is named.
///
/// # Errors
/// When a Secret cannot be read: nothing can be decided then, and the children stay as they are.
pub(super) async fn converge(
    context: &Context,
    celery: &Celery,
    asked: &Asked,
) -> Result<(Outcome, Option<cluster::Error>), cluster::Error> {
    let namespace = celery.namespace().unwrap_or_default();
    let sources = cluster::read_secrets(&context.client, &namespace, resolve::secrets(&celery.spec)).await?;
    let resolved = resolve::resolved(celery, &sources);
    let capabilities = Capabilities {
        keda: context.index.knows(ChildKind::ScaledObject),
        monitors: context.index.knows(ChildKind::ServiceMonitor),
    };
    let wanted = build::children(&resolved, capabilities);
    let followed = Followed::read(context, &namespace, &wanted.manifests, asked.roll).await;
    let run = Run { context, owner: &resolved.owner, asked, followed };
    let (children, paused, failure) = if asked.paused {
        let (children, behind) = run.undone(&wanted);
        let paused = if behind.is_empty() { Paused::InStep } else { Paused::Behind(behind) };
        (children, Some(paused), None)
    } else {
        let mut deeds = Deeds::default();
        let mut failure = run.prune(&wanted, &mut deeds).await;
        let children = run.apply(&wanted, &mut deeds, &mut failure).await;
        for news in deeds.news() {
            context.tell(&resolved.owner, news);
        }
        (children, None, failure)
    };
    let follows_configs = run.followed.is_any();
    let pods = (namespace.clone(), resolved.owner.name.clone());
    let troubles = context.pods.troubles(&pods, Timestamp::now().as_second());
    Ok((Outcome { resolved, children, capabilities, paused, troubles, follows_configs }, failure))
}

impl Run<'_> {
    /// Applies what is wanted, as far as that changes anything.
    async fn apply(
        &self,
        wanted: &Children,
        deeds: &mut Deeds,
        failure: &mut Option<cluster::Error>,
    ) -> Vec<Applied> {
        let mut children = Vec::new();
        // The Deployments that would mount somebody else's claim; they are called like it.
        let mut unsafe_to_start = Vec::new();
        for manifest in &wanted.manifests {
            let is_unsafe =
                manifest.kind == ChildKind::Deployment && unsafe_to_start.contains(&&manifest.name);
            if is_unsafe || self.waits(manifest) {
                continue;
            }
            match self.apply_one(manifest, deeds).await {
                Ok(live) => children.push(Applied { kind: manifest.kind, name: manifest.name.clone(), live }),
                Err(error) => {
                    let is_claim = manifest.kind == ChildKind::PersistentVolumeClaim;
                    if is_claim && matches!(error, cluster::Error::NameTaken { .. }) {
                        unsafe_to_start.push(&manifest.name);
                    }
                    // What only waits for somebody must not hide what is worth another try.
                    let first = failure.take().filter(|first| !first.is_settled() || error.is_settled());
                    *failure = first.or(Some(error));
                }
            }
        }
        children
    }

    async fn apply_one(
        &self,
        manifest: &Manifest,
        deeds: &mut Deeds,
    ) -> Result<Arc<DynamicObject>, cluster::Error> {
        let Self { context, owner, .. } = self;
        let live = match context.index.get(&self.key(manifest)) {
            Some(live) => Some(live),
            None => cluster::find(&context.client, owner, manifest).await?,
        };
        let stamped = self.stamped(manifest, live.as_deref());
        let manifest = &stamped.manifest;
        let (live, verb) = cluster::apply(&context.client, owner, manifest, live, self.asked.adopt).await?;
        let (kind, name) = (manifest.kind.as_str(), &manifest.name);
        match verb {
            Verb::Left => return Ok(live),
            Verb::Created => deeds.created.push(told(manifest.kind, name)),
            Verb::Adopted => deeds.adopted.push(told(manifest.kind, name)),
            Verb::Changed if !stamped.changed.is_empty() => {
                deeds.rolled.push(format!("{kind} {name} ({})", stamped.changed.join(", ")));
            }
            Verb::Changed => {}
        }
        info!(kind, namespace = owner.namespace, name, verb = verb.as_str(), "applied");
        context.metrics.applied(kind, verb.as_str());
        context.index.put(manifest.kind, DynamicObject::clone(&live));
        Ok(live)
    }

    /// A manifest with what the cluster adds to it.
    fn stamped(&self, manifest: &Manifest, live: Option<&DynamicObject>) -> build::Stamped {
        let (references, looks) = self.followed.of(manifest);
        // What somebody else's Deployment carries says nothing about ours.
        let own = live.filter(|live| cluster::is_own(self.owner, manifest, live));
        let restart = self.asked.restart.as_deref();
        build::stamped(manifest.clone(), own.map(Stamp::of), &references, &looks, restart)
    }

    /// The children as they are, and those that applying or pruning would touch.
    fn undone(&self, wanted: &Children) -> (Vec<Applied>, Vec<String>) {
        let (mut children, mut behind) = (Vec::new(), Vec::new());
        for manifest in &wanted.manifests {
            let live = self.context.index.get(&self.key(manifest));
            let live = live.filter(|live| cluster::is_own(self.owner, manifest, live));
            let stamped = self.stamped(manifest, live.as_deref());
            let is_done = |live: &DynamicObject| cluster::is_in_step(self.owner, &stamped.manifest, live);
            if !live.as_deref().is_some_and(is_done) {
                behind.push(told(manifest.kind, &manifest.name));
            }
            children.extend(live.map(|live| Applied {
                kind: manifest.kind,
                name: manifest.name.clone(),
                live,
            }));
        }
        behind.extend(self.unwanted(wanted).into_iter().map(|((kind, _, name), _)| told(kind, &name)));
        (children, behind)
    }

    /// What this Celery owns and no longer wants.
    fn unwanted(&self, wanted: &Children) -> Vec<(ChildKey, Arc<DynamicObject>)> {
        let stays = |(kind, _, name): &ChildKey| {
            wanted.manifests.iter().any(|manifest| manifest.kind == *kind && manifest.name == *name)
                || wanted.kept.iter().any(|(kept, kept_name)| kept == kind && kept_name == name)
        };
        let mut owned = self.context.index.owned(&self.owner.uid);
        owned.retain(|(key, live)| !stays(key) && live.metadata.deletion_timestamp.is_none());
        owned
    }

    /// Deletes what is not wanted; returns the first error.
    async fn prune(&self, wanted: &Children, deeds: &mut Deeds) -> Option<cluster::Error> {
        let Self { context, owner, .. } = self;
        let mut failure = None;
        for (key, live) in self.unwanted(wanted) {
            let (kind, _, name) = &key;
            let uid = live.metadata.uid.as_deref().unwrap_or_default();
            match cluster::delete(&context.client, &key, uid).await {
                Ok(going) => {
                    info!(kind = kind.as_str(), namespace = owner.namespace, name, "deleted");
                    context.metrics.applied(kind.as_str(), "deleted");
                    deeds.deleted.push(told(*kind, name));
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
    fn waits(&self, manifest: &Manifest) -> bool {
        let predecessor = match manifest.kind {
            ChildKind::HorizontalPodAutoscaler => ChildKind::ScaledObject,
            ChildKind::ScaledObject => ChildKind::HorizontalPodAutoscaler,
            _ => return false,
        };
        let present = self.context.index.owned(&self.owner.uid);
        present.iter().any(|((kind, _, name), _)| *kind == predecessor && *name == manifest.name)
    }

    fn key(&self, manifest: &Manifest) -> ChildKey {
        (manifest.kind, self.owner.namespace.clone(), manifest.name.clone())
    }
}

fn told(kind: ChildKind, name: &str) -> String {
    format!("{} {name}", kind.as_str())
}
