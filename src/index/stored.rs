// SPDX-License-Identifier: Apache-2.0
//! Celery objects as they are kept: as text, like the children.

use std::borrow::Cow;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::Resource;
use kube::core::{DynamicObject, DynamicResourceScope, TypeMeta};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::kept::trim;
use super::packed::Packed;
use crate::api::Celery;
use crate::status;

/// A Celery object as it is kept: without the owners of its fields.
#[derive(Clone)]
pub struct StoredCelery {
    metadata: ObjectMeta,
    /// The prefix of its children's names, where one is written.
    app: Option<Box<str>>,
    health: Health,
    /// Since when it is not ready, in seconds since the epoch.
    unready: Option<i64>,
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

    /// Since when it is not ready, in seconds since the epoch; `None` where it is, and where nobody says.
    #[must_use]
    pub fn unready_since(&self) -> Option<i64> {
        self.unready
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
        let created = object.metadata.creation_timestamp.as_ref().map(|time| time.0.as_second());
        let unready = match health {
            Health::Ready => None,
            Health::Unseen => created,
            _ => turned(&object.data["status"]).or(created),
        };
        let data = Packed::new(&object.data.to_string());
        Self { metadata: object.metadata, app, health, unready, data }
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
    /// It will not get there because somebody has asked for a pause.
    Paused,
    /// Nobody has looked at it yet.
    Unseen,
}

impl Health {
    /// Every one, in the order they are told.
    pub const ALL: [Self; 5] = [Self::Ready, Self::Reconciling, Self::Stalled, Self::Paused, Self::Unseen];

    fn of(status: &Value) -> Self {
        let conditions = || status["conditions"].as_array().into_iter().flatten();
        let is_true = |type_: &str| {
            conditions().find(|condition| condition["type"] == type_ && condition["status"] == "True")
        };
        match (is_true("Stalled"), is_true("Ready")) {
            (Some(stalled), _) if stalled["reason"] == status::PAUSED => Self::Paused,
            (Some(_), _) => Self::Stalled,
            (None, Some(_)) => Self::Ready,
            (None, None) if conditions().next().is_some() => Self::Reconciling,
            (None, None) => Self::Unseen,
        }
    }

    /// One word for metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Reconciling => "reconciling",
            Self::Stalled => "stalled",
            Self::Paused => "paused",
            Self::Unseen => "unseen",
        }
    }
}

/// When the condition `Ready` last changed, in seconds since the epoch.
fn turned(status: &Value) -> Option<i64> {
    let mut conditions = status["conditions"].as_array()?.iter();
    let ready = conditions.find(|condition| condition["type"] == "Ready")?;
    let time: Timestamp = ready["lastTransitionTime"].as_str()?.parse().ok()?;
    Some(time.as_second())
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

    #[test]
    fn since_when_an_object_is_not_ready_is_what_its_status_says() {
        let of = |status: Value| {
            let stored: StoredCelery = serde_json::from_value(json!({
                "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
                "metadata": {"name": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"}, "status": status,
            }))
            .expect("an object");
            (stored.health(), stored.unready_since())
        };
        let said = |ready: &str, stalled: &str, reason: &str| {
            of(json!({"conditions": [
                {"type": "Ready", "status": ready, "reason": reason, "lastTransitionTime": "2026-01-02T00:00:00Z"},
                {"type": "Stalled", "status": stalled, "reason": reason, "lastTransitionTime": "2026-01-03T00:00:00Z"},
            ]}))
        };
        let (first, second) = (1_767_225_600, 1_767_312_000);
        assert_eq!(said("True", "False", "Ready"), (Health::Ready, None));
        assert_eq!(said("False", "False", "Progressing"), (Health::Reconciling, Some(second)));
        assert_eq!(said("False", "True", "CrashLoopBackOff"), (Health::Stalled, Some(second)));
        assert_eq!(said("False", "True", "Paused"), (Health::Paused, Some(second)));
        assert_eq!(of(json!(null)), (Health::Unseen, Some(first)));
        // A status of somebody else's making.
        assert_eq!(of(json!({"conditions": [{"type": "Ready"}]})), (Health::Reconciling, Some(first)));
        assert_eq!(
            of(json!({"conditions": [{"type": "Ready", "lastTransitionTime": "soon"}]})),
            (Health::Reconciling, Some(first))
        );
    }
}
