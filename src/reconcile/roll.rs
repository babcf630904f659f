// SPDX-License-Identifier: Apache-2.0
//! Whether what pods read at their start has changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use futures::{StreamExt as _, stream};
use tracing::debug;

use super::Context;
use crate::build::{self, ChildKind, ConfigKind, ConfigRef, Look, Manifest, Reading};
use crate::cluster::{self, Fields};
use crate::index::{Config, Read};

/// How many objects are read at the same time.
const AT_ONCE: usize = 8;

/// What the pods of Deployments read at their start.
pub(super) struct Followed<'a> {
    context: &'a Context,
    namespace: &'a str,
    /// By the name of the Deployment.
    references: BTreeMap<&'a str, BTreeMap<ConfigRef, Reading>>,
    /// Secrets that are made here.
    own: BTreeSet<&'a str>,
}

impl<'a> Followed<'a> {
    /// Reads what is not known well enough.
    pub(super) async fn read(
        context: &'a Context,
        namespace: &'a str,
        manifests: &'a [Manifest],
        roll: bool,
    ) -> Self {
        let references = manifests.iter().map(|manifest| (manifest.name.as_str(), manifest));
        let references = references.filter(|(_, manifest)| roll && manifest.kind == ChildKind::Deployment);
        let own = manifests.iter().filter(|manifest| manifest.kind == ChildKind::Secret);
        let followed = Self {
            context,
            namespace,
            references: references.map(|(name, manifest)| (name, build::references(manifest))).collect(),
            own: own.map(|manifest| manifest.name.as_str()).collect(),
        };
        let wanted: BTreeSet<&ConfigRef> = followed.references.values().flat_map(BTreeMap::keys).collect();
        let begin = Instant::now();
        // As they are before anything is written to them: a process that has just begun could not tell otherwise that a
        // write has changed nothing that is read.
        for reference in &wanted {
            followed.note_own(reference, begin);
        }
        let stale = wanted.into_iter().filter(|reference| {
            !followed.is_own(reference) && !context.configs.is_fresh(namespace, reference, begin)
        });
        let reads = stream::iter(stale.cloned().collect::<Vec<_>>()).map(|reference| async move {
            let read = match cluster::read_config(&context.client, namespace, &reference).await {
                Ok(Some(fields)) => found(fields),
                Ok(None) => Read::Absent,
                // What was known stays: nothing to stop for.
                Err(error) => {
                    let (kind, name) = (reference.0.as_str(), &reference.1);
                    debug!(kind, namespace, name, reason = error.reason(), "cannot be read");
                    Read::Failed
                }
            };
            context.configs.note(namespace, &reference, read, Instant::now());
        });
        reads.buffer_unordered(AT_ONCE).collect::<()>().await;
        followed
    }

    /// Whether anything has to be looked at again before long.
    pub(super) fn is_any(&self) -> bool {
        self.references.values().any(|references| !references.is_empty())
    }

    /// What the pods of a Deployment read, and what is known of it. Its own Secrets have to be applied before.
    pub(super) fn of(
        &self,
        manifest: &Manifest,
    ) -> (BTreeMap<ConfigRef, Reading>, BTreeMap<ConfigRef, Look>) {
        let references = self.references.get(manifest.name.as_str());
        // An autoscaler or a claim is called like its Deployment.
        let references = references.filter(|_| manifest.kind == ChildKind::Deployment);
        let references = references.cloned().unwrap_or_default();
        let now = Instant::now();
        let look = |(reference, reading): (&ConfigRef, &Reading)| {
            self.note_own(reference, now);
            (reference.clone(), self.context.configs.look(self.namespace, reference, reading, now))
        };
        let looks = references.iter().map(look).collect();
        (references, looks)
    }

    /// Notes what a Secret of ours holds at the moment.
    fn note_own(&self, reference: &ConfigRef, now: Instant) {
        if !self.is_own(reference) {
            return;
        }
        let key = (ChildKind::Secret, self.namespace.to_owned(), reference.1.clone());
        if let Some(live) = self.context.index.get(&key) {
            let read = found(cluster::own_secret(&live));
            self.context.configs.note(self.namespace, reference, read, now);
        }
    }

    fn is_own(&self, (kind, name): &ConfigRef) -> bool {
        *kind == ConfigKind::Secret && self.own.contains(name.as_str())
    }
}

fn found(Fields { version, digests, is_as_created }: Fields) -> Read {
    Read::Found(Config { version, fields: digests, is_as_created })
}
