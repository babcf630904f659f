// SPDX-License-Identifier: Apache-2.0
//! What is found in more objects than the examples of the rules: the cases between two rules, and those just beside one.
//!
//! A line of `verdicts.txt` that begins at the margin is laid over the small correct Celery; the indented lines under it
//! are what kubectl prints of the result, none where nothing is found. `UPDATE_GOLDEN=1 cargo test --test messages`
//! writes those anew; whether each is deserved is for the reviewer to say.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use celery_operator::rules::{self, Facts, example};

/// Everything that is found in an object with this laid over it.
fn verdict(overlay: &str) -> String {
    let neighbours =
        example::NEIGHBOURS.iter().map(|(name, prefix)| ((*name).to_owned(), (*prefix).to_owned()));
    let facts = Facts { neighbours: neighbours.collect(), ..Facts::default() };
    let object = example::object(overlay).unwrap_or_else(|error| panic!("{overlay}: {error}"));
    let findings = rules::check(&object, None, &facts).unwrap_or_else(|error| panic!("{overlay}: {error}"));
    findings.iter().fold(String::new(), |mut text, finding| {
        let _ = writeln!(text, "    {}", super::line(finding).trim_end());
        text
    })
}

#[test]
fn every_verdict_is_the_one_on_file() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdicts.txt");
    let stored = fs::read_to_string(&file).unwrap();
    let mut text = String::new();
    for line in stored.lines().filter(|line| !line.starts_with(' ')) {
        let _ = writeln!(text, "{line}");
        if !line.is_empty() && !line.starts_with('#') {
            text.push_str(&verdict(line));
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &text).unwrap();
        return;
    }
    let differing: Vec<(&str, &str)> =
        stored.lines().zip(text.lines()).filter(|(old, new)| old != new).take(5).collect();
    assert!(
        stored == text,
        "verdicts changed, first {differing:#?}\nIf this is meant: UPDATE_GOLDEN=1 cargo test --test messages"
    );
}
