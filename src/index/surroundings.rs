// SPDX-License-Identifier: Apache-2.0
//! What the rules may know beside an object, out of the stores in memory: nobody waits for the cluster, and what no
//! store has seen yet is unknown.

use std::sync::Arc;

use kube::core::DynamicObject;

use super::{CeleryIndex, ChildIndex};
use crate::build::ChildKind;
use crate::rules::Facts;

/// What surrounds the Celery objects of the scopes that are watched. A clone looks into the same stores.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    celeries: CeleryIndex,
    children: Vec<Arc<ChildIndex>>,
}

impl Surroundings {
    /// What these stores show; one index of children for each watched scope.
    #[must_use]
    pub fn new(celeries: CeleryIndex, children: Vec<Arc<ChildIndex>>) -> Self {
        Self { celeries, children }
    }

    /// The Celery objects.
    #[must_use]
    pub fn celeries(&self) -> &CeleryIndex {
        &self.celeries
    }

    /// The Celery of this name, if it was seen.
    #[must_use]
    pub fn celery(&self, namespace: &str, name: &str) -> Option<DynamicObject> {
        self.celeries.get(namespace, name)
    }

    /// What is known beside the object of this name, whose children's names begin with `app`; a name that is not given
    /// yet is empty.
    #[must_use]
    pub fn facts(&self, namespace: &str, name: &str, app: &str) -> Facts {
        Facts {
            keda: self.knows(ChildKind::ScaledObject),
            monitors: self.knows(ChildKind::ServiceMonitor),
            neighbours: self.celeries.neighbours(namespace, name, app),
            ..Facts::default()
        }
    }

    /// Kinds belong to the whole cluster: one scope that has seen them is enough.
    fn knows(&self, kind: ChildKind) -> Option<bool> {
        let seen = self.children.iter().filter_map(|children| children.presence(kind));
        seen.reduce(|one, other| one || other)
    }
}

#[cfg(test)]
mod tests {
    use kube::runtime::watcher::Event;
    use serde_json::json;

    use super::*;
    use crate::index::CeleryFeed;

    fn celery(namespace: &str, name: &str, app: Option<&str>) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
            "metadata": {"name": name, "namespace": namespace}, "spec": {"common": {"appName": app}},
        }))
        .expect("an object")
    }

    fn seeing(children: &[&Arc<ChildIndex>]) -> Option<bool> {
        let children = children.iter().map(|index| Arc::clone(index)).collect();
        Surroundings::new(CeleryIndex::default(), children).facts("web", "shop", "shop").keda
    }

    #[test]
    fn neighbours_are_the_other_objects_of_the_namespace_by_their_effective_names() {
        let mut feeds = [0, 1].map(|_| CeleryFeed::default());
        let index = CeleryIndex::of_all(feeds.iter().map(CeleryFeed::index));
        let surroundings = Surroundings::new(index, Vec::new());
        assert_eq!(surroundings.facts("web", "shop", "shop").neighbours.len(), 0, "nothing was seen yet");
        for object in [
            celery("web", "shop", Some("mall")),
            celery("web", "other", Some("mall")),
            celery("web", "plain", None),
        ] {
            feeds[0].observe(&Event::Apply(object.into()));
        }
        feeds[1].observe(&Event::Apply(celery("back", "far", Some("mall")).into()));
        let names = |namespace: &str, name: &str, app: &str| -> Vec<(String, String)> {
            surroundings.facts(namespace, name, app).neighbours.into_iter().collect()
        };
        let pair = |name: &str, app: &str| (name.to_owned(), app.to_owned());
        assert_eq!(names("web", "shop", "mall"), [pair("other", "mall")]);
        assert_eq!(names("back", "shop", "mall"), [pair("far", "mall")]);
        assert_eq!(names("back", "far", "mall"), []);
        // Children of the one may have names of the other's: `plain-worker` and the pool `x` of `plain`.
        assert_eq!(names("web", "shop", "plain-worker-x"), [pair("plain", "plain")]);
        assert_eq!(names("web", "new", "pl"), [pair("plain", "plain")]);
        assert_eq!(names("web", "new", "mallow"), [pair("other", "mall"), pair("shop", "mall")]);
        assert_eq!(names("web", "new", "small"), []);
        // A name that the API server has yet to make up is nobody's.
        assert_eq!(names("back", "", ""), [pair("far", "mall")]);
        let Some(seen) = surroundings.celery("web", "plain") else { panic!("was not seen") };
        assert_eq!(seen.metadata.name.as_deref(), Some("plain"));
    }

    #[test]
    fn keda_is_unknown_until_a_scope_has_looked() {
        let [present, absent, unknown] = [(); 3].map(|()| Arc::new(ChildIndex::default()));
        present.observe(ChildKind::ScaledObject, Event::Init);
        assert_eq!(seeing(&[&present]), None, "a list that goes on says nothing");
        present.observe(ChildKind::ScaledObject, Event::InitDone);
        absent.forget_kind(ChildKind::ScaledObject);
        assert_eq!(seeing(&[]), None);
        assert_eq!(seeing(&[&unknown]), None);
        assert_eq!(seeing(&[&unknown, &absent]), Some(false));
        assert_eq!(seeing(&[&absent, &present]), Some(true));
        assert_eq!(seeing(&[&present, &absent]), Some(true));
        // It comes and goes.
        present.forget_kind(ChildKind::ScaledObject);
        assert_eq!(seeing(&[&present]), Some(false));
        present.observe(ChildKind::ScaledObject, Event::InitDone);
        assert_eq!(seeing(&[&present]), Some(true));
    }
}
