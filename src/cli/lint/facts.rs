// SPDX-License-Identifier: Apache-2.0
//! What the other objects of the input say: which names are taken, what else there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use serde_json::Value;

use crate::api::API_VERSION;
use crate::resolve::SecretData;

/// What is known about the cluster; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    namespaces: BTreeMap<String, Namespace>,
    /// The policies of the input, as they are written.
    pub policies: Vec<Value>,
}

/// What is known about a namespace.
#[derive(Clone, Default)]
pub struct Namespace {
    /// Labels, when the namespace itself is in the input.
    pub labels: BTreeMap<String, String>,
    /// The Celery objects by name, with their `appName`.
    pub celeries: BTreeMap<String, Option<String>>,
    /// `ConfigMap`s by name, with their keys.
    pub config_maps: BTreeMap<String, BTreeSet<String>>,
    /// Secrets by name, with their fields. Never printed.
    pub secrets: BTreeMap<String, SecretData>,
}

/// Without what Secrets hold.
impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { labels, celeries, config_maps, secrets } = self;
        let secrets: BTreeMap<&String, Vec<&String>> =
            secrets.iter().map(|(name, data)| (name, data.keys().collect())).collect();
        f.debug_struct("Namespace")
            .field("labels", labels)
            .field("celeries", celeries)
            .field("config_maps", config_maps)
            .field("secrets", &secrets)
            .finish()
    }
}

impl Facts {
    /// What these objects say; one without a namespace belongs to `default`.
    #[must_use]
    pub fn gathered<'o>(objects: impl Iterator<Item = &'o Value>, default: &str) -> Self {
        let mut facts = Self::default();
        for object in objects {
            facts.add(object, default);
        }
        facts
    }

    /// What is known about a namespace.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.get(name)
    }

    fn home(&mut self, namespace: String) -> &mut Namespace {
        self.namespaces.entry(namespace).or_default()
    }

    fn add(&mut self, object: &Value, default: &str) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let (Some(kind), Some(version)) = (text("/kind"), text("/apiVersion")) else { return };
        let name = text("/metadata/name").unwrap_or_default().to_owned();
        let namespace = match kind {
            "Namespace" => name.as_str(),
            _ => text("/metadata/namespace").unwrap_or(default),
        };
        let namespace = namespace.to_owned();
        match (version, kind) {
            (API_VERSION, "Celery") => {
                let app = text("/spec/common/appName").map(str::to_owned);
                self.home(namespace).celeries.insert(name, app);
            }
            (API_VERSION, "CeleryPolicy") => self.policies.push(object.clone()),
            ("v1", "Namespace") => {
                let labels = object.pointer("/metadata/labels").cloned().unwrap_or_default();
                self.home(namespace).labels = serde_json::from_value(labels).unwrap_or_default();
            }
            ("v1", "ConfigMap") => {
                self.home(namespace).config_maps.insert(name, keys(object));
            }
            ("v1", "Secret") => {
                self.home(namespace).secrets.insert(name, fields(object));
            }
            _ => {}
        }
    }
}

fn keys(object: &Value) -> BTreeSet<String> {
    let Ok(map) = serde_json::from_value::<ConfigMap>(object.clone()) else { return BTreeSet::new() };
    let texts = map.data.unwrap_or_default().into_keys();
    texts.chain(map.binary_data.unwrap_or_default().into_keys()).collect()
}

/// The fields of a Secret; `stringData` counts more than `data`, as on the API server. What is no text is left out.
fn fields(object: &Value) -> SecretData {
    let Ok(secret) = serde_json::from_value::<Secret>(object.clone()) else { return SecretData::new() };
    let encoded = secret.data.unwrap_or_default().into_iter();
    let decoded = encoded.filter_map(|(key, bytes)| Some((key, String::from_utf8(bytes.0).ok()?)));
    decoded.chain(secret.string_data.unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_is_found_in_its_namespace() {
        let objects = [
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "shop"},
                   "data": {"url": "aHVudGVyMg==", "raw": "/w=="}, "stringData": {"user": "app"}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "v"}}),
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "a"}}}),
            json!({"apiVersion": API_VERSION, "kind": "Celery", "metadata": {"name": "web"},
                   "spec": {"common": {"appName": "front"}}}),
            json!({"apiVersion": API_VERSION, "kind": "CeleryPolicy", "metadata": {"name": "p"}}),
            json!({"kind": "Secret"}),
            json!(7),
        ];
        let facts = Facts::gathered(objects.iter(), "default");
        let shop = facts.namespace("shop").expect("there");
        assert_eq!(shop.secrets["a"]["url"], "hunter2");
        assert_eq!(shop.secrets["a"].len(), 2);
        assert_eq!(shop.labels["team"], "a");
        let default = facts.namespace("default").expect("there");
        assert_eq!(default.config_maps["c"], BTreeSet::from(["k".to_owned()]));
        assert_eq!(default.celeries["web"].as_deref(), Some("front"));
        assert_eq!(facts.policies.len(), 1);
        assert!(!format!("{facts:?}").contains("hunter2"));
    }
}
