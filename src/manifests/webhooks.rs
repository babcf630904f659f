// SPDX-License-Identifier: Apache-2.0
//! The webhook configurations. Every field the API server would default is written out, so that `GitOps` tools see no
//! difference; `caBundle` alone is left to the running operator.

use serde_json::{Value, json};

use super::{SERVICE, labels};
use crate::api::{GROUP, VERSION};

/// Name of the mutating configuration.
pub const MUTATING: &str = "celery-operator-mutating";
/// Name of the validating configuration.
pub const VALIDATING: &str = "celery-operator-validating";
/// Path of the mutating webhook.
pub const MUTATE_PATH: &str = "/mutate/celeries";
/// Path of the validating webhook.
pub const VALIDATE_PATH: &str = "/validate/celeries";

/// Where the API server finds the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Through the operator's Service in this namespace.
    Service {
        /// The namespace.
        namespace: String,
    },
    /// Under an address outside the cluster: `https://127.0.0.1:9443`.
    Url(String),
}

impl Destination {
    fn client_config(&self, path: &str) -> Value {
        match self {
            Self::Service { namespace } => {
                json!({ "service": { "name": SERVICE, "namespace": namespace, "path": path, "port": 443 } })
            }
            Self::Url(base) => json!({ "url": format!("{}{path}", base.trim_end_matches('/')) }),
        }
    }
}

/// Both configurations.
#[must_use]
pub fn webhooks(destination: &Destination) -> Vec<Value> {
    // The API server matches and answers these webhooks on every write: what cannot change a verdict is skipped.
    let conditions = json!([
        { "name": "not-deleted", "expression": "!has(object.metadata.deletionTimestamp)" },
        { "name": "spec-changed", "expression": "oldObject == null || object.?spec != oldObject.?spec" },
    ]);
    let webhook = |name: &str, path: &str, failure_policy: &str| {
        json!({
            "name": format!("{name}.celery.{GROUP}"),
            "admissionReviewVersions": ["v1"],
            "clientConfig": destination.client_config(path),
            "failurePolicy": failure_policy,
            "matchConditions": conditions,
            "matchPolicy": "Equivalent",
            "namespaceSelector": {},
            "objectSelector": {},
            "rules": [{
                "apiGroups": [GROUP],
                "apiVersions": [VERSION],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["celeries"],
                "scope": "Namespaced",
            }],
            "sideEffects": "None",
            "timeoutSeconds": 3,
        })
    };
    // Without the mutating webhook the reconciler fills in the same defaults; without the validating one nobody would
    // refuse what cannot work.
    let mut default = webhook("default", MUTATE_PATH, "Ignore");
    default["reinvocationPolicy"] = json!("IfNeeded");
    let mut validate = webhook("validate", VALIDATE_PATH, "Fail");
    if let Some(rules) = validate["rules"].as_array_mut() {
        rules.push(json!({
            "apiGroups": [GROUP],
            "apiVersions": [VERSION],
            "operations": ["UPDATE"],
            "resources": ["celeries/scale"],
            "scope": "Namespaced",
        }));
    }
    vec![
        configuration("MutatingWebhookConfiguration", MUTATING, default),
        configuration("ValidatingWebhookConfiguration", VALIDATING, validate),
    ]
}

fn configuration(kind: &str, name: &str, webhook: Value) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": { "name": name, "labels": labels() },
        "webhooks": [webhook],
    })
}
