// SPDX-License-Identifier: Apache-2.0
//! Autoscalers of others, by the Deployment that they scale: one that scales ours too undoes what we and our own
//! autoscaler do. Only their names and targets are kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use kube::ResourceExt as _;
use kube::core::DynamicObject;
use kube::runtime::watcher::Event;

use super::children::key;
use crate::build::{ChildKey, ChildKind};

/// Kinds of autoscalers.
pub const SCALERS: [ChildKind; 2] = [ChildKind::HorizontalPodAutoscaler, ChildKind::ScaledObject];

/// Namespace and name of a Deployment.
pub type DeploymentKey = (String, String);

/// Autoscalers of others, by the Deployment that they scale.
#[derive(Debug, Default)]
pub struct ScalerIndex(RwLock<Content>);

#[derive(Debug, Default)]
struct Content {
    targets: HashMap<ChildKey, DeploymentKey>,
    of: BTreeMap<DeploymentKey, BTreeSet<ChildKey>>,
    /// What the lists have shown that run.
    listing: HashMap<ChildKind, BTreeSet<ChildKey>>,
    settled: BTreeSet<ChildKind>,
    /// Kinds of which a list was complete.
    listed: BTreeSet<ChildKind>,
}

impl ScalerIndex {
    /// The autoscalers of others that scale a Deployment, each as kind and name.
    #[must_use]
    pub fn of(&self, deployment: &DeploymentKey) -> Vec<(ChildKind, String)> {
        let content = self.read();
        let scalers = content.of.get(deployment).into_iter().flatten();
        scalers.map(|(kind, _, name)| (*kind, name.clone())).collect()
    }

    /// Whether every kind was listed, or it turned out that it cannot be.
    pub fn is_settled(&self) -> bool {
        let content = self.read();
        SCALERS.iter().all(|kind| content.settled.contains(kind))
    }

    /// Whether a list of a kind was complete: without one, nobody can say that there is no autoscaler of it.
    pub fn has_listed(&self, kind: ChildKind) -> bool {
        self.read().listed.contains(&kind)
    }

    /// Gives up waiting for the first list of a kind.
    pub fn settle(&self, kind: ChildKind) {
        self.write().settled.insert(kind);
    }

    /// Takes in an event of the watch of a kind. Returns the Deployments that somebody else scales now, or no longer.
    pub fn observe(&self, kind: ChildKind, event: Event<DynamicObject>) -> BTreeSet<DeploymentKey> {
        let mut content = self.write();
        match event {
            Event::Init => {
                content.listing.insert(kind, BTreeSet::new());
                BTreeSet::new()
            }
            Event::InitApply(object) | Event::Apply(object) => {
                let key = key(kind, &object);
                if let Some(shown) = content.listing.get_mut(&kind) {
                    shown.insert(key.clone());
                }
                content.set(key, target(&object))
            }
            Event::Delete(object) => content.set(key(kind, &object), None),
            Event::InitDone => {
                content.settled.insert(kind);
                content.listed.insert(kind);
                let shown = content.listing.remove(&kind).unwrap_or_default();
                let gone = content.targets.keys().filter(|key| key.0 == kind && !shown.contains(*key));
                let gone: Vec<ChildKey> = gone.cloned().collect();
                gone.into_iter().flat_map(|key| content.set(key, None)).collect()
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
    /// Notes what an autoscaler scales. Returns the Deployments for which that is news.
    fn set(&mut self, key: ChildKey, target: Option<DeploymentKey>) -> BTreeSet<DeploymentKey> {
        let before = match target.clone() {
            Some(target) => self.targets.insert(key.clone(), target),
            None => self.targets.remove(&key),
        };
        if before == target {
            return BTreeSet::new();
        }
        if let Some(before) = &before
            && let Some(scalers) = self.of.get_mut(before)
        {
            scalers.remove(&key);
            if scalers.is_empty() {
                self.of.remove(before);
            }
        }
        if let Some(target) = &target {
            self.of.entry(target.clone()).or_default().insert(key);
        }
        before.into_iter().chain(target).collect()
    }
}

/// The Deployment that an autoscaler scales; a `ScaledObject` need not name the kind.
fn target(object: &DynamicObject) -> Option<DeploymentKey> {
    let of = &object.data["spec"]["scaleTargetRef"];
    let is_deployment = of["kind"].as_str().is_none_or(|kind| kind == "Deployment");
    let name = of["name"].as_str().filter(|_| is_deployment)?;
    Some((object.namespace()?, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HPA: ChildKind = ChildKind::HorizontalPodAutoscaler;

    fn scaler(name: &str, target: Option<&str>, kind: Option<&str>) -> DynamicObject {
        let object = json!({"metadata": {"name": name, "namespace": "web"},
                            "spec": {"scaleTargetRef": {"kind": kind, "name": target}}});
        serde_json::from_value(object).expect("an object")
    }

    fn deployment(name: &str) -> DeploymentKey {
        ("web".to_owned(), name.to_owned())
    }

    fn names(index: &ScalerIndex, target: &str) -> Vec<String> {
        index
            .of(&deployment(target))
            .into_iter()
            .map(|(kind, name)| format!("{} {name}", kind.as_str()))
            .collect()
    }

    #[test]
    fn scalers_are_known_by_what_they_scale() {
        let index = ScalerIndex::default();
        let apply = |kind, object| index.observe(kind, Event::Apply(object));
        assert_eq!(apply(HPA, scaler("a", Some("shop"), Some("Deployment"))), [deployment("shop")].into());
        assert_eq!(apply(HPA, scaler("a", Some("shop"), Some("Deployment"))), BTreeSet::new(), "no news");
        assert_eq!(
            apply(ChildKind::ScaledObject, scaler("a", Some("shop"), None)),
            [deployment("shop")].into()
        );
        assert_eq!(names(&index, "shop"), ["HorizontalPodAutoscaler a", "ScaledObject a"]);
        let moved = apply(HPA, scaler("a", Some("mall"), Some("Deployment")));
        assert_eq!(moved, [deployment("shop"), deployment("mall")].into());
        assert_eq!(names(&index, "shop"), ["ScaledObject a"]);
        let other_kind = apply(HPA, scaler("a", Some("mall"), Some("StatefulSet")));
        assert_eq!(other_kind, [deployment("mall")].into());
        index.observe(ChildKind::ScaledObject, Event::Delete(scaler("a", Some("shop"), None)));
        assert!(index.read().of.is_empty() && index.read().targets.is_empty());
        assert_eq!(apply(HPA, scaler("odd", None, None)), BTreeSet::new());
    }

    #[test]
    fn a_list_forgets_what_it_does_not_show() {
        let index = ScalerIndex::default();
        index.observe(HPA, Event::Apply(scaler("old", Some("shop"), None)));
        index.observe(ChildKind::ScaledObject, Event::Apply(scaler("other", Some("shop"), None)));
        index.observe(HPA, Event::Init);
        index.observe(HPA, Event::InitApply(scaler("new", Some("mall"), None)));
        assert_eq!(names(&index, "shop").len(), 2, "a list counts when it is complete");
        assert_eq!(index.observe(HPA, Event::InitDone), [deployment("shop")].into());
        assert_eq!((names(&index, "shop").len(), names(&index, "mall").len()), (1, 1));
    }

    #[test]
    fn it_is_settled_when_every_kind_was_listed_or_given_up() {
        let index = ScalerIndex::default();
        index.observe(HPA, Event::Init);
        index.observe(HPA, Event::InitDone);
        assert!(!index.is_settled());
        index.settle(ChildKind::ScaledObject);
        assert!(index.is_settled());
        assert!(index.has_listed(HPA) && !index.has_listed(ChildKind::ScaledObject));
    }
}
