// SPDX-License-Identifier: Apache-2.0
//! What is known beside the object: from stores that the process keeps in memory, or from the other documents of an
//! input. A rule never asks anybody; what nobody knows is no finding.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is known of the namespace that the object lives in, and of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether the kinds of KEDA are installed; `None`: nobody looked.
    pub keda: Option<bool>,
    /// Whether those of the Prometheus operator are.
    pub monitors: Option<bool>,
    /// The other Celery objects of the namespace: their names, each with the prefix of its children's names.
    pub neighbours: BTreeMap<String, String>,
    /// The keys of each `ConfigMap`, by its name.
    pub config_maps: BTreeMap<String, BTreeSet<String>>,
    /// The texts of `ConfigMap`s, by name and key. Admission never has any.
    pub config_texts: BTreeMap<String, BTreeMap<String, String>>,
    /// The texts of Secrets, by name. Admission never has any.
    pub secrets: BTreeMap<String, SecretTexts>,
    /// The keys of Secrets, by name. Admission never has any either.
    pub secret_keys: BTreeMap<String, SecretKeys>,
}

/// The keys of one Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretKeys {
    /// All of them, whatever they hold.
    pub there: BTreeSet<String>,
    /// Those under which `data` has something else than base64.
    pub unreadable: BTreeSet<String>,
}

/// The texts of one Secret by their keys.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretTexts(pub BTreeMap<String, String>);

/// Keys only: a fact may end up in a test's output.
impl fmt::Debug for SecretTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_a_secret_are_shown_by_their_keys() {
        let texts = SecretTexts([("url".to_owned(), "redis://:hunter2@cache".to_owned())].into());
        assert_eq!(format!("{texts:?}"), "{\"url\"}");
    }
}
