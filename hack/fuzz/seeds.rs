// SPDX-License-Identifier: Apache-2.0
//! Writes the first inputs of the fuzz targets: the examples of the catalogue, as objects and as command lines.

use std::fs;
use std::path::Path;

use celery_operator::rules::catalogue;
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "corpus".to_owned());
    let reviews = Path::new(&folder).join("review");
    let lines = Path::new(&folder).join("command_line");
    fs::create_dir_all(&reviews)?;
    fs::create_dir_all(&lines)?;
    for rule in catalogue::rules() {
        for (kind, text) in [("bad", rule.example.bad), ("good", rule.example.good)] {
            let overlay: Value = serde_saphyr::from_str(text).unwrap_or_default();
            let mut object = json!({"apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery", "metadata": {"name": "shop"},
                "spec": {"common": {"image": "shop:1", "celeryApp": "shop", "broker": {"url": "redis://cache"}}, "workerSpec": {}}});
            merge(&mut object, &overlay);
            fs::write(reviews.join(format!("{}-{kind}", rule.id)), object.to_string())?;
            let mut words = Vec::new();
            texts(&overlay, &mut words);
            fs::write(lines.join(format!("{}-{kind}", rule.id)), words.join("\n"))?;
        }
    }
    Ok(())
}

fn merge(object: &mut Value, overlay: &Value) {
    match (object, overlay) {
        (Value::Object(object), Value::Object(overlay)) => {
            for (key, value) in overlay {
                if value.is_null() {
                    object.remove(key);
                } else {
                    merge(object.entry(key.clone()).or_default(), value);
                }
            }
        }
        (object, overlay) => *object = overlay.clone(),
    }
}

/// Every text of a value: arguments, URLs, settings.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|item| texts(item, found)),
        Value::Object(map) => map.values().for_each(|item| texts(item, found)),
        _ => {}
    }
}
