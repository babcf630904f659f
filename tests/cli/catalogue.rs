// SPDX-License-Identifier: Apache-2.0
//! `explain` and `rules`.

use celery_operator::rules::catalogue;
use serde_json::Value;

use crate::call::{call, linted};

#[test]
fn every_rule_is_listed() {
    let text = call(&["rules"]).out;
    let rows: Vec<Value> = serde_json::from_str(&call(&["rules", "-o", "json"]).out).unwrap();
    assert_eq!((rows.len(), rows.len()), (text.lines().count(), catalogue::entries().count()));
    let ids: Vec<(&str, u32)> = text
        .lines()
        .map(|line| (&line[..1], line[1..].split(' ').next().unwrap().parse().unwrap()))
        .collect();
    assert!(ids.is_sorted(), "by letter, then by number: {ids:?}");
    for (rule, (row, line)) in catalogue::sorted().into_iter().zip(rows.iter().zip(text.lines())) {
        assert_eq!((&row["id"], &row["title"]), (&rule.id.into(), &rule.title.into()));
        assert_eq!(row["severity"], rule.severity.as_str());
        assert_eq!(row["also"], rule.also().map_or(Value::Null, |also| also.0.as_str().into()));
        assert_eq!(row["when"], rule.also().map_or(Value::Null, |also| also.1.into()));
        assert_eq!(line, format!("{}  {}  {}", rule.id, rule.severities(), rule.title));
    }
}

/// The objects of an explanation.
fn objects(text: &str) -> Vec<String> {
    let mut objects: Vec<String> = Vec::new();
    let mut within = false;
    for line in text.lines() {
        match line.strip_prefix("    ") {
            Some(yaml) if within => objects.last_mut().unwrap().extend([yaml, "\n"]),
            Some(yaml) => objects.push(format!("{yaml}\n")),
            None => {}
        }
        within = line.starts_with("    ");
    }
    objects
}

#[test]
fn every_rule_is_explained_with_objects_that_can_be_tried() {
    let mut good = Vec::new();
    for rule in catalogue::entries() {
        let answer = call(&["explain", &rule.id.to_lowercase()]);
        assert_eq!(answer.code, 0);
        for part in [rule.title, rule.consequence, rule.example.at] {
            assert!(answer.out.contains(part), "{}: {part}", rule.id);
        }
        let mut objects = objects(&answer.out);
        assert_eq!(objects.len(), 2 + usize::from(rule.example.old.is_some()), "{}", rule.id);
        // Each in a namespace of its own, since all have the same name.
        let namespace = format!("metadata:\n  namespace: {}\n", rule.id.to_lowercase());
        good.extend(objects.pop().map(|object| object.replacen("metadata:\n", &namespace, 1)));
    }
    assert_eq!(linted(&good.join("---\n"), "text").out, "");
}

#[test]
fn a_rule_that_denies_and_warns_says_both() {
    assert!(call(&["rules"]).out.contains("\nB19  deny/warn  "));
    assert!(call(&["explain", "B19"]).out.contains(" (deny/warn, since 0.1)\n"));
}

#[test]
fn an_id_is_found_however_it_is_spelt() {
    let expected = call(&["explain", "C04"]).out;
    for id in ["c04", "C4", "c4", "[C04]", " C004 "] {
        assert_eq!(call(&["explain", id]).out, expected, "{id}");
    }
    for id in ["", "C", "4", "C0x4", "é4", "C99999999999999999999"] {
        let answer = call(&["explain", id]);
        assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{id}");
    }
}

#[test]
fn an_unknown_rule_is_answered_with_the_nearest() {
    let answer = call(&["explain", "C0"]);
    assert_eq!((answer.code, answer.out.as_str()), (2, ""));
    assert!(answer.err.contains("did you mean C01, "), "{}", answer.err);
}

#[test]
fn one_place_of_many_is_called_an_example() {
    let places = |id: &str| {
        let out = call(&["explain", id]).out;
        let lines =
            out.lines().filter(|line| line.starts_with("Fields: ") || line.starts_with("For example at: "));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(places("A36"), ["Fields: spec.scaleTargetRef[].activationValue"]);
    assert_eq!(
        places("A21"),
        ["For example at: spec.scaleTargetRef[].behavior.scaleDown.stabilizationWindowSeconds"]
    );
    assert_eq!(places("S01"), [""; 0]);
    let rows: Vec<Value> = serde_json::from_str(&call(&["rules", "-o", "json"]).out).unwrap();
    for row in rows {
        let listed = row["fields"].as_array().is_some_and(|fields| !fields.is_empty());
        assert!(!(listed && row["forExampleAt"].is_string()), "{row}");
    }
}
