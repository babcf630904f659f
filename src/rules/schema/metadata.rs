// SPDX-License-Identifier: Apache-2.0
//! The schema of `metadata`, which a CustomResourceDefinition leaves to the API server.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// What the name of an object looks like, DNS-1123 subdomains.
const NAME: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Whether the API server could find a name for the object.
pub(super) fn has_name(object: &Value) -> bool {
    let written =
        |field: &str| object.pointer(field).and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    written("/metadata/name") || written("/metadata/generateName")
}

/// The schema of Kubernetes' own type.
pub(super) fn schema() -> Value {
    let mut settings = SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<ObjectMeta>().to_value();
    if let Some(name) = schema.pointer_mut("/properties/name").and_then(Value::as_object_mut) {
        name.insert("pattern".to_owned(), json!(NAME));
        name.insert("maxLength".to_owned(), json!(253));
    }
    schema
}
