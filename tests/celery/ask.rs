// SPDX-License-Identifier: Apache-2.0
//! Questions for a Python: one JSON object a line, one line of answer each. And where the questions come from.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// The answers of one process, the first of which it gives unasked.
///
/// # Panics
/// When it answers more or less than it was asked.
pub(crate) fn answers(mut python: Command, script: &str, questions: &[Value]) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/celery/");
    let mut child = python
        .arg(format!("{folder}{script}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = questions.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    if !questions.is_empty() {
        lines.push('\n');
    }
    let mut stdin = child.stdin.take().unwrap();
    let asking = thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let reader = BufReader::new(child.stdout.take().unwrap());
    let answers: Vec<Value> =
        reader.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let output = child.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(answers.len() == questions.len() + 1, "{} answers, then: {words}", answers.len());
    asking.join().unwrap().unwrap();
    answers
}

/// Numbers that look random and are the same for the same seed (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice with the seed of `CELERY_JUDGE_SEED`, or always the same; it is told.
    pub(crate) fn new(what: &str) -> Self {
        let seed = std::env::var("CELERY_JUDGE_SEED").map_or(1, |seed| seed.parse().unwrap());
        crate::say(&format!("{what}: CELERY_JUDGE_SEED={seed}"));
        Self(seed)
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    /// Whether one of so many throws comes true.
    pub(crate) fn one_in(&mut self, throws: usize) -> bool {
        self.below(throws) == 0
    }

    /// One of several.
    pub(crate) fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// A text of letters that mean something in a URL or a setting, or nothing anywhere.
    pub(crate) fn garbage(&mut self, longest: usize) -> String {
        const LETTERS: &[&str] = &[
            "a", "z", "0", "9", ":", "/", "//", "?", "#", "@", "%", "%2", "%2F", "%zz", "%ff", "%00", "[",
            "]", "[::1]", ";", ",", "&", "=", "+", "-", ".", "_", "$", "$(A)", "~", "é", "ß", "İ", "／",
            "：", "😀", "\u{202e}", "(", ")", "{", "}", "\"", "'", "\\", "<", ">", "|", "*", "!",
        ];
        (0..=self.below(longest)).map(|_| self.of(LETTERS)).collect()
    }
}
