// SPDX-License-Identifier: Apache-2.0
//! Every message as kubectl prints it: `messages.txt` has the answer to the bad example of each rule.
//!
//! The file is there to be read. `UPDATE_GOLDEN=1 cargo test --test messages` writes it anew; the review of the
//! difference is yours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "messages/verdicts.rs"]
mod verdicts;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use celery_operator::admission;
use celery_operator::build::ChildKind;
use celery_operator::index::{CeleryFeed, ChildIndex, Surroundings};
use celery_operator::manifests::{MUTATE_PATH, VALIDATE_PATH};
use celery_operator::rules::{self, Finding, Rule, Severity, catalogue, example};
use http_body_util::BodyExt as _;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Longest warning that the API server asks for.
const MAX_WARNING: usize = 120;

/// Words of our own workshop, which nobody who writes a Celery has to know.
const JARGON: &[&str] =
    &["subject", "garde", "schema", "webhook", "catalogue", "ratchet", "kstatus", "serde", "null"];

fn object(overlay: &str) -> Value {
    example::object(overlay).unwrap()
}

/// A webhook that knows the neighbours of the examples, and for a rule about facts that neither KEDA nor the Prometheus operator
/// is there.
fn webhook(rule: &Rule) -> Router {
    let mut feed = CeleryFeed::default();
    let celeries = feed.index();
    for (name, prefix) in example::NEIGHBOURS {
        let mut neighbour = object(&format!("spec: {{common: {{appName: {prefix}}}}}"));
        neighbour["metadata"] = json!({"name": name, "namespace": "default"});
        feed.observe(&Event::Apply(serde_json::from_value(neighbour).unwrap()));
    }
    let children = Arc::new(ChildIndex::default());
    if rule.is_about_facts() {
        children.forget_kind(ChildKind::ScaledObject);
        children.forget_kind(ChildKind::ServiceMonitor);
    }
    admission::router(Surroundings::new(celeries, vec![children]))
}

async fn answer(webhook: Router, path: &str, new: &Value, old: &Value) -> Value {
    let resource =
        |word: &str, value: &str| json!({"group": "celeryproject.org", "version": "v1alpha1", word: value});
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "7", "operation": if old.is_null() { "CREATE" } else { "UPDATE" }, "userInfo": {}, "dryRun": false,
        "name": new["metadata"]["name"], "namespace": "default",
        "kind": resource("kind", "Celery"), "resource": resource("resource", "celeries"),
        "object": new, "oldObject": old,
    }});
    let request =
        Request::post(path).header("content-type", "application/json").body(Body::from(review.to_string()));
    let response = webhook.oneshot(request.unwrap()).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice::<Value>(&bytes).unwrap()["response"].clone()
}

/// What kubectl prints about the bad example of a rule.
async fn printed(rule: &Rule) -> String {
    let new = object(rule.example.bad);
    if rule.is_about_scaling() {
        let findings = rules::check_scale(&new);
        return findings.iter().map(line).collect();
    }
    let old = rule.example.old.map_or(Value::Null, object);
    let mut response = answer(webhook(rule), MUTATE_PATH, &new, &old).await;
    if response["allowed"] == true {
        response = answer(webhook(rule), VALIDATE_PATH, &new, &old).await;
    }
    let mut text = String::new();
    for warning in response["warnings"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "Warning: {}", warning.as_str().unwrap());
    }
    for cause in response["status"]["details"]["causes"].as_array().into_iter().flatten() {
        let _ =
            writeln!(text, "* {}: {}", cause["field"].as_str().unwrap(), cause["message"].as_str().unwrap());
    }
    // Of Secrets and `ConfigMap`s admission knows nothing: only the command line looks into those of its input.
    if text.is_empty() {
        let findings = rules::check(&new, None, &example::facts(rule)).unwrap();
        return findings.iter().map(line).collect();
    }
    text
}

/// A finding as kubectl and the command line print it.
fn line(finding: &Finding) -> String {
    match finding.severity {
        Severity::Deny => format!("* {finding}\n"),
        Severity::Warn => format!("Warning: {finding}\n"),
    }
}

/// The messages by rule.
async fn messages() -> BTreeMap<&'static str, String> {
    let mut messages = BTreeMap::new();
    for rule in catalogue::rules() {
        messages.insert(rule.id, printed(rule).await);
    }
    messages
}

#[tokio::test]
async fn every_message_is_the_one_on_file() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages.txt");
    let mut text = String::new();
    for (id, message) in messages().await {
        let _ = writeln!(text, "{id}\n{message}");
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let stored = fs::read_to_string(&file).unwrap_or_default();
    let differing: Vec<(&str, &str)> =
        stored.lines().zip(text.lines()).filter(|(old, new)| old != new).take(5).collect();
    assert!(
        stored == text,
        "messages changed, first {differing:#?}\nIf this is meant: UPDATE_GOLDEN=1 cargo test --test messages"
    );
}

#[tokio::test]
async fn every_message_is_one_line_that_says_what_to_write_instead() {
    let mut wrong = Vec::new();
    for (id, message) in messages().await {
        if message.lines().count() != 1 {
            wrong.push(format!("{id}: not one line: {message}"));
        }
        for line in message.lines() {
            let (text, end) = line.rsplit_once(" [").unwrap_or((line, ""));
            let (_, fix) = text.split_once("; ").unwrap_or((text, ""));
            if end != format!("{id}]") || fix.is_empty() || fix.contains("; ") || fix.ends_with('.') {
                wrong.push(format!("{id}: not \"what is wrong; what to write\": {line}"));
            }
            if let Some(warning) = line.strip_prefix("Warning: ")
                && (warning.chars().count() > MAX_WARNING || warning.contains("… ["))
            {
                wrong.push(format!("{id}: too long for a warning: {line}"));
            }
            let lower = text.to_lowercase();
            if let Some(word) = JARGON.iter().find(|word| lower.split_whitespace().any(|w| w == **word)) {
                wrong.push(format!("{id}: {word:?} is a word of ours: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
