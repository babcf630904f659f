// SPDX-License-Identifier: Apache-2.0
//! What every reconcile needs, and what it leaves for the next one.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::api::DynamicObject;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Client, Resource as _, ResourceExt as _};
use tokio::sync::watch;

use super::written::Written;
use crate::cluster::Teller;
use crate::index::{ChildIndex, ConfigIndex, PodIndex, ScalerIndex, StoredCelery, Surroundings};
use crate::metrics::Metrics;
use crate::resolve::Owner;
use crate::status::News;

/// What every reconcile needs.
pub(super) struct Context {
    pub(super) client: Client,
    pub(super) index: Arc<ChildIndex>,
    pub(super) pods: Arc<PodIndex>,
    /// Autoscalers of others.
    pub(super) scalers: Arc<ScalerIndex>,
    pub(super) configs: ConfigIndex,
    /// What the rules may know beside an object.
    pub(super) surroundings: Surroundings,
    pub(super) metrics: Arc<Metrics>,
    /// Whether this process is the one that writes.
    pub(super) leads: watch::Receiver<bool>,
    pub(super) teller: Teller,
    pub(super) written: Arc<Written>,
    /// The objects as the watch has shown them.
    pub(super) objects: Store<StoredCelery>,
    /// Since when beat waits for the pods of its predecessor, by UID.
    pub(super) waiting: Mutex<HashMap<String, Instant>>,
    /// Failures in a row, by UID.
    pub(super) failures: Mutex<HashMap<String, u32>>,
}

impl Context {
    /// Whether this process is the one that writes, and everything was listed that decides what.
    pub(super) fn may_write(&self) -> bool {
        *self.leads.borrow() && self.index.is_synced() && self.pods.is_settled() && self.scalers.is_settled()
    }

    /// Tells an event; one that cannot be told is counted and forgotten.
    pub(super) fn tell(&self, owner: &Owner, news: News) {
        if !self.teller.tell(owner, news) {
            self.metrics.told("dropped");
        }
    }

    /// For how long the object of this UID has been waiting; it begins to with the first call.
    pub(super) fn waited(&self, uid: &str) -> Duration {
        self.lock_waiting().entry(uid.to_owned()).or_insert_with(Instant::now).elapsed()
    }

    /// Ends the waiting of the object of this UID.
    pub(super) fn stop_waiting(&self, uid: &str) {
        self.lock_waiting().remove(uid);
    }

    fn lock_waiting(&self) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock_failures(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the last attempt at the object of this UID has failed.
    pub(super) fn has_failed(&self, uid: &str) -> bool {
        self.lock_failures().contains_key(uid)
    }

    pub(super) fn forget_failures(&self, object: &DynamicObject) {
        self.lock_failures().remove(&object.uid().unwrap_or_default());
    }

    /// The context of a process that writes and has seen nothing yet.
    #[cfg(test)]
    pub(super) fn of_test(client: Client) -> Self {
        let (teller, _) = crate::cluster::events(client.clone(), "test");
        Self {
            client,
            index: Arc::default(),
            pods: Arc::default(),
            scalers: Arc::default(),
            configs: ConfigIndex::default(),
            surroundings: Surroundings::default(),
            metrics: Arc::default(),
            leads: watch::channel(true).1,
            teller,
            written: Arc::default(),
            objects: crate::index::CeleryFeed::default().objects(),
            waiting: Mutex::default(),
            failures: Mutex::default(),
        }
    }

    /// An object as it is known by now: whoever hands it on may have taken it out of the store before our own last write.
    pub(super) fn newest(&self, handed: &StoredCelery) -> DynamicObject {
        let uid = handed.meta().uid.as_deref().unwrap_or_default();
        self.written.newest(uid, || {
            let kept = self.objects.get(&ObjectRef::from_obj(handed));
            kept.as_deref().unwrap_or(handed).object()
        })
    }

    /// Drops what was noted of objects that are no longer there.
    pub(super) fn forget_all_but(&self, present: &[Arc<StoredCelery>]) {
        let present: HashSet<&str> =
            present.iter().filter_map(|object| object.meta().uid.as_deref()).collect();
        self.lock_failures().retain(|uid, _| present.contains(uid.as_str()));
        self.lock_waiting().retain(|uid, _| present.contains(uid.as_str()));
        self.written.retain(|uid| present.contains(uid));
    }
}
