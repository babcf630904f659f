// SPDX-License-Identifier: Apache-2.0
//! Where results are kept.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretKeyRef;

/// Where results are kept: exactly one of the fields.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ResultBackend {
    /// The URL as Celery takes it: `redis://cache:6379/1`, `db+postgresql://…`, `rpc://`. Use `urlSecretRef` when it
    /// holds a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub url: Option<String>,
    /// The key of a Secret that holds the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub url_secret_ref: Option<SecretKeyRef>,
}
