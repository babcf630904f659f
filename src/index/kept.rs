// SPDX-License-Identifier: Apache-2.0
//! Children as they are kept: as text, without what nobody compares.
//!
//! An object that is parsed takes ten times the room of its text, and half of the text says who owns which fields: what
//! others own is left out, and what we own is the same in most children of a kind. Thousands of objects lie here idle, a
//! few at a time are looked at: those are parsed again.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry, ObjectMeta};
use kube::core::DynamicObject;
use serde_json::Value;

use super::packed::Packed;
use super::texts::Texts;
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
    /// The resource version as the API server writes it.
    written_version: Option<Box<str>>,
    text: Packed,
    /// The fields of the first entry that is ours.
    own: Option<Arc<str>>,
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
        if matches!(kind, ChildKind::HorizontalPodAutoscaler | ChildKind::ScaledObject) {
            trim_status(&mut data);
        }
        let mut metadata = object.metadata.clone();
        trim(&mut metadata);
        metadata.resource_version = None;
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
        let own = own_entry(&mut metadata).and_then(|entry| entry.fields_v1.take());
        let kept = DynamicObject { types: None, metadata, data };
        Self {
            version: version(object),
            written_version: object.metadata.resource_version.as_deref().map(Box::from),
            controller: controller(object).map(Box::from),
            uid: object.metadata.uid.as_deref().map(Box::from),
            leaves: object.metadata.deletion_timestamp.is_some(),
            // Types of k8s-openapi and JSON always serialise; what cannot be read again is as if it were not there.
            text: Packed::new(&serde_json::to_string(&kept).unwrap_or_default()),
            own: own.map(|fields| fields.0.to_string().into()),
        }
    }

    /// The same, with the text of the own fields from here.
    pub(super) fn shared(self, texts: &mut Texts) -> Self {
        Self { own: self.own.map(|own| texts.shared(own)), ..self }
    }

    /// Gives the text of the own fields back, before it is dropped.
    pub(super) fn release(&self, texts: &mut Texts) {
        if let Some(own) = &self.own {
            texts.release(own);
        }
    }

    /// The child as the rest of the house knows it.
    pub(super) fn object(&self) -> Option<DynamicObject> {
        let mut object: DynamicObject = serde_json::from_str(&self.text.text()).ok()?;
        object.metadata.resource_version = self.written_version.as_deref().map(str::to_owned);
        if let Some(own) = self.own.as_deref() {
            own_entry(&mut object.metadata)?.fields_v1 = Some(FieldsV1(serde_json::from_str(own).ok()?));
        }
        Some(object)
    }

    /// Whether nobody could tell the two apart, their versions aside.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.text == other.text && self.own == other.own
    }
}

/// The first entry that says what we own.
fn own_entry(metadata: &mut ObjectMeta) -> Option<&mut ManagedFieldsEntry> {
    let mut entries = metadata.managed_fields.iter_mut().flatten();
    entries.find(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER))
}

/// An autoscaler tells every few seconds what it measures, which nobody here reads.
fn trim_status(data: &mut Value) {
    if let Some(status) = data.get_mut("status").and_then(Value::as_object_mut) {
        status.retain(|name, _| name == "conditions");
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

pub(super) fn trim(metadata: &mut ObjectMeta) {
    if let Some(annotations) = &mut metadata.annotations {
        annotations.remove(LAST_APPLIED);
    }
}

/// The resource version of an object, 0 where it has none. Kubernetes compares those of one resource as numbers.
pub(crate) fn version(object: &DynamicObject) -> u64 {
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
    fn what_children_have_in_common_is_kept_once() {
        let child = |name: &str, field: &str| {
            let entry = json!({"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {field: {}}});
            let child = object(json!({"metadata": {"name": name, "managedFields": [entry]}}));
            KeptChild::new(ChildKind::Service, &child)
        };
        let mut texts = Texts::default();
        let [first, second, other] = [child("a", "f:spec"), child("b", "f:spec"), child("a", "f:status")]
            .map(|child| child.shared(&mut texts));
        let own = |child: &KeptChild| child.own.clone().expect("is ours");
        assert!(Arc::ptr_eq(&own(&first), &own(&second)));
        assert!(!first.says_the_same(&other));
        let entries = second.object().and_then(|object| object.metadata.managed_fields).expect("can be read");
        assert_eq!(entries[0].fields_v1, Some(FieldsV1(json!({"f:spec": {}}))));
    }

    #[test]
    fn what_an_autoscaler_measures_is_no_news() {
        let scaled = |version: &str, measured: i32, status: &str| {
            let object = object(json!({
                "metadata": {"name": "a", "resourceVersion": version},
                "spec": {"minReplicas": 1},
                "status": {"currentReplicas": measured, "conditions": [{"type": "Ready", "status": status}]},
            }));
            KeptChild::new(ChildKind::ScaledObject, &object)
        };
        let first = scaled("1", 1, "True");
        assert!(first.says_the_same(&scaled("2", 3, "True")));
        assert!(!first.says_the_same(&scaled("2", 3, "False")));
        let read = scaled("2", 3, "True").object().expect("can be read again");
        assert_eq!(read.metadata.resource_version.as_deref(), Some("2"));
        assert_eq!(read.data["status"], json!({"conditions": [{"type": "Ready", "status": "True"}]}));
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
}
