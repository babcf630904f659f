// SPDX-License-Identifier: Apache-2.0
//! Objects by what they are, and what two ways to install the operator have in common.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Labels that only Helm writes.
const OF_HELM: &[&str] = &["app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart"];

/// The one object of this kind whose name ends so.
#[track_caller]
pub(crate) fn one<'o>(objects: &'o [Value], kind: &str, end: &str) -> &'o Value {
    let is_it = |object: &&Value| {
        object["kind"] == kind && object["metadata"]["name"].as_str().is_some_and(|name| name.ends_with(end))
    };
    let found: Vec<&Value> = objects.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{kind} …{end}");
    found[0]
}

/// Whether Helm runs it at a moment of its own.
pub(crate) fn is_hook(object: &Value) -> bool {
    object["metadata"]["annotations"].get("helm.sh/hook").is_some()
}

/// `Deployment celery-system/celery-operator`.
pub(crate) fn title(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    format!("{} {}/{}", text(&object["kind"]), text(&metadata["namespace"]), text(&metadata["name"]))
}

/// Objects by their titles, hooks and the labels of Helm left out.
#[track_caller]
pub(crate) fn by_title(objects: &[Value]) -> BTreeMap<String, Value> {
    let mut by_title = BTreeMap::new();
    for object in objects.iter().filter(|object| !is_hook(object)) {
        let mut object = object.clone();
        if let Some(labels) = object["metadata"]["labels"].as_object_mut() {
            labels.retain(|name, _| !OF_HELM.contains(&name.as_str()));
        }
        whole(&mut object);
        let title = title(&object);
        assert!(by_title.insert(title.clone(), object).is_none(), "{title} is there twice");
    }
    by_title
}

/// Two of three ways to print a number print 0.0 as 0.
fn whole(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let as_float = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15);
            if let Some(Ok(number)) = as_float.map(|number| format!("{number:.0}").parse::<i64>()) {
                *value = json!(number);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole),
        Value::Object(fields) => fields.values_mut().for_each(whole),
        _ => {}
    }
}

/// Where two values differ first.
pub(crate) fn difference(one: &Value, other: &Value, path: &str) -> Option<String> {
    if one == other {
        return None;
    }
    let inner = match (one, other) {
        (Value::Object(fields), Value::Object(others)) => {
            let names = fields.keys().chain(others.keys());
            names.into_iter().find_map(|name| {
                let at =
                    |object: &serde_json::Map<String, Value>| object.get(name).cloned().unwrap_or_default();
                difference(&at(fields), &at(others), &format!("{path}.{name}"))
            })
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            let pairs = items.iter().zip(others).enumerate();
            pairs.into_iter().find_map(|(at, (one, other))| difference(one, other, &format!("{path}[{at}]")))
        }
        _ => None,
    };
    Some(inner.unwrap_or_else(|| format!("{path}: {one:.200} and {other:.200}")))
}
