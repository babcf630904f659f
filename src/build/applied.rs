// SPDX-License-Identifier: Apache-2.0
//! A child as the API server has it: the only thing a status can be computed from.

use std::fmt;
use std::sync::Arc;

use kube::core::DynamicObject;
use serde_json::Value;

use super::ChildKind;

/// A child that was applied, or was found to be as it should.
#[derive(Clone)]
pub struct Applied {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// What the API server has.
    pub live: Arc<DynamicObject>,
}

/// Without the live object: a Secret is a child too.
impl fmt::Debug for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.name)
    }
}

impl Applied {
    /// A number of the live object, 0 when it is not there.
    #[must_use]
    pub fn number(&self, pointer: &str) -> i32 {
        let number = self.live.data.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
        i32::try_from(number).unwrap_or(i32::MAX)
    }

    /// A condition of the live object: status, reason, message.
    #[must_use]
    pub fn condition(&self, type_: &str) -> Option<(&str, &str, &str)> {
        let conditions = self.live.data["status"]["conditions"].as_array()?;
        let condition = conditions.iter().find(|condition| condition["type"] == type_)?;
        let text = |key: &str| condition[key].as_str().unwrap_or_default();
        Some((text("status"), text("reason"), text("message")))
    }

    /// Whether no pod of a Deployment is of an older template; pods that end start nothing again.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        self.kind != ChildKind::Deployment
            || self.observed() && self.number("/status/replicas") <= self.number("/status/updatedReplicas")
    }

    /// Whether the child's controller has seen its newest spec.
    #[must_use]
    pub fn observed(&self) -> bool {
        let seen = self.live.data["status"]["observedGeneration"].as_i64();
        seen >= self.live.metadata.generation
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deployment_is_replaced_when_all_its_pods_are_of_the_newest_template() {
        let is_replaced = |kind, status: Value| {
            let live = json!({"metadata": {"generation": 2}, "status": status});
            let live = Arc::new(serde_json::from_value(live).expect("an object"));
            Applied { kind, name: "shop-worker".to_owned(), live }.is_replaced()
        };
        let of = |observed: i64, replicas: i64, updated: i64| json!({"observedGeneration": observed, "replicas": replicas, "updatedReplicas": updated});
        let deployment = ChildKind::Deployment;
        for (status, expected) in [
            (of(2, 3, 3), true),
            (of(2, 3, 2), false),
            (of(1, 3, 3), false),
            (json!(null), false),
            // Nobody asks for pods.
            (json!({"observedGeneration": 2}), true),
        ] {
            assert_eq!(is_replaced(deployment, status.clone()), expected, "{status}");
        }
        assert!(is_replaced(ChildKind::Service, json!(null)));
    }

    #[test]
    fn a_child_is_shown_without_its_object() {
        let live = json!({"apiVersion": "v1", "kind": "Secret", "data": {"url": "hunter2"}, "metadata": {}});
        let live = Arc::new(serde_json::from_value(live).expect("an object"));
        let child = Applied { kind: ChildKind::Secret, name: "shop-celery-broker".to_owned(), live };
        assert_eq!(format!("{child:?}"), "Secret shop-celery-broker");
    }
}
