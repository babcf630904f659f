// SPDX-License-Identifier: Apache-2.0
//! Which other objects a child names. Where one of them is somebody else's, the child would scale, publish or read what
//! is not ours.

use std::collections::BTreeSet;

use serde_json::Value;

use super::manifest::{ChildKind, Manifest};
use super::references::{ConfigKind, items, references};

/// The objects that a child names, of the kinds that children have; nothing of what it selects by labels.
#[must_use]
pub fn mentions(manifest: &Manifest) -> BTreeSet<(ChildKind, String)> {
    let spec = &manifest.body["spec"];
    let named: Vec<(ChildKind, &Value)> = match manifest.kind {
        ChildKind::Deployment => {
            let read = references(manifest).into_keys().map(|(kind, name)| (of_config(kind), name));
            let mounted = items(&spec["template"]["spec"]["volumes"]).flat_map(of_volume);
            return read.chain(texts(mounted)).collect();
        }
        ChildKind::HorizontalPodAutoscaler => vec![(ChildKind::Deployment, &spec["scaleTargetRef"]["name"])],
        ChildKind::ScaledObject => {
            let target = (ChildKind::Deployment, &spec["scaleTargetRef"]["name"]);
            let proofs = items(&spec["triggers"]).map(|trigger| &trigger["authenticationRef"]);
            // Those of the whole cluster have a kind of their own.
            let proofs = proofs.filter(|proof| proof["kind"].as_str().is_none_or(|kind| kind == PROOF));
            let proofs = proofs.map(|proof| (ChildKind::TriggerAuthentication, &proof["name"]));
            std::iter::once(target).chain(proofs).collect()
        }
        ChildKind::TriggerAuthentication => {
            items(&spec["secretTargetRef"]).map(|entry| (ChildKind::Secret, &entry["name"])).collect()
        }
        ChildKind::Ingress => {
            let paths = items(&spec["rules"]).flat_map(|rule| items(&rule["http"]["paths"]));
            paths.map(|path| (ChildKind::Service, &path["backend"]["service"]["name"])).collect()
        }
        ChildKind::Secret
        | ChildKind::Service
        | ChildKind::PodDisruptionBudget
        | ChildKind::PersistentVolumeClaim
        | ChildKind::ConfigMap
        | ChildKind::ServiceMonitor => Vec::new(),
    };
    texts(named).collect()
}

/// The kind that a reference of KEDA means where it names none.
const PROOF: &str = "TriggerAuthentication";

fn of_config(kind: ConfigKind) -> ChildKind {
    match kind {
        ConfigKind::ConfigMap => ChildKind::ConfigMap,
        ConfigKind::Secret => ChildKind::Secret,
    }
}

/// What a volume mounts, whether pods look at it once or again and again.
fn of_volume(volume: &Value) -> Vec<(ChildKind, &Value)> {
    let sources = items(&volume["projected"]["sources"]).flat_map(|source| {
        [(ChildKind::Secret, &source["secret"]["name"]), (ChildKind::ConfigMap, &source["configMap"]["name"])]
    });
    let whole = [
        (ChildKind::Secret, &volume["secret"]["secretName"]),
        (ChildKind::ConfigMap, &volume["configMap"]["name"]),
        (ChildKind::PersistentVolumeClaim, &volume["persistentVolumeClaim"]["claimName"]),
    ];
    whole.into_iter().chain(sources).collect()
}

fn texts<'v>(
    named: impl IntoIterator<Item = (ChildKind, &'v Value)>,
) -> impl Iterator<Item = (ChildKind, String)> {
    named.into_iter().filter_map(|(kind, name)| Some((kind, name.as_str()?.to_owned())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(kind: ChildKind, spec: Value) -> Vec<String> {
        let manifest =
            Manifest { kind, name: String::new(), body: json!({ "spec": spec }), hash: String::new() };
        mentions(&manifest).into_iter().map(|(kind, name)| format!("{}/{name}", kind.as_str())).collect()
    }

    #[test]
    fn a_deployment_names_what_its_pods_read_and_mount() {
        let pod = json!({
            "containers": [{
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "broker", "key": "url"}}}],
                "envFrom": [{"configMapRef": {"name": "settings"}}],
            }],
            "volumes": [
                {"name": "a", "persistentVolumeClaim": {"claimName": "data"}},
                {"name": "b", "configMap": {"name": "probe"}}, {"name": "c", "secret": {"secretName": "keys"}},
                {"name": "d", "projected": {"sources": [{"secret": {"name": "one"}}, {"configMap": {"name": "two"}},
                    {"serviceAccountToken": {"path": "token"}}]}},
                {"name": "e", "emptyDir": {}},
            ],
        });
        assert_eq!(
            told(ChildKind::Deployment, json!({"template": {"spec": pod}})),
            [
                "Secret/broker",
                "Secret/keys",
                "Secret/one",
                "PersistentVolumeClaim/data",
                "ConfigMap/probe",
                "ConfigMap/settings",
                "ConfigMap/two",
            ]
        );
        assert_eq!(told(ChildKind::Deployment, json!({"template": 3})), [""; 0]);
    }

    #[test]
    fn what_scales_publishes_or_proves_names_its_object() {
        let target = json!({"kind": "Deployment", "name": "shop-worker"});
        let scaled = json!({ "scaleTargetRef": target });
        assert_eq!(told(ChildKind::HorizontalPodAutoscaler, scaled), ["Deployment/shop-worker"]);
        let triggers = json!([
            {"authenticationRef": {"name": "shop-worker"}}, {"authenticationRef": {"name": "a", "kind": PROOF}},
            {"authenticationRef": {"name": "b", "kind": "ClusterTriggerAuthentication"}}, {"type": "cpu"},
        ]);
        assert_eq!(
            told(ChildKind::ScaledObject, json!({"scaleTargetRef": target, "triggers": triggers})),
            ["Deployment/shop-worker", "TriggerAuthentication/a", "TriggerAuthentication/shop-worker"]
        );
        let proof =
            json!({"secretTargetRef": [{"parameter": "password", "name": "keda", "key": "password"}]});
        assert_eq!(told(ChildKind::TriggerAuthentication, proof), ["Secret/keda"]);
        let paths = json!([{"path": "/", "backend": {"service": {"name": "shop-flower"}}}]);
        let ingress = json!({"rules": [{"http": {"paths": paths}}]});
        assert_eq!(told(ChildKind::Ingress, ingress), ["Service/shop-flower"]);
        assert_eq!(told(ChildKind::Service, json!({"selector": {"a": "b"}})), [""; 0]);
    }
}
