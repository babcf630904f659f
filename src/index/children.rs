// SPDX-License-Identifier: Apache-2.0
//! The children as they were last seen, by name and by owner.
//!
//! What a write returns is newer than what the watch has delivered so far: it is put here at once, and older events
//! that still arrive are passed over. Otherwise a reconcile that runs in between would write a second time.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use kube::ResourceExt as _;
use kube::core::DynamicObject;
use kube::runtime::watcher::Event;

use super::kept::{KeptChild, version};
use super::texts::Texts;
use crate::build::{ChildKey, ChildKind};

/// How many deletions are remembered; the oldest go first.
const MAX_DELETED: usize = 4096;

/// The children as they were last seen.
#[derive(Default)]
pub struct ChildIndex(RwLock<Content>);

/// What an event of a watch has brought. Not `Debug`: the objects may be Secrets.
#[derive(Default)]
pub struct Change {
    /// The objects that came, changed or went; what we had written or seen already is no change, and what nobody reads.
    pub objects: Vec<Arc<DynamicObject>>,
    /// The kind was listed for the first time, or for the first time since the cluster knows it again.
    pub became_known: bool,
}

/// A child that somebody controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// Kind, namespace and name.
    pub key: ChildKey,
    /// Its UID.
    pub uid: String,
    /// Whether it is about to go.
    pub leaves: bool,
}

#[derive(Default)]
struct Content {
    objects: HashMap<ChildKey, KeptChild>,
    by_owner: HashMap<String, BTreeSet<ChildKey>>,
    texts: Texts,
    /// Version at which an object was deleted, so that a late answer to an earlier write does not bring it back.
    deleted: HashMap<ChildKey, u64>,
    /// The highest version that the last list of a kind has shown: what is not here and no newer than that is gone.
    floor: HashMap<ChildKind, u64>,
    /// The lists that run.
    lists: HashMap<ChildKind, List>,
    synced: BTreeSet<ChildKind>,
    absent: BTreeSet<ChildKind>,
    /// Kinds that we may not list.
    forbidden: BTreeSet<ChildKind>,
}

/// A list of a kind, while it runs.
#[derive(Default)]
struct List {
    shown: BTreeSet<ChildKey>,
    /// The highest version it has shown. The list itself was taken at this version or later.
    highest: u64,
    /// What we have written meanwhile: the list may be too old to show it.
    written: BTreeSet<ChildKey>,
}

/// Counts instead of objects: these may be Secrets.
impl fmt::Debug for ChildIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = self.read();
        f.debug_struct("ChildIndex")
            .field("objects", &content.objects.len())
            .field("owners", &content.by_owner.len())
            .field("texts", &content.texts.len())
            .field("deleted", &content.deleted.len())
            .field("synced", &content.synced)
            .field("absent", &content.absent)
            .field("forbidden", &content.forbidden)
            .finish_non_exhaustive()
    }
}

impl ChildIndex {
    /// A child as it was last seen.
    pub fn get(&self, key: &ChildKey) -> Option<Arc<DynamicObject>> {
        self.read().objects.get(key).and_then(KeptChild::object).map(Arc::new)
    }

    /// Whether a child is there.
    pub fn has(&self, key: &ChildKey) -> bool {
        self.read().objects.contains_key(key)
    }

    /// Everything that the object of this UID controls.
    pub fn owned(&self, uid: &str) -> Vec<Owned> {
        let content = self.read();
        let keys = content.by_owner.get(uid).into_iter().flatten();
        let owned = |key: &ChildKey| {
            let kept = content.objects.get(key)?;
            let uid = kept.uid.as_deref().unwrap_or_default().to_owned();
            Some(Owned { key: key.clone(), uid, leaves: kept.leaves })
        };
        keys.filter_map(owned).collect()
    }

    /// Whether every kind was listed once, or found to be unknown to the cluster, or closed to us.
    pub fn is_synced(&self) -> bool {
        let content = self.read();
        let is_settled = |kind: &ChildKind| {
            [&content.synced, &content.absent, &content.forbidden].iter().any(|kinds| kinds.contains(kind))
        };
        ChildKind::ALL.iter().all(is_settled)
    }

    /// Whether a kind is closed to us, as far as the last look tells: what is there of it is not known then.
    pub fn is_forbidden(&self, kind: ChildKind) -> bool {
        self.read().forbidden.contains(&kind)
    }

    /// Notes that we may not list a kind. Returns whether that is news.
    pub fn forbid(&self, kind: ChildKind) -> bool {
        self.write().forbidden.insert(kind)
    }

    /// Whether the cluster knows a kind, as far as the last look tells.
    pub fn knows(&self, kind: ChildKind) -> bool {
        self.presence(kind) == Some(true)
    }

    /// The same, and `None` before the first look.
    pub fn presence(&self, kind: ChildKind) -> Option<bool> {
        let content = self.read();
        if content.forbidden.contains(&kind) {
            return None;
        }
        if content.absent.contains(&kind) {
            return Some(false);
        }
        content.synced.contains(&kind).then_some(true)
    }

    /// Notes that the cluster does not know a kind. Returns whether that is news.
    pub fn forget_kind(&self, kind: ChildKind) -> bool {
        let mut content = self.write();
        let keys: Vec<ChildKey> = content.objects.keys().filter(|key| key.0 == kind).cloned().collect();
        for key in &keys {
            content.remove(key);
        }
        content.forbidden.remove(&kind);
        content.absent.insert(kind)
    }

    /// Takes in what a write returned.
    pub fn put(&self, kind: ChildKind, object: &DynamicObject) {
        let (key, kept) = (key(kind, object), KeptChild::new(kind, object));
        let mut content = self.write();
        if let Some(list) = content.lists.get_mut(&kind) {
            list.written.insert(key.clone());
        }
        content.insert(key, kept);
    }

    /// Takes out the object of this UID, which we have deleted or found to be gone.
    pub fn remove(&self, key: &ChildKey, uid: &str) {
        let mut content = self.write();
        if content.objects.get(key).is_some_and(|known| known.uid.as_deref() != Some(uid)) {
            return; // Its successor is here already.
        }
        if let Some(kept) = content.remove(key) {
            content.bury(key.clone(), kept.version);
        }
    }

    /// Takes in an event of the watch of a kind.
    pub fn observe(&self, kind: ChildKind, event: Event<DynamicObject>) -> Change {
        match event {
            Event::Init => {
                let mut content = self.write();
                content.lists.insert(kind, List::default());
                // Only the list itself can tell what is there now.
                content.floor.remove(&kind);
                Change::default()
            }
            Event::InitApply(object) | Event::Apply(object) => {
                // Before the lock is taken: others look at the children meanwhile.
                let (key, kept) = (key(kind, &object), KeptChild::new(kind, &object));
                let mut content = self.write();
                if let Some(list) = content.lists.get_mut(&kind) {
                    list.shown.insert(key.clone());
                    list.highest = list.highest.max(version(&object));
                }
                // What is known was looked at by whoever wrote it, or is about to be.
                let known = content.objects.get(&key);
                let is_known =
                    known.is_some_and(|known| known.version == kept.version || known.says_the_same(&kept));
                content.insert(key, kept);
                let objects = if is_known { Vec::new() } else { vec![Arc::new(object)] };
                Change { objects, became_known: false }
            }
            Event::InitDone => {
                let mut content = self.write();
                let objects = content.finish_list(kind);
                let was_closed = content.absent.remove(&kind) | content.forbidden.remove(&kind);
                Change { objects, became_known: content.synced.insert(kind) || was_closed }
            }
            Event::Delete(object) => {
                let key = key(kind, &object);
                let mut content = self.write();
                // A deletion has a version of its own, higher than that of the last write.
                let version = version(&object);
                if content.known(&key).is_none_or(|known| known <= version) {
                    content.remove(&key);
                    content.bury(key, version);
                }
                Change { objects: vec![Arc::new(object)], became_known: false }
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
    /// The version of an object that is here.
    fn known(&self, key: &ChildKey) -> Option<u64> {
        self.objects.get(key).map(|kept| kept.version)
    }

    fn insert(&mut self, key: ChildKey, kept: KeptChild) {
        let new = kept.version;
        let is_old = match self.known(&key) {
            Some(known) => new < known,
            None => self.deleted.get(&key).max(self.floor.get(&key.0)).is_some_and(|gone| new <= *gone),
        };
        if is_old {
            return;
        }
        self.remove(&key);
        self.deleted.remove(&key);
        if let Some(uid) = &kept.controller {
            self.by_owner.entry(uid.to_string()).or_default().insert(key.clone());
        }
        let kept = kept.shared(&mut self.texts);
        self.objects.insert(key, kept);
    }

    fn remove(&mut self, key: &ChildKey) -> Option<KeptChild> {
        let kept = self.objects.remove(key)?;
        kept.release(&mut self.texts);
        if let Some(uid) = kept.controller.as_deref()
            && let Some(keys) = self.by_owner.get_mut(uid)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.by_owner.remove(uid);
            }
        }
        Some(kept)
    }

    /// Remembers a deletion.
    fn bury(&mut self, key: ChildKey, version: u64) {
        self.deleted.insert(key, version);
        if self.deleted.len() > MAX_DELETED {
            let mut versions: Vec<u64> = self.deleted.values().copied().collect();
            let (_, middle, _) = versions.select_nth_unstable(MAX_DELETED / 2);
            let middle = *middle;
            self.deleted.retain(|_, version| *version >= middle);
        }
    }

    /// Drops what the list has not shown, unless we have written it since the list was taken. Returns what went.
    fn finish_list(&mut self, kind: ChildKind) -> Vec<Arc<DynamicObject>> {
        let list = self.lists.remove(&kind).unwrap_or_default();
        let is_gone = |key: &ChildKey, kept: &KeptChild| {
            let is_newer = list.written.contains(key) && kept.version > list.highest;
            key.0 == kind && !list.shown.contains(key) && !is_newer
        };
        let gone = self.objects.iter().filter(|(key, kept)| is_gone(key, kept));
        let gone: Vec<ChildKey> = gone.map(|(key, _)| key.clone()).collect();
        // The floor tells the same of every object as their graves do.
        self.deleted.retain(|key, version| key.0 != kind || *version > list.highest);
        self.floor.insert(kind, list.highest);
        gone.iter().filter_map(|key| self.remove(key)?.object().map(Arc::new)).collect()
    }
}

/// The key of an object of a kind.
pub(super) fn key(kind: ChildKind, object: &DynamicObject) -> ChildKey {
    (kind, object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::names::FIELD_MANAGER;

    fn object(name: &str, version: u64) -> DynamicObject {
        serde_json::from_value(json!({"metadata": {
            "name": name, "namespace": "default", "uid": "child", "resourceVersion": version.to_string(),
            "ownerReferences": [{"apiVersion": "v1", "kind": "Celery", "name": "shop", "uid": "u", "controller": true}],
        }}))
        .expect("an object")
    }

    const KIND: ChildKind = ChildKind::Service;

    fn names(index: &ChildIndex) -> Vec<String> {
        index.owned("u").into_iter().map(|owned| owned.key.2).collect()
    }

    fn version_of(index: &ChildIndex) -> Option<String> {
        index.get(&index.owned("u")[0].key)?.metadata.resource_version.clone()
    }

    #[test]
    fn what_is_known_is_no_news() {
        let index = ChildIndex::default();
        let news = |event| index.observe(KIND, event).objects.len();
        assert_eq!(news(Event::Apply(object("a", 5))), 1);
        index.put(KIND, &object("a", 7));
        // Somebody's write before ours: what came of both is known.
        assert_eq!(news(Event::Apply(object("a", 7))), 0);
        assert_eq!(news(Event::InitApply(object("a", 7))), 0);
        // Another version of what nobody here reads.
        assert_eq!(news(Event::Apply(object("a", 8))), 0);
        assert_eq!(version_of(&index).as_deref(), Some("8"));
        let mut changed = object("a", 9);
        changed.metadata.generation = Some(2);
        assert_eq!(news(Event::Apply(changed)), 1);
        assert_eq!(news(Event::Delete(object("a", 9))), 1);
    }

    #[test]
    fn what_children_say_of_their_fields_goes_with_the_last_of_them() {
        let owned = |name: &str, version: u64, field: &str| {
            let mut object = object(name, version);
            let entry = json!([{"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {field: {}}}]);
            object.metadata.managed_fields = serde_json::from_value(entry).expect("an entry");
            object
        };
        let index = ChildIndex::default();
        let texts = || index.read().texts.len();
        for name in ["a", "b"] {
            index.put(KIND, &owned(name, 5, "f:spec"));
        }
        assert_eq!(texts(), 1);
        index.observe(KIND, Event::Apply(owned("a", 6, "f:data")));
        assert_eq!(texts(), 2);
        index.observe(KIND, Event::Delete(owned("a", 7, "f:data")));
        index.observe(KIND, Event::Apply(owned("b", 4, "f:status")));
        assert_eq!(texts(), 1);
        index.remove(&(KIND, "default".to_owned(), "b".to_owned()), "child");
        assert_eq!(texts(), 0);
    }

    #[test]
    fn a_kind_that_is_closed_to_us_keeps_nobody_waiting_and_may_open() {
        let index = ChildIndex::default();
        for kind in ChildKind::ALL.into_iter().filter(|kind| *kind != KIND) {
            index.observe(kind, Event::Init);
            index.observe(kind, Event::InitDone);
        }
        assert!(!index.is_synced());
        assert!(index.forbid(KIND) && !index.forbid(KIND));
        assert!(index.is_synced() && index.is_forbidden(KIND));
        assert_eq!(index.presence(KIND), None);
        index.observe(KIND, Event::Init);
        assert!(index.is_forbidden(KIND));
        assert!(index.observe(KIND, Event::InitDone).became_known);
        assert!(!index.is_forbidden(KIND) && index.knows(KIND));
        // One that was known may be closed later; what the cluster does not know is not closed.
        assert!(index.forbid(KIND) && index.forget_kind(KIND) && !index.is_forbidden(KIND));
    }

    #[test]
    fn an_older_event_does_not_undo_an_own_write() {
        let index = ChildIndex::default();
        index.put(KIND, &object("a", 7));
        index.observe(KIND, Event::Apply(object("a", 5)));
        assert_eq!(version_of(&index).as_deref(), Some("7"));
        index.observe(KIND, Event::Apply(object("a", 8)));
        assert_eq!(version_of(&index).as_deref(), Some("8"));
    }

    #[test]
    fn a_late_answer_does_not_bring_back_what_was_deleted() {
        let index = ChildIndex::default();
        index.observe(KIND, Event::Delete(object("a", 9)));
        index.put(KIND, &object("a", 7));
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
        let change = index.observe(KIND, Event::InitDone);
        assert!(change.became_known && change.objects.is_empty());
        assert_eq!(names(&index), ["a", "b"]);
        // Whose child went, has to look at it: also when it was the youngest.
        for (left, went) in [("b", "a"), ("c", "b")] {
            index.observe(KIND, Event::Init);
            index.observe(KIND, Event::InitApply(object(left, 2)));
            let change = index.observe(KIND, Event::InitDone);
            assert_eq!(change.objects.iter().map(|object| object.name_any()).collect::<Vec<_>>(), [went]);
            assert!(!change.became_known);
            assert_eq!(names(&index), [left]);
        }
        index.observe(KIND, Event::Init);
        assert_eq!(index.observe(KIND, Event::InitDone).objects.len(), 1);
        assert!(names(&index).is_empty());
    }

    #[test]
    fn a_list_does_not_forget_what_was_written_meanwhile() {
        let index = ChildIndex::default();
        index.put(KIND, &object("before", 9));
        index.observe(KIND, Event::Init);
        index.put(KIND, &object("old", 4));
        index.observe(KIND, Event::InitApply(object("shown", 5)));
        index.put(KIND, &object("new", 6));
        index.observe(KIND, Event::InitDone);
        assert_eq!(names(&index), ["new", "shown"]);
    }

    #[test]
    fn an_older_deletion_does_not_undo_an_own_write() {
        let index = ChildIndex::default();
        index.put(KIND, &object("a", 7));
        index.observe(KIND, Event::Delete(object("a", 6)));
        assert_eq!(names(&index), ["a"]);
        index.observe(KIND, Event::Delete(object("a", 8)));
        assert!(names(&index).is_empty());
    }

    #[test]
    fn an_older_event_does_not_undo_an_own_deletion() {
        let index = ChildIndex::default();
        let old = object("a", 7);
        index.put(KIND, &old);
        index.remove(&key(KIND, &old), "another");
        assert_eq!(names(&index), ["a"]);
        index.remove(&key(KIND, &old), "child");
        for version in [6, 7] {
            index.observe(KIND, Event::Apply(object("a", version)));
            assert!(names(&index).is_empty());
        }
        index.put(KIND, &object("a", 9));
        assert_eq!(names(&index), ["a"]);
    }

    #[test]
    fn deletions_are_forgotten_when_a_list_tells_as_much() {
        let index = ChildIndex::default();
        index.observe(KIND, Event::Delete(object("a", 9)));
        index.observe(KIND, Event::Delete(object("b", 20)));
        for event in [Event::Init, Event::InitApply(object("c", 12)), Event::InitDone] {
            index.observe(KIND, event);
        }
        assert_eq!(index.read().deleted.values().collect::<Vec<_>>(), [&20]);
        index.put(KIND, &object("a", 7));
        index.put(KIND, &object("b", 19));
        assert_eq!(names(&index), ["c"]);
        index.put(KIND, &object("b", 21));
        assert!(index.read().deleted.is_empty());
    }

    #[test]
    fn deletions_do_not_pile_up() {
        let index = ChildIndex::default();
        for version in 1..=10_000 {
            index.observe(KIND, Event::Delete(object(&version.to_string(), version)));
        }
        let content = index.read();
        assert!(content.deleted.len() <= MAX_DELETED);
        assert!((8_000..=10_000).all(|version| content.deleted.values().any(|known| *known == version)));
    }

    #[test]
    fn no_object_is_printed() {
        let index = ChildIndex::default();
        index.put(KIND, &object("hunter2", 7));
        let text = format!("{index:?}");
        assert!(text.contains("objects: 1") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn a_kind_comes_and_goes() {
        let index = ChildIndex::default();
        assert!(index.forget_kind(KIND) && !index.forget_kind(KIND));
        assert!(!index.knows(KIND));
        assert!(index.observe(KIND, Event::InitDone).became_known && index.knows(KIND));
        assert!(!index.observe(KIND, Event::InitDone).became_known);
        index.put(KIND, &object("a", 1));
        assert!(index.forget_kind(KIND) && names(&index).is_empty());
    }
}
