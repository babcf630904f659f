// SPDX-License-Identifier: Apache-2.0
//! Every rule through `lint`.

use celery_operator::rules::{Rule, catalogue, example};
use serde_json::{Value, json};

use crate::call::{Answer, call, call_in, folder};

/// Rules that look at a file alone: not at what stood there before, and not at a request to scale.
fn offline() -> impl Iterator<Item = &'static Rule> {
    catalogue::entries().filter(|rule| rule.example.old.is_none() && !rule.is_about_scaling())
}

fn yaml(overlay: &str) -> String {
    serde_saphyr::to_string(&example::object(overlay).unwrap()).unwrap()
}

/// What `lint` says about an example of each rule, each in a file called like its rule.
fn linted(example: impl Fn(&Rule) -> &str) -> Answer {
    let files: Vec<(String, String)> =
        offline().map(|rule| (format!("{}.yaml", rule.id), yaml(example(rule)))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert!(files.len() > 40, "only {} rules are tried", files.len());
    call_in(folder(&files).path(), &["lint", "--output", "json", "."], b"")
}

#[test]
fn every_bad_example_is_found_under_its_id_and_path_alone() {
    let rows: Vec<Value> = serde_json::from_str(&linted(|rule| rule.example.bad).out).unwrap();
    let mut found: Vec<Value> =
        rows.iter().map(|row| json!([row["file"], row["rule"], row["path"], row["severity"]])).collect();
    let mut expected: Vec<Value> = offline()
        .map(|rule| json!([format!("./{}.yaml", rule.id), rule.id, rule.example.at, rule.severity.as_str()]))
        .collect();
    for list in [&mut found, &mut expected] {
        list.sort_by_key(ToString::to_string);
    }
    assert_eq!(found, expected);
}

#[test]
fn every_good_example_is_free_of_findings() {
    let answer = linted(|rule| rule.example.good);
    assert_eq!((answer.code, answer.out.as_str()), (0, "[]\n"), "{answer:?}");
}

#[test]
fn the_samples_are_free_of_findings() {
    let answer = call(&["lint", "config/samples"]);
    assert_eq!((answer.code, answer.out.as_str()), (0, ""), "{answer:?}");
    assert!(answer.counts().starts_with("7 Celery objects in 7 files"), "{answer:?}");
}
