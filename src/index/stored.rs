// SPDX-License-Identifier: Apache-2.0
//! Celery objects as they are kept: as text, like the children.

use std::borrow::Cow;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::{DynamicObject, DynamicResourceScope, TypeMeta};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::kept::trim;
use super::packed::Packed;
use crate::api::Celery;

/// A Celery object as it is kept: without the owners of its fields.
#[derive(Clone)]
pub struct StoredCelery {
    metadata: ObjectMeta,
    /// The prefix of its children's names, where one is written.
    app: Option<Box<str>>,
    health: Health,
    /// Everything else.
    data: Packed,
}

impl StoredCelery {
    /// The object.
    #[must_use]
    pub fn object(&self) -> DynamicObject {
        DynamicObject {
            types: Some(TypeMeta::resource::<Celery>()),
            metadata: self.metadata.clone(),
            data: serde_json::from_str(&self.data.text()).unwrap_or_default(),
        }
    }

    /// Its resource version, 0 where it has none.
    #[must_use]
    pub fn version(&self) -> u64 {
        let version = self.metadata.resource_version.as_deref();
        version.and_then(|version| version.parse().ok()).unwrap_or_default()
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
        let data = Packed::new(&object.data.to_string());
        Self { metadata: object.metadata, app, health, data }
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
    type DynamicType = ();
    type Scope = DynamicResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        Celery::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        Celery::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        Celery::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        Celery::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_celery_everything_is_kept_that_a_user_wrote() {
        let value = json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
            "metadata": {"name": "shop", "namespace": "web", "labels": {"a": "b"}, "annotations": {"x": "y"}},
            "spec": {"common": {"appName": "mall", "broker": {"url": "redis://:hunter2@cache"}}},
            "status": {"observedGeneration": 1},
        });
        let mut watched = value.clone();
        watched["metadata"]["managedFields"] = json!([{"manager": "kubectl", "fieldsV1": {}}]);
        let stored: StoredCelery = serde_json::from_value(watched).expect("an object");
        assert_eq!(serde_json::to_value(stored.object()).expect("an object"), value);
        assert_eq!(stored.app(), Some("mall"));
        assert!(!format!("{stored:?}").contains("hunter2"));
    }
}
