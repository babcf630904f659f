// SPDX-License-Identifier: Apache-2.0
//! The webhook configurations. Every field the API server would default is written out, so that `GitOps` tools see no
//! difference; `caBundle` alone is left to the running operator.

use serde_json::{Value, json};

use super::Installation;
use crate::api::{GROUP, VERSION};

/// Path of the mutating webhook.
pub const MUTATE_PATH: &str = "/mutate/celeries";
/// Path of the validating webhook.
pub const VALIDATE_PATH: &str = "/validate/celeries";

/// Where the API server finds the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Through the operator's Service.
    Service,
    /// Under an address outside the cluster: `https://127.0.0.1:9443`.
    Url(String),
}

impl Destination {
    fn client_config(&self, installation: &Installation, path: &str) -> Value {
        match self {
            Self::Service => json!({ "service": {
                "name": installation.service(), "namespace": installation.namespace, "path": path, "port": 443,
            } }),
            Self::Url(base) => json!({ "url": format!("{}{path}", base.trim_end_matches('/')) }),
        }
    }
}

/// Both configurations.
#[must_use]
pub fn webhooks(installation: &Installation, destination: &Destination) -> Vec<Value> {
    // The API server matches and answers these webhooks on every write: what cannot change a verdict is skipped.
    let conditions = json!([
        { "name": "not-deleted", "expression": "!has(object.metadata.deletionTimestamp)" },
        { "name": "spec-changed", "expression": "oldObject == null || object.?spec != oldObject.?spec" },
    ]);
    let webhook = |name: &str, path: &str, failure_policy: &str| {
        json!({
            "name": format!("{name}.celery.{GROUP}"),
            "admissionReviewVersions": ["v1"],
            "clientConfig": destination.client_config(installation, path),
            "failurePolicy": failure_policy,
            "matchConditions": conditions,
            "matchPolicy": "Equivalent",
            "namespaceSelector": namespaces(&installation.watched),
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
    let configuration = |kind: &str, name: String, webhook: Value| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": { "name": name, "labels": installation.labels() },
            "webhooks": [webhook],
        })
    };
    vec![
        configuration("MutatingWebhookConfiguration", installation.mutating(), default),
        configuration("ValidatingWebhookConfiguration", installation.validating(), validate),
    ]
}

/// The API server labels each namespace with its name.
fn namespaces(watched: &[String]) -> Value {
    if watched.is_empty() {
        return json!({});
    }
    json!({ "matchExpressions": [{ "key": "kubernetes.io/metadata.name", "operator": "In", "values": watched }] })
}
