// SPDX-License-Identifier: Apache-2.0
//! What a reconcile has done, as events tell it.

use std::sync::Arc;

use kube::core::DynamicObject;

use crate::build::{ChildKind, Manifest};
use crate::cluster::Verb;
use crate::status::{News, of_children};

/// What was done, each as `Deployment shop-worker`.
#[derive(Default)]
pub(super) struct Deeds {
    created: Vec<String>,
    adopted: Vec<String>,
    pub(super) deleted: Vec<String>,
    rolled: Vec<String>,
}

/// What was done to one child.
pub(super) struct Done {
    pub(super) live: Arc<DynamicObject>,
    pub(super) verb: Verb,
    /// The Secrets and ConfigMaps whose change replaces the pods.
    pub(super) changed: Vec<String>,
}

impl Deeds {
    /// Notes what was done to a child that was applied.
    pub(super) fn note(&mut self, manifest: &Manifest, done: &Done) {
        let child = told(manifest.kind, &manifest.name);
        match done.verb {
            Verb::Created => self.created.push(child),
            Verb::Adopted => self.adopted.push(child),
            Verb::Changed if !done.changed.is_empty() => {
                self.rolled.push(format!("{child} ({})", done.changed.join(", ")));
            }
            Verb::Changed | Verb::Left => {}
        }
    }

    /// What is worth an event.
    pub(super) fn news(&self) -> Vec<News> {
        of_children(&self.created, &self.adopted, &self.deleted, &self.rolled)
    }
}

/// A child as people read it: `Deployment shop-worker`.
pub(super) fn told(kind: ChildKind, name: &str) -> String {
    format!("{} {name}", kind.as_str())
}
