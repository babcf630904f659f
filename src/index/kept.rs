// SPDX-License-Identifier: Apache-2.0
//! Objects as they are kept: as text, without what nobody compares.
//!
//! An object that is parsed takes ten times the room of its text, and half of the text says who else owns which fields.
//! Thousands of objects lie here idle, a few at a time are looked at: those are parsed again.

use std::borrow::Cow;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::{ApiResource, DynamicObject, DynamicResourceScope, TypeMeta};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::build::ChildKind;
use crate::names::FIELD_MANAGER;

/// What `kubectl apply` notes for itself: the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A child as it is kept.
pub(super) struct KeptChild {
    /// Its resource version.
    pub(super) version: u64,
    /// UID of the object that controls it.
    pub(super) controller: Option<Box<str>>,
    /// Its UID.
    pub(super) uid: Option<Box<str>>,
    /// Whether it is about to go.
    pub(super) leaves: bool,
    text: Box<str>,
}

impl KeptChild {
    /// What is kept of a child: what it is, who owns it, its status. Of the spec only the number of pods and what their
    /// containers run; of other managers only their names. Of a claim also its labels and size, which tell whose it is
    /// and what can still become of it, and the content of a Secret, which pods read at their start.
    pub(super) fn new(kind: ChildKind, object: &DynamicObject) -> Self {
        let is_kept =
            |name: &str| name == "spec" || name == "status" || name == "data" && kind == ChildKind::Secret;
        let shown = object.data.as_object().into_iter().flatten().filter(|(name, _)| is_kept(name));
        let mut data = Value::Object(shown.map(|(name, value)| (name.clone(), value.clone())).collect());
        let mut metadata = object.metadata.clone();
        trim(&mut metadata);
        if kind != ChildKind::PersistentVolumeClaim {
            metadata.labels = None;
            trim_spec(&mut data);
        }
        for entry in metadata.managed_fields.iter_mut().flatten() {
            entry.time = None;
            if entry.manager.as_deref() != Some(FIELD_MANAGER) {
                entry.fields_v1 = None;
            }
        }
        let kept = DynamicObject { types: None, metadata, data };
        Self {
            version: version(object),
            controller: controller(object).map(Box::from),
            uid: object.metadata.uid.as_deref().map(Box::from),
            leaves: object.metadata.deletion_timestamp.is_some(),
            // Types of k8s-openapi and JSON always serialise; what cannot be read again is as if it were not there.
            text: serde_json::to_string(&kept).unwrap_or_default().into(),
        }
    }

    /// The child as the rest of the house knows it.
    pub(super) fn object(&self) -> Option<DynamicObject> {
        serde_json::from_str(&self.text).ok()
    }
}

fn trim_spec(data: &mut Value) {
    if let Some(spec) = data.get_mut("spec").and_then(Value::as_object_mut) {
        spec.retain(|name, _| ["replicas", "template"].contains(&name.as_str()));
    }
    if let Some(pod) = data.pointer_mut("/spec/template/spec") {
        *pod = commands(pod);
    }
}

/// Which containers a pod has and what they run.
fn commands(pod: &Value) -> Value {
    let command = |container: &Value| {
        let fields = container.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, _)| ["name", "command", "args"].contains(&name.as_str()));
        Value::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
    };
    let containers = pod["containers"].as_array().into_iter().flatten().map(command);
    serde_json::json!({ "containers": containers.collect::<Vec<_>>() })
}

/// A Celery object as it is kept: without the owners of its fields.
#[derive(Clone)]
pub struct StoredCelery {
    metadata: ObjectMeta,
    types: Option<TypeMeta>,
    /// The prefix of its children's names, where one is written.
    app: Option<Box<str>>,
    health: Health,
    /// Everything else.
    data: Box<str>,
}

impl StoredCelery {
    /// The object.
    #[must_use]
    pub fn object(&self) -> DynamicObject {
        DynamicObject {
            types: self.types.clone(),
            metadata: self.metadata.clone(),
            data: serde_json::from_str(&self.data).unwrap_or_default(),
        }
    }

    /// How it is.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health
    }

    /// The prefix of its children's names.
    #[must_use]
    pub fn app(&self) -> Option<&str> {
        self.app.as_deref().or(self.metadata.name.as_deref())
    }
}

impl From<DynamicObject> for StoredCelery {
    fn from(mut object: DynamicObject) -> Self {
        trim(&mut object.metadata);
        object.metadata.managed_fields = None;
        let app = object.data["spec"]["common"]["appName"].as_str().map(Box::from);
        let health = Health::of(&object.data["status"]);
        let data = object.data.to_string().into();
        Self { metadata: object.metadata, types: object.types, app, health, data }
    }
}

/// How an object is, as its status tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Everything is as the spec says.
    Ready,
    /// It is being brought there.
    Reconciling,
    /// It will not get there by itself.
    Stalled,
    /// Nobody has looked at it yet.
    Unseen,
}

impl Health {
    /// Every one, in the order they are told.
    pub const ALL: [Self; 4] = [Self::Ready, Self::Reconciling, Self::Stalled, Self::Unseen];

    fn of(status: &Value) -> Self {
        let mut conditions = status["conditions"].as_array().into_iter().flatten().peekable();
        let is_seen = conditions.peek().is_some();
        let is_true: Vec<&str> = conditions
            .filter(|condition| condition["status"] == "True")
            .filter_map(|condition| condition["type"].as_str())
            .collect();
        match () {
            () if is_true.contains(&"Stalled") => Self::Stalled,
            () if is_true.contains(&"Ready") => Self::Ready,
            () if is_seen => Self::Reconciling,
            () => Self::Unseen,
        }
    }

    /// One word for metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Reconciling => "reconciling",
            Self::Stalled => "stalled",
            Self::Unseen => "unseen",
        }
    }
}

impl<'de> Deserialize<'de> for StoredCelery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DynamicObject::deserialize(deserializer).map(Self::from)
    }
}

/// Its name only: a spec may hold a password.
impl fmt::Debug for StoredCelery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoredCelery").field(&self.metadata.name).finish()
    }
}

impl Resource for StoredCelery {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::kind(resource)
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::group(resource)
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::version(resource)
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::plural(resource)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

fn trim(metadata: &mut ObjectMeta) {
    if let Some(annotations) = &mut metadata.annotations {
        annotations.remove(LAST_APPLIED);
    }
}

/// Kubernetes compares versions of one resource as numbers.
pub(super) fn version(object: &DynamicObject) -> u64 {
    object.metadata.resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or_default()
}

fn controller(object: &DynamicObject) -> Option<&str> {
    let owners = object.metadata.owner_references.iter().flatten();
    owners.filter(|owner| owner.controller == Some(true)).map(|owner| owner.uid.as_str()).next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> DynamicObject {
        serde_json::from_value(value).expect("an object")
    }

    fn entry(manager: &str) -> Value {
        json!({"manager": manager, "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}})
    }

    #[test]
    fn of_a_child_the_own_fields_are_kept_and_the_names_of_other_managers() {
        let live = object(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "a", "uid": "u", "labels": {"a": "b"}, "resourceVersion": "7", "deletionTimestamp": "2026-01-01T00:00:00Z",
                "annotations": {LAST_APPLIED: "{}", "x": "y"},
                "ownerReferences": [{"apiVersion": "v1", "kind": "Celery", "name": "shop", "uid": "o", "controller": true}],
                "managedFields": [entry(FIELD_MANAGER), entry("kubectl")],
            },
            "spec": {"replicas": 2, "paused": true, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
                "containers": [{"name": "celery", "args": ["-A", "shop"], "image": "shop:1"}], "dnsPolicy": "Default"}}},
            "status": {"replicas": 1}, "data": {"url": "aHVudGVyMg=="},
        }));
        let kept = KeptChild::new(ChildKind::Deployment, &live);
        assert_eq!((kept.version, kept.leaves), (7, true));
        assert_eq!((kept.uid.as_deref(), kept.controller.as_deref()), (Some("u"), Some("o")));
        let read = kept.object().expect("can be read again");
        let containers = json!([{"name": "celery", "args": ["-A", "shop"]}]);
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": containers}});
        let shown = json!({"spec": {"replicas": 2, "template": template}, "status": {"replicas": 1}});
        assert_eq!(read.data, shown);
        assert_eq!(read.metadata.annotations.expect("one stays").len(), 1);
        let entries = read.metadata.managed_fields.expect("are there");
        assert_eq!(
            entries[0].fields_v1.as_ref().map(|fields| &fields.0),
            Some(&json!({"f:spec": {"f:replicas": {}}}))
        );
        assert_eq!((entries[1].manager.as_deref(), &entries[1].fields_v1), (Some("kubectl"), &None));
    }

    #[test]
    fn of_a_claim_is_kept_what_it_is_and_of_a_secret_what_it_holds() {
        let claim = json!({
            "metadata": {"name": "a", "labels": {"a": "b"}},
            "spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}},
            "status": {"phase": "Bound"},
        });
        let read = |kind, value: &Value| {
            let kept = KeptChild::new(kind, &object(value.clone())).object().expect("can be read again");
            serde_json::to_value(kept).expect("an object")
        };
        assert_eq!(read(ChildKind::PersistentVolumeClaim, &claim), claim);
        let secret = json!({"metadata": {"name": "a"}, "data": {"url": "aHVzaA=="}});
        assert_eq!(read(ChildKind::Secret, &secret), secret);
        assert_eq!(read(ChildKind::ConfigMap, &secret)["data"], Value::Null);
    }

    #[test]
    fn of_a_celery_everything_is_kept_that_a_user_wrote() {
        let value = json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
            "metadata": {"name": "shop", "namespace": "web", "labels": {"a": "b"}, "annotations": {"x": "y"}},
            "spec": {"common": {"appName": "mall", "broker": {"url": "redis://:hunter2@cache"}}},
            "status": {"observedGeneration": 1},
        });
        let mut watched = value.clone();
        watched["metadata"]["managedFields"] = json!([entry("kubectl")]);
        let stored: StoredCelery = serde_json::from_value(watched).expect("an object");
        assert_eq!(serde_json::to_value(stored.object()).expect("an object"), value);
        assert_eq!(stored.app(), Some("mall"));
        assert!(!format!("{stored:?}").contains("hunter2"));
    }
}
