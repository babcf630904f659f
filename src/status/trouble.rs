// SPDX-License-Identifier: Apache-2.0
//! What keeps a pod from running, as its own status tells it.
//!
//! Only words that are known are taken over. What runtimes and containers say in their messages may quote a URL with a
//! password, so no such text gets any further than here.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};

/// What keeps a pod from running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What it is.
    pub cause: Cause,
    /// The container it is about; `None` where it is about the whole pod.
    pub container: Option<String>,
    /// Seconds since the epoch when it began, where the pod says so.
    pub since: Option<i64>,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No image, by the word of Kubernetes for it.
    Image(&'static str),
    /// A Secret or ConfigMap, or a key of it, is missing.
    Config(Option<MissingConfig>),
    /// The container could not be made or started, by the word of Kubernetes for it.
    Start(&'static str),
    /// The container ends again and again.
    Crash {
        /// With this exit code.
        exit_code: Option<i32>,
    },
    /// The container took more memory than it may.
    OutOfMemory,
    /// The container runs, and has not passed its startup probe.
    Unstarted,
    /// No node takes the pod.
    Unschedulable(BTreeSet<Hindrance>),
}

/// What a container waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingConfig {
    /// `Secret` or `ConfigMap`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The key that it lacks; `None` where it is missing as a whole.
    pub key: Option<String>,
}

/// What keeps nodes from taking a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hindrance {
    /// Too little cpu, memory or the like is left.
    Resources,
    /// A selector or an affinity matches none.
    Placement,
    /// A taint that the pod does not tolerate.
    Taint,
    /// A rule of spreading.
    Spread,
    /// A volume or a claim.
    Volume,
}

/// Reasons for want of an image.
const IMAGE: &[&str] = &[
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];
/// Reasons of a container that cannot be made or started.
const START: &[&str] = &["CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun"];

impl Trouble {
    /// What keeps a pod from running; `None` for one that runs, or is on its way.
    #[must_use]
    pub fn of(pod: &Pod) -> Option<Self> {
        let status = pod.status.as_ref()?;
        if pod.metadata.deletion_timestamp.is_some() {
            return None;
        }
        let lists = [&status.init_container_statuses, &status.container_statuses];
        let mut containers = lists.into_iter().flatten().flatten();
        containers
            .find_map(|container| {
                let cause = of_container(container)?;
                Some(Self { cause, container: Some(container.name.clone()), since: None })
            })
            .or_else(|| unscheduled(status))
            .or_else(|| status.container_statuses.iter().flatten().find_map(unstarted))
    }

    /// Whether it passes by itself as soon as somebody else is well again: nothing has been given up then.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.cause == Cause::Unstarted
    }

    /// One word for programs: the pod's own.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match &self.cause {
            Cause::Image(reason) | Cause::Start(reason) => reason,
            Cause::Config(_) => "CreateContainerConfigError",
            Cause::Crash { .. } => "CrashLoopBackOff",
            Cause::OutOfMemory => "OOMKilled",
            Cause::Unstarted => "NotStarted",
            Cause::Unschedulable(_) => "Unschedulable",
        }
    }
}

fn of_container(container: &ContainerStatus) -> Option<Cause> {
    let last = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let now = container.state.as_ref().and_then(|state| state.terminated.as_ref());
    let killed = |reason: Option<&str>| reason == Some("OOMKilled");
    if now.is_some_and(|now| killed(now.reason.as_deref())) {
        return Some(Cause::OutOfMemory);
    }
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    let known = |words: &[&'static str], word: &str| words.iter().copied().find(|known| *known == word);
    if let Some(reason) = known(IMAGE, reason) {
        return Some(Cause::Image(reason));
    }
    if let Some(reason) = known(START, reason) {
        return Some(Cause::Start(reason));
    }
    match reason {
        "CreateContainerConfigError" => Some(Cause::Config(waiting.message.as_deref().and_then(missing))),
        "CrashLoopBackOff" => {
            let reason = last.and_then(|last| last.reason.as_deref());
            if killed(reason) {
                return Some(Cause::OutOfMemory);
            }
            match reason.and_then(|reason| known(START, reason)) {
                Some(reason) => Some(Cause::Start(reason)),
                None => Some(Cause::Crash { exit_code: last.map(|last| last.exit_code) }),
            }
        }
        _ => None,
    }
}

/// What kubelet misses, out of its two sentences: `secret "a" not found` and `couldn't find key k in Secret ns/a`.
fn missing(message: &str) -> Option<MissingConfig> {
    let kind = |word: &str| match word.to_ascii_lowercase().as_str() {
        "secret" | "secrets" => Some("Secret"),
        "configmap" | "configmaps" => Some("ConfigMap"),
        _ => None,
    };
    let words: Vec<&str> = message.split_whitespace().collect();
    let (kind, name, key) = match words.as_slice() {
        [word, name, "not", "found"] => (kind(word)?, name.strip_prefix('"')?.strip_suffix('"')?, None),
        ["couldn't", "find", "key", key, "in", word, place] => {
            (kind(word)?, place.rsplit('/').next()?, Some((*key).to_owned()))
        }
        _ => return None,
    };
    let is_plain = |text: &str| {
        (1..=253).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    let all_plain = is_plain(name) && key.as_deref().is_none_or(is_plain);
    all_plain.then(|| MissingConfig { kind, name: name.to_owned(), key })
}

fn unstarted(container: &ContainerStatus) -> Option<Trouble> {
    let running = container.state.as_ref()?.running.as_ref().filter(|_| container.started == Some(false))?;
    let since = running.started_at.as_ref().map(|time| time.0.as_second());
    Some(Trouble { cause: Cause::Unstarted, container: Some(container.name.clone()), since })
}

fn unscheduled(status: &PodStatus) -> Option<Trouble> {
    let conditions = status.conditions.iter().flatten();
    let condition = conditions
        .filter(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
        .find(|condition| condition.reason.as_deref() == Some("Unschedulable"))?;
    let said = condition.message.as_deref().unwrap_or_default();
    let hindrances = [
        ("Insufficient ", Hindrance::Resources),
        ("Too many pods", Hindrance::Resources),
        ("node affinity/selector", Hindrance::Placement),
        ("node selector", Hindrance::Placement),
        ("affinity rules", Hindrance::Placement),
        ("taint", Hindrance::Taint),
        ("topology spread", Hindrance::Spread),
        ("ersistentvolumeclaim", Hindrance::Volume),
        ("ersistentVolumeClaim", Hindrance::Volume),
        ("volume node affinity", Hindrance::Volume),
    ];
    let found = hindrances.into_iter().filter(|(phrase, _)| said.contains(phrase));
    Some(Trouble {
        cause: Cause::Unschedulable(found.map(|(_, hindrance)| hindrance).collect()),
        container: None,
        since: condition.last_transition_time.as_ref().map(|time| time.0.as_second()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn trouble(status: Value) -> Option<Trouble> {
        Trouble::of(&serde_json::from_value(json!({"metadata": {}, "status": status})).expect("a pod"))
    }

    fn waiting(reason: &str, message: &str, last: Value) -> Value {
        json!({"containerStatuses": [{"name": "celery", "image": "", "imageID": "", "ready": false, "restartCount": 3,
            "state": {"waiting": {"reason": reason, "message": message}}, "lastState": last}]})
    }

    fn cause(reason: &str, message: &str, last: Value) -> Option<Cause> {
        let found = trouble(waiting(reason, message, last))?;
        assert_eq!(found.container.as_deref(), Some("celery"));
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
        Some(found.cause)
    }

    fn ended(reason: &str, code: i32) -> Value {
        json!({"terminated": {"exitCode": code, "reason": reason, "message": "redis://:hunter2@cache"}})
    }

    #[test]
    fn a_waiting_container_says_why() {
        for reason in ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"] {
            assert_eq!(cause(reason, "https://u:hunter2@registry", json!({})), Some(Cause::Image(reason)));
        }
        let ends = |reason: &str, code: i32| cause("CrashLoopBackOff", "", ended(reason, code));
        assert_eq!(ends("Error", 1), Some(Cause::Crash { exit_code: Some(1) }));
        assert_eq!(ends("Completed", 0), Some(Cause::Crash { exit_code: Some(0) }));
        assert_eq!(ends("OOMKilled", 137), Some(Cause::OutOfMemory));
        assert_eq!(ends("StartError", 128), Some(Cause::Start("StartError")));
        assert_eq!(cause("CrashLoopBackOff", "", json!({})), Some(Cause::Crash { exit_code: None }));
        for reason in ["ContainerCreating", "PodInitializing", "hunter2"] {
            assert_eq!(cause(reason, "", json!({})), None);
        }
    }

    #[test]
    fn a_container_that_runs_may_not_have_started_yet() {
        let of = |started: bool| {
            let state = json!({"running": {"startedAt": "1970-01-01T00:01:00Z"}});
            trouble(
                json!({"containerStatuses": [{"name": "celery", "image": "", "imageID": "", "ready": false,
                "restartCount": 0, "started": started, "state": state}]}),
            )
        };
        let found = of(false).expect("has not started");
        assert_eq!((&found.cause, found.since), (&Cause::Unstarted, Some(60)));
        assert!(found.may_pass());
        assert_eq!(of(true), None);
    }

    #[test]
    fn kubelets_two_sentences_name_what_is_missing_and_no_other_text_is_believed() {
        let found = |message: &str| match cause("CreateContainerConfigError", message, json!({})) {
            Some(Cause::Config(missing)) => missing.map(|it| (it.kind, it.name, it.key)),
            other => panic!("{other:?}"),
        };
        let key = |kind, name: &str, key: Option<&str>| Some((kind, name.to_owned(), key.map(str::to_owned)));
        assert_eq!(found(r#"secret "broker" not found"#), key("Secret", "broker", None));
        assert_eq!(found(r#"configmap "a.b" not found"#), key("ConfigMap", "a.b", None));
        assert_eq!(found("couldn't find key url in Secret web/broker"), key("Secret", "broker", Some("url")));
        assert_eq!(found("couldn't find key a in ConfigMap web/b"), key("ConfigMap", "b", Some("a")));
        for other in [
            "redis://:hunter2@cache",
            r#"secret "redis://:hunter2@cache" not found"#,
            "couldn't find key redis://:hunter2@cache in Secret web/broker",
            r#"password "hunter2" not found"#,
            "",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }

    #[test]
    fn init_containers_come_first_and_a_kill_counts_at_once() {
        let mut status = waiting("PodInitializing", "", json!({}));
        status["initContainerStatuses"] = json!([{"name": "migrate", "image": "", "imageID": "", "ready": false,
            "restartCount": 0, "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]);
        let found = trouble(status).expect("trouble");
        assert_eq!((found.container.as_deref(), found.reason()), (Some("migrate"), "OOMKilled"));
        assert!(!found.may_pass());
    }

    #[test]
    fn a_pod_without_a_node_says_what_hinders() {
        let status = |message: &str| {
            json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": message, "lastTransitionTime": "1970-01-01T00:01:00Z"}]})
        };
        for (message, expected) in [
            ("0/3 nodes are available: 3 Insufficient cpu.", &[Hindrance::Resources][..]),
            (
                "0/3 nodes are available: 1 node(s) had untolerated taint {a: b}, 2 node(s) didn't match Pod's node affinity/selector.",
                &[Hindrance::Placement, Hindrance::Taint],
            ),
            (r#"0/1 nodes are available: persistentvolumeclaim "x" not found."#, &[Hindrance::Volume]),
            ("pod has unbound immediate PersistentVolumeClaims", &[Hindrance::Volume]),
            ("something new", &[]),
        ] {
            let found = trouble(status(message)).expect("trouble");
            assert_eq!(found.cause, Cause::Unschedulable(expected.iter().copied().collect()), "{message}");
            assert_eq!((found.since, found.container), (Some(60), None));
        }
    }

    #[test]
    fn pods_that_run_or_go_are_in_no_trouble() {
        assert_eq!(trouble(json!({})), None);
        for (type_, status) in [("PodScheduled", "True"), ("PodScheduled", "Unknown"), ("Ready", "False")] {
            let condition = json!({"type": type_, "status": status, "reason": "Unschedulable"});
            assert_eq!(trouble(json!({ "conditions": [condition] })), None, "{type_} {status}");
        }
        let mut pod = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        pod["status"] = waiting("ImagePullBackOff", "", json!({}));
        assert_eq!(Trouble::of(&serde_json::from_value(pod).expect("a pod")), None);
    }
}
