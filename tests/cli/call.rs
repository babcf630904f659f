// SPDX-License-Identifier: Apache-2.0
//! The binary, called.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What a call left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    /// Rule, path and line of every finding of `--output json`.
    pub(crate) fn findings(&self) -> Vec<(String, String, u64)> {
        let rows: Vec<Value> =
            serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{self:?}: {error}"));
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        rows.iter().map(|row| (text(row, "rule"), text(row, "path"), row["line"].as_u64().unwrap())).collect()
    }

    /// The last line of standard error.
    pub(crate) fn counts(&self) -> &str {
        self.err.lines().last().unwrap_or_default()
    }
}

/// Calls the binary in a folder, with this on standard input.
pub(crate) fn call_in(folder: &Path, arguments: &[&str], stdin: &[u8]) -> Answer {
    let mut child = Command::new(env!("CARGO_BIN_EXE_celery-operator"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Calls the binary.
pub(crate) fn call(arguments: &[&str]) -> Answer {
    call_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments, b"")
}

/// What `lint` says about a text on standard input, in this form.
pub(crate) fn linted(text: &str, output: &str) -> Answer {
    let folder = TempDir::new().unwrap();
    // A large text is written to a file: a process that refuses it does not read to the end.
    std::fs::write(folder.path().join("a.yaml"), text).unwrap();
    call_in(folder.path(), &["lint", "--output", output, "a.yaml"], b"")
}

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// A correct Celery of this name.
pub(crate) fn good(name: &str) -> String {
    format!(
        "apiVersion: celeryproject.org/v1alpha1\nkind: Celery\nmetadata:\n  name: {name}\nspec:\n  common:\n    \
         image: registry.example.com/shop:1.0\n    celeryApp: shop.tasks\n    broker: {{url: 'redis://cache'}}\n  workerSpec: {{}}\n"
    )
}

/// A Celery with one mistake, in line 7.
pub(crate) fn bad(name: &str) -> String {
    good(name).replace("registry.example.com/shop:1.0", "My/App")
}
