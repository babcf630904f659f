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
    fn a_child_is_shown_without_its_object() {
        let live = json!({"apiVersion": "v1", "kind": "Secret", "data": {"url": "hunter2"}, "metadata": {}});
        let live = Arc::new(serde_json::from_value(live).expect("an object"));
        let child = Applied { kind: ChildKind::Secret, name: "shop-celery-broker".to_owned(), live };
        assert_eq!(format!("{child:?}"), "Secret shop-celery-broker");
    }
}
