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

    /// The objects of a namespace by name, each with the prefix of its children's names.
    #[must_use]
    pub fn prefixes(&self, namespace: &str) -> BTreeMap<String, String> {
        let seen = self.0.iter().flat_map(Store::state);
        seen.filter(|object| object.metadata.namespace.as_deref() == Some(namespace))
            .filter_map(|object| {
                let name = object.metadata.name.clone()?;
                let prefix = object.data["spec"]["common"]["appName"].as_str().unwrap_or(&name).to_owned();
                Some((name, prefix))
            })
            .collect()
    }

    /// The object of this name, if it was seen.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<DynamicObject>> {
        let key = ObjectRef::new_with(name, ApiResource::erase::<Celery>(&())).within(namespace);
        self.0.iter().find_map(|store| store.get(&key))
    }
}

impl fmt::Debug for CeleryIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(Store::len)).finish()
    }
}
