// SPDX-License-Identifier: Apache-2.0
//! A password in the form `user:password@` is quoted from no field whatever: one is planted in every place that the
//! schema has, be it for a text, a number, a list or a mapping.

use celery_operator::api::crd;
use celery_operator::rules::{example, schema};
use serde_json::{Value, json};

use super::{SECRET, judged};

/// What people paste, with the word for the secret in it.
const FORMS: &[&str] = &["user:SECRET@host", "redis://:SECRET@h", "a:SECRET@b", "--broker user:SECRET@mq -E"];

/// Steps to the last field of a path that is tried with every form.
const DEEP: usize = 6;

/// Places in what the schema leaves open.
const OPEN: &[&str] = &[
    "/spec/common/config/broker_read_url",
    "/spec/common/broker/transportOptions/region",
    "/spec/common/broker/transportOptions/visibility_timeout",
    "/spec/common/podTemplate/spec/hostname",
    "/spec/common/podTemplate/spec/containers/0/name",
    "/spec/common/podTemplate/spec/containers/0/image",
    "/spec/workerSpec/podTemplate/spec/serviceAccountName",
    "/spec/workerSpec/podTemplate/spec/containers/0/args",
    "/metadata/name",
    "/metadata/annotations/celeryproject.org~1paused",
];

/// Every place below a schema, the first item for a list and some name for a map.
fn places(schema: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        places(field, &format!("{at}/{name}"), found);
    }
    if schema["items"].is_object() {
        places(&schema["items"], &format!("{at}/0"), found);
    }
    if schema["additionalProperties"].is_object() {
        places(&schema["additionalProperties"], &format!("{at}/shop"), found);
    }
}

/// Puts a text at a pointer, and whatever has to be above it.
fn planted(pointer: &str, text: &str) -> Value {
    let mut object = example::object("spec: {beatSpec: {}, flowerSpec: {}}").unwrap();
    let mut place = &mut object;
    for step in pointer.split('/').skip(1) {
        place = if step == "0" {
            if !place.is_array() {
                *place = json!([{"name": "mail"}]);
            }
            &mut place[0]
        } else {
            if !place.is_object() {
                *place = json!({});
            }
            &mut place[step.replace("~1", "/")]
        };
    }
    *place = text.into();
    object
}

#[test]
fn no_field_gives_a_password_away() {
    let definition = serde_json::to_value(crd::definition()).unwrap();
    let spec = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut all: Vec<String> = OPEN.iter().map(|place| (*place).to_owned()).collect();
    places(spec, "/spec", &mut all);
    assert!(all.len() > 500, "{}", all.len());
    let mut quoted = 0;
    for (index, place) in all.iter().enumerate() {
        // What Kubernetes defines is deep, and alike everywhere: one form each is enough there.
        let is_deep = place.split('/').count() > DEEP;
        for (_, form) in FORMS.iter().enumerate().filter(|(at, _)| !is_deep || index % FORMS.len() == *at) {
            let text = form.replace("SECRET", SECRET);
            let object = planted(place, &text);
            let reading = schema::reading(&object, &|_| Some(text.clone()));
            let raw = if reading.object == object { Vec::new() } else { judged(&object, None) };
            let rules = judged(&reading.object, None);
            for finding in reading.with(rules).into_iter().chain(raw) {
                let told = format!("{finding} {:?} {} {}", finding.value, finding.message, finding.fix);
                assert!(!told.contains(SECRET), "{place} {form}: {finding}");
                quoted += usize::from(finding.value.is_some());
            }
        }
    }
    assert!(quoted > 500, "{quoted}");
}
