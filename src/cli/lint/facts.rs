// SPDX-License-Identifier: Apache-2.0
//! What the documents of an input know about each other: which names are taken, which Secrets and `ConfigMap`s there
//! are, each in its namespace.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::Value;

use crate::api::API_VERSION;
use crate::cli::Cluster;
use crate::rules::{Facts, SecretKeys, SecretTexts};

/// What is known, by namespace and of the cluster. Nothing is known about a namespace that no document names.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Known {
    namespaces: BTreeMap<String, Facts>,
    /// What is known of the cluster, and so in every namespace.
    cluster: Facts,
}

impl Known {
    /// What these objects say; one without a namespace belongs to `default`.
    pub(super) fn gathered<'o>(
        objects: impl Iterator<Item = &'o Value>,
        default: &str,
        cluster: Cluster,
    ) -> Self {
        // Of what is not said to be lacking nothing is known.
        let lacks = |is_lacking: bool| is_lacking.then_some(false);
        let (keda, monitors) = (lacks(cluster.without_keda), lacks(cluster.without_monitors));
        let cluster = Facts { keda, monitors, ..Facts::default() };
        let mut known = Self { namespaces: BTreeMap::new(), cluster };
        for object in objects {
            known.add(object, default);
        }
        known
    }

    /// Asks a question with what is known in a namespace beside the Celery of this name.
    pub(super) fn beside<T>(&mut self, namespace: &str, name: &str, question: impl FnOnce(&Facts) -> T) -> T {
        let Some(facts) = self.namespaces.get_mut(namespace) else { return question(&self.cluster) };
        // Taken out and put back: a copy for each of a thousand objects would be a million entries.
        let own = facts.neighbours.remove(name);
        let answer = question(facts);
        facts.neighbours.extend(own.map(|prefix| (name.to_owned(), prefix)));
        answer
    }

    /// The texts of a Secret.
    pub(in crate::cli) fn secret(&self, namespace: &str, name: &str) -> Option<&SecretTexts> {
        self.namespaces.get(namespace)?.secrets.get(name)
    }

    fn add(&mut self, object: &Value, default: &str) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let (Some(version), Some(kind)) = (text("/apiVersion"), text("/kind")) else { return };
        // One whose name the API server is to make up is nobody's neighbour, itself least of all.
        let Some(name) = text("/metadata/name").map(str::to_owned) else { return };
        let namespace = text("/metadata/namespace").unwrap_or(default).to_owned();
        let facts = self.namespaces.entry(namespace).or_insert_with(|| self.cluster.clone());
        match (version, kind) {
            (API_VERSION, "Celery") => {
                let prefix = text("/spec/common/appName").unwrap_or(&name).to_owned();
                facts.neighbours.insert(name, prefix);
            }
            ("v1", "ConfigMap") => {
                let map = serde_json::from_value::<ConfigMap>(object.clone()).unwrap_or_default();
                facts.config_maps.insert(name.clone(), keys(&map));
                facts.config_texts.insert(name, map.data.unwrap_or_default());
            }
            ("v1", "Secret") => {
                // An input may have one of a name for several clusters.
                let SecretKeys { there, unreadable } = secret_keys(object);
                let keys = facts.secret_keys.entry(name.clone()).or_default();
                keys.there.extend(there);
                keys.unreadable.extend(unreadable);
                facts.secrets.insert(name, texts(object));
            }
            _ => {}
        }
    }
}

fn keys(map: &ConfigMap) -> BTreeSet<String> {
    let texts = map.data.iter().flatten().map(|(key, _)| key.clone());
    texts.chain(map.binary_data.iter().flatten().map(|(key, _)| key.clone())).collect()
}

/// The texts of a Secret; `stringData` counts more than `data`, as on the API server. What is no text is left out.
fn texts(object: &Value) -> SecretTexts {
    let decoded = entries(object, "data").filter_map(|(key, written)| {
        let bytes = decoded(written.as_str()?)?;
        Some((key.clone(), String::from_utf8(bytes).ok()?))
    });
    let plain = entries(object, "stringData")
        .filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned())));
    SecretTexts(decoded.chain(plain).collect())
}

/// The keys of a Secret, and those whose text is no base64. A placeholder that some tool is to fill in is neither.
fn secret_keys(object: &Value) -> SecretKeys {
    let is_placeholder = |text: &str| text.contains(['{', '$', '<']);
    let unreadable = entries(object, "data").filter(|(_, written)| {
        written.as_str().is_some_and(|text| !is_placeholder(text) && decoded(text).is_none())
    });
    let unreadable = unreadable.map(|(key, _)| key.clone()).collect();
    let there = entries(object, "data").chain(entries(object, "stringData")).map(|(key, _)| key.clone());
    SecretKeys { there: there.collect(), unreadable }
}

fn entries<'o>(object: &'o Value, field: &str) -> impl Iterator<Item = (&'o String, &'o Value)> {
    object.get(field).and_then(Value::as_object).into_iter().flatten()
}

/// The bytes of a base64 text; line breaks in it do not count, as on the API server.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let text = text.replace(['\r', '\n'], "");
    serde_json::from_value::<ByteString>(Value::String(text)).ok().map(|bytes| bytes.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn known() -> Known {
        let celery = |name: &str, app: Value| {
            json!({"apiVersion": API_VERSION, "kind": "Celery", "metadata": {"name": name},
                   "spec": {"common": {"appName": app}}})
        };
        let objects = [
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "shop"},
                   "data": {"url": "aHVudGVyMg==", "raw": "/w=="}, "stringData": {"user": "app"}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "v"}}),
            celery("web", json!("front")),
            celery("back", json!(null)),
            json!({"kind": "Secret"}),
            json!(7),
        ];
        Known::gathered(objects.iter(), "default", Cluster { without_keda: false, without_monitors: true })
    }

    #[test]
    fn every_kind_is_found_in_its_namespace() {
        let mut known = known();
        let keys = |texts: &SecretTexts| texts.0.keys().cloned().collect::<Vec<_>>();
        assert_eq!(known.secret("shop", "a").map(keys), Some(vec!["url".to_owned(), "user".to_owned()]));
        assert!(known.secret("default", "a").is_none());
        let maps = known.beside("default", "web", |facts| facts.config_maps.clone());
        assert_eq!(maps, BTreeMap::from([("c".to_owned(), BTreeSet::from(["k".to_owned()]))]));
        let texts = known.beside("default", "web", |facts| facts.config_texts["c"].clone());
        assert_eq!(texts, BTreeMap::from([("k".to_owned(), "v".to_owned())]));
        assert!(!format!("{known:?}").contains("hunter2"));
    }

    #[test]
    fn the_keys_of_a_secret_are_known_whatever_they_hold() {
        let secret = json!({"data": {
            "good": "aHVudGVyMg==", "raw": "/w==", "lines": "aHVudGVy\nMg==\n", "empty": "",
            "plain": "hunter2!", "unpadded": "aHVudGVyMg", "template": "{{ .Values.url | b64enc }}",
        }, "stringData": {"user": "app"}});
        let keys = secret_keys(&secret);
        assert_eq!(keys.there.len(), 8);
        assert_eq!(keys.unreadable, ["plain".to_owned(), "unpadded".to_owned()].into());
        let texts = texts(&secret);
        assert_eq!(texts.0.get("lines").map(String::as_str), Some("hunter2"));
        assert!(
            texts.0.contains_key("good") && texts.0.contains_key("user") && !texts.0.contains_key("plain")
        );
        assert_eq!(secret_keys(&json!({"data": 7})), SecretKeys::default());
    }

    #[test]
    fn nobody_is_its_own_neighbour() {
        let mut known = known();
        for (name, neighbours) in [
            ("web", vec![("back", "back")]),
            ("back", vec![("web", "front")]),
            ("new", vec![("back", "back"), ("web", "front")]),
        ] {
            let found = known.beside("default", name, |facts| facts.neighbours.clone());
            let expected: BTreeMap<String, String> =
                neighbours.iter().map(|(name, prefix)| ((*name).to_owned(), (*prefix).to_owned())).collect();
            assert_eq!(found, expected, "{name}");
        }
        let elsewhere = Facts { monitors: Some(false), ..Facts::default() };
        assert!(known.beside("elsewhere", "web", |facts| *facts == elsewhere));
    }
}
