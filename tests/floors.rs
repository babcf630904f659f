// SPDX-License-Identifier: Apache-2.0
//! Imports go down only: a room never names a room of a floor above its own, and the doors never name each other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of each floor, from the ground up. Rooms of the top two floors are blind to their neighbours.
const FLOORS: &[&[&str]] = &[
    &["annotations", "api", "celery", "labels", "names"],
    &["build", "defaults", "effective", "manifests", "resolve", "rules", "status"],
    &["cluster", "index", "lease", "metrics", "telemetry"],
    &["admin", "admission", "cli", "reconcile"],
    &["run"],
];
/// Rooms on which the others of their floor stand: they use the floors below and nothing beside them.
const GROUND: &[&str] = &["effective"];
/// Floors whose rooms may use each other: words, and thoughts.
const OPEN_FLOORS: usize = 2;
/// In the room of the rules: what all areas stand on. It uses nothing beside it.
const RULE_GROUND: &[&str] = &[
    "args",
    "breach",
    "facts",
    "finding",
    "misnamed",
    "overheard",
    "path",
    "quoting",
    "release",
    "rule",
    "secret",
    "shell",
    "signs",
    "subject",
    "variables",
    "volume",
];
/// What brings the areas together and may use all of them. Everything else in there is an area.
const RULE_ROOF: &[&str] = &["argument", "catalogue", "example", "field", "ignored", "mod", "size"];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A source without the items that are there for tests only. rustfmt ends an item with the line that closes it at its
/// own depth.
fn without_tests(source: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        let depth = &line[..line.len() - line.trim_start().len()];
        let begins = |line: &&str| !line.trim_start().starts_with(['#', '/']);
        let first = lines.by_ref().find(begins).unwrap_or_default();
        if first.ends_with([';', ',']) || first.ends_with('}') {
            continue;
        }
        let ends = |line: &&str| {
            line.strip_prefix(depth)
                .is_some_and(|rest| rest.starts_with(['}', ']', ')']) && !rest.ends_with('{'))
        };
        lines.by_ref().find(ends);
    }
    kept.join("\n")
}

/// What a source names behind a path such as `crate::`, alone or in a group, tests and comments apart.
fn named(source: &str, path: &str) -> Vec<String> {
    let code = without_tests(source);
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join(" ");
    let word = |text: &str| -> String {
        text.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    let mut rooms = Vec::new();
    for rest in code.split(path).skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            rooms.push(word(rest));
            continue;
        };
        // Only the outermost level of a group names rooms.
        let (mut depth, mut begin) = (0, true);
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begin = true,
                letter if begin && depth == 0 && letter.is_alphabetic() => {
                    rooms.push(word(&group[at..]));
                    begin = false;
                }
                _ => {}
            }
        }
    }
    rooms
}

/// Whether an area of the rules, or their ground, may name something of the room.
fn is_open_to_rules(from: &str, to: &str) -> bool {
    from == to || RULE_ROOF.contains(&from) || RULE_GROUND.contains(&to)
}

/// What an edge between two rooms breaks; `None` for a way that is open.
fn breach(from: &str, to: &str) -> Option<&'static str> {
    if from == to {
        return None;
    }
    match (floor(from)?, floor(to)?) {
        (below, above) if above > below => Some("goes up"),
        (same, other) if same == other && GROUND.contains(&from) => Some("leans on those who stand on it"),
        (same, other) if same == other && same >= OPEN_FLOORS => {
            Some("joins rooms that are blind to each other")
        }
        _ => None,
    }
}

#[test]
fn imports_go_down_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    let mut edges = 0;
    for file in files {
        let relative = file.strip_prefix(&source).unwrap();
        let room = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if ["lib", "main"].contains(&room.as_str()) {
            continue;
        }
        assert!(floor(&room).is_some(), "{} stands on no floor: add its room to FLOORS", relative.display());
        for to in named(&fs::read_to_string(&file).unwrap(), "crate::") {
            edges += 1;
            if let Some(why) = breach(&room, &to) {
                panic!("{}: crate::{to} {why}", relative.display());
            }
        }
    }
    assert!(edges > 50, "only {edges} imports seen: the reader of imports is broken");
}

#[test]
fn areas_of_rules_stand_on_the_ground_alone() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let mut files = Vec::new();
    sources(&room, &mut files);
    let mut edges = 0;
    for file in files {
        let steps: Vec<&str> =
            file.strip_prefix(&room).unwrap().iter().map(|step| step.to_str().unwrap()).collect();
        let from = steps[0].trim_end_matches(".rs");
        if steps.iter().any(|step| ["tests", "tests.rs"].contains(step)) {
            continue;
        }
        let source = fs::read_to_string(&file).unwrap();
        // A module of a folder stands one deeper than its head.
        let depth = steps.len() - usize::from(steps.len() > 1 && steps.ends_with(&["mod.rs"]));
        let mut to = named(&source, "crate::rules::");
        to.extend(named(&source, &"super::".repeat(depth)));
        for to in to.iter().filter(|to| *to != "super") {
            edges += 1;
            assert!(is_open_to_rules(from, to), "{}: {to} is no ground of the rules", file.display());
        }
    }
    assert!(edges > 300, "only {edges} imports seen: the reader of imports is broken");
}

#[test]
fn words_are_compared_behind_one_door() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    files.retain(|file| without_tests(&fs::read_to_string(file).unwrap()).contains("strsim"));
    assert_eq!(files, [source.join("celery/closest.rs")], "what is near to a word, closest.rs says");
}

#[test]
fn breaches_are_told_apart_from_open_ways() {
    assert_eq!(breach("api", "rules"), Some("goes up"));
    assert_eq!(breach("cluster", "index"), Some("joins rooms that are blind to each other"));
    assert_eq!(breach("admission", "reconcile"), Some("joins rooms that are blind to each other"));
    assert_eq!(breach("effective", "resolve"), Some("leans on those who stand on it"));
    assert_eq!(breach("resolve", "effective"), None);
    assert_eq!(breach("reconcile", "rules"), None);
    assert_eq!(breach("rules", "defaults"), None);
    assert!(is_open_to_rules("beat", "finding") && is_open_to_rules("catalogue", "beat"));
    assert!(!is_open_to_rules("beat", "config") && !is_open_to_rules("subject", "pods"));
    let source =
        "use crate::{\n    api::{Celery, Open},\n    rules,\n};\n// crate::no\nlet a = crate::build::x;";
    assert_eq!(named(source, "crate::"), ["api", "rules", "build"]);
}

#[test]
fn only_the_item_for_tests_is_left_out() {
    for item in [
        "#[cfg(test)]\nmod tests {\n    use crate::run::x;\n\n    fn f() {\n    }\n}",
        "#[cfg(test)]\nmod tests;",
        "#[cfg(test)]\n#[path = \"t.rs\"]\nmod tests;",
        "#[cfg(test)]\nuse crate::run::{\n    a,\n};",
        "impl A {\n    #[cfg(test)]\n    fn f() -> crate::run::B {\n        a\n    }\n    fn g() {}\n}",
    ] {
        let source = format!("use crate::api::A;\n{item}\nuse crate::build::B;");
        assert_eq!(named(&source, "crate::"), ["api", "build"], "{item}");
    }
}
