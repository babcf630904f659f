// SPDX-License-Identifier: Apache-2.0
//! Which Secrets and ConfigMaps the pods of a Deployment read when they start, and never again.
//!
//! Variables are read at the start. A mounted file is refreshed by kubelet, and reading it again is the application's
//! own matter, with two exceptions: a mount by subPath is never refreshed, and what the operator mounts itself
//! (certificates) Celery and Flower read once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::manifest::{ChildKind, Manifest};
use crate::names;

/// Where configuration is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConfigKind {
    /// `v1` ConfigMap.
    ConfigMap,
    /// `v1` Secret.
    Secret,
}

impl ConfigKind {
    /// Name of the kind.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// Which fields of it are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Whatever is there.
    All,
    /// These.
    Some(BTreeSet<String>),
}

/// How one Secret or ConfigMap is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which fields.
    pub keys: Keys,
    /// Whether pods start without it.
    pub optional: bool,
}

/// Kind and name of a Secret or ConfigMap.
pub type ConfigRef = (ConfigKind, String);

/// What the pods of a Deployment read when they start; nothing for other kinds.
#[must_use]
pub fn references(manifest: &Manifest) -> BTreeMap<ConfigRef, Reading> {
    let mut found = BTreeMap::new();
    if manifest.kind != ChildKind::Deployment {
        return found;
    }
    let pod = &manifest.body["spec"]["template"]["spec"];
    let containers = || ["initContainers", "containers"].into_iter().flat_map(|list| items(&pod[list]));
    for container in containers() {
        for variable in items(&container["env"]) {
            let source = &variable["valueFrom"];
            one_key(&mut found, ConfigKind::Secret, &source["secretKeyRef"]);
            one_key(&mut found, ConfigKind::ConfigMap, &source["configMapKeyRef"]);
        }
        for source in items(&container["envFrom"]) {
            add(&mut found, ConfigKind::Secret, &source["secretRef"], "name", Keys::All);
            add(&mut found, ConfigKind::ConfigMap, &source["configMapRef"], "name", Keys::All);
        }
    }
    let is_fixed = |mount: &Value| !mount["subPath"].is_null() || !mount["subPathExpr"].is_null();
    let mounts = containers().flat_map(|container| items(&container["volumeMounts"]));
    let fixed: BTreeSet<&str> = mounts.filter(|mount| is_fixed(mount)).filter_map(name_of).collect();
    let own = [names::BROKER_AUTHORITY_VOLUME, names::FLOWER_TLS_VOLUME];
    let volumes = items(&pod["volumes"]);
    for volume in volumes
        .filter(|volume| name_of(volume).is_some_and(|name| own.contains(&name) || fixed.contains(name)))
    {
        of_volume(&mut found, volume, "secretName");
        for source in items(&volume["projected"]["sources"]) {
            of_volume(&mut found, source, "name");
        }
    }
    found
}

pub(super) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn name_of(object: &Value) -> Option<&str> {
    object["name"].as_str()
}

fn one_key(found: &mut BTreeMap<ConfigRef, Reading>, kind: ConfigKind, selector: &Value) {
    if let Some(key) = selector["key"].as_str() {
        add(found, kind, selector, "name", Keys::Some(BTreeSet::from([key.to_owned()])));
    }
}

/// A volume, or a source of a projected one; they differ in what the name of a Secret is called.
fn of_volume(found: &mut BTreeMap<ConfigRef, Reading>, volume: &Value, secret_name: &str) {
    for (kind, source, name) in [
        (ConfigKind::Secret, &volume["secret"], secret_name),
        (ConfigKind::ConfigMap, &volume["configMap"], "name"),
    ] {
        let picked: BTreeSet<String> =
            items(&source["items"]).filter_map(|item| item["key"].as_str()).map(str::to_owned).collect();
        add(found, kind, source, name, if picked.is_empty() { Keys::All } else { Keys::Some(picked) });
    }
}

/// Adds a reference to what is known of the same object.
fn add(found: &mut BTreeMap<ConfigRef, Reading>, kind: ConfigKind, source: &Value, name: &str, keys: Keys) {
    let Some(name) = source[name].as_str() else { return };
    let optional = source["optional"] == true;
    match found.get_mut(&(kind, name.to_owned())) {
        None => drop(found.insert((kind, name.to_owned()), Reading { keys, optional })),
        Some(known) => {
            known.optional &= optional;
            match (&mut known.keys, keys) {
                (Keys::Some(known), Keys::Some(more)) => known.extend(more),
                (all, _) => *all = Keys::All,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(pod: Value) -> Vec<String> {
        let body = json!({"spec": {"template": {"spec": pod}}});
        let manifest =
            Manifest { kind: ChildKind::Deployment, name: String::new(), body, hash: String::new() };
        let told = |((kind, name), reading): (ConfigRef, Reading)| {
            let keys = match reading.keys {
                Keys::All => "*".to_owned(),
                Keys::Some(keys) => keys.into_iter().collect::<Vec<_>>().join("+"),
            };
            format!("{}/{name}:{keys}{}", kind.as_str(), if reading.optional { "?" } else { "" })
        };
        references(&manifest).into_iter().map(told).collect()
    }

    #[test]
    fn variables_are_read_at_the_start() {
        let key =
            |name: &str, key: &str, optional: bool| json!({"name": name, "key": key, "optional": optional});
        let containers = json!([
            {"env": [
                {"name": "A", "valueFrom": {"secretKeyRef": key("broker", "url", false)}},
                {"name": "B", "valueFrom": {"secretKeyRef": key("broker", "user", true)}},
                {"name": "C", "valueFrom": {"configMapKeyRef": key("flags", "mode", true)}},
                {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}, {"name": "E", "value": "x"}]},
            {"envFrom": [{"secretRef": {"name": "all"}}, {"configMapRef": {"name": "flags", "optional": true}}]},
        ]);
        let init = json!([{"envFrom": [{"configMapRef": {"name": "init"}}]}]);
        assert_eq!(
            read(json!({"containers": containers, "initContainers": init})),
            ["ConfigMap/flags:*?", "ConfigMap/init:*", "Secret/all:*", "Secret/broker:url+user"]
        );
    }

    #[test]
    fn of_mounts_those_count_that_nobody_refreshes_or_reads_again() {
        let volumes = json!([
            {"name": "plain", "secret": {"secretName": "refreshed"}},
            {"name": "file", "configMap": {"name": "settings", "items": [{"key": "a.py", "path": "a.py"}]}},
            {"name": "mixed", "projected": {"sources": [{"secret": {"name": "one"}}, {"configMap": {"name": "two"}},
                {"serviceAccountToken": {"path": "token"}}]}},
            {"name": "celery-operator-broker", "secret": {"secretName": "ca", "items": [{"key": "ca.crt", "path": "x"}]}},
            {"name": "celery-operator-flower-tls", "secret": {"secretName": "tls"}},
            {"name": "data", "emptyDir": {}},
        ]);
        let containers = json!([{"volumeMounts": [
            {"name": "plain", "mountPath": "/plain"}, {"name": "file", "mountPath": "/a.py", "subPath": "a.py"},
            {"name": "mixed", "mountPath": "/m", "subPathExpr": "$(A)"}, {"name": "data", "mountPath": "/d", "subPath": "x"}]}]);
        assert_eq!(
            read(json!({"containers": containers, "volumes": volumes})),
            [
                "ConfigMap/settings:a.py",
                "ConfigMap/two:*",
                "Secret/ca:ca.crt",
                "Secret/one:*",
                "Secret/tls:*"
            ]
        );
    }

    #[test]
    fn other_kinds_and_odd_shapes_read_nothing() {
        assert_eq!(read(json!(null)), [""; 0]);
        assert_eq!(
            read(json!({"containers": [{"env": 3, "envFrom": [{"secretRef": {}}]}], "volumes": "x"})),
            [""; 0]
        );
        let service =
            Manifest { kind: ChildKind::Service, name: String::new(), body: json!({}), hash: String::new() };
        assert!(references(&service).is_empty());
    }
}
