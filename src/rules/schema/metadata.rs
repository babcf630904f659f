// SPDX-License-Identifier: Apache-2.0
//! The schema of `metadata`, which a CustomResourceDefinition leaves to the API server.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The schema of Kubernetes' own type.
pub(super) fn schema() -> Value {
    let mut settings = SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<ObjectMeta>().to_value()
}
