// SPDX-License-Identifier: Apache-2.0
//! Alerts and dashboard, held against what the operator really serves: every name, every label, every value they ask
//! for; promtool evaluates them, and Grafana's own models read the dashboard.
//!
//! Where promtool or Python is not there, a test says so and passes; `ALERTS_JUDGE=required` insists on promtool,
//! `CELERY_JUDGE=required` on Python.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod dashboard;
mod exposed;
mod expression;
mod promtool;
mod rules;
#[path = "../celery/venv.rs"]
#[allow(dead_code)] // The releases of Celery.
mod venv;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A line for whoever runs the tests, shown whether they pass or not.
fn say(line: &str) {
    io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// A file of the repository.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file of YAML or JSON.
fn value(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The items of a list.
fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// A text that must be there.
#[track_caller]
fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
