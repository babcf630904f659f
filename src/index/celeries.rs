// SPDX-License-Identifier: Apache-2.0
//! The Celery objects as they were last seen, whole and by what their neighbours ask: the names that each takes in its
//! namespace. That is kept apart, so that no request walks through the objects of a whole cluster.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::mem;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use kube::Resource as _;
use kube::core::DynamicObject;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;

use super::StoredCelery;
use super::stored::Health;

/// The longest name that an object may have.
const MAX_NAME: usize = 253;

/// The Celery objects as they were last seen, of every scope that is watched. Empty until the first list is there. A
/// clone looks into the same stores.
#[derive(Clone, Default)]
pub struct CeleryIndex(Vec<Scope>);

/// What keeps the index of one scope in step with its watch.
pub struct CeleryFeed {
    writer: Writer<StoredCelery>,
    prefixes: Arc<RwLock<Prefixes>>,
    /// The prefixes of a list, while it runs.
    listed: Prefixes,
}

/// What is known of one scope.
#[derive(Clone)]
struct Scope {
    objects: Store<StoredCelery>,
    prefixes: Arc<RwLock<Prefixes>>,
}

/// The prefixes of the names of children, by namespace.
#[derive(Default)]
struct Prefixes(HashMap<String, Namespace>);

/// The objects of a namespace.
#[derive(Default)]
struct Namespace {
    /// The prefix of each object.
    of: HashMap<String, String>,
    /// Prefix and object, in the order of the prefixes.
    sorted: BTreeSet<(String, String)>,
}

impl CeleryIndex {
    /// Everything that several indices show.
    #[must_use]
    pub fn of_all(indices: impl IntoIterator<Item = Self>) -> Self {
        Self(indices.into_iter().flat_map(|index| index.0).collect())
    }

    /// The object of this name, if it was seen.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<DynamicObject> {
        let key = ObjectRef::new(name).within(namespace);
        self.0.iter().find_map(|scope| scope.objects.get(&key)).map(|stored| stored.object())
    }

    /// The other objects of a namespace whose children may have the names of those with the prefix `app`: one prefix
    /// begins with the other. Each by its name, with its prefix.
    #[must_use]
    pub fn neighbours(&self, namespace: &str, name: &str, app: &str) -> BTreeMap<String, String> {
        let mut neighbours = BTreeMap::new();
        for scope in &self.0 {
            let prefixes = scope.prefixes.read().unwrap_or_else(PoisonError::into_inner);
            let Some(namespace) = prefixes.0.get(namespace) else { continue };
            let others = namespace.meeting(app).filter(|(_, other)| other != name);
            neighbours.extend(others.map(|(prefix, other)| (other.clone(), prefix.clone())));
        }
        neighbours
    }

    /// How many objects are in each state, as their status tells.
    #[must_use]
    pub fn states(&self) -> [(&'static str, usize); Health::ALL.len()] {
        let healths: Vec<Health> =
            self.0.iter().flat_map(|scope| scope.objects.state()).map(|object| object.health()).collect();
        Health::ALL.map(|state| (state.as_str(), healths.iter().filter(|health| **health == state).count()))
    }

    /// Of the objects in each state, when the one that has not been ready for longest ceased to be, in seconds since the
    /// epoch.
    #[must_use]
    pub fn unready_since(&self) -> [(&'static str, Option<i64>); Health::ALL.len()] {
        let objects: Vec<_> = self.0.iter().flat_map(|scope| scope.objects.state()).collect();
        Health::ALL.map(|state| {
            let there = objects.iter().filter(|object| object.health() == state);
            (state.as_str(), there.filter_map(|object| object.unready_since()).min())
        })
    }
}

impl fmt::Debug for CeleryIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|scope| scope.objects.len())).finish()
    }
}

impl Default for CeleryFeed {
    fn default() -> Self {
        Self { writer: Writer::new(()), prefixes: Arc::default(), listed: Prefixes::default() }
    }
}

impl CeleryFeed {
    /// What it has taken in, and will.
    #[must_use]
    pub fn index(&self) -> CeleryIndex {
        CeleryIndex(vec![Scope { objects: self.objects(), prefixes: self.prefixes.clone() }])
    }

    /// The objects themselves.
    #[must_use]
    pub fn objects(&self) -> Store<StoredCelery> {
        self.writer.as_reader()
    }

    /// Takes in an event of the watch. What a list does not show is gone when the list ends, and not before.
    pub fn observe(&mut self, event: &Event<StoredCelery>) {
        self.writer.apply_watcher_event(event);
        let mut prefixes = self.prefixes.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Init => self.listed = Prefixes::default(),
            Event::InitApply(object) => self.listed.insert(object),
            Event::InitDone => *prefixes = mem::take(&mut self.listed),
            Event::Apply(object) => prefixes.insert(object),
            Event::Delete(object) => prefixes.remove(object),
        }
    }
}

impl Prefixes {
    fn insert(&mut self, object: &StoredCelery) {
        let (Some((namespace, name)), Some(prefix)) = (place(object), object.app()) else { return };
        let namespace = self.0.entry(namespace.to_owned()).or_default();
        if let Some(old) = namespace.of.insert(name.to_owned(), prefix.to_owned()) {
            namespace.sorted.remove(&(old, name.to_owned()));
        }
        namespace.sorted.insert((prefix.to_owned(), name.to_owned()));
    }

    fn remove(&mut self, object: &StoredCelery) {
        let Some((place, name)) = place(object) else { return };
        let Some(namespace) = self.0.get_mut(place) else { return };
        if let Some(prefix) = namespace.of.remove(name) {
            namespace.sorted.remove(&(prefix, name.to_owned()));
        }
        if namespace.of.is_empty() {
            self.0.remove(place);
        }
    }
}

impl Namespace {
    /// Those whose prefix begins with `app`, and those with which `app` begins.
    fn meeting<'a>(&'a self, app: &'a str) -> impl Iterator<Item = &'a (String, String)> {
        let from = |prefix: &str| (Bound::Included((prefix.to_owned(), String::new())), Bound::Unbounded);
        let longer = self.sorted.range(from(app)).take_while(move |(prefix, _)| prefix.starts_with(app));
        let starts = app.char_indices().map(|(end, _)| &app[..end]).filter(|start| !start.is_empty());
        let starts = starts.take(MAX_NAME);
        let shorter = starts.flat_map(move |start| {
            self.sorted.range(from(start)).take_while(move |(prefix, _)| prefix == start)
        });
        longer.chain(shorter)
    }
}

/// Namespace and name.
fn place(object: &StoredCelery) -> Option<(&str, &str)> {
    Some((object.meta().namespace.as_deref()?, object.meta().name.as_deref()?))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn celery(namespace: &str, name: &str, app: Option<&str>) -> StoredCelery {
        serde_json::from_value(json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
            "metadata": {"name": name, "namespace": namespace}, "spec": {"common": {"appName": app}},
        }))
        .expect("an object")
    }

    fn names(index: &CeleryIndex, namespace: &str) -> Vec<String> {
        let names = index.neighbours(namespace, "", "");
        names.into_iter().map(|(name, prefix)| format!("{name}:{prefix}")).collect()
    }

    #[test]
    fn names_come_change_and_go_with_their_objects() {
        let mut feed = CeleryFeed::default();
        let index = feed.index();
        feed.observe(&Event::Apply(celery("web", "shop", None)));
        feed.observe(&Event::Apply(celery("web", "other", Some("mall"))));
        assert_eq!(names(&index, "web"), ["other:mall", "shop:shop"]);
        feed.observe(&Event::Apply(celery("web", "shop", Some("store"))));
        assert_eq!(names(&index, "web"), ["other:mall", "shop:store"]);
        feed.observe(&Event::Delete(celery("web", "other", Some("mall"))));
        feed.observe(&Event::Delete(celery("web", "other", Some("mall"))));
        assert_eq!(names(&index, "web"), ["shop:store"]);
        feed.observe(&Event::Delete(celery("web", "shop", None)));
        assert!(feed.prefixes.read().expect("a lock").0.is_empty(), "an empty namespace is forgotten");
    }

    #[test]
    fn neighbours_are_those_of_which_one_prefix_begins_with_the_other() {
        let mut feed = CeleryFeed::default();
        let index = feed.index();
        let apps = ["a", "ab", "abc", "abd", "b", "äb", "äbc"];
        for app in apps {
            feed.observe(&Event::Apply(celery("web", &format!("of-{app}"), Some(app))));
        }
        for app in apps.into_iter().chain(["", "ac", "abcd", "ä", "z"]) {
            let meets = |other: &&str| other.starts_with(app) || app.starts_with(*other);
            let mut wanted: Vec<String> =
                apps.iter().filter(|other| meets(other)).map(|&it| it.to_owned()).collect();
            wanted.sort();
            let mut found: Vec<String> = index.neighbours("web", "", app).into_values().collect();
            found.sort();
            assert_eq!(found, wanted, "{app:?}");
        }
        assert_eq!(index.neighbours("web", "of-ab", "ab").len(), 3);
    }

    #[test]
    fn a_new_list_counts_when_it_is_complete() {
        let mut feed = CeleryFeed::default();
        let index = feed.index();
        feed.observe(&Event::Apply(celery("web", "shop", None)));
        feed.observe(&Event::Init);
        feed.observe(&Event::InitApply(celery("web", "lost", None)));
        // The list is begun anew.
        feed.observe(&Event::Init);
        feed.observe(&Event::InitApply(celery("web", "other", None)));
        assert_eq!(names(&index, "web"), ["shop:shop"]);
        assert!(index.get("web", "shop").is_some() && index.get("web", "other").is_none());
        feed.observe(&Event::InitDone);
        assert_eq!(names(&index, "web"), ["other:other"]);
        assert!(index.get("web", "shop").is_none() && index.get("web", "other").is_some());
    }

    #[test]
    fn whatever_happens_the_names_are_those_of_the_objects() {
        let mut feed = CeleryFeed::default();
        let index = feed.index();
        let mut dice = 0x2545_F491_4F6C_DD1D_u64;
        let mut throw = |sides: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % sides
        };
        for _ in 0..2000 {
            let object = celery(
                ["web", "back"][usize::from(throw(2) == 0)],
                &format!("shop-{}", throw(5)),
                ["mall", "store"].get(usize::from(throw(3) == 0)).copied().filter(|_| throw(2) == 0),
            );
            feed.observe(&match throw(12) {
                0 => Event::Init,
                1 => Event::InitDone,
                2 | 3 => Event::InitApply(object),
                4..=6 => Event::Delete(object),
                _ => Event::Apply(object),
            });
            for namespace in ["web", "back"] {
                let seen = feed.objects().state().into_iter();
                let seen = seen.filter(|object| object.meta().namespace.as_deref() == Some(namespace));
                let mut seen: Vec<String> = seen
                    .filter_map(|object| {
                        Some(format!("{}:{}", object.meta().name.as_deref()?, object.app()?))
                    })
                    .collect();
                seen.sort();
                assert_eq!(names(&index, namespace), seen);
            }
        }
    }

    #[test]
    fn objects_are_counted_by_what_their_status_says() {
        let mut feed = CeleryFeed::default();
        let index = feed.index();
        let is_true = |types: &[&str]| -> Value {
            let said = ["Ready", "Reconciling", "Stalled"].map(|type_| {
                json!({"type": type_, "status": if types.contains(&type_) { "True" } else { "False" }})
            });
            json!({ "conditions": said })
        };
        let statuses = [
            is_true(&["Ready"]),
            is_true(&["Ready"]),
            is_true(&["Reconciling"]),
            is_true(&["Stalled"]),
            json!(null),
            json!({"conditions": "odd"}),
        ];
        for (at, status) in statuses.into_iter().enumerate() {
            let object = json!({"apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
                "metadata": {"name": format!("shop-{at}"), "namespace": "web"}, "status": status});
            feed.observe(&Event::Apply(serde_json::from_value(object).expect("an object")));
        }
        let counts = [("ready", 2), ("reconciling", 1), ("stalled", 1), ("paused", 0), ("unseen", 2)];
        assert_eq!(index.states(), counts);
    }
}
