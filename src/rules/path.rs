// SPDX-License-Identifier: Apache-2.0
//! Field paths of messages, `spec.scaleTargetRef[0].kind`, and what they point at.

use serde_json::Value;

use crate::celery::settings;

/// The URL of the broker.
pub(super) const BROKER_URL: &str = "spec.common.broker.url";
/// The field of a result backend's URL.
pub(super) const BACKEND_URL: &str = "spec.common.resultBackend.url";

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

/// Lists that are maps, and the keys of their items with the key's default.
const MAPS: &[(&str, &[(&str, &str)])] = &[
    ("workerPools", &[("name", "")]),
    ("scaleTargetRef", &[("kind", ""), ("pool", crate::api::DEFAULT_POOL)]),
    ("metrics", &[("name", "")]),
];

fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('.');
        if let Some((key, behind)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            rest = behind;
            return Some(key.parse().map_or(Step::Field(key), Step::Item));
        }
        // A bracket that nothing closes is a letter like any other.
        let end = rest.char_indices().skip(1).find(|(_, letter)| ".[".contains(*letter));
        let (name, behind) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        rest = behind;
        (!name.is_empty()).then_some(Step::Field(name))
    })
}

/// The path of a map's entry; a key with dots or slashes in it stands in brackets.
#[must_use]
pub(super) fn entry(map: &str, key: &str) -> String {
    let is_plain = key.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter));
    if is_plain { format!("{map}.{key}") } else { format!("{map}[{key}]") }
}

/// The path of a part of a setting.
pub(super) fn inner(path: String, within: &[settings::Step]) -> String {
    within.iter().fold(path, |path, step| match step {
        settings::Step::Name(name) => entry(&path, name),
        settings::Step::Item(at) => format!("{path}[{at}]"),
    })
}

/// The value at a path.
#[must_use]
pub(super) fn at<'v>(root: &'v Value, path: &str) -> Option<&'v Value> {
    steps(path).try_fold(root, |value, step| match step {
        Step::Field(name) => value.get(name),
        Step::Item(index) => value.get(index),
    })
}

/// The path with positions in map lists replaced by the keys of their items.
#[must_use]
pub(super) fn place(root: &Value, path: &str) -> String {
    let mut text = String::new();
    let mut value = Some(root);
    let mut list = "";
    for step in steps(path) {
        match step {
            Step::Field(name) => {
                value = value.and_then(|value| value.get(name));
                push_field(&mut text, name);
                list = name;
            }
            Step::Item(index) => {
                value = value.and_then(|value| value.get(index));
                let keys = MAPS.iter().find(|(name, _)| *name == list).map(|(_, keys)| *keys);
                let key = keys.map_or_else(|| index.to_string(), |keys| key_of(value, keys));
                text.push('[');
                text.push_str(&key);
                text.push(']');
            }
        }
    }
    text
}

fn push_field(text: &mut String, name: &str) {
    if !text.is_empty() {
        text.push('.');
    }
    text.push_str(name);
}

fn key_of(item: Option<&Value>, keys: &[(&str, &str)]) -> String {
    let parts: Vec<String> = keys
        .iter()
        .map(|(key, default)| {
            let value = item.and_then(|item| item.get(key)).and_then(Value::as_str);
            format!("{key}={}", value.unwrap_or(default))
        })
        .collect();
    parts.join(",")
}

/// A path with every position removed: `spec.scaleTargetRef[].kind`, as the catalogue names fields.
#[must_use]
pub(super) fn pattern(path: &str) -> String {
    let mut text = String::new();
    for step in steps(path) {
        match step {
            Step::Field(name) => push_field(&mut text, name),
            Step::Item(_) => text.push_str("[]"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_follow_keys_and_not_positions() {
        let root = json!({"spec": {"scaleTargetRef": [
            {"kind": "flower", "metrics": [{"name": "cpu"}]},
            {"kind": "worker", "pool": "mail", "metrics": [{"name": "memory"}, {"name": "cpu"}]},
        ], "workerSpec": {"args": ["-c", "2"]}}});
        let path = "spec.scaleTargetRef[1].metrics[1].target";
        assert_eq!(place(&root, path), "spec.scaleTargetRef[kind=worker,pool=mail].metrics[name=cpu].target");
        assert_eq!(place(&root, "spec.scaleTargetRef[0]"), "spec.scaleTargetRef[kind=flower,pool=default]");
        assert_eq!(place(&root, "spec.workerSpec.args[1]"), "spec.workerSpec.args[1]");
        assert_eq!(at(&root, "spec.workerSpec.args[1]"), Some(&json!("2")));
        assert_eq!(at(&root, "spec.workerSpec.args[2]"), None);
        assert_eq!(pattern(path), "spec.scaleTargetRef[].metrics[].target");
    }

    #[test]
    fn keys_with_dots_stand_in_brackets() {
        let root = json!({"labels": {"app.kubernetes.io/name": "x", "team": "y", "[": "z"}});
        for (key, path) in
            [("app.kubernetes.io/name", "labels[app.kubernetes.io/name]"), ("team", "labels.team")]
        {
            assert_eq!(entry("labels", key), path);
            assert_eq!(at(&root, path), root["labels"].get(key));
        }
        for odd in ["[", "labels[", "labels[]", "labels[x", "..", "a]", "labels.[", "[]]"] {
            let _ = (at(&root, odd), place(&root, odd), pattern(odd));
        }
    }
}
