// SPDX-License-Identifier: Apache-2.0
//! The Celery objects as they were last seen.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use kube::core::{ApiResource, DynamicObject};
use kube::runtime::reflector::{ObjectRef, Store};

use crate::api::Celery;

/// The Celery objects as they were last seen, of every scope that is watched. Empty until the first list is there.
#[derive(Clone, Default)]
pub struct CeleryIndex(Vec<Store<DynamicObject>>);

impl CeleryIndex {
    /// An index over the stores of several watches.
    #[must_use]
    pub fn new(stores: Vec<Store<DynamicObject>>) -> Self {
        Self(stores)
    }

    /// The object of this name, if it was seen.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<DynamicObject>> {
        let key = ObjectRef::new_with(name, ApiResource::erase::<Celery>(&())).within(namespace);
        self.0.iter().find_map(|store| store.get(&key))
    }

    /// The names of the other objects of a namespace, each with the prefix of its children's names.
    #[must_use]
    pub fn neighbours(&self, namespace: &str, name: &str) -> BTreeMap<String, String> {
        let objects = self.0.iter().flat_map(Store::state);
        let others = objects.filter(|object| {
            object.metadata.namespace.as_deref() == Some(namespace)
                && object.metadata.name.as_deref() != Some(name)
        });
        others
            .filter_map(|object| {
                let name = object.metadata.name.clone()?;
                let app = object.data["spec"]["common"]["appName"].as_str().unwrap_or(&name).to_owned();
                Some((name, app))
            })
            .collect()
    }

    /// How many objects are in each state, as their status tells.
    #[must_use]
    pub fn states(&self) -> [(&'static str, usize); 4] {
        let mut states = [("ready", 0), ("reconciling", 0), ("stalled", 0), ("unseen", 0)];
        let [ready, reconciling, stalled, unseen] = &mut states;
        for object in self.0.iter().flat_map(Store::state) {
            let conditions = object.data["status"]["conditions"].as_array().into_iter().flatten();
            let is_true = |type_: &str| {
                conditions
                    .clone()
                    .any(|condition| condition["type"] == type_ && condition["status"] == "True")
            };
            let state = match () {
                () if is_true("Stalled") => &mut *stalled,
                () if is_true("Ready") => &mut *ready,
                () if conditions.clone().next().is_some() => &mut *reconciling,
                () => &mut *unseen,
            };
            state.1 += 1;
        }
        states
    }
}

impl fmt::Debug for CeleryIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(Store::len)).finish()
    }
}

#[cfg(test)]
mod tests {
    use kube::runtime::reflector::store::Writer;
    use kube::runtime::watcher::Event;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn objects_are_counted_by_what_their_status_says() {
        let mut writer = Writer::new(ApiResource::erase::<Celery>(&()));
        let index = CeleryIndex::new(vec![writer.as_reader()]);
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
            writer.apply_watcher_event(&Event::Apply(serde_json::from_value(object).expect("an object")));
        }
        assert_eq!(index.states(), [("ready", 2), ("reconciling", 1), ("stalled", 1), ("unseen", 2)]);
    }
}
