// SPDX-License-Identifier: Apache-2.0
//! JSON schemas out of what an API server says of itself (`/openapi/v2`), strict ones: an object with named fields has
//! no others.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A schema for each kind, by the name of its file as kubeconform looks for it: `deployment-apps-v1.json`.
pub(crate) fn schemas(openapi: &Value) -> BTreeMap<String, Value> {
    let Some(definitions) = openapi["definitions"].as_object() else { return BTreeMap::new() };
    let strict: Map<String, Value> =
        definitions.iter().map(|(name, definition)| (name.clone(), strict(name, definition))).collect();
    let mut schemas = BTreeMap::new();
    for (name, definition) in definitions {
        // What several kinds have in common, such as the options of a deletion, is no object of its own.
        if let Some([kind]) = definition["x-kubernetes-group-version-kind"].as_array().map(Vec::as_slice) {
            let mut used = Map::new();
            collect(&strict, name, &mut used);
            let schema = json!({"$ref": format!("#/definitions/{name}"), "definitions": used});
            schemas.insert(file(kind), schema);
        }
    }
    schemas
}

fn file(kind: &Value) -> String {
    let text = |key: &str| kind[key].as_str().unwrap_or_default();
    // Of a group, kubeconform takes the first word.
    let group = text("group").split('.').next().filter(|group| !group.is_empty());
    let group = group.map(|group| format!("-{group}")).unwrap_or_default();
    format!("{}{group}-{}.json", text("kind").to_lowercase(), text("version"))
}

/// A definition and everything that it leads to.
fn collect(definitions: &Map<String, Value>, name: &str, used: &mut Map<String, Value>) {
    let Some(definition) = definitions.get(name).filter(|_| !used.contains_key(name)) else { return };
    used.insert(name.to_owned(), definition.clone());
    let mut texts = Vec::new();
    references(definition, &mut texts);
    for name in texts {
        collect(definitions, &name, used);
    }
}

fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(object) => {
            let name = object.get("$ref").and_then(Value::as_str);
            found.extend(name.and_then(|name| name.strip_prefix("#/definitions/")).map(str::to_owned));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

fn strict(name: &str, schema: &Value) -> Value {
    // Both are texts to the API server's description, and numbers are taken as well.
    if name == "io.k8s.apimachinery.pkg.api.resource.Quantity" {
        return json!({"type": ["string", "number"]});
    }
    closed(schema)
}

fn closed(schema: &Value) -> Value {
    let Some(object) = schema.as_object() else { return schema.clone() };
    if object.get("format").is_some_and(|format| format == "int-or-string")
        || object.get("x-kubernetes-int-or-string").is_some_and(|is_so| is_so == true)
    {
        return json!({"type": ["string", "integer"]});
    }
    let mut closed_object: Map<String, Value> = object
        .iter()
        .map(|(key, value)| match (key.as_str(), value) {
            ("properties", Value::Object(fields)) => {
                let fields = fields.iter().map(|(name, field)| (name.clone(), closed(field)));
                (key.clone(), Value::Object(fields.collect()))
            }
            ("items" | "additionalProperties", _) => (key.clone(), closed(value)),
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                (key.clone(), parts.iter().map(closed).collect())
            }
            _ => (key.clone(), value.clone()),
        })
        .collect();
    let open = object.contains_key("additionalProperties")
        || object.get("x-kubernetes-preserve-unknown-fields").is_some_and(|is_so| is_so == true);
    if object.contains_key("properties") && !open {
        closed_object.insert("additionalProperties".to_owned(), json!(false));
    }
    Value::Object(closed_object)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_schema_is_closed_and_brings_what_it_refers_to() {
        let kind = |group: &str, kind: &str| json!([{"group": group, "version": "v1", "kind": kind}]);
        let openapi = json!({"definitions": {
            "a.Deployment": {
                "x-kubernetes-group-version-kind": kind("apps", "Deployment"),
                "properties": {"spec": {"$ref": "#/definitions/a.Spec"}, "free": {"additionalProperties": {"type": "string"}}},
            },
            "a.Spec": {"properties": {"again": {"$ref": "#/definitions/a.Deployment"}, "port": {"format": "int-or-string", "type": "string"}}},
            "a.Other": {"x-kubernetes-group-version-kind": kind("", "Other")},
            "a.Unused": {"properties": {}},
        }});
        let schemas = schemas(&openapi);
        assert_eq!(schemas.keys().collect::<Vec<_>>(), ["deployment-apps-v1.json", "other-v1.json"]);
        let definitions = schemas["deployment-apps-v1.json"]["definitions"].as_object().unwrap();
        assert_eq!(definitions.keys().collect::<Vec<_>>(), ["a.Deployment", "a.Spec"]);
        assert_eq!(definitions["a.Deployment"]["additionalProperties"], false);
        let free = &definitions["a.Deployment"]["properties"]["free"];
        assert_eq!(free["additionalProperties"], json!({"type": "string"}));
        let port = &definitions["a.Spec"]["properties"]["port"];
        assert_eq!(port["type"], json!(["string", "integer"]));
    }

    #[test]
    fn files_are_named_as_kubeconform_looks_for_them() {
        let named = |group: &str, version: &str| {
            file(&json!({"group": group, "version": version, "kind": "ScaledObject"}))
        };
        assert_eq!(named("keda.sh", "v1alpha1"), "scaledobject-keda-v1alpha1.json");
        assert_eq!(named("networking.k8s.io", "v1"), "scaledobject-networking-v1.json");
        assert_eq!(named("", "v1"), "scaledobject-v1.json");
    }
}
