// SPDX-License-Identifier: Apache-2.0
//! Whether an object is larger than the schema lets through: the bounds are read from the schema itself, so that a new
//! list is bounded as soon as the definition knows it.

use serde_json::Value;

use super::schema::Schema;
use crate::api::limits;

/// Whether a list, a map or a text of an object is longer than the schema allows. A webhook sees the object before the
/// schema has refused it, and a finding for every item of a list of millions would take longer than anybody waits.
///
/// A text that is only too long for its own field is not meant: the rule about the field has more to say. What the
/// schema leaves open (pod templates, values of settings) is read by rules that stop by themselves.
#[must_use]
pub(super) fn is_oversized(object: &Value) -> bool {
    exceeds(Schema::celery(), object)
}

fn exceeds(schema: &Schema, value: &Value) -> bool {
    let is_over = |max: Option<u64>, count: usize| max.is_some_and(|max| count as u64 > max);
    match value {
        Value::String(text) => schema.longest_text().is_some_and(|max| {
            let max = usize::try_from(max).unwrap_or(usize::MAX).max(limits::TEXT);
            text.chars().nth(max).is_some()
        }),
        Value::Array(items) => schema.items().is_some_and(|(item, max)| {
            is_over(max, items.len()) || items.iter().any(|value| exceeds(item, value))
        }),
        Value::Object(fields) => {
            is_over(schema.most_entries(), fields.len())
                || fields
                    .iter()
                    .any(|(name, value)| schema.field(name).is_some_and(|schema| exceeds(schema, value)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::api::crd;

    /// Every place of the definition's schema that holds a list, a map or an unbounded text: what stands around it, and
    /// a value that is one too long for it.
    fn places(schema: &Value, around: &[String], found: &mut Vec<(Vec<String>, Value)>) {
        let count = |key: &str| usize::try_from(schema[key].as_u64().unwrap_or_default()).expect("a size");
        let below = |step: &str| [around, &[step.to_owned()]].concat();
        match schema["type"].as_str() {
            Some("array") => {
                let max = schema["maxItems"].as_u64();
                assert!(max.is_some(), "{around:?} has no bound");
                found.push((around.to_vec(), Value::Array(vec![Value::Null; count("maxItems") + 1])));
                places(&schema["items"], &below("[]"), found);
            }
            Some("object") if schema["additionalProperties"].is_object() => {
                assert!(schema["maxProperties"].is_u64(), "{around:?} has no bound");
                let entries = (0..=count("maxProperties")).map(|index| (index.to_string(), Value::Null));
                found.push((around.to_vec(), Value::Object(entries.collect::<Map<_, _>>())));
                places(&schema["additionalProperties"], &below("any"), found);
            }
            Some("object") => {
                for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                    places(field, &below(name), found);
                }
            }
            Some("string") if schema["maxLength"] == limits::TEXT => {
                found.push((around.to_vec(), Value::String("x".repeat(limits::TEXT + 1))));
            }
            _ => {}
        }
    }

    /// An object with nothing but the value at this place.
    fn lifted(around: &[String], value: Value) -> Value {
        around.iter().rev().fold(value, |inner, step| match step.as_str() {
            "[]" => json!([inner]),
            name => json!({ name: inner }),
        })
    }

    #[test]
    fn every_list_map_and_text_of_the_definition_is_bounded() {
        let definition = serde_json::to_value(crd::definition()).expect("serialises");
        let spec = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let mut found = Vec::new();
        places(spec, &["spec".to_owned()], &mut found);
        assert!(found.len() > 1000, "only {} places were seen", found.len());
        for (around, value) in found {
            assert!(is_oversized(&lifted(&around, value)), "{}", around.join("."));
        }
    }

    #[test]
    fn what_just_fits_is_judged() {
        let annotations: Map<_, _> = (0..limits::ITEMS).map(|one| (one.to_string(), json!("x"))).collect();
        for fits in [
            json!({"spec": {"flowerSpec": {"serviceAnnotations": annotations}}}),
            json!({"spec": {"workerSpec": {"args": vec!["x"; limits::ITEMS]}}}),
            json!({"spec": {"common": {"appName": "x".repeat(200), "image": "ä".repeat(limits::TEXT)}}}),
            json!({"spec": {"common": {"podTemplate": {"spec": {"containers": vec![1; 1000]}}}}}),
            json!({"spec": {"common": 7, "workerSpec": []}, "metadata": {"labels": {}}}),
            json!([]),
        ] {
            assert!(!is_oversized(&fits), "{fits}");
        }
    }
}
