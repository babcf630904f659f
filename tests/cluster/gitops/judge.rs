// SPDX-License-Identifier: Apache-2.0
//! The program that holds Argo CD's and Flux's code, asked line by line.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::rig::Rig;

/// The annotation by which Argo CD knows what is its own.
pub(crate) const TRACKED: &str = "argocd.argoproj.io/tracking-id";

/// How Argo CD applies, and how it compares then.
pub(crate) struct Way {
    /// As the page calls it.
    pub(crate) name: &'static str,
    pub(crate) apply: &'static str,
    /// By what was last applied, by a dry run, by a dry run that shows what webhooks add, or by the owners of fields.
    pub(crate) compare: &'static [&'static str],
    /// Whether git names the pool in `scaleTargetRef`: who compares by the owners of fields does not know its default.
    pub(crate) writes_pools: bool,
}

pub(crate) const WAYS: [Way; 3] = [
    Way { name: "client", apply: "client", compare: &["client", "server"], writes_pools: false },
    Way { name: "server", apply: "server", compare: &["server", "webhooks"], writes_pools: false },
    Way { name: "merge", apply: "server", compare: &["merge", "server", "webhooks"], writes_pools: true },
];

/// A running program.
pub(crate) struct Judge {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    /// One that knows this cluster.
    pub(crate) fn of(rig: &Rig) -> Self {
        Self::start(Some(&rig.kubeconfig))
    }

    /// One that knows no cluster.
    pub(crate) fn alone() -> Self {
        Self::start(None)
    }

    fn start(kubeconfig: Option<&Path>) -> Self {
        let mut command = Command::new(testbed::tools::gitops().unwrap());
        if let Some(path) = kubeconfig {
            command.arg("--kubeconfig").arg(path);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, questions, answers }
    }

    #[track_caller]
    fn ask(&mut self, question: &Value) -> Value {
        let questions = self.questions.as_mut().unwrap();
        questions.write_all(format!("{question}\n").as_bytes()).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert!(answer["error"].is_null(), "{}: {question}", answer["error"]);
        answer
    }

    /// Applies as a sync does.
    #[track_caller]
    pub(crate) fn apply(&mut self, object: &Value, how: &str) {
        self.ask(&json!({"ask": "apply", "how": how, "object": object}));
    }

    /// What differs between git and cluster, line by line; nothing where nothing does.
    ///
    /// The status is left out, as Argo CD leaves it out since 3.0: it goes on between two looks.
    #[track_caller]
    pub(crate) fn compare(&mut self, object: &Value, live: &Value, how: &str) -> Vec<String> {
        let answer = self.ask(&json!({"ask": "compare", "how": how, "object": object, "live": live}));
        if answer["differs"] == false {
            return Vec::new();
        }
        let side = |name: &str| -> Value {
            let mut object: Value = serde_json::from_str(answer[name].as_str().unwrap()).unwrap();
            object["status"].take();
            object
        };
        let mut lines = Vec::new();
        differences(&side("wanted"), &side("found"), "", &mut lines);
        lines
    }

    /// What Argo CD takes for an application's own, by a label or annotation, as `Kind/name`.
    #[track_caller]
    pub(crate) fn managed(&mut self, namespace: &str, key: &str, value: &str) -> Vec<String> {
        let answer = self.ask(&json!({"ask": "managed", "namespace": namespace, "key": key, "value": value}));
        let objects = answer["objects"].as_array().into_iter().flatten();
        let mut names: Vec<String> = objects.map(|name| name.as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// Health and its message, of a script that Argo CD runs.
    #[track_caller]
    pub(crate) fn health(&mut self, script: &str, live: &Value) -> (String, String) {
        told(&self.ask(&json!({"ask": "health", "script": script, "live": live})))
    }

    /// Status and its message, as Flux reads it.
    #[track_caller]
    pub(crate) fn kstatus(&mut self, live: &Value) -> (String, String) {
        told(&self.ask(&json!({"ask": "kstatus", "live": live})))
    }
}

fn differences(wanted: &Value, found: &Value, path: &str, lines: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                differences(&wanted[name.as_str()], &found[name.as_str()], &format!("{path}.{name}"), lines);
            }
        }
        (one, other) if one == other => {}
        (one, other) => lines.push(format!("{path}: {one} in git, {other} in the cluster")),
    }
}

fn told(answer: &Value) -> (String, String) {
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    (text("status"), text("message"))
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.questions.take());
        let _ = self.process.wait();
    }
}
