// SPDX-License-Identifier: Apache-2.0
//! Types of Kubernetes that a field may have: recognised by their fields, named and linked, not repeated.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::DeploymentStrategy;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscalerBehavior;
use k8s_openapi::api::core::v1::{
    Affinity, ConfigMapKeySelector, Container, EnvFromSource, EnvVar, HostAlias, Lifecycle,
    LocalObjectReference, PersistentVolumeClaimSpec, PodDNSConfig, PodSecurityContext, PodSpec,
    PodTemplateSpec, Probe, ResourceRequirements, SecretKeySelector, SecurityContext, Toleration,
    TopologySpreadConstraint, Volume, VolumeDevice, VolumeMount, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, ObjectMeta};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// Where the types are described.
const DOCS: &str = "https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.33/";

/// A type of Kubernetes.
pub(crate) struct Type {
    fields: BTreeSet<String>,
    /// Name and link.
    pub(crate) link: String,
}

/// The types that are recognised.
pub(crate) fn types() -> Vec<Type> {
    vec![
        known::<Affinity>(),
        known::<Condition>(),
        known::<ConfigMapKeySelector>(),
        known::<Container>(),
        known::<DeploymentStrategy>(),
        known::<EnvFromSource>(),
        known::<EnvVar>(),
        known::<HorizontalPodAutoscalerBehavior>(),
        known::<HostAlias>(),
        known::<LabelSelector>(),
        known::<Lifecycle>(),
        known::<LocalObjectReference>(),
        known::<ObjectMeta>(),
        known::<PersistentVolumeClaimSpec>(),
        known::<PodDNSConfig>(),
        known::<PodSecurityContext>(),
        known::<PodSpec>(),
        known::<PodTemplateSpec>(),
        known::<Probe>(),
        known::<ResourceRequirements>(),
        known::<SecretKeySelector>(),
        known::<SecurityContext>(),
        known::<Toleration>(),
        known::<TopologySpreadConstraint>(),
        known::<Volume>(),
        known::<VolumeDevice>(),
        known::<VolumeMount>(),
        known::<VolumeResourceRequirements>(),
    ]
}

/// The type with exactly the fields of a schema. Types whose fields have descriptions of ours are not Kubernetes' own.
pub(crate) fn matching<'t>(types: &'t [Type], schema: &Value) -> Option<&'t Type> {
    let properties = schema.get("properties")?.as_object()?;
    if properties.values().any(|property| property.get("description").is_some()) {
        return None;
    }
    types.iter().find(|known| properties.keys().eq(known.fields.iter()))
}

fn known<T: JsonSchema>() -> Type {
    let mut settings = SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    let schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    let properties = schema.get("properties").and_then(Value::as_object);
    Type {
        fields: properties.into_iter().flatten().map(|(name, _)| name.clone()).collect(),
        link: link(&T::schema_name()),
    }
}

/// `io.k8s.api.core.v1.Volume` as a link to its description.
fn link(full: &str) -> String {
    let parts: Vec<&str> = full.rsplit('.').take(3).collect();
    let [name, version, group] = parts.as_slice() else { return full.to_owned() };
    format!("[{name}]({DOCS}#{}-{version}-{group})", name.to_lowercase())
}
