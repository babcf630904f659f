// SPDX-License-Identifier: Apache-2.0
//! Every rule through `lint`.

use celery_operator::rules::{Rule, catalogue, example};
use serde_json::{Value, json};

use crate::call::{call, call_in, folder};

/// Rules that look at a file alone: not at what stood there before, and not at a request to scale.
fn offline() -> impl Iterator<Item = &'static Rule> {
    let offline =
        |rule: &&Rule| rule.example.old.is_none() && !rule.is_about_scaling() && !rule.is_about_facts();
    catalogue::entries().filter(offline)
}

/// An example in a namespace of its own, with its neighbours.
fn yaml(rule: &Rule, overlay: &str) -> String {
    let neighbours = example::NEIGHBOURS.iter().map(|(name, app)| {
        let mut object = example::object(&format!("spec: {{common: {{appName: {app}}}}}")).unwrap();
        object["metadata"]["name"] = json!(name);
        object
    });
    let objects = [example::object(overlay).unwrap()].into_iter().chain(neighbours).map(|mut object| {
        object["metadata"]["namespace"] = json!(rule.id.to_lowercase());
        serde_saphyr::to_string(&object).unwrap()
    });
    objects.collect::<Vec<String>>().join("---\n")
}

/// What `lint` says about an example of each rule, each in a file called like its rule: file, rule, path and severity.
fn linted(example: impl Fn(&Rule) -> &str) -> Vec<Value> {
    let files: Vec<(String, String)> =
        offline().map(|rule| (format!("{}.yaml", rule.id), yaml(rule, example(rule)))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert!(files.len() > 40, "only {} rules are tried", files.len());
    let answer = call_in(folder(&files).path(), &["lint", "--output", "json", "."], b"");
    let rows: Vec<Value> =
        serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{answer:?}: {error}"));
    let is_neighbour = |row: &Value| example::NEIGHBOURS.iter().any(|(name, _)| row["name"] == *name);
    let own = rows.iter().filter(|row| !is_neighbour(row));
    own.map(|row| json!([row["file"], row["rule"], row["path"], row["severity"]])).collect()
}

#[test]
fn every_bad_example_is_found_under_its_id_and_path_alone() {
    let found = linted(|rule| rule.example.bad);
    let expected: Vec<Value> = offline()
        .map(|rule| json!([format!("./{}.yaml", rule.id), rule.id, rule.example.at, rule.severity.as_str()]))
        .collect();
    let odd: Vec<&Value> = found.iter().filter(|row| !expected.contains(row)).collect();
    let missing: Vec<&Value> = expected.iter().filter(|row| !found.contains(row)).collect();
    assert!(odd.is_empty() && missing.is_empty(), "not expected: {odd:#?}\nnot found: {missing:#?}");
}

#[test]
fn every_good_example_is_free_of_findings() {
    assert_eq!(linted(|rule| rule.example.good), [] as [Value; 0]);
}

#[test]
fn the_samples_are_free_of_findings() {
    let answer = call(&["lint", "config/samples"]);
    assert_eq!((answer.code, answer.out.as_str()), (0, ""), "{answer:?}");
    assert!(answer.counts().starts_with("12 Celery objects in 12 files"), "{answer:?}");
}
