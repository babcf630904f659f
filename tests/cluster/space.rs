// SPDX-License-Identifier: Apache-2.0
//! A namespace of one test, and the objects in it.

use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::http::{APPLY, Answer, JSON, MERGE};
use crate::rig::{Rig, succeeded};
use crate::wait::until;

/// Every kind that the operator creates, by its plural.
pub(crate) const CHILDREN: [&str; 11] = [
    "secrets",
    "deployments",
    "services",
    "horizontalpodautoscalers",
    "triggerauthentications",
    "scaledobjects",
    "poddisruptionbudgets",
    "ingresses",
    "persistentvolumeclaims",
    "configmaps",
    "servicemonitors",
];

/// Where the objects of a kind in a namespace are.
pub(crate) fn collection(plural: &str, namespace: &str) -> String {
    let group = match plural {
        "celeries" => "apis/celeryproject.org/v1alpha1",
        "deployments" | "replicasets" => "apis/apps/v1",
        "horizontalpodautoscalers" => "apis/autoscaling/v2",
        "poddisruptionbudgets" => "apis/policy/v1",
        "ingresses" => "apis/networking.k8s.io/v1",
        "triggerauthentications" | "scaledobjects" => "apis/keda.sh/v1alpha1",
        "servicemonitors" => "apis/monitoring.coreos.com/v1",
        "events" => "apis/events.k8s.io/v1",
        _ => "api/v1",
    };
    format!("/{group}/namespaces/{namespace}/{plural}")
}

/// A namespace. It stays until its rig ends: deleting it takes longer than a test.
pub(crate) struct Space<'a> {
    pub(crate) rig: &'a Rig,
    pub(crate) name: String,
}

impl<'a> Space<'a> {
    /// A new namespace with this word in its name.
    pub(crate) fn new(rig: &'a Rig, word: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{word}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Self::named(rig, &name)
    }

    /// A new namespace of this name.
    pub(crate) fn named(rig: &'a Rig, name: &str) -> Self {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        rig.send("POST", "/api/v1/namespaces", JSON, Some(&namespace)).success();
        Self { rig, name: name.to_owned() }
    }

    fn path(&self, plural: &str, name: &str) -> String {
        format!("{}/{name}", collection(plural, &self.name))
    }

    /// Creates an object; `query` may begin with `?`.
    pub(crate) fn post(&self, plural: &str, query: &str, object: &Value) -> Answer {
        let path = format!("{}{query}", collection(plural, &self.name));
        self.rig.send("POST", &path, JSON, Some(object))
    }

    #[track_caller]
    pub(crate) fn create(&self, plural: &str, object: &Value) -> Value {
        self.post(plural, "", object).success()
    }

    /// Changes fields of an object; `name` may go on with `/status` or a query.
    pub(crate) fn merge(&self, plural: &str, name: &str, patch: &Value) -> Answer {
        self.rig.send("PATCH", &self.path(plural, name), MERGE, Some(patch))
    }

    #[track_caller]
    pub(crate) fn edit(&self, plural: &str, name: &str, yaml: &str) -> Value {
        self.merge(plural, name, &crate::shop::yaml(yaml)).success()
    }

    /// Server-side apply.
    pub(crate) fn apply_as(&self, manager: &str, plural: &str, object: &Value) -> Answer {
        let name = object["metadata"]["name"].as_str().unwrap();
        let path = format!("{}?fieldManager={manager}", self.path(plural, name));
        self.rig.send("PATCH", &path, APPLY, Some(object))
    }

    pub(crate) fn delete(&self, plural: &str, name: &str) -> Answer {
        self.rig.send("DELETE", &self.path(plural, name), JSON, None)
    }

    /// An object, if it is there.
    #[track_caller]
    pub(crate) fn get(&self, plural: &str, name: &str) -> Option<Value> {
        let answer = self.rig.send("GET", &self.path(plural, name), JSON, None);
        (answer.code != 404).then(|| answer.success())
    }

    /// All objects of a kind; none of a kind that the API server does not know.
    #[track_caller]
    pub(crate) fn list(&self, plural: &str) -> Vec<Value> {
        let answer = self.rig.send("GET", &collection(plural, &self.name), JSON, None);
        if answer.code == 404 {
            return Vec::new();
        }
        answer.success()["items"].as_array().cloned().unwrap_or_default()
    }

    /// Plural and name of everything that a Celery owns.
    pub(crate) fn children(&self, owner: &str) -> Vec<(String, String)> {
        let is_child = |object: &Value| {
            let owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
            owners.into_iter().any(|reference| reference["kind"] == "Celery" && reference["name"] == owner)
        };
        let of_kind = |plural: &&str| {
            let objects = self.list(plural).into_iter().filter(is_child);
            let name = |object: Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            objects.map(|object| ((*plural).to_owned(), name(object))).collect::<Vec<_>>()
        };
        CHILDREN.iter().flat_map(of_kind).collect()
    }

    /// Waits until an object is there and is so, and returns it.
    #[track_caller]
    pub(crate) fn until(&self, plural: &str, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        until(&format!("{plural} {}/{name}", self.name), || match self.get(plural, name) {
            Some(object) if is_so(&object) => Ok(object),
            Some(object) => Err(without_managed_fields(object).to_string()),
            None => Err("is not there".to_owned()),
        })
    }

    #[track_caller]
    pub(crate) fn until_there(&self, plural: &str, name: &str) -> Value {
        self.until(plural, name, |_| true)
    }

    #[track_caller]
    pub(crate) fn until_gone(&self, plural: &str, name: &str) {
        until(&format!("{plural} {}/{name} is gone", self.name), || match self.get(plural, name) {
            None => Ok(()),
            Some(object) => Err(without_managed_fields(object).to_string()),
        });
    }

    /// Waits until the status speaks of the newest spec and a condition has this status and reason.
    #[track_caller]
    pub(crate) fn until_condition(&self, name: &str, type_: &str, status: &str, reason: &str) -> Value {
        self.until("celeries", name, |object| {
            let condition = condition(object, type_);
            object["status"]["observedGeneration"] == object["metadata"]["generation"]
                && condition["status"] == status
                && condition["reason"] == reason
        })
    }

    /// Says of every pod that it is running and ready, as a kubelet would.
    pub(crate) fn make_pods_ready(&self) {
        for pod in self.list("pods") {
            let ready = condition(&pod, "Ready")["status"] == "True";
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            if !ready {
                let condition =
                    json!({"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"});
                let status = json!({"status": {"phase": "Running", "conditions": [condition]}});
                // A pod may be gone again.
                let _ = self.merge("pods", &format!("{name}/status"), &status);
            }
        }
    }

    /// Makes pods ready until the Celery says that it is.
    #[track_caller]
    pub(crate) fn until_ready(&self, name: &str) -> Value {
        self.until("celeries", name, |object| {
            self.make_pods_ready();
            object["status"]["observedGeneration"] == object["metadata"]["generation"]
                && condition(object, "Ready")["status"] == "True"
        })
    }

    /// Puts annotations on an object; a null takes one away.
    #[track_caller]
    pub(crate) fn annotate(&self, plural: &str, name: &str, annotations: &Value) -> Value {
        self.merge(plural, name, &json!({"metadata": {"annotations": annotations}})).success()
    }

    /// kubectl in this namespace.
    pub(crate) fn kubectl(&self, arguments: &[&str], input: &str) -> Output {
        let namespace = format!("--namespace={}", self.name);
        self.rig.run(&[&[namespace.as_str()], arguments].concat(), input)
    }

    /// What kubectl prints when it succeeds, as it must.
    #[track_caller]
    pub(crate) fn succeed(&self, arguments: &[&str], input: &str) -> String {
        succeeded(&self.kubectl(arguments, input))
    }
}

/// A condition of an object's status, or null.
pub(crate) fn condition(object: &Value, type_: &str) -> Value {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().find(|condition| condition["type"] == type_).cloned().unwrap_or_default()
}

fn without_managed_fields(mut object: Value) -> Value {
    object["metadata"]["managedFields"].take();
    object
}

impl Drop for Space<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the test had the namespace {}", self.name);
            self.rig.keep_logs();
        }
    }
}
