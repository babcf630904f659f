// SPDX-License-Identifier: Apache-2.0
//! The small correct Celery that the examples of the catalogue are laid over.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Facts, Rule, SecretKeys, SecretTexts};

/// What is wrong with the YAML that was to be laid over.
pub type NotYaml = serde_saphyr::Error;

/// Other Celery objects of the same namespace, by name and `appName`.
pub const NEIGHBOURS: &[(&str, &str)] = &[("mall", "mall"), ("hall", "shop-worker-hall")];

/// The Celery called `shop` with this YAML laid over it; a null takes a field away, or stands where none is.
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
    lay(overlay, &mut object);
    Ok(object)
}

/// Lays a value over another. A null takes away what is there, and is a null where nothing is.
fn lay(over: Value, under: &mut Value) {
    match (over, under) {
        (Value::Object(over), Value::Object(under)) => {
            for (name, value) in over {
                match under.get_mut(&name) {
                    Some(_) if value.is_null() => drop(under.remove(&name)),
                    Some(known) => lay(value, known),
                    None => drop(under.insert(name, value)),
                }
            }
        }
        (over, under) => *under = over,
    }
}

/// What the examples of a rule have beside them: without it the wrong one is free of the rule too. Nothing for a rule about
/// the object alone.
#[must_use]
pub fn beside(rule: &Rule) -> Option<&'static str> {
    Some(match rule.id {
        "A15" => "in a cluster without KEDA",
        "F50" => "in a cluster without the Prometheus operator",
        "C16" => "beside a Celery `mall` of the same namespace",
        "S04" => "below another Celery `shop` in the same input",
        "S05" | "S08" => "beside a Secret `broker` with the key `url` in the same input",
        "S06" => "beside a Secret `garbled` in the same input, whose `data` has plain text under `url`",
        "B33" | "R13" => "beside a Secret `broken` in the same input, with `url: valkey://cache`",
        "B35" => "beside a ConfigMap `heroku` in the same input, with the key `BROKER_URL`",
        _ => return None,
    })
}

/// What is known beside the examples of a rule: the neighbours, and for a rule about facts a cluster without KEDA and
/// without the Prometheus operator, a Secret with a URL that Celery cannot use, one with a good one and one that is no base64, and a
/// `ConfigMap` with a broker of its own.
#[must_use]
pub fn facts(rule: &Rule) -> Facts {
    let neighbours = NEIGHBOURS.iter().map(|(name, prefix)| ((*name).to_owned(), (*prefix).to_owned()));
    let facts = Facts { neighbours: neighbours.collect(), ..Facts::default() };
    if !rule.is_about_facts() {
        return facts;
    }
    let url = |url: &str| SecretTexts([("url".to_owned(), url.to_owned())].into());
    let secrets = [("broken", url("valkey://:hunter2@cache")), ("broker", url("redis://:hunter2@cache\n"))];
    let keys = |unreadable: &[&str]| SecretKeys {
        there: ["url".to_owned()].into(),
        unreadable: unreadable.iter().map(|key| (*key).to_owned()).collect(),
    };
    let secret_keys = [("broken", keys(&[])), ("broker", keys(&[])), ("garbled", keys(&["url"]))];
    let config_maps = [("heroku", "BROKER_URL"), ("shop", "SHOP_URL")];
    Facts {
        keda: Some(false),
        monitors: Some(false),
        secrets: secrets.map(|(name, texts)| (name.to_owned(), texts)).into(),
        secret_keys: secret_keys.map(|(name, keys)| (name.to_owned(), keys)).into(),
        config_maps: config_maps
            .map(|(name, key)| (name.to_owned(), BTreeSet::from([key.to_owned()])))
            .into(),
        ..facts
    }
}
