// SPDX-License-Identifier: Apache-2.0
//! A pod template laid over the rendered one, as a strategic merge patch would be.
//!
//! Lists with a merge key are merged item by item, other lists are replaced, `null` takes a field away. Of the patch
//! directives `$patch: delete` and `$patch: replace` are followed; the others are made by tools and are left out, since
//! the API server would refuse them. One thing is simpler than in kubectl: a volume or a variable takes the place of
//! its namesake as a whole, since two sources of one value are never meant.

use serde_json::{Map, Value, json};

/// How the items of a list are told apart, and whether one takes the place of its namesake as a whole.
struct Keyed {
    list: &'static str,
    key: &'static str,
    whole: bool,
}

/// The lists of a pod template that Kubernetes merges.
const KEYED: &[Keyed] = &[
    Keyed { list: "containers", key: "name", whole: false },
    Keyed { list: "initContainers", key: "name", whole: false },
    Keyed { list: "volumes", key: "name", whole: true },
    Keyed { list: "env", key: "name", whole: true },
    Keyed { list: "volumeMounts", key: "mountPath", whole: false },
    Keyed { list: "volumeDevices", key: "devicePath", whole: false },
    Keyed { list: "ports", key: "containerPort", whole: false },
    Keyed { list: "imagePullSecrets", key: "name", whole: false },
    Keyed { list: "hostAliases", key: "ip", whole: false },
    Keyed { list: "topologySpreadConstraints", key: "topologyKey", whole: false },
    Keyed { list: "resourceClaims", key: "name", whole: true },
    Keyed { list: "schedulingGates", key: "name", whole: false },
];
/// Directive of an object.
const DIRECTIVE: &str = "$patch";

/// Lays `patch` over `base`.
pub(super) fn lay_over(base: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *base = patch.clone();
        return;
    };
    if !base.is_object() || fields.get(DIRECTIVE) == Some(&json!("replace")) {
        *base = json!({});
    }
    if let Value::Object(base) = base {
        for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with('$')) {
            field(base, name, value);
        }
    }
}

fn field(base: &mut Map<String, Value>, name: &str, value: &Value) {
    let keyed = KEYED.iter().find(|keyed| keyed.list == name);
    match (value, keyed) {
        (Value::Null, _) => drop(base.remove(name)),
        (Value::Object(fields), _) if fields.get(DIRECTIVE) == Some(&json!("delete")) => {
            drop(base.remove(name));
        }
        (Value::Object(_), _) => lay_over(base.entry(name).or_insert_with(|| json!({})), value),
        (Value::Array(items), Some(keyed)) => {
            let list = base.entry(name).or_insert_with(|| json!([]));
            if !list.is_array() {
                *list = json!([]);
            }
            if let Value::Array(list) = list {
                for item in items {
                    merge(list, item, keyed);
                }
            }
        }
        _ => drop(base.insert(name.to_owned(), value.clone())),
    }
}

fn merge(list: &mut Vec<Value>, item: &Value, keyed: &Keyed) {
    let key = item.get(keyed.key).filter(|key| !key.is_null());
    let place = list.iter().position(|known| key.is_some() && known.get(keyed.key) == key);
    match (item.get(DIRECTIVE).and_then(Value::as_str), place) {
        (Some("replace"), _) if key.is_none() => list.clear(),
        (Some("delete"), Some(place)) => drop(list.remove(place)),
        (Some("delete"), None) => {}
        (_, Some(place)) if keyed.whole => list[place] = made(item),
        (_, Some(place)) => lay_over(&mut list[place], item),
        (_, None) => list.push(made(item)),
    }
}

/// An item that was not there before, without directives and nulls.
fn made(item: &Value) -> Value {
    let mut made = if item.is_object() { json!({}) } else { Value::Null };
    lay_over(&mut made, item);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(patch: Value) -> Value {
        let mut base = json!({
            "metadata": {"labels": {"a": "1"}},
            "spec": {
                "containers": [{
                    "name": "celery", "image": "shop:1", "args": ["-c", "2"],
                    "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                    "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                    "ports": [{"containerPort": 5555, "name": "http"}],
                }],
                "tolerations": [{"key": "a"}],
                "volumes": [{"name": "v", "emptyDir": {}}],
                "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            },
        });
        lay_over(&mut base, &patch);
        base
    }

    #[test]
    fn items_meet_by_their_key_and_new_ones_come_last() {
        let pod = laid(json!({"spec": {
            "containers": [{"name": "proxy", "image": "proxy:1"}, {
                "name": "celery", "stdin": true, "args": ["-E"],
                "env": [{"name": "A", "value": "x"}, {"name": "B", "value": "y"}],
                "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": true}, {"name": "w", "mountPath": "/w"}],
                "ports": [{"containerPort": 5555, "protocol": "TCP"}],
            }],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "w", "emptyDir": {}}],
            "tolerations": [{"key": "b"}],
        }}));
        assert_eq!(
            pod["spec"]["containers"],
            json!([
                {"name": "celery", "image": "shop:1", "args": ["-E"], "stdin": true,
                 "env": [{"name": "A", "value": "x"}, {"name": "B", "value": "y"}],
                 "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": true}, {"name": "w", "mountPath": "/w"}],
                 "ports": [{"containerPort": 5555, "name": "http", "protocol": "TCP"}]},
                {"name": "proxy", "image": "proxy:1"},
            ])
        );
        let volumes = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "w", "emptyDir": {}}]);
        assert_eq!(pod["spec"]["volumes"], volumes);
        assert_eq!(pod["spec"]["tolerations"], json!([{"key": "b"}]), "a list without a key is replaced");
    }

    #[test]
    fn objects_are_merged_and_null_takes_away() {
        let pod = laid(json!({
            "metadata": {"labels": {"b": "2"}, "annotations": {"c": "3"}},
            "spec": {"securityContext": {"fsGroup": 7, "seccompProfile": null}, "hostNetwork": true},
        }));
        assert_eq!(pod["metadata"], json!({"labels": {"a": "1", "b": "2"}, "annotations": {"c": "3"}}));
        assert_eq!(pod["spec"]["securityContext"], json!({"fsGroup": 7}));
        assert_eq!(pod["spec"]["hostNetwork"], true);
    }

    #[test]
    fn the_directives_that_people_write_are_followed() {
        let spec = |patch: Value| laid(json!({ "spec": patch }))["spec"].clone();
        assert_eq!(spec(json!({"volumes": [{"name": "v", "$patch": "delete"}]}))["volumes"], json!([]));
        assert_eq!(spec(json!({"volumes": [{"name": "x", "$patch": "delete"}]}))["volumes"][0]["name"], "v");
        let volumes = json!([{"$patch": "replace"}, {"name": "w", "emptyDir": {}}]);
        assert_eq!(spec(json!({ "volumes": volumes }))["volumes"], json!([{"name": "w", "emptyDir": {}}]));
        let volume = json!({"name": "v", "$patch": "replace", "hostPath": {"path": "/a"}});
        let volumes = spec(json!({"volumes": [{"name": "w", "emptyDir": {}}, volume]}))["volumes"].clone();
        let replaced = json!({"name": "v", "hostPath": {"path": "/a"}});
        assert_eq!(
            volumes,
            json!([replaced, {"name": "w", "emptyDir": {}}]),
            "an item that is named is meant alone"
        );
        let security = spec(json!({"securityContext": {"$patch": "replace", "fsGroup": 7}}));
        assert_eq!(security["securityContext"], json!({"fsGroup": 7}));
        assert_eq!(spec(json!({"securityContext": {"$patch": "delete"}})).get("securityContext"), None);
        let made = spec(
            json!({"$setElementOrder/volumes": [{"name": "v"}], "affinity": {"$retainKeys": ["a"], "a": {}}}),
        );
        assert_eq!(made["affinity"], json!({"a": {}}));
        assert_eq!(made.get("$setElementOrder/volumes"), None);
    }

    #[test]
    fn any_json_is_survived() {
        for patch in [
            json!({"spec": null}),
            json!({"spec": {"containers": {"name": "celery"}, "volumes": "none"}}),
            json!({"spec": {"containers": [1, null, {"image": "a"}, {"name": null}]}}),
            json!({"spec": 7, "metadata": []}),
        ] {
            laid(patch);
        }
    }
}
