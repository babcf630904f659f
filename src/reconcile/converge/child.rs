// SPDX-License-Identifier: Apache-2.0
//! One child in step with its manifest: created where it is not there, and written where it differs.

use std::borrow::Cow;
use std::sync::Arc;

use kube::core::DynamicObject;
use tracing::info;

use super::super::deeds::Done;
use super::super::scalers;
use super::Run;
use crate::build::{self, ChildKind, Manifest, Stamp, Stamped};
use crate::cluster::{self, Verb};

impl Run<'_> {
    /// Brings one child in step, or leaves it where it is.
    pub(super) async fn apply_one(&self, manifest: &Manifest) -> Result<Done, cluster::Error> {
        let Self { context, owner, .. } = self;
        if context.index.is_forbidden(manifest.kind) {
            return Err(cluster::Error::not_permitted(manifest));
        }
        let done = match context.index.get(&self.key(manifest)) {
            Some(seen) => self.bring_in_step(manifest, seen).await?,
            None => self.create(manifest).await?,
        };
        if done.verb != Verb::Left {
            let (kind, name, verb) = (manifest.kind.as_str(), &manifest.name, done.verb.as_str());
            info!(kind, namespace = owner.namespace, name, verb, "applied");
            context.metrics.applied(kind, verb);
            context.index.put(manifest.kind, &done.live);
        }
        Ok(done)
    }

    async fn bring_in_step(
        &self,
        manifest: &Manifest,
        live: Arc<DynamicObject>,
    ) -> Result<Done, cluster::Error> {
        let Stamped { manifest, changed } = self.stamped(manifest, Some(&live));
        let client = &self.context.client;
        let (live, verb) = cluster::apply(client, self.owner, &manifest, live, self.asked.adopt).await?;
        Ok(Done { live, verb, changed })
    }

    /// Creates what no watch has shown. Something of that name may be there all the same: our own of a moment ago, or
    /// somebody else's, who is not run into time and again.
    async fn create(&self, manifest: &Manifest) -> Result<Done, cluster::Error> {
        let Self { context, owner, .. } = self;
        if !context.has_failed(&owner.uid)
            && let Some(done) = self.try_create(manifest).await?
        {
            return Ok(done);
        }
        if let Some(live) = cluster::find(&context.client, owner, manifest).await? {
            return self.bring_in_step(manifest, live).await;
        }
        let (kind, name) = (manifest.kind.as_str(), &manifest.name);
        // Should somebody be faster, the next attempt sees whose it is.
        let leaving = || cluster::Error::Leaving { kind, name: name.clone() };
        self.try_create(manifest).await?.ok_or_else(leaving)
    }

    /// `None` when something of that name is there.
    async fn try_create(&self, manifest: &Manifest) -> Result<Option<Done>, cluster::Error> {
        let stamped = self.stamped(manifest, None);
        let created = cluster::create(&self.context.client, self.owner, &stamped.manifest).await?;
        Ok(created.map(|live| Done { live, verb: Verb::Created, changed: Vec::new() }))
    }

    /// A manifest with what the cluster adds to it.
    pub(super) fn stamped<'m>(&self, manifest: &'m Manifest, live: Option<&DynamicObject>) -> Stamped<'m> {
        let (references, looks) = self.followed.of(manifest);
        // What somebody else's Deployment carries says nothing about ours.
        let own = live.filter(|live| cluster::is_own(self.owner, manifest, live));
        let restart = self.asked.restart.as_deref();
        let Stamped { manifest, changed } =
            build::stamped(manifest, own.map(Stamp::of), &references, &looks, restart);
        Stamped { manifest: self.counted(manifest, live), changed }
    }

    /// A Deployment that is there already with the number of pods that is to be written.
    fn counted<'m>(&self, manifest: Cow<'m, Manifest>, live: Option<&DynamicObject>) -> Cow<'m, Manifest> {
        let count = self.resolved.count(&manifest.name).filter(|_| manifest.kind == ChildKind::Deployment);
        let now = live.and_then(|live| live.data.pointer("/spec/replicas")?.as_i64());
        let (Some(count), Some(now)) = (count, now) else { return manifest };
        let scaling = scalers::scaling(self.context, &self.owner.namespace, &manifest.name, self.wanted);
        build::counted(manifest, count.next(scaling, i32::try_from(now).unwrap_or(i32::MAX)))
    }
}
