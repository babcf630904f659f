// SPDX-License-Identifier: Apache-2.0
//! The small correct Celery that the examples of the catalogue are laid over.

use serde_json::{Value, json};

use super::{Facts, Rule};

/// What is wrong with the YAML that was to be laid over.
pub type NotYaml = serde_saphyr::Error;

/// Other Celery objects of the same namespace, by name and `appName`.
pub const NEIGHBOURS: &[(&str, &str)] = &[("mall", "mall"), ("hall", "shop-worker-hall")];

/// The Celery called `shop` with this YAML laid over it; a null takes a field away.
///
/// # Errors
/// When the overlay is not YAML.
pub fn object(overlay: &str) -> Result<Value, NotYaml> {
    let mut object = json!({
        "apiVersion": crate::api::API_VERSION,
        "kind": "Celery",
        "metadata": {"name": "shop"},
        "spec": {
            "common": {
                "image": "registry.example.com/shop:1.0",
                "celeryApp": "shop.tasks",
                "broker": {"url": "redis://cache:6379/0"},
            },
            "workerSpec": {},
        },
    });
    let overlay: Value = serde_saphyr::from_str(overlay)?;
    json_patch::merge(&mut object, &overlay);
    Ok(object)
}

/// What is known beside the examples of a rule: the neighbours, and for a rule about facts a cluster without KEDA.
#[must_use]
pub fn facts(rule: &Rule) -> Facts {
    let neighbours = NEIGHBOURS.iter().map(|(name, prefix)| ((*name).to_owned(), (*prefix).to_owned()));
    let keda = rule.is_about_facts().then_some(false);
    Facts { keda, neighbours: neighbours.collect(), ..Facts::default() }
}
