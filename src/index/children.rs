// SPDX-License-Identifier: Apache-2.0
//! The children as they were last seen, by name and by owner.
//!
//! What a write returns is newer than what the watch has delivered so far: it is put here at once, and older events
//! that still arrive are passed over. Otherwise a reconcile that runs in between would write a second time.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use kube::ResourceExt as _;
use kube::core::DynamicObject;
use kube::runtime::watcher::Event;

use crate::build::{ChildKey, ChildKind};

/// The children as they were last seen.
#[derive(Debug, Default)]
pub struct ChildIndex(RwLock<Content>);

#[derive(Debug, Default)]
struct Content {
    objects: HashMap<ChildKey, Arc<DynamicObject>>,
    by_owner: HashMap<String, BTreeSet<ChildKey>>,
    /// Version at which an object was deleted, so that a late answer to an earlier write does not bring it back.
    deleted: HashMap<ChildKey, u64>,
    /// What a list has shown so far, while one runs.
    listed: HashMap<ChildKind, BTreeSet<ChildKey>>,
    synced: BTreeSet<ChildKind>,
    absent: BTreeSet<ChildKind>,
}

impl ChildIndex {
    /// A child as it was last seen.
    pub fn get(&self, key: &ChildKey) -> Option<Arc<DynamicObject>> {
        self.read().objects.get(key).cloned()
    }

    /// Everything that the object of this UID controls.
    pub fn owned(&self, uid: &str) -> Vec<(ChildKey, Arc<DynamicObject>)> {
        let content = self.read();
        let keys = content.by_owner.get(uid).into_iter().flatten();
        keys.filter_map(|key| Some((key.clone(), content.objects.get(key)?.clone()))).collect()
    }

    /// Whether every kind was listed once, or found to be unknown to the cluster.
    pub fn is_synced(&self) -> bool {
        let content = self.read();
        ChildKind::ALL.iter().all(|kind| content.synced.contains(kind) || content.absent.contains(kind))
    }

    /// Whether the cluster knows a kind, as far as the last look tells.
    pub fn knows(&self, kind: ChildKind) -> bool {
        let content = self.read();
        content.synced.contains(&kind) && !content.absent.contains(&kind)
    }

    /// Notes that the cluster does not know a kind. Returns whether that is news.
    pub fn forget_kind(&self, kind: ChildKind) -> bool {
        let mut content = self.write();
        let keys: Vec<ChildKey> = content.objects.keys().filter(|key| key.0 == kind).cloned().collect();
        content.remove_all(&keys);
        content.absent.insert(kind)
    }

    /// Takes in what a write returned.
    pub fn put(&self, kind: ChildKind, object: DynamicObject) -> Arc<DynamicObject> {
        let object = Arc::new(object);
        self.write().insert(key(kind, &object), object.clone());
        object
    }

    /// Takes out what a deletion returned or a read did not find.
    pub fn remove(&self, key: &ChildKey) {
        self.write().remove(key);
    }

    /// Takes in an event of the watch of a kind. Returns the object it speaks of, and whether the kind became known by
    /// it.
    pub fn observe(
        &self,
        kind: ChildKind,
        event: Event<DynamicObject>,
    ) -> (Option<Arc<DynamicObject>>, bool) {
        let mut content = self.write();
        match event {
            Event::Init => {
                content.listed.insert(kind, BTreeSet::new());
                (None, false)
            }
            Event::InitApply(object) | Event::Apply(object) => {
                let object = Arc::new(object);
                let key = key(kind, &object);
                if let Some(listed) = content.listed.get_mut(&kind) {
                    listed.insert(key.clone());
                }
                content.insert(key, object.clone());
                (Some(object), false)
            }
            Event::InitDone => {
                let listed = content.listed.remove(&kind).unwrap_or_default();
                let gone: Vec<ChildKey> = content
                    .objects
                    .keys()
                    .filter(|key| key.0 == kind && !listed.contains(*key))
                    .cloned()
                    .collect();
                content.remove_all(&gone);
                let was_absent = content.absent.remove(&kind);
                (None, content.synced.insert(kind) || was_absent)
            }
            Event::Delete(object) => {
                let key = key(kind, &object);
                content.remove(&key);
                content.deleted.insert(key, version(&object));
                (Some(Arc::new(object)), false)
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Content> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Content> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn insert(&mut self, key: ChildKey, object: Arc<DynamicObject>) {
        let new = version(&object);
        let known = self.objects.get(&key).map(|known| version(known)).max(self.deleted.get(&key).copied());
        if known.is_some_and(|known| known > new) {
            return;
        }
        self.remove(&key);
        self.deleted.remove(&key);
        if let Some(uid) = controller(&object) {
            self.by_owner.entry(uid.to_owned()).or_default().insert(key.clone());
        }
        self.objects.insert(key, object);
    }

    fn remove_all(&mut self, keys: &[ChildKey]) {
        for key in keys {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: &ChildKey) {
        let Some(object) = self.objects.remove(key) else {
            return;
        };
        let Some(uid) = controller(&object) else { return };
        if let Some(keys) = self.by_owner.get_mut(uid) {
            keys.remove(key);
            if keys.is_empty() {
                self.by_owner.remove(uid);
            }
        }
    }
}

fn key(kind: ChildKind, object: &DynamicObject) -> ChildKey {
    (kind, object.namespace().unwrap_or_default(), object.name_any())
}

/// Kubernetes compares versions of one resource as numbers.
fn version(object: &DynamicObject) -> u64 {
    object.metadata.resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or_default()
}

fn controller(object: &DynamicObject) -> Option<&str> {
    let owners = object.metadata.owner_references.iter().flatten();
    owners.filter(|owner| owner.controller == Some(true)).map(|owner| owner.uid.as_str()).next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, version: u64) -> DynamicObject {
        serde_json::from_value(json!({"metadata": {
            "name": name, "namespace": "default", "resourceVersion": version.to_string(),
            "ownerReferences": [{"apiVersion": "v1", "kind": "Celery", "name": "shop", "uid": "u", "controller": true}],
        }}))
        .expect("an object")
    }

    const KIND: ChildKind = ChildKind::Service;

    fn names(index: &ChildIndex) -> Vec<String> {
        index.owned("u").into_iter().map(|(key, _)| key.2).collect()
    }

    #[test]
    fn an_older_event_does_not_undo_an_own_write() {
        let index = ChildIndex::default();
        index.put(KIND, object("a", 7));
        index.observe(KIND, Event::Apply(object("a", 5)));
        assert_eq!(index.owned("u")[0].1.metadata.resource_version.as_deref(), Some("7"));
        index.observe(KIND, Event::Apply(object("a", 8)));
        assert_eq!(index.owned("u")[0].1.metadata.resource_version.as_deref(), Some("8"));
    }

    #[test]
    fn a_late_answer_does_not_bring_back_what_was_deleted() {
        let index = ChildIndex::default();
        index.observe(KIND, Event::Delete(object("a", 9)));
        index.put(KIND, object("a", 7));
        assert!(names(&index).is_empty());
        index.observe(KIND, Event::Apply(object("a", 12)));
        assert_eq!(names(&index), ["a"]);
    }

    #[test]
    fn a_new_list_forgets_what_it_does_not_show() {
        let index = ChildIndex::default();
        for event in [Event::Init, Event::InitApply(object("a", 1)), Event::InitApply(object("b", 2))] {
            index.observe(KIND, event);
        }
        assert_eq!(index.observe(KIND, Event::InitDone), (None, true));
        assert_eq!(names(&index), ["a", "b"]);
        for event in [Event::Init, Event::InitApply(object("b", 2)), Event::InitDone] {
            index.observe(KIND, event);
        }
        assert_eq!(names(&index), ["b"]);
    }

    #[test]
    fn a_kind_comes_and_goes() {
        let index = ChildIndex::default();
        assert!(index.forget_kind(KIND) && !index.forget_kind(KIND));
        assert!(!index.knows(KIND));
        assert!(index.observe(KIND, Event::InitDone).1 && index.knows(KIND));
        assert!(!index.observe(KIND, Event::InitDone).1);
        index.put(KIND, object("a", 1));
        assert!(index.forget_kind(KIND) && names(&index).is_empty());
    }
}
