// SPDX-License-Identifier: Apache-2.0
//! The objects that install the operator. Pure; `config/` is generated from here.

mod rbac;
mod webhooks;

use serde_json::Value;

pub use rbac::{SERVICE_ACCOUNT, rbac};
pub use webhooks::{Destination, MUTATE_PATH, MUTATING, VALIDATE_PATH, VALIDATING, webhooks};

/// Namespace of the plain manifests.
pub const NAMESPACE: &str = "celery-system";
/// Service that leads to the webhooks.
pub const SERVICE: &str = "celery-operator-webhook";
/// Secret that holds the webhooks' certificates.
pub const CERTIFICATE_SECRET: &str = "celery-operator-webhook-cert";

/// Lease of the replica that writes.
pub const LEASE: &str = "celery-operator";

/// A label that everything of the operator itself carries.
fn labels() -> Value {
    serde_json::json!({ "app.kubernetes.io/name": "celery-operator" })
}
