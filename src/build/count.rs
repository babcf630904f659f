// SPDX-License-Identifier: Apache-2.0
//! The number of pods on a Deployment that is there already.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::manifest::Manifest;

/// A rendered Deployment with this number of pods, or with none. Its hash stays: who says the number may change from one
/// moment to the next without any change of the spec.
#[must_use]
pub fn counted(mut manifest: Cow<'_, Manifest>, number: Option<i32>) -> Cow<'_, Manifest> {
    let number = number.map(|number| json!(number));
    if manifest.body.pointer("/spec/replicas") == number.as_ref() {
        return manifest;
    }
    if let Some(spec) = manifest.to_mut().body.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("replicas");
        spec.extend(number.map(|number| ("replicas".to_owned(), number)));
    }
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::ChildKind;

    #[test]
    fn a_number_comes_and_goes_and_the_hash_stays() {
        let rendered =
            Manifest::new(ChildKind::Deployment, "shop-worker", &json!({"metadata": {}, "spec": {"a": 1}}));
        let two = counted(Cow::Borrowed(&rendered), Some(2));
        assert_eq!((&two.body["spec"], &two.hash), (&json!({"a": 1, "replicas": 2}), &rendered.hash));
        let none = counted(two, None);
        assert_eq!((&none.body, &none.hash), (&rendered.body, &rendered.hash));
        assert!(matches!(counted(Cow::Borrowed(&rendered), None), Cow::Borrowed(_)));
    }
}
