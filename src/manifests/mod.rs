// SPDX-License-Identifier: Apache-2.0
//! The objects that install the operator. Pure; `config/` and the generated parts of the charts come from here.

mod manager;
mod rbac;
mod webhooks;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::{is_dns_label, is_label};
use crate::labels;

pub use manager::{IMAGE, manager};
pub use rbac::{Duties, duties, rbac};
pub use webhooks::{Destination, MUTATE_PATH, VALIDATE_PATH, webhooks};

/// Namespace of the plain manifests.
pub const NAMESPACE: &str = "celery-system";
/// Name of the operator, and of an installation unless another one is given.
pub const NAME: &str = "celery-operator";

/// Longest name of an installation: the longest one made from it that is a label is a Service's.
const LONGEST_NAME: usize = 50;
/// Longest name of a namespace.
const LONGEST_NAMESPACE: usize = 63;

/// One operator of a cluster, which may have several: everything by which they differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Namespace of its pods, certificates and Lease.
    pub namespace: String,
    /// What the names of its objects begin with.
    pub name: String,
    /// The same for what belongs to the whole cluster: installations of one name in several namespaces need several of
    /// these.
    pub cluster_wide_name: String,
    /// Namespaces that it looks after; empty means all.
    pub watched: Vec<String>,
}

impl Default for Installation {
    fn default() -> Self {
        Self::new(NAMESPACE, NAME)
    }
}

impl Installation {
    /// One for all namespaces.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            cluster_wide_name: name.to_owned(),
            watched: Vec::new(),
        }
    }

    /// Lease of the replica that writes.
    #[must_use]
    pub fn lease(&self) -> String {
        self.name.clone()
    }

    /// Service that leads to the webhooks.
    #[must_use]
    pub fn service(&self) -> String {
        format!("{}-webhook", self.name)
    }

    /// Service by which metrics are found.
    #[must_use]
    pub fn metrics_service(&self) -> String {
        format!("{}-metrics", self.name)
    }

    /// Secret that holds the webhooks' certificates.
    #[must_use]
    pub fn certificate_secret(&self) -> String {
        format!("{}-webhook-cert", self.name)
    }

    /// The mutating webhook configuration.
    #[must_use]
    pub fn mutating(&self) -> String {
        format!("{}-mutating", self.cluster_wide_name)
    }

    /// The validating webhook configuration.
    #[must_use]
    pub fn validating(&self) -> String {
        format!("{}-validating", self.cluster_wide_name)
    }

    /// The labels of everything of the installation, by which its pods are selected as well.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (labels::NAME.to_owned(), NAME.to_owned()),
            (labels::INSTANCE.to_owned(), self.name.clone()),
        ])
    }
}

/// The namespace of an installation, closed to pods that ask for more than this one's need.
#[must_use]
pub fn namespace(installation: &Installation) -> Value {
    let mut labels = installation.labels();
    for mode in ["enforce", "audit", "warn"] {
        labels.insert(format!("pod-security.kubernetes.io/{mode}"), "restricted".to_owned());
    }
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": installation.namespace, "labels": labels } })
}

/// A name for an installation: what Services may be called, with room for what is added to it.
///
/// # Errors
/// What is wrong with it.
pub fn installation_name(text: &str) -> Result<String, String> {
    if is_dns_label(text) && text.len() <= LONGEST_NAME {
        return Ok(text.to_owned());
    }
    Err(format!(
        "use at most {LONGEST_NAME} lower-case letters, digits and hyphens, with a letter first and no hyphen last"
    ))
}

/// A namespace, as the API server takes it.
///
/// # Errors
/// What a namespace looks like.
pub fn namespace_name(text: &str) -> Result<String, String> {
    if is_label(text) && text.len() <= LONGEST_NAMESPACE {
        return Ok(text.to_owned());
    }
    Err(format!(
        "use the name of a namespace: at most {LONGEST_NAMESPACE} lower-case letters, digits and inner hyphens"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_a_label_of_dns() {
        for name in ["a", "team-a", "0", &"x".repeat(63)] {
            assert_eq!(namespace_name(name), Ok(name.to_owned()));
        }
        for name in ["", "-a", "a-", "A", "a.b", "Bad NS/../x", "a_b", &"x".repeat(64)] {
            assert!(namespace_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_names_of_an_installation_are_the_contract() {
        let installation =
            Installation { cluster_wide_name: "x.shop".to_owned(), ..Installation::new("shop", "x") };
        assert_eq!(installation.lease(), "x");
        assert_eq!(installation.service(), "x-webhook");
        assert_eq!(installation.metrics_service(), "x-metrics");
        assert_eq!(installation.certificate_secret(), "x-webhook-cert");
        assert_eq!(installation.mutating(), "x.shop-mutating");
        assert_eq!(installation.validating(), "x.shop-validating");
    }

    #[test]
    fn a_name_leaves_room_for_what_is_added_to_it() {
        for name in ["a", "celery-operator", "a1", &"a".repeat(LONGEST_NAME)] {
            assert_eq!(installation_name(name).as_deref(), Ok(name));
        }
        for name in ["", "-a", "a-", "1a", "A", "a.b", "a b", "ä", &"a".repeat(LONGEST_NAME + 1)] {
            assert!(installation_name(name).is_err(), "{name}");
        }
    }
}
