// SPDX-License-Identifier: Apache-2.0
//! How well-known projects start Celery: every command line is accepted, or refused for the reason its line in
//! `corpus/deployments.jsonl` states.
//!
//! A line holds the words behind `worker`, `beat` or `flower`, the version where the project pins one, and under
//! `denied` the rules that refuse it. `UPDATE_GOLDEN=1 cargo test --test corpus` writes them anew; whether each refusal
//! is deserved is for the reviewer to say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use celery_operator::celery::expansion;
use celery_operator::rules::{self, Facts, Severity};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One command line of one project.
#[derive(Deserialize, Serialize)]
struct Deployment {
    project: String,
    component: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    celery: Option<String>,
    args: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    denied: BTreeSet<String>,
}

impl Deployment {
    fn object(&self) -> Value {
        let mut spec = json!({"common": {
            "image": "shop:1.0", "celeryApp": "shop.tasks", "broker": {"url": "redis://cache:6379/0"},
            // The variables of a line come with the project; what they hold is not known. One is the operator's own.
            "env": self.args.iter().flat_map(|word| expansion::names(word)).filter(|name| *name != "CELERY_BROKER_URL")
                .map(variable).collect::<Vec<_>>(),
        }});
        if let Some(version) = &self.celery {
            spec["common"]["celeryVersion"] = json!(version);
        }
        spec[format!("{}Spec", self.component)] = json!({"args": self.args});
        json!({"metadata": {"name": "shop"}, "spec": spec})
    }

    /// The rules that deny it, with their messages.
    fn denials(&self) -> BTreeMap<String, String> {
        let findings = rules::check(&self.object(), None, &Facts::default()).unwrap();
        let denials = findings.into_iter().filter(|finding| finding.severity == Severity::Deny);
        denials.map(|finding| (finding.rule.to_owned(), finding.to_string())).collect()
    }
}

fn variable(name: &str) -> Value {
    json!({"name": name, "valueFrom": {"secretKeyRef": {"name": "shop", "key": "a"}}})
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/deployments.jsonl")
}

fn deployments() -> Vec<Deployment> {
    let text = fs::read_to_string(file()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

#[test]
fn known_projects_are_accepted_or_refused_for_a_stated_reason() {
    let mut all = deployments();
    assert!(all.len() >= 60, "{} command lines", all.len());
    let mut wrong = String::new();
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for deployment in &mut all {
        let denials = deployment.denials();
        let ids: BTreeSet<String> = denials.keys().cloned().collect();
        if update {
            deployment.denied = ids;
        } else if ids != deployment.denied {
            let Deployment { project, component, args, denied, .. } = deployment;
            let _ = writeln!(wrong, "{project} {component} {args:?}: stated {denied:?}, found {denials:#?}");
        }
    }
    if update {
        let lines: Vec<String> = all.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        fs::write(file(), lines.concat()).unwrap();
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn most_projects_can_bring_their_lines_along() {
    let all = deployments();
    let accepted = all.iter().filter(|deployment| deployment.denied.is_empty()).count();
    assert!(accepted * 4 > all.len() * 3, "only {accepted} of {} are accepted", all.len());
}
