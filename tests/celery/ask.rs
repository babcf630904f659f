// SPDX-License-Identifier: Apache-2.0
//! Questions for a Python: one JSON object a line, one line of answer each.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// The answers of one process, the first of which it gives unasked. `script` is a file of this folder with its arguments.
///
/// # Panics
/// When it answers more or less than it was asked.
pub(crate) fn answers(mut python: Command, script: &[&str], questions: &[Value]) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/celery/");
    let mut child = python
        .arg(format!("{folder}{}", script[0]))
        .args(&script[1..])
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
