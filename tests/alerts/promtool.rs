// SPDX-License-Identifier: Apache-2.0
//! promtool, of Debian's package `prometheus` or wherever it comes from.

use std::env;
use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder for promtool; `None`, and a line on the terminal, where there is none.
///
/// # Panics
/// When it is required and not there.
pub(crate) fn folder() -> Option<TempDir> {
    let there =
        Command::new("promtool").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) {
        return Some(tempfile::tempdir().unwrap());
    }
    let line = "not judged by promtool: it is not there; Debian has it in the package prometheus";
    assert!(env::var("ALERTS_JUDGE").as_deref() != Ok("required"), "{line}");
    crate::say(line);
    None
}

/// Puts a document into the folder; JSON is YAML too.
pub(crate) fn put(folder: &TempDir, name: &str, document: &Value) {
    fs::write(folder.path().join(name), document.to_string()).unwrap();
}

/// What it says: whether it is content, and its words.
pub(crate) fn ask(folder: &TempDir, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("promtool").args(arguments).current_dir(folder).output().unwrap();
    let words = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&words).into_owned())
}
