// SPDX-License-Identifier: Apache-2.0
//! What the operator may do: exactly the requests it makes.

use serde_json::{Value, json};

use super::{CERTIFICATE_SECRET, LEASE, MUTATING, VALIDATING, labels};
use crate::api::GROUP;

/// Service account that the operator runs as.
pub const SERVICE_ACCOUNT: &str = "celery-operator";

/// The service account, its cluster role and the role for its certificates and its Lease in its own namespace.
#[must_use]
pub fn rbac(namespace: &str) -> Vec<Value> {
    vec![
        json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "name": SERVICE_ACCOUNT, "namespace": namespace, "labels": labels() },
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": { "name": SERVICE_ACCOUNT, "labels": labels() },
            "rules": cluster_rules(),
        }),
        binding("ClusterRoleBinding", "ClusterRole", namespace),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": { "name": SERVICE_ACCOUNT, "namespace": namespace, "labels": labels() },
            "rules": [
                // A name cannot restrict a creation: the object has none yet when it is judged.
                { "apiGroups": [""], "resources": ["secrets"], "verbs": ["create"] },
                {
                    "apiGroups": [""], "resources": ["secrets"], "resourceNames": [CERTIFICATE_SECRET],
                    "verbs": ["get", "list", "watch", "update"],
                },
                { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"] },
                {
                    "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": [LEASE],
                    "verbs": ["get", "update"],
                },
            ],
        }),
        binding("RoleBinding", "Role", namespace),
    ]
}

fn cluster_rules() -> Value {
    let child = ["get", "list", "watch", "create", "patch", "delete"];
    json!([
        { "apiGroups": [GROUP], "resources": ["celeries"], "verbs": ["list", "watch"] },
        { "apiGroups": [GROUP], "resources": ["celeries/status"], "verbs": ["patch"] },
        // Owner references with blockOwnerDeletion need it where that is enforced.
        { "apiGroups": [GROUP], "resources": ["celeries/finalizers"], "verbs": ["update"] },
        { "apiGroups": ["apps"], "resources": ["deployments"], "verbs": child },
        // get: the broker's URL or password, under whatever name the user keeps it. The rest: what is made from it.
        { "apiGroups": [""], "resources": ["secrets", "services"], "verbs": child },
        // get: ConfigMaps under any name, where pods take their variables from them: a change is answered by new pods.
        { "apiGroups": [""], "resources": ["configmaps", "persistentvolumeclaims"], "verbs": child },
        // Those with our label alone: why they do not run.
        { "apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"] },
        { "apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"] },
        { "apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": child },
        { "apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": child },
        { "apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": child },
        { "apiGroups": ["keda.sh"], "resources": ["scaledobjects", "triggerauthentications"], "verbs": child },
        { "apiGroups": ["monitoring.coreos.com"], "resources": ["servicemonitors"], "verbs": child },
        {
            "apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            "resourceNames": [MUTATING, VALIDATING],
            "verbs": ["get", "list", "watch", "patch"],
        },
    ])
}

fn binding(kind: &str, role_kind: &str, namespace: &str) -> Value {
    let mut binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
        "metadata": { "name": SERVICE_ACCOUNT, "labels": labels() },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": SERVICE_ACCOUNT },
        "subjects": [{ "kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": namespace }],
    });
    if kind == "RoleBinding" {
        binding["metadata"]["namespace"] = json!(namespace);
    }
    binding
}
