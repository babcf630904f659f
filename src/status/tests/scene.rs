// SPDX-License-Identifier: Apache-2.0
//! A cluster in which everything is as it should be, and what a test changes in it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use crate::api::{Celery, CelerySpec, CeleryStatus, Condition, crd};
use crate::build::{self, Applied, Capabilities, ChildKind};
use crate::resolve::{self, Resolved, SecretData, Sources};
use crate::rules::{Finding, Kind, Severity};
use crate::status::{ChildRef, Failure, Observed, Paused, REASONS, Scalers, State, Trouble, Verdict, status};

/// Every password contains this text.
pub(super) const PASSWORD: &str = "hunter2";
/// Generation of the Celery.
pub(super) const GENERATION: i64 = 7;

/// What a reconcile has seen.
pub(super) struct Scene {
    pub(super) verdict: Verdict,
    pub(super) findings: Vec<Finding>,
    pub(super) failure: Option<Failure>,
    pub(super) previous: Option<CeleryStatus>,
    resolved: Resolved,
    capabilities: Capabilities,
    children: Vec<Applied>,
    pub(super) paused: Option<Paused>,
    pub(super) troubles: BTreeMap<String, Trouble>,
    pub(super) scalers: Scalers,
    pub(super) obstacles: BTreeMap<ChildRef, Failure>,
    spec: CelerySpec,
}

impl Scene {
    /// The Celery `shop` of this spec with all children there and content; `common` is completed.
    pub(super) fn new(spec: &Value) -> Self {
        Self::with_secrets(spec, &[])
    }

    /// The same, with Secrets by name, key and text.
    pub(super) fn with_secrets(spec: &Value, secrets: &[(&str, &str, &str)]) -> Self {
        Self::made(spec, secrets, Capabilities { keda: true, monitors: true })
    }

    /// The same in a cluster without KEDA.
    pub(super) fn without_keda(spec: &Value) -> Self {
        Self::made(spec, &[], Capabilities::default())
    }

    fn made(spec: &Value, secrets: &[(&str, &str, &str)], capabilities: Capabilities) -> Self {
        let mut object = json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
            "metadata": {"name": "shop", "namespace": "web", "uid": "u-1", "generation": GENERATION},
            "spec": {"common": {"image": "shop:1", "celeryApp": "shop.tasks", "broker": {"url": "redis://cache"}}},
        });
        json_patch::merge(&mut object["spec"], spec);
        let celery: Celery = serde_json::from_value(object).expect("a Celery");
        let entry = |&(name, key, text): &(&str, &str, &str)| {
            let data: SecretData = BTreeMap::from([(key.to_owned(), text.to_owned())]);
            (name.to_owned(), Some(data))
        };
        let sources = Sources { secrets: secrets.iter().map(entry).collect() };
        let resolved = resolve::resolved(&celery, &sources);
        let manifests = build::children(&resolved, capabilities).manifests;
        let child = |manifest: &build::Manifest| Applied {
            kind: manifest.kind,
            name: manifest.name.clone(),
            live: Arc::new(
                serde_json::from_value(content(manifest.kind, &manifest.body)).expect("an object"),
            ),
        };
        Self {
            verdict: Verdict::Accepted,
            findings: Vec::new(),
            failure: None,
            previous: None,
            capabilities,
            paused: None,
            troubles: BTreeMap::new(),
            scalers: Scalers::default(),
            obstacles: BTreeMap::new(),
            spec: celery.spec,
            children: manifests.iter().map(child).collect(),
            resolved,
        }
    }

    /// The scene with a JSON merge patch on one child.
    pub(super) fn with(mut self, kind: ChildKind, name: &str, patch: &Value) -> Self {
        let child = self.children.iter_mut().find(|child| child.kind == kind && child.name == name);
        let child = child.expect("a child of that name");
        let mut body = serde_json::to_value(&*child.live).expect("serialises");
        json_patch::merge(&mut body, patch);
        child.live = Arc::new(serde_json::from_value(body).expect("an object"));
        self
    }

    /// The scene without one child.
    pub(super) fn without(mut self, kind: ChildKind, name: &str) -> Self {
        let before = self.children.len();
        self.children.retain(|child| (child.kind, child.name.as_str()) != (kind, name));
        assert_eq!(self.children.len() + 1, before, "a child of that name");
        self
    }

    /// The status at noon.
    pub(super) fn status(&self) -> CeleryStatus {
        self.status_at("2026-05-01T12:00:00Z")
    }

    /// The status, after a look at what holds for every status: one of Ready, Reconciling and Stalled says what to
    /// wait for, everything says of which generation it speaks, nothing tells a password.
    pub(super) fn status_at(&self, now: &str) -> CeleryStatus {
        let state = State {
            spec: &self.spec,
            resolved: &self.resolved,
            troubles: &self.troubles,
            scalers: &self.scalers,
            children: &self.children,
            obstacles: &self.obstacles,
            capabilities: self.capabilities,
        };
        let observed = Observed {
            generation: Some(GENERATION),
            verdict: self.verdict,
            findings: &self.findings,
            paused: self.paused.clone(),
            applied: (self.verdict != Verdict::Refused).then_some(state),
            failure: self.failure.clone(),
            previous: self.previous.as_ref(),
        };
        let made = status(&observed, &time(now));
        let summary = ["Ready", "Reconciling", "Stalled"];
        let said = summary.map(|type_| condition(&made, type_)).map(|said| said.status == "True");
        assert_eq!(said.iter().filter(|said| **said).count(), 1, "{summary:?} are {said:?}");
        assert_eq!(made.observed_generation, Some(GENERATION));
        for condition in &made.conditions {
            let expected = match &self.previous {
                // What a parked object does not look at speaks of the generation it was seen in.
                Some(previous) if self.verdict == Verdict::Refused && !fresh(condition) => previous
                    .conditions
                    .iter()
                    .find(|old| old.type_ == condition.type_)
                    .and_then(|old| old.observed_generation),
                _ => Some(GENERATION),
            };
            assert_eq!(condition.observed_generation, expected, "{}", condition.type_);
            assert!(!condition.reason.is_empty(), "{}", condition.type_);
            // What an autoscaler says of itself is passed on.
            let known = REASONS.iter().any(|reason| reason.name == condition.reason);
            assert!(known || condition.type_ == "AutoscalingReady", "{} is in no table", condition.reason);
        }
        for (index, condition) in made.conditions.iter().enumerate() {
            let twice = made.conditions[..index].iter().any(|other| other.type_ == condition.type_);
            assert!(!twice, "{} is there twice", condition.type_);
        }
        let told = serde_json::to_value(&made).expect("serialises");
        fits(&SCHEMA, &told, "status");
        let told = told.to_string();
        assert!(!told.contains(PASSWORD), "{told}");
        let debugged = format!("{observed:?}");
        assert!(!debugged.contains(PASSWORD));
        let mut names = self.children.iter().map(|child| child.name.as_str());
        assert!(observed.applied.is_none() || names.all(|name| debugged.contains(name)), "{debugged}");
        made
    }
}

/// The schema of a status.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let definition = serde_json::to_value(crd::definition()).expect("serialises");
    let version = &definition["spec"]["versions"][0];
    version["schema"]["openAPIV3Schema"]["properties"]["status"].clone()
});

/// A status that is too long for the schema would never be written.
fn fits(schema: &Value, value: &Value, path: &str) {
    let within = |bound: &str, size: usize| {
        let most = schema[bound].as_u64().unwrap_or_else(|| panic!("{path} has no {bound}"));
        assert!(size as u64 <= most, "{path} has {size}, {bound} is {most}");
    };
    match value {
        Value::String(text) if schema["enum"].is_null() && schema["format"].is_null() => {
            within("maxLength", text.chars().count());
        }
        Value::Array(items) => {
            within("maxItems", items.len());
            for item in items {
                fits(&schema["items"], item, &format!("{path}[]"));
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                fits(&schema["properties"][name], field, &format!("{path}.{name}"));
            }
        }
        _ => assert!(schema.is_object(), "{path} is not in the schema"),
    }
}

fn fresh(condition: &Condition) -> bool {
    ["Ready", "Reconciling", "Stalled", "Valid", "Paused"].contains(&condition.type_.as_str())
}

/// A child as the API server has it when all is well.
fn content(kind: ChildKind, body: &Value) -> Value {
    let mut live = body.clone();
    let status = match kind {
        ChildKind::Deployment => {
            let replicas = body["spec"]["replicas"].as_i64().unwrap_or(1);
            live["spec"]["replicas"] = json!(replicas);
            json!({"observedGeneration": 2, "replicas": replicas, "updatedReplicas": replicas,
                   "readyReplicas": replicas, "availableReplicas": replicas})
        }
        ChildKind::HorizontalPodAutoscaler => json!({"conditions": [
            {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale", "message": ""},
            {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound", "message": ""},
        ]}),
        ChildKind::ScaledObject => json!({"conditions": [
            {"type": "Ready", "status": "True", "reason": "ScaledObjectReady", "message": ""},
        ]}),
        _ => json!(null),
    };
    json_patch::merge(&mut live, &json!({"metadata": {"generation": 2}, "status": status}));
    live
}

/// A moment.
pub(super) fn time(text: &str) -> Time {
    serde_json::from_value(json!(text)).expect("a time")
}

/// A condition that has to be there.
pub(super) fn condition<'s>(status: &'s CeleryStatus, type_: &str) -> &'s Condition {
    let found = status.conditions.iter().find(|condition| condition.type_ == type_);
    found.unwrap_or_else(|| panic!("no condition {type_}"))
}

/// Status and reason of a condition; `None` when it is not there.
pub(super) fn word<'s>(status: &'s CeleryStatus, type_: &str) -> Option<(&'s str, &'s str)> {
    let found = status.conditions.iter().find(|condition| condition.type_ == type_);
    found.map(|condition| (condition.status.as_str(), condition.reason.as_str()))
}

/// The one of Ready, Reconciling and Stalled that is true, with its reason.
pub(super) fn summary(status: &CeleryStatus) -> (&str, &str) {
    let found = ["Ready", "Reconciling", "Stalled"]
        .map(|type_| condition(status, type_))
        .into_iter()
        .find(|condition| condition.status == "True");
    found.map(|condition| (condition.type_.as_str(), condition.reason.as_str())).expect("one of them")
}

/// Whether a child is listed as ready; `None` when it is not listed.
pub(super) fn child_ready(status: &CeleryStatus, kind: ChildKind, name: &str) -> Option<bool> {
    let found = status.children.iter().find(|child| child.kind == kind.as_str() && child.name == name);
    found.map(|child| child.ready)
}

/// A finding at a path.
pub(super) fn finding(severity: Severity, path: String) -> Finding {
    Finding {
        rule: "C01",
        severity,
        schema: false,
        place: path.clone(),
        path,
        kind: Kind::Invalid,
        value: Some("x".to_owned()),
        message: "is wrong".to_owned(),
        fix: "write y".to_owned(),
    }
}
