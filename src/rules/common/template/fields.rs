// SPDX-License-Identifier: Apache-2.0
//! The fields of a pod template as Kubernetes describes them, and what in a given one is not of that form.

use std::sync::LazyLock;

use k8s_openapi::api::core::v1::PodTemplateSpec;
use schemars::SchemaGenerator;
use serde_json::{Map, Value};

use crate::api::crd;
use crate::celery::closest;
use crate::rules::misnamed::meant_by;
use crate::rules::path;
use crate::rules::shell;

/// The schema of a pod template, with the definitions it refers to and without the descriptions.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<PodTemplateSpec>().to_value();
    crd::strip_descriptions(&mut schema);
    schema
});

/// Unknown names of one template that are compared with the known ones: nobody mends more of them at a time, and each
/// costs a comparison with every field of its place.
const COMPARED: usize = 128;

/// Something that Kubernetes would not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Oddity<'t> {
    /// A field that is not known.
    Unknown {
        /// Where.
        path: String,
        /// Its name.
        name: &'t str,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// A value of the wrong type.
    Type {
        /// Where.
        path: String,
        /// What belongs there.
        wanted: String,
    },
}

/// What in a pod template is not of the form of one, in the order of its fields. A null takes a field away wherever it
/// stands.
#[must_use]
pub(super) fn oddities<'t>(template: &'t Value, path: &str) -> Vec<Oddity<'t>> {
    let mut found = Vec::new();
    walk(&SCHEMA, template, path, &mut found);
    found
}

fn walk<'t>(schema: &Value, value: &'t Value, path: &str, found: &mut Vec<Oddity<'t>>) {
    let schema = resolved(schema);
    if value.is_null() {
        return;
    }
    if let Some(wanted) = wanted(schema, value) {
        let line = value
            .as_str()
            .filter(|_| ["command", "args"].iter().any(|field| path.rsplit('.').next() == Some(field)));
        let list = line.and_then(shell::listed);
        let wanted = list.map_or_else(|| wanted.to_owned(), |list| format!("{wanted} of words: {list}"));
        return found.push(Oddity::Type { path: path.to_owned(), wanted });
    }
    match value {
        Value::Object(fields) => walk_object(schema, fields, path, found),
        Value::Array(items) => {
            let list = path.rsplit('.').next().unwrap_or_default();
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                if is_nameless(list, item) {
                    found.push(Oddity::Type { path: path.clone(), wanted: "an item with a name".to_owned() });
                }
                walk(&schema["items"], item, &path, found);
            }
        }
        _ => {}
    }
}

fn walk_object<'t>(schema: &Value, fields: &'t Map<String, Value>, path: &str, found: &mut Vec<Oddity<'t>>) {
    if let Some(known) = schema["properties"].as_object() {
        // Directives of a patch are not fields.
        for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with('$')) {
            let (above, path) = (path, path::entry(path, name));
            match known.get(name) {
                Some(field) => walk(field, value, &path, found),
                // The rule about volumes tells.
                None if value.is_null() || meant_by(above, name).is_some() => {}
                None => {
                    let meant = (found.len() < COMPARED).then(|| meant(known, name)).flatten();
                    found.push(Oddity::Unknown { path, name, meant });
                }
            }
        }
    } else if schema["additionalProperties"].is_object() {
        for (name, value) in fields {
            walk(&schema["additionalProperties"], value, &path::entry(path, name), found);
        }
    }
}

/// Whether an item lacks the name by which it would be laid over another, or be one of its own.
fn is_nameless(list: &str, item: &Value) -> bool {
    let is_named = ["containers", "initContainers", "volumes", "env"].contains(&list);
    is_named
        && item.as_object().is_some_and(|item| !item.contains_key("name") && !item.contains_key("$patch"))
}

/// What a field takes, when the value is not of that kind.
fn wanted(schema: &Value, value: &Value) -> Option<&'static str> {
    if schema["x-kubernetes-int-or-string"] == true {
        return (!value.is_number() && !value.is_string()).then_some("a number or a string");
    }
    let (fits, wanted) = match schema["type"].as_str()? {
        "object" => (value.is_object(), "an object"),
        "array" => (value.is_array(), "a list"),
        "string" => (value.is_string(), "a string, in quotes"),
        "boolean" => (value.is_boolean(), "true or false"),
        "integer" => (value.is_i64() || value.is_u64(), "a whole number"),
        // No field of a pod takes a fraction.
        _ => return None,
    };
    (!fits).then_some(wanted)
}

/// The schema that a reference points to.
fn resolved(schema: &Value) -> &Value {
    let mut schema = schema;
    // A definition that is nothing but another reference would be odd; a chain of them ends here all the same.
    for _ in 0..4 {
        let Some(name) = schema["$ref"].as_str().and_then(|target| target.strip_prefix("#/$defs/")) else {
            break;
        };
        schema = &SCHEMA["$defs"][name];
    }
    schema
}

/// The field that an unknown name stands for: one spelt nearly alike, or one of the pod at the level above it.
fn meant(known: &Map<String, Value>, name: &str) -> Option<String> {
    if let Some(field) = closest::of(name, known.keys().map(String::as_str)) {
        return Some(field.to_owned());
    }
    let is_root = known.len() == 2 && known.contains_key("spec");
    let pod = resolved(&SCHEMA["properties"]["spec"]);
    (is_root && pod["properties"].get(name).is_some()).then(|| format!("spec.{name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(template: Value) -> Vec<(String, String)> {
        let tell = |oddity: Oddity<'_>| match oddity {
            Oddity::Unknown { path, meant, .. } => (path, meant.unwrap_or_default()),
            Oddity::Type { path, wanted } => (path, wanted),
        };
        oddities(&template, "t").into_iter().map(tell).collect()
    }

    #[test]
    fn what_kubernetes_takes_is_not_odd() {
        let template = json!({
            "metadata": {"labels": {"a/b": "c"}, "annotations": null},
            "spec": {
                "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
                    {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]}}},
                "containers": [{
                    "name": "celery", "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}],
                    "resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
                    "livenessProbe": {"httpGet": {"port": "http"}, "periodSeconds": 3},
                    "ports": [{"containerPort": 80}], "securityContext": {"runAsNonRoot": true},
                }],
                "volumes": [{"name": "a", "emptyDir": {"sizeLimit": "1Gi"}}],
                "priority": -5,
                "nosuch": null,
            },
        });
        assert_eq!(told(template), []);
    }

    #[test]
    fn oddities_come_with_their_places_and_what_was_meant() {
        let template = json!({
            "containers": [], "other": 1,
            "spec": {
                "volumes": [{"emptyDir": {}}, {"$patch": "delete", "name": "a"},
                    {"name": "b", "emptyDir": {"hostPID": true}}], "$patch": "x",
                "initContainers": [{"name": "a", "args": "-A shop", "command": "echo 'a b'"}],
                "tolerations": {"key": "a"}, "hostNetwork": "yes", "hostnetwork": true, "newThing": {},
                "containers": [{"name": "celery", "livenessProbe": {"exec": {"comand": []}}, "env": [{"value": 5}]}, 7],
                "terminationGracePeriodSeconds": "30", "nodeSelector": {"a.b/c": 1},
            },
        });
        let expected = [
            ("t.containers", "spec.containers"),
            ("t.other", ""),
            ("t.spec.containers[0].env[0]", "an item with a name"),
            ("t.spec.containers[0].env[0].value", "a string, in quotes"),
            ("t.spec.containers[0].livenessProbe.exec.comand", "command"),
            ("t.spec.containers[1]", "an object"),
            ("t.spec.hostNetwork", "true or false"),
            ("t.spec.hostnetwork", "hostNetwork"),
            ("t.spec.initContainers[0].args", "a list of words: [\"-A\", \"shop\"]"),
            ("t.spec.initContainers[0].command", "a list"),
            ("t.spec.newThing", ""),
            ("t.spec.nodeSelector[a.b/c]", "a string, in quotes"),
            ("t.spec.terminationGracePeriodSeconds", "a whole number"),
            ("t.spec.tolerations", "a list"),
            ("t.spec.volumes[0]", "an item with a name"),
            // Only beside `spec` a field of the pod is meant.
            ("t.spec.volumes[2].emptyDir.hostPID", ""),
        ];
        let mut found = told(template);
        found.sort();
        assert_eq!(found, expected.map(|(path, what)| (path.to_owned(), what.to_owned())));
    }

    #[test]
    fn names_are_compared_up_to_a_bound() {
        let fields: Map<String, Value> =
            (0..900).map(|index| (format!("hostNetwork{index:03}"), json!(1))).collect();
        let found = told(json!({"spec": fields}));
        assert_eq!(found.len(), 900);
        let compared = found.iter().take_while(|(_, meant)| meant == "hostNetwork").count();
        assert_eq!(compared, COMPARED);
        assert!(found[compared..].iter().all(|(_, meant)| meant.is_empty()));
    }

    #[test]
    fn any_json_is_survived() {
        for template in [json!([]), json!("x"), json!({"spec": []}), json!({"": {"[": 1}})] {
            assert!(!oddities(&template, "t").is_empty(), "{template}");
        }
        assert_eq!(oddities(&json!(null), "t"), []);
    }
}
