// SPDX-License-Identifier: Apache-2.0
//! A child as it is applied.

use kube::core::{ApiResource, GroupVersionKind};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::labels::RENDERED_HASH;

/// The kinds of children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChildKind {
    /// `v1` Secret.
    Secret,
    /// `apps/v1` Deployment.
    Deployment,
    /// `v1` Service.
    Service,
    /// `autoscaling/v2` HorizontalPodAutoscaler.
    HorizontalPodAutoscaler,
    /// `keda.sh/v1alpha1` TriggerAuthentication.
    TriggerAuthentication,
    /// `keda.sh/v1alpha1` ScaledObject.
    ScaledObject,
    /// `policy/v1` `PodDisruptionBudget`.
    PodDisruptionBudget,
    /// `networking.k8s.io/v1` Ingress.
    Ingress,
    /// `v1` `PersistentVolumeClaim`.
    PersistentVolumeClaim,
    /// `v1` `ConfigMap`.
    ConfigMap,
    /// `monitoring.coreos.com/v1` `ServiceMonitor`.
    ServiceMonitor,
}

impl ChildKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Secret,
        Self::Deployment,
        Self::Service,
        Self::HorizontalPodAutoscaler,
        Self::TriggerAuthentication,
        Self::ScaledObject,
        Self::PodDisruptionBudget,
        Self::Ingress,
        Self::PersistentVolumeClaim,
        Self::ConfigMap,
        Self::ServiceMonitor,
    ];

    /// Name of the kind.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.coordinates().2
    }

    /// Whether the kind is there only where somebody installed it: those of KEDA and of the Prometheus operator.
    #[must_use]
    pub fn is_optional(self) -> bool {
        matches!(self, Self::TriggerAuthentication | Self::ScaledObject | Self::ServiceMonitor)
    }

    /// Group, version, kind and plural.
    fn coordinates(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Secret => ("", "v1", "Secret", "secrets"),
            Self::Deployment => ("apps", "v1", "Deployment", "deployments"),
            Self::Service => ("", "v1", "Service", "services"),
            Self::HorizontalPodAutoscaler => {
                ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
            }
            Self::TriggerAuthentication => {
                ("keda.sh", "v1alpha1", "TriggerAuthentication", "triggerauthentications")
            }
            Self::ScaledObject => ("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
            Self::PodDisruptionBudget => ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
            Self::Ingress => ("networking.k8s.io", "v1", "Ingress", "ingresses"),
            Self::PersistentVolumeClaim => ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
            Self::ConfigMap => ("", "v1", "ConfigMap", "configmaps"),
            Self::ServiceMonitor => ("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"),
        }
    }

    /// How the API server is asked for it.
    #[must_use]
    pub fn resource(self) -> ApiResource {
        let (group, version, kind, plural) = self.coordinates();
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    }
}

/// Kind, namespace and name of a child.
pub type ChildKey = (ChildKind, String, String);

/// A child as it is applied.
#[derive(Clone, PartialEq)]
pub struct Manifest {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// The whole object, with the hash of itself in its annotations.
    pub body: Value,
    /// That hash.
    pub hash: String,
}

/// Without the body: a Secret is a manifest too.
impl std::fmt::Debug for Manifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {} {}", self.kind, self.name, self.hash)
    }
}

impl Manifest {
    /// A manifest of a typed object; `apiVersion` and `kind` come from `kind`.
    pub(super) fn new(kind: ChildKind, name: &str, object: &impl Serialize) -> Self {
        let resource = kind.resource();
        // Types of k8s-openapi and JSON literals always serialise; should one not, the API server refuses the rest.
        let mut body = serde_json::to_value(object).unwrap_or_default();
        body["apiVersion"] = json!(resource.api_version);
        body["kind"] = json!(resource.kind);
        let hash = hash(&body.to_string());
        body["metadata"]["annotations"][RENDERED_HASH] = json!(hash);
        Self { kind, name: name.to_owned(), body, hash }
    }

    /// The same manifest after an edit of its body.
    pub(super) fn edited(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        if let Some(annotations) = self.body["metadata"]["annotations"].as_object_mut() {
            annotations.remove(RENDERED_HASH);
        }
        edit(&mut self.body);
        self.hash = hash(&self.body.to_string());
        self.body["metadata"]["annotations"][RENDERED_HASH] = json!(self.hash);
        self
    }
}

/// Half a SHA-256: it only has to tell two texts apart.
pub(super) fn hash(text: &str) -> String {
    let digest = Sha256::digest(text);
    let (half, _) = digest.split_at(16);
    format!("{:032x}", u128::from_be_bytes(half.try_into().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_shown_without_its_body() {
        let secret =
            json!({"metadata": {"annotations": {}}, "stringData": {"url": "redis://:hunter2@cache"}});
        let manifest = Manifest::new(ChildKind::Secret, "shop-celery-broker", &secret);
        assert_eq!(format!("{manifest:?}"), format!("Secret shop-celery-broker {}", manifest.hash));
    }
}
