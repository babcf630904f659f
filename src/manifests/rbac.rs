// SPDX-License-Identifier: Apache-2.0
//! What the operator may do, exactly the requests it makes; and what it lets users do.

use serde_json::{Value, json};

use super::Installation;
use crate::api::GROUP;

/// What one who may do something may do, as lists of rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Duties {
    /// Of the operator, wherever it looks after Celery objects.
    pub watched: Value,
    /// Of the operator, in its own namespace: its certificates and its Lease.
    pub own: Value,
    /// Of the operator, in the cluster: its webhook configurations.
    pub cluster: Value,
    /// Of users who may look at things.
    pub view: Value,
    /// Of users who may change them.
    pub edit: Value,
}

/// Who may do what.
#[must_use]
pub fn duties(installation: &Installation) -> Duties {
    Duties {
        watched: watched(),
        own: own(installation),
        cluster: json!([{
            "apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            "resourceNames": [installation.mutating(), installation.validating()],
            "verbs": ["get", "list", "watch", "patch"],
        }]),
        view: json!([
            { "apiGroups": [GROUP], "resources": ["celeries"], "verbs": ["get", "list", "watch"] },
            { "apiGroups": [GROUP], "resources": ["celeries/scale", "celeries/status"], "verbs": ["get"] },
        ]),
        edit: json!([
            {
                "apiGroups": [GROUP], "resources": ["celeries"],
                "verbs": ["create", "update", "patch", "delete", "deletecollection"],
            },
            { "apiGroups": [GROUP], "resources": ["celeries/scale"], "verbs": ["update", "patch"] },
        ]),
    }
}

/// The service account, its roles, and roles for users that add themselves to Kubernetes' own `view`, `edit` and
/// `admin`.
///
/// Where namespaces are named, each has a role of its own, and the cluster's is left with the webhook configurations.
#[must_use]
pub fn rbac(installation: &Installation) -> Vec<Value> {
    let Duties { watched, own, cluster, view, edit } = duties(installation);
    let Installation { name, namespace, cluster_wide_name, watched: namespaces } = installation;
    let everywhere = if namespaces.is_empty() { joined(&watched, &cluster) } else { cluster };
    let mut objects = vec![
        json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": false,
            "metadata": { "name": name, "namespace": namespace, "labels": installation.labels() },
        }),
        role(installation, cluster_wide_name, None, &everywhere),
        binding(installation, cluster_wide_name, None),
        role(installation, name, Some(namespace), &own),
        binding(installation, name, Some(namespace)),
    ];
    // Under a name that no other installation has: several may look after a namespace, one after the other at least.
    for namespace in namespaces {
        objects.push(role(installation, &format!("{cluster_wide_name}-watched"), Some(namespace), &watched));
        objects.push(binding(installation, &format!("{cluster_wide_name}-watched"), Some(namespace)));
    }
    objects.push(aggregated(installation, "view", &["view"], &view));
    objects.push(aggregated(installation, "edit", &["edit", "admin"], &edit));
    objects
}

fn watched() -> Value {
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
    ])
}

fn own(installation: &Installation) -> Value {
    json!([
        // A name cannot restrict a creation: the object has none yet when it is judged.
        { "apiGroups": [""], "resources": ["secrets"], "verbs": ["create"] },
        {
            "apiGroups": [""], "resources": ["secrets"], "resourceNames": [installation.certificate_secret()],
            "verbs": ["get", "list", "watch", "update"],
        },
        { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"] },
        {
            "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": [installation.lease()],
            "verbs": ["get", "update"],
        },
    ])
}

fn joined(one: &Value, other: &Value) -> Value {
    [one, other].into_iter().filter_map(Value::as_array).flatten().cloned().collect()
}

fn role(installation: &Installation, name: &str, namespace: Option<&str>, rules: &Value) -> Value {
    let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
        "metadata": metadata(installation, name, namespace), "rules": rules,
    })
}

fn binding(installation: &Installation, name: &str, namespace: Option<&str>) -> Value {
    let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": format!("{kind}Binding"),
        "metadata": metadata(installation, name, namespace),
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name },
        "subjects": [{ "kind": "ServiceAccount", "name": installation.name, "namespace": installation.namespace }],
    })
}

/// Whoever has one of Kubernetes' own roles has these rules too.
fn aggregated(installation: &Installation, verb: &str, standard: &[&str], rules: &Value) -> Value {
    let mut role = role(installation, &format!("{}-{verb}", installation.cluster_wide_name), None, rules);
    for one in standard {
        role["metadata"]["labels"][format!("rbac.authorization.k8s.io/aggregate-to-{one}")] = json!("true");
    }
    role
}

fn metadata(installation: &Installation, name: &str, namespace: Option<&str>) -> Value {
    let mut metadata = json!({ "name": name, "labels": installation.labels() });
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_for_some_namespaces_may_do_nothing_in_the_others() {
        let watched = vec!["a".to_owned(), "b".to_owned()];
        let objects = rbac(&Installation { watched, ..Installation::default() });
        let everywhere = objects.iter().find(|it| it["kind"] == "ClusterRole").unwrap();
        assert_eq!(everywhere["rules"], duties(&Installation::default()).cluster);
        let roles = objects.iter().filter(|it| it["kind"] == "Role");
        let places: Vec<&Value> = roles.map(|it| &it["metadata"]["namespace"]).collect();
        assert_eq!(places, ["celery-system", "a", "b"]);
    }
}
