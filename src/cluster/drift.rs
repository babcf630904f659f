// SPDX-License-Identifier: Apache-2.0
//! Whether a live object still is what was applied.
//!
//! Values cannot be compared: the API server rewrites them (`0.5` cpu becomes `500m`). What can be compared is who owns
//! them. Our hash says that the object was last applied from the same manifest; our entry in `managedFields` still
//! covers every field of it, unless somebody changed or removed one, which took that field from us.

use kube::core::DynamicObject;
use serde_json::{Map, Value};

use super::repair::has_leftovers;
use crate::build::{ChildKind, Manifest};
use crate::labels::RENDERED_HASH;
use crate::names::FIELD_MANAGER;

/// Whether applying the manifest would change nothing that should be changed.
pub(super) fn in_step(manifest: &Manifest, live: &DynamicObject) -> bool {
    let annotations = live.metadata.annotations.as_ref();
    let hash = annotations.and_then(|annotations| annotations.get(RENDERED_HASH));
    if hash != Some(&manifest.hash)
        || has_leftovers(live)
        || has_copies(manifest, live)
        || recounts(manifest, live)
    {
        return false;
    }
    owned(live).is_some_and(|fields| covers(fields, &manifest.body))
}

/// Whether a pod template holds a container of ours a second time, under a name that is none of ours: a rename leaves one
/// behind, which server-side apply lets stay, and every pod would run two workers. Other containers are their owners'
/// matter, and one that names no command runs whatever its image says.
pub(super) fn has_copies(manifest: &Manifest, live: &DynamicObject) -> bool {
    let ours = containers(&manifest.body);
    let is_copy = |container: &Value| {
        let is_told = !container["command"].is_null() || !container["args"].is_null();
        let runs_the_same =
            |own: &Value| container["command"] == own["command"] && container["args"] == own["args"];
        is_told && !ours.iter().any(|own| own["name"] == container["name"]) && ours.iter().any(runs_the_same)
    };
    containers(&live.data).iter().any(is_copy)
}

fn containers(object: &Value) -> &[Value] {
    let containers = object.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    containers.map(Vec::as_slice).unwrap_or_default()
}

/// Whether the manifest says another number of pods than the live one has. It is the one value that can be compared, and
/// the one that may be another while the spec is the same: who owned the number may have left it to us.
fn recounts(manifest: &Manifest, live: &DynamicObject) -> bool {
    let number = |object: &Value| object.pointer("/spec/replicas").cloned();
    number(&manifest.body).is_some_and(|wanted| number(&live.data) != Some(wanted))
}

/// Whether our manager is the one that set `spec.replicas`.
fn owns_replicas(live: &DynamicObject) -> bool {
    owned(live).is_some_and(|fields| fields.pointer("/f:spec/f:replicas").is_some())
}

/// Whether a Deployment's number of pods, which we wrote, is to be left to whoever scales.
pub(super) fn gives_replicas_up(manifest: &Manifest, live: &DynamicObject) -> bool {
    let leaves_out =
        manifest.kind == ChildKind::Deployment && manifest.body.pointer("/spec/replicas").is_none();
    leaves_out && owns_replicas(live)
}

/// Whether bringing the live object in step begins with a write that only fits one version of it.
pub(super) fn needs_its_version(manifest: &Manifest, live: &DynamicObject) -> bool {
    has_leftovers(live) || gives_replicas_up(manifest, live)
}

/// The fields that were applied under our name.
fn owned(live: &DynamicObject) -> Option<&Value> {
    let entries = live.metadata.managed_fields.iter().flatten();
    entries
        .filter(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER))
        .filter(|entry| entry.operation.as_deref() == Some("Apply") && entry.subresource.is_none())
        .find_map(|entry| entry.fields_v1.as_ref().map(|fields| &fields.0))
}

/// Whether a set of fields contains everything a manifest says, identity apart.
fn covers(fields: &Value, body: &Value) -> bool {
    let Some(body) = body.as_object() else {
        return false;
    };
    body.iter().all(|(name, value)| match name.as_str() {
        "apiVersion" | "kind" => true,
        "metadata" => value.as_object().is_some_and(|metadata| {
            let own = metadata.iter().filter(|(name, _)| !["name", "namespace"].contains(&name.as_str()));
            fields.get("f:metadata").is_some_and(|fields| own.into_iter().all(|entry| field(fields, entry)))
        }),
        _ => field(fields, (name, value)),
    })
}

fn field(fields: &Value, (name, value): (&String, &Value)) -> bool {
    match fields.get(format!("f:{name}")) {
        // An empty set is a leaf: owned whole, whatever is in it.
        Some(Value::Object(inner)) if inner.is_empty() => true,
        Some(Value::Object(inner)) => contains(inner, value),
        _ => false,
    }
}

fn contains(fields: &Map<String, Value>, value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            let fields = Value::Object(fields.clone());
            object.iter().all(|entry| field(&fields, entry))
        }
        Value::Array(items) => items.iter().all(|item| item_owned(fields, item)),
        _ => true,
    }
}

/// Whether an item of a keyed list or of a set is owned. Keys may hold defaults that the manifest leaves out.
fn item_owned(fields: &Map<String, Value>, item: &Value) -> bool {
    fields.iter().any(|(name, inner)| {
        if let Some(key) = name.strip_prefix("k:") {
            let key: Value = serde_json::from_str(key).unwrap_or_default();
            let same =
                |(name, value): (&String, &Value)| item.get(name).is_none_or(|written| written == value);
            let matches = key.as_object().is_some_and(|key| key.iter().all(same));
            return matches
                && inner.as_object().is_some_and(|inner| inner.is_empty() || contains(inner, item));
        }
        name.strip_prefix("v:")
            .is_some_and(|value| serde_json::from_str::<Value>(value).is_ok_and(|value| value == *item))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "a", "namespace": "default", "labels": {"x": "y"}},
            "spec": {"replicas": 3, "template": {"spec": {"containers": [
                {"name": "celery", "image": "shop:1", "args": ["-c", "2"], "resources": {},
                 "ports": [{"containerPort": 5555}]}
            ]}}},
        })
    }

    fn fields() -> Value {
        json!({
            "f:metadata": {"f:labels": {"f:x": {}}},
            "f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"celery\"}": {".": {}, "f:name": {}, "f:image": {}, "f:args": {}, "f:resources": {},
                    "f:ports": {"k:{\"containerPort\":5555,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}
            }}}},
        })
    }

    /// A live object whose fields we own, those of `taken` apart.
    fn live(taken: Option<&str>) -> (Manifest, DynamicObject) {
        let manifest = Manifest {
            kind: ChildKind::Deployment,
            name: "a".to_owned(),
            body: body(),
            hash: "h".to_owned(),
        };
        let mut fields = fields();
        if let Some((parent, name)) = taken.and_then(|pointer| pointer.rsplit_once('/')) {
            fields.pointer_mut(parent).and_then(Value::as_object_mut).expect("is there").remove(name);
        }
        let entries = [json!({"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": fields})];
        let metadata = json!({"annotations": {RENDERED_HASH: "h"}, "managedFields": entries});
        let object = json!({"metadata": metadata, "spec": {"replicas": 3}});
        (manifest, serde_json::from_value(object).expect("an object"))
    }

    #[test]
    fn a_field_that_somebody_took_is_drift_and_so_is_another_spec() {
        let in_step = |taken| {
            let (manifest, live) = live(taken);
            in_step(&manifest, &live)
        };
        assert!(in_step(None));
        assert!(!in_step(Some("/f:spec/f:replicas")));
        assert!(!in_step(Some("/f:metadata/f:labels")));
        let (mut changed, live) = live(None);
        changed.hash = "other".to_owned();
        assert!(!super::in_step(&changed, &live));
    }

    #[test]
    fn another_number_of_pods_is_drift_and_one_that_is_left_to_others_is_none() {
        let in_step = |number: Option<i32>, taken| {
            let (mut manifest, live) = live(taken);
            manifest.body["spec"].as_object_mut().expect("a spec").remove("replicas");
            if let Some(number) = number {
                manifest.body["spec"]["replicas"] = json!(number);
            }
            in_step(&manifest, &live)
        };
        assert!(in_step(Some(3), None));
        assert!(!in_step(Some(2), None), "we own a number that is to be another");
        assert!(in_step(None, None) && in_step(None, Some("/f:spec/f:replicas")));
    }

    #[test]
    fn our_container_under_another_name_is_a_copy_and_another_container_is_not() {
        let (mut manifest, mut object) = live(None);
        let container =
            |name: &str, args: &[&str]| json!({"name": name, "command": ["celery"], "args": args});
        let with = |containers: &[Value]| json!({"spec": {"template": {"spec": {"containers": containers}}}});
        let ours = container("celery", &["-c", "2"]);
        manifest.body["spec"]["template"]["spec"]["containers"] = json!([ours]);
        for (other, is_copy) in [
            (container("evil", &["-c", "2"]), true),
            (json!({"name": "proxy"}), false),
            (container("beat", &["beat"]), false),
        ] {
            object.data = with(&[ours.clone(), other.clone()]);
            assert_eq!(has_copies(&manifest, &object), is_copy, "{other}");
        }
        object.data = with(std::slice::from_ref(&ours));
        assert!(!has_copies(&manifest, &object));
        // Sidecars that run what their images say, and two that run the same.
        let sidecars = [
            ours,
            json!({"name": "proxy"}),
            json!({"name": "cache"}),
            container("one", &["serve"]),
            container("two", &["serve"]),
        ];
        manifest.body["spec"]["template"]["spec"]["containers"] = json!(sidecars);
        object.data = with(&sidecars);
        assert!(!has_copies(&manifest, &object));
        let other = json!({"name": "theirs"});
        object.data = with(&[&sidecars[..], &[other]].concat());
        assert!(!has_copies(&manifest, &object));
    }

    #[test]
    fn everything_owned_is_in_step() {
        assert!(covers(&fields(), &body()));
    }

    #[test]
    fn each_field_that_somebody_took_is_noticed() {
        for pointer in [
            "/f:metadata/f:labels/f:x",
            "/f:spec/f:replicas",
            "/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"celery\"}/f:image",
            "/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"celery\"}/f:args",
            "/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"celery\"}/f:ports",
            "/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"celery\"}",
        ] {
            let mut fields = fields();
            let (parent, name) = pointer.rsplit_once('/').expect("a path");
            let parent = fields.pointer_mut(parent).and_then(Value::as_object_mut).expect("is there");
            assert!(parent.remove(name).is_some(), "{pointer}");
            // A parent that lost its last field disappears as well.
            let empty = parent.is_empty();
            if empty {
                fields["f:metadata"] = json!({});
            }
            assert!(!covers(&fields, &body()), "{pointer}");
        }
    }
}
