// SPDX-License-Identifier: Apache-2.0
//! Bringing the children of one Celery in line with its spec.

mod child;
mod prune;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use kube::core::DynamicObject;

use super::deeds::{Deeds, Done, told};
use super::failures::Failures;
use super::predecessor::Awaited;
use super::roll::Followed;
use super::steps::{STEPS, kept_by, pass_on};
use super::{Context, predecessor, scalers};
use crate::annotations::Asked;
use crate::api::{Celery, CelerySpec};
use crate::build::{self, Applied, Capabilities, ChildKey, ChildKind, Children, Manifest};
use crate::cluster;
use crate::index::{Owned, Sight, Troubles};
use crate::labels::{COMPONENT, Component};
use crate::resolve::{self, Owner, Resolved};
use crate::status::{ChildRef, Failure, Paused, Scalers};

/// What converging came to.
pub(super) struct Outcome {
    pub(super) resolved: Resolved,
    pub(super) children: Vec<Applied>,
    pub(super) capabilities: Capabilities,
    /// What a pause leaves undone.
    pub(super) paused: Option<Paused>,
    /// Autoscalers beside the children.
    pub(super) scalers: Scalers,
    /// What the pods suffer from.
    pub(super) troubles: Troubles,
    /// Whether Secrets or ConfigMaps have to be looked at again before long.
    pub(super) follows_configs: bool,
    /// What keeps children from being as they should.
    pub(super) obstacles: BTreeMap<ChildRef, Failure>,
    /// What went wrong.
    pub(super) failures: Failures,
    /// After how long to look again at what is waited for.
    pub(super) again: Option<Duration>,
}

/// Everything that one run needs.
struct Run<'a> {
    context: &'a Context,
    owner: &'a Owner,
    asked: &'a Asked,
    resolved: &'a Resolved,
    wanted: &'a Children,
    followed: Followed<'a>,
}

/// Brings the children in line: what must not be there goes first, so that an autoscaler never meets its successor, and
/// what is read goes when nobody reads it any more.
/// A child that fails does not keep the others waiting, save those that name it where it may be somebody else's. While it
/// is paused nothing is written, and what would have been is named.
///
/// # Errors
/// When a Secret cannot be read: nothing can be decided then, and the children stay as they are.
pub(super) async fn converge(
    context: &Context,
    celery: &Celery,
    asked: &Asked,
) -> Result<Outcome, cluster::Error> {
    let namespace = celery.namespace().unwrap_or_default();
    let sources = cluster::read_secrets(&context.client, &namespace, resolve::secrets(&celery.spec)).await?;
    let resolved = resolve::resolved(celery, &sources);
    // What the operator may not look at is asked for all the same, so that somebody hears of it.
    let may_be_there = |kind| context.index.knows(kind) || context.index.is_forbidden(kind);
    let capabilities = Capabilities {
        keda: may_be_there(ChildKind::ScaledObject),
        monitors: may_be_there(ChildKind::ServiceMonitor),
    };
    let wanted = build::children(&resolved, capabilities);
    let followed = Followed::read(context, &namespace, &wanted.manifests, asked.roll).await;
    let run = Run { context, owner: &resolved.owner, asked, resolved: &resolved, wanted: &wanted, followed };
    let (children, paused, made) = if asked.paused {
        let (children, behind) = run.undone(&wanted);
        let paused = if behind.is_empty() { Paused::InStep } else { Paused::Behind(behind) };
        (children, Some(paused), Made::default())
    } else {
        let mut made = Made::default();
        run.prune_first(&wanted, &mut made).await;
        let mut children = run.apply(&wanted, &mut made).await;
        run.prune_strays(&wanted, &mut children, &mut made).await;
        run.prune_rest(&wanted, &children, &mut made).await;
        for news in made.deeds.news() {
            context.tell(&resolved.owner, news);
        }
        (children, None, made)
    };
    let mut obstacles = made.failures.obstacles();
    obstacles.extend(made.awaited.iter().map(|(child, awaited)| (child.clone(), awaited.failure.clone())));
    pass_on(&mut obstacles, &made.withheld);
    let again = made.awaited.values().filter_map(|awaited| awaited.again).min();
    let follows_configs = run.followed.is_any() || is_made_of_secrets(&wanted, &celery.spec);
    let pods = (namespace.clone(), resolved.owner.name.clone());
    let troubles = context.pods.troubles(&pods, Timestamp::now().as_second());
    let scalers = scalers::seen(context, &resolved.owner, &children);
    let failures = made.failures;
    Ok(Outcome {
        resolved,
        children,
        capabilities,
        paused,
        scalers,
        troubles,
        follows_configs,
        obstacles,
        failures,
        again,
    })
}

/// Whether something is made of what Secrets hold, which follows them whether or not pods are replaced for it.
fn is_made_of_secrets(wanted: &Children, spec: &CelerySpec) -> bool {
    let mut kinds = wanted.manifests.iter().map(|manifest| manifest.kind);
    let copies = [ChildKind::Secret, ChildKind::ScaledObject, ChildKind::TriggerAuthentication];
    kinds.any(|kind| copies.contains(&kind)) && !resolve::secrets(spec).is_empty()
}

/// What came of applying and pruning.
#[derive(Default)]
struct Made {
    deeds: Deeds,
    failures: Failures,
    /// Children that are not made yet.
    awaited: BTreeMap<ChildRef, Awaited>,
    /// Children that are left as they are, each with the one that it names and that may be somebody else's.
    withheld: BTreeMap<ChildRef, ChildRef>,
}

impl Made {
    /// Whether everything was done that is to be done.
    fn is_whole(&self) -> bool {
        self.failures.is_empty() && self.awaited.is_empty() && self.withheld.is_empty()
    }
}

impl Run<'_> {
    /// Applies what is wanted, as far as that changes anything.
    async fn apply(&self, wanted: &Children, made: &mut Made) -> Vec<Applied> {
        let mut outcomes: Vec<Option<Result<Done, cluster::Error>>> =
            wanted.manifests.iter().map(|_| None).collect();
        let mut in_doubt = BTreeSet::new();
        for step in STEPS {
            let mut due = Vec::new();
            for (index, manifest) in wanted.manifests.iter().enumerate().filter(|(_, it)| step(it.kind)) {
                if let Some(other) = kept_by(manifest, &in_doubt) {
                    in_doubt.insert(child_ref(manifest));
                    made.withheld.insert(child_ref(manifest), other);
                } else if !self.waits(manifest) && !self.awaits(manifest, made) {
                    due.push((index, manifest));
                }
            }
            let applies =
                due.into_iter().map(async |(index, manifest)| (index, self.apply_one(manifest).await));
            for (index, outcome) in join_all(applies.collect::<Vec<_>>()).await {
                let manifest = &wanted.manifests[index];
                let is_in_doubt =
                    |error: &cluster::Error| error.leaves_owner_open() && self.own(manifest).is_none();
                if outcome.as_ref().is_err_and(is_in_doubt) {
                    in_doubt.insert(child_ref(manifest));
                }
                outcomes[index] = Some(outcome);
            }
        }
        // In the order of the manifests, whoever was first: a status is the same for the same children.
        let mut children = Vec::new();
        for (manifest, outcome) in wanted.manifests.iter().zip(outcomes) {
            let live = match outcome {
                // As it was, it is still there.
                None if made.withheld.contains_key(&child_ref(manifest)) => self.own(manifest),
                None => None,
                Some(Ok(done)) => {
                    made.deeds.note(manifest, &done);
                    Some(done.live)
                }
                Some(Err(error)) => {
                    made.failures.of_child(manifest.kind, &manifest.name, error);
                    self.own(manifest)
                }
            };
            children.extend(live.map(|live| Applied {
                kind: manifest.kind,
                name: manifest.name.clone(),
                live,
            }));
        }
        children
    }

    /// The object of a manifest, where it is this Celery's own.
    fn own(&self, manifest: &Manifest) -> Option<Arc<DynamicObject>> {
        let live = self.context.index.get(&self.key(manifest));
        live.filter(|live| cluster::is_own(self.owner, manifest, live))
    }

    /// Whether a Deployment of beat has to wait for the pods of its predecessor. The end of a pod is an event of its own.
    fn awaits(&self, manifest: &Manifest, made: &mut Made) -> bool {
        let is_beat = manifest.body["metadata"]["labels"][COMPONENT] == Component::Beat.as_str();
        if manifest.kind != ChildKind::Deployment || !is_beat {
            return false;
        }
        let Self { context, owner, .. } = self;
        let (name, sight) = (&manifest.name, context.pods.sight());
        // Whoever may not look at pods has nothing to wait for.
        if sight == Sight::Closed || context.index.has(&self.key(manifest)) {
            context.stop_waiting(&owner.uid);
            return false;
        }
        let pods = context.pods.remaining(&owner.namespace, name);
        let awaited = if sight == Sight::Unseen {
            Some(predecessor::unseen(name))
        } else if pods.is_empty() {
            context.stop_waiting(&owner.uid);
            None
        } else {
            let (waited, now) = (context.waited(&owner.uid), Timestamp::now().as_second());
            predecessor::awaited(name, &owner.name, &pods, waited, now)
        };
        let waits = awaited.is_some();
        made.awaited.extend(awaited.map(|awaited| (child_ref(manifest), awaited)));
        waits
    }

    /// The children as they are, and those that applying or pruning would touch.
    fn undone(&self, wanted: &Children) -> (Vec<Applied>, Vec<String>) {
        let (mut children, mut behind) = (Vec::new(), Vec::new());
        for manifest in &wanted.manifests {
            let live = self.own(manifest);
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
        behind.extend(
            self.unwanted(wanted).into_iter().map(|Owned { key: (kind, _, name), .. }| told(kind, &name)),
        );
        (children, behind)
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
        present.iter().any(|child| child.key.0 == predecessor && child.key.2 == manifest.name)
    }

    fn key(&self, manifest: &Manifest) -> ChildKey {
        (manifest.kind, self.owner.namespace.clone(), manifest.name.clone())
    }
}

fn child_ref(manifest: &Manifest) -> ChildRef {
    (manifest.kind, manifest.name.clone())
}

#[cfg(test)]
mod tests;
