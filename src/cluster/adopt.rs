// SPDX-License-Identifier: Apache-2.0
//! Taking over an object that nobody controls.
//!
//! Server-side apply would leave every variable, argument and probe that it finds, and another container beside ours.
//! So the spec is replaced as a whole, in one step that fails when the object has changed meanwhile.

use std::collections::BTreeMap;

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::{Error, limited};
use crate::build::{ChildKind, Manifest};
use crate::labels::{INSTANCE, MANAGER, PART_OF, selector_text};
use crate::names::{FIELD_MANAGER, REPAIR_MANAGER};

/// Whether an object may be taken over once that is asked for: a Deployment or a Service that nobody controls, and what
/// this operator has made itself for a Celery of the same name that left it behind.
pub(super) fn is_adoptable(manifest: &Manifest, live: &DynamicObject) -> bool {
    let mut owners = live.metadata.owner_references.iter().flatten();
    (may_be_anybodys(manifest.kind) || is_orphan(manifest, live))
        && live.metadata.deletion_timestamp.is_none()
        && !owners.any(|owner| owner.controller == Some(true))
}

/// What may be taken over whoever made it; its spec is replaced then.
fn may_be_anybodys(kind: ChildKind) -> bool {
    matches!(kind, ChildKind::Deployment | ChildKind::Service)
}

/// Whether this operator applied an object for a Celery of the same name and application. Of what a watch has shown no
/// labels are kept: then the fields tell that they are ours, and the labels are looked at before anything is written.
/// Claims are found again in a way of their own.
fn is_orphan(manifest: &Manifest, live: &DynamicObject) -> bool {
    let mut entries = live.metadata.managed_fields.iter().flatten();
    let is_applied = entries.any(|entry| {
        entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.operation.as_deref() == Some("Apply")
    });
    let ours = &manifest.body["metadata"]["labels"];
    let is_same = |labels: &BTreeMap<String, String>| {
        let mut identity = [MANAGER, INSTANCE, PART_OF].iter();
        identity.all(|label| labels.get(*label).is_some_and(|value| ours[*label] == value.as_str()))
    };
    manifest.kind != ChildKind::PersistentVolumeClaim
        && is_applied
        && live.metadata.labels.as_ref().is_none_or(is_same)
}

/// Replaces the spec of an object by ours; who wrote the old one no longer owns anything in it. What this operator made
/// needs none of it: applying takes out what is no longer wanted.
pub(super) async fn adopt(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    live: &DynamicObject,
) -> Result<(), Error> {
    if !may_be_anybodys(manifest.kind) {
        return Ok(());
    }
    check_selector(manifest, live)?;
    let parameters = PatchParams { field_manager: Some(REPAIR_MANAGER.to_owned()), ..PatchParams::default() };
    let patch: json_patch::Patch = serde_json::from_value(steps(manifest, live)).unwrap_or_default();
    let replaced = limited(api.patch(&manifest.name, &parameters, &Patch::<()>::Json(patch)))
        .await
        .map_err(|error| error.of(manifest))?;
    let entries = replaced.metadata.managed_fields.iter().flatten();
    let others: Vec<_> = entries.filter(|entry| entry.subresource.is_some()).collect();
    let body = json!({ "metadata": {
        "uid": replaced.metadata.uid,
        "resourceVersion": replaced.metadata.resource_version,
        "managedFields": others,
    } });
    limited(api.patch(&manifest.name, &parameters, &Patch::Merge(&body))).await.map(drop)
}

/// A Deployment keeps its selector for life.
fn check_selector(manifest: &Manifest, live: &DynamicObject) -> Result<(), Error> {
    if manifest.kind != ChildKind::Deployment {
        return Ok(());
    }
    let (ours, theirs) = (&manifest.body["spec"]["selector"], &live.data["spec"]["selector"]);
    if ours == theirs {
        return Ok(());
    }
    let wanted = serde_json::from_value(ours["matchLabels"].clone()).unwrap_or_default();
    Err(Error::SelectorDiffers { name: manifest.name.clone(), wanted: selector_text(&wanted) })
}

fn steps(manifest: &Manifest, live: &DynamicObject) -> Value {
    let mut spec = manifest.body["spec"].clone();
    // Whoever scales keeps the number of pods.
    if let Some(count) = live.data.pointer("/spec/replicas").filter(|_| spec.get("replicas").is_none()) {
        spec["replicas"] = count.clone();
    }
    json!([
        { "op": "test", "path": "/metadata/uid", "value": live.metadata.uid },
        { "op": "test", "path": "/metadata/resourceVersion", "value": live.metadata.resource_version },
        { "op": "replace", "path": "/spec", "value": spec },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(kind: ChildKind, spec: Value) -> Manifest {
        Manifest { kind, name: "shop-worker".to_owned(), body: json!({ "spec": spec }), hash: String::new() }
    }

    fn live(object: Value) -> DynamicObject {
        serde_json::from_value(object).expect("an object")
    }

    #[test]
    fn only_what_nobody_controls_and_stays_may_be_taken() {
        let deployment = manifest(ChildKind::Deployment, json!({}));
        let owned = |controller: bool| {
            json!({"metadata": {"ownerReferences": [
                {"apiVersion": "v1", "kind": "A", "name": "a", "uid": "u", "controller": controller}]}})
        };
        assert!(is_adoptable(&deployment, &live(json!({"metadata": {}}))));
        assert!(is_adoptable(&deployment, &live(owned(false))));
        assert!(!is_adoptable(&deployment, &live(owned(true))));
        let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert!(!is_adoptable(&deployment, &live(going)));
        assert!(!is_adoptable(&manifest(ChildKind::Secret, json!({})), &live(json!({"metadata": {}}))));
    }

    #[test]
    fn what_the_operator_left_behind_may_be_taken_and_what_looks_like_it_may_not() {
        let labels = |app: &str| json!({MANAGER: "celery-operator", INSTANCE: "shop", PART_OF: app});
        let taken = |kind, manager: &str, operation: &str, carried: Value| {
            let mut child = manifest(kind, json!({}));
            child.body["metadata"] = json!({"labels": labels("shop")});
            let entries = json!([{"manager": manager, "operation": operation}]);
            is_adoptable(&child, &live(json!({"metadata": {"managedFields": entries, "labels": carried}})))
        };
        for kind in [ChildKind::PodDisruptionBudget, ChildKind::Secret, ChildKind::HorizontalPodAutoscaler] {
            assert!(taken(kind, FIELD_MANAGER, "Apply", labels("shop")), "{kind:?}");
            assert!(taken(kind, FIELD_MANAGER, "Apply", Value::Null), "{kind:?} as it is kept");
            assert!(!taken(kind, FIELD_MANAGER, "Apply", labels("mall")), "{kind:?} of another application");
            assert!(!taken(kind, FIELD_MANAGER, "Apply", json!({})), "{kind:?}");
            assert!(!taken(kind, FIELD_MANAGER, "Update", labels("shop")), "{kind:?}");
            assert!(!taken(kind, "kubectl", "Apply", labels("shop")), "{kind:?}");
        }
        let claim = ChildKind::PersistentVolumeClaim;
        assert!(!taken(claim, FIELD_MANAGER, "Apply", labels("shop")));
    }

    #[test]
    fn a_selector_that_differs_is_named() {
        let deployment =
            manifest(ChildKind::Deployment, json!({"selector": {"matchLabels": {"a": "b", "c": "d"}}}));
        let of = |selector: Value| live(json!({"metadata": {}, "spec": {"selector": selector}}));
        assert!(check_selector(&deployment, &of(json!({"matchLabels": {"a": "b", "c": "d"}}))).is_ok());
        let error =
            check_selector(&deployment, &of(json!({"matchLabels": {"a": "b"}}))).expect_err("differs");
        assert_eq!((error.reason(), error.is_stalled()), ("SelectorDiffers", true));
        assert!(error.to_string().contains("a=b,c=d"), "{error}");
        // A Service may change its own.
        assert!(
            check_selector(&manifest(ChildKind::Service, json!({"selector": {}})), &of(json!({}))).is_ok()
        );
    }

    #[test]
    fn the_number_of_pods_stays_with_whoever_scales() {
        let object = live(json!({"metadata": {"uid": "u", "resourceVersion": "7"}, "spec": {"replicas": 5}}));
        let replaced =
            |spec: Value| steps(&manifest(ChildKind::Deployment, spec), &object)[2]["value"].clone();
        assert_eq!(replaced(json!({"a": 1})), json!({"a": 1, "replicas": 5}));
        assert_eq!(replaced(json!({"replicas": 2})), json!({"replicas": 2}));
    }
}
