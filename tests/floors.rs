// SPDX-License-Identifier: Apache-2.0
//! Imports go down only: a room never names a room of a floor above its own, and the doors never name each other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of each floor, from the ground up; words and thoughts have steps of their own. Rooms beside each other are
/// blind to each other.
const FLOORS: &[&[&str]] = &[
    &["annotations", "celery", "labels", "names"],
    &["api"],
    &["defaults", "effective", "manifests"],
    &["resolve"],
    &["build", "rules"],
    &["status"],
    &["cluster", "index", "lease", "metrics", "telemetry"],
    &["admin", "admission", "cli", "reconcile"],
    &["run"],
];
/// The first floor that has hands. Below it everything is computed, and time is an argument.
const HANDS: usize = 6;
/// What only hands use.
const OUTSIDE: &[&str] = &[
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "env::var",
    "kube::Client",
    "kube::api::Api",
    "kube::client",
    "kube::{Client",
    "std::fs",
    "std::net::Tcp",
    "std::process",
    "tokio",
    "tracing",
];
/// In the room of the rules: what all areas stand on. It uses nothing beside it.
const RULE_GROUND: &[&str] = &[
    "args",
    "breach",
    "facts",
    "finding",
    "misnamed",
    "overheard",
    "path",
    "placeholder",
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
        (same, other) if same == other => Some("joins rooms that are blind to each other"),
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
        let text = fs::read_to_string(&file).unwrap();
        let mut rooms = named(&text, "crate::");
        // A room of one file names its neighbours this way too.
        if relative.iter().count() == 1 {
            rooms.extend(named(&text, "super::"));
        }
        for to in rooms {
            edges += 1;
            if let Some(why) = breach(&room, &to) {
                panic!("{}: crate::{to} {why}", relative.display());
            }
        }
    }
    assert!(edges > 50, "only {edges} imports seen: the reader of imports is broken");
}

/// The rooms of which a line of code holds one of the words, with the file and the word; tests and comments apart.
fn speaking_of<'w>(
    rooms: impl IntoIterator<Item = &'static str>,
    words: &[&'w str],
) -> Vec<(PathBuf, &'w str)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for room in rooms {
        let (folder, file) = (source.join(room), source.join(format!("{room}.rs")));
        let mut files = vec![file];
        files.retain(|file| file.exists());
        if folder.exists() {
            sources(&folder, &mut files);
        }
        assert!(!files.is_empty(), "there is no room {room}");
        files.retain(|file| !file.iter().any(|step| step == "tests" || step == "tests.rs"));
        for file in files {
            let code = without_tests(&fs::read_to_string(&file).unwrap());
            let lines = || code.lines().filter(|line| !line.trim_start().starts_with("//"));
            let spoken = words.iter().filter(|word| lines().any(|line| line.contains(**word)));
            found.extend(spoken.map(|word| (file.clone(), *word)));
        }
    }
    found
}

#[test]
fn words_and_thoughts_ask_nobody() {
    let thoughts = FLOORS[..HANDS].iter().copied().flatten().copied();
    assert_eq!(speaking_of(thoughts, OUTSIDE), []);
    assert!(speaking_of(["telemetry"], &["tracing"]).len() == 1, "the reader of sources is broken");
}

#[test]
fn celery_knows_no_kubernetes() {
    assert_eq!(speaking_of(["celery"], &["kube::", "k8s_openapi"]), []);
    assert!(!speaking_of(["api"], &["k8s_openapi"]).is_empty(), "the reader of sources is broken");
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
    assert_eq!(breach("effective", "resolve"), Some("goes up"));
    assert_eq!(breach("celery", "api"), Some("goes up"));
    assert_eq!(breach("resolve", "effective"), None);
    assert_eq!(breach("reconcile", "rules"), None);
    assert_eq!(breach("status", "rules"), None);
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
