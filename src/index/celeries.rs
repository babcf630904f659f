// SPDX-License-Identifier: Apache-2.0
//! The Celery objects as they were last seen.

use std::collections::BTreeMap;
use std::fmt;

use kube::Resource as _;
use kube::core::{ApiResource, DynamicObject};
use kube::runtime::reflector::{ObjectRef, Store};

use super::StoredCelery;
use crate::api::Celery;

/// The Celery objects as they were last seen, of every scope that is watched. Empty until the first list is there.
#[derive(Clone, Default)]
pub struct CeleryIndex(Vec<Store<StoredCelery>>);

impl CeleryIndex {
    /// An index over the stores of several watches.
    #[must_use]
    pub fn new(stores: Vec<Store<StoredCelery>>) -> Self {
        Self(stores)
    }

    /// The object of this name, if it was seen.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<DynamicObject> {
        let key = ObjectRef::new_with(name, ApiResource::erase::<Celery>(&())).within(namespace);
        self.0.iter().find_map(|store| store.get(&key)).map(|stored| stored.object())
    }

    /// The other objects of a namespace whose children may have the names of those with the prefix `app`: one prefix
    /// begins with the other. Each by its name, with its prefix.
    #[must_use]
    pub fn neighbours(&self, namespace: &str, name: &str, app: &str) -> BTreeMap<String, String> {
        let mut neighbours = BTreeMap::new();
        for other in self.0.iter().flat_map(Store::state) {
            let (Some(other_name), Some(prefix)) = (other.meta().name.as_deref(), other.app()) else {
                continue;
            };
            let may_meet = prefix.starts_with(app) || app.starts_with(prefix);
            if may_meet && other.meta().namespace.as_deref() == Some(namespace) && other_name != name {
                neighbours.insert(other_name.to_owned(), prefix.to_owned());
            }
        }
        neighbours
    }
}

impl fmt::Debug for CeleryIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(Store::len)).finish()
    }
}
