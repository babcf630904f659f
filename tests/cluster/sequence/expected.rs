// SPDX-License-Identifier: Apache-2.0
//! What should be there for a stored Celery, and what is.
//!
//! What should be there is what the pure rooms render, as the API server would store it where nothing was before: a dry
//! run of the operator's own request in an empty namespace. Compared is everything but what an object gets by being
//! stored (uid, versions, times, owners of fields), the status, the addresses and node ports of a Service, the revision
//! of a Deployment, its number of pods where the rendering leaves it to others, and what it notes of the Secrets that its
//! pods have seen: that is history, and the hash of the rendering covers it.

use std::collections::BTreeMap;

use celery_operator::annotations::{CONFIG_HASH, CONFIG_SEEN};
use celery_operator::api::Celery;
use celery_operator::build::{self, Capabilities, ChildKind};
use celery_operator::defaults::{self, Moment};
use celery_operator::labels::{MANAGED_BY, RENDERED_HASH};
use celery_operator::resolve::{self, Sources};
use serde_json::{Value, json};

use super::draft::SECRETS;
use crate::http::{APPLY, JSON};
use crate::rig::Rig;
use crate::space::Space;

/// Objects by kind and name, without what is not compared.
pub(crate) type Objects = BTreeMap<(ChildKind, String), Value>;

fn collection(kind: ChildKind, namespace: &str) -> String {
    let resource = kind.resource();
    let root = if resource.group.is_empty() { "api".to_owned() } else { format!("apis/{}", resource.group) };
    format!("/{root}/{}/namespaces/{namespace}/{}", resource.version, resource.plural)
}

/// What the API server makes of renderings, by their hashes.
pub(crate) type Known = BTreeMap<String, Value>;

/// What should be there for a Celery as it is stored; `empty` is a namespace with nothing in it.
pub(crate) fn expected(empty: &Space<'_>, celery: &Value, known: &mut Known) -> Objects {
    let additions = defaults::absent(celery, Moment::Later);
    let mut celery = defaults::defaulted(celery.clone(), &additions);
    celery.as_object_mut().unwrap().remove("status");
    let celery: Celery = serde_json::from_value(celery).unwrap();
    let resolved = resolve::resolved(&celery, &sources(&celery));
    let children = build::children(&resolved, Capabilities { keda: true, monitors: false });
    assert_eq!(children.kept, [], "what is kept depends on what was there before");
    let mut stored = |manifest: build::Manifest| {
        let object = known.entry(manifest.hash.clone()).or_insert_with(|| dry_run(empty, &manifest));
        ((manifest.kind, manifest.name), object.clone())
    };
    children.manifests.into_iter().map(&mut stored).collect()
}

fn dry_run(empty: &Space<'_>, manifest: &build::Manifest) -> Value {
    let mut body = manifest.body.clone();
    body["metadata"]["namespace"] = json!(empty.name);
    let collection = collection(manifest.kind, &empty.name);
    let path = format!("{collection}/{}?dryRun=All&fieldManager=celery-operator", manifest.name);
    let stored = empty.rig.send("PATCH", &path, APPLY, Some(&body)).success();
    comparable(stored, manifest.body.pointer("/spec/replicas").is_some())
}

/// The Secrets that a Celery refers to.
fn sources(celery: &Celery) -> Sources {
    let found = |name: &str| {
        let (_, entries) = SECRETS.iter().find(|(known, _)| *known == name)?;
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Some(entries.iter().map(own).collect())
    };
    let named = resolve::secrets(&celery.spec);
    Sources {
        secrets: named
            .into_iter()
            .map(|name| {
                let data = found(&name);
                (name, data)
            })
            .collect(),
    }
}

/// Everything in a namespace that the operator made, or that says it belongs to a Celery. Numbers of pods are left out
/// where they are not expected.
pub(crate) fn present(rig: &Rig, namespace: &str, expected: &Objects) -> Objects {
    let mut present = Objects::new();
    for kind in ChildKind::ALL {
        let answer = rig.send("GET", &collection(kind, namespace), JSON, None);
        if answer.code == 404 {
            continue;
        }
        for mut object in answer.success()["items"].as_array_mut().map(std::mem::take).unwrap_or_default() {
            let owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
            let owned = owners.into_iter().any(|owner| owner["kind"] == "Celery");
            if !owned && object["metadata"]["labels"]["app.kubernetes.io/managed-by"] != MANAGED_BY {
                continue;
            }
            let resource = kind.resource();
            object["apiVersion"] = json!(resource.api_version);
            object["kind"] = json!(resource.kind);
            let key = (kind, object["metadata"]["name"].as_str().unwrap().to_owned());
            let counts = expected.get(&key).is_none_or(|it| it.pointer("/spec/replicas").is_some());
            present.insert(key, comparable(object, counts));
        }
    }
    present
}

fn comparable(mut object: Value, counts: bool) -> Value {
    let root = object.as_object_mut().unwrap();
    root.remove("status");
    let metadata = root["metadata"].as_object_mut().unwrap();
    for stored in ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "namespace"]
    {
        metadata.remove(stored);
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove("deployment.kubernetes.io/revision");
    }
    let kind = object["kind"].clone();
    let spec = object.get_mut("spec").and_then(Value::as_object_mut);
    match (kind.as_str(), spec) {
        (Some("Service"), Some(spec)) => {
            for given in ["clusterIP", "clusterIPs", "healthCheckNodePort"] {
                spec.remove(given);
            }
            for port in spec["ports"].as_array_mut().into_iter().flatten() {
                port.as_object_mut().unwrap().remove("nodePort");
            }
        }
        (Some("Deployment"), Some(spec)) if !counts => drop(spec.remove("replicas")),
        _ => {}
    }
    if kind == "Deployment" {
        forget(&mut object["metadata"], &[CONFIG_SEEN, RENDERED_HASH]);
        forget(&mut object["spec"]["template"]["metadata"], &[CONFIG_HASH]);
    }
    object
}

/// Takes annotations out, and with the last one their map.
fn forget(metadata: &mut Value, names: &[&str]) {
    let Some(annotations) = metadata["annotations"].as_object_mut() else { return };
    for name in names {
        annotations.remove(*name);
    }
    if annotations.is_empty() {
        metadata.as_object_mut().unwrap().remove("annotations");
    }
}

/// The same for two objects of different owners: without the owners' uids and the hash, which covers them.
pub(crate) fn anonymous(mut objects: Objects, others: &Objects) -> Objects {
    for (key, object) in &mut objects {
        for owner in object["metadata"]["ownerReferences"].as_array_mut().into_iter().flatten() {
            owner.as_object_mut().unwrap().remove("uid");
        }
        forget(&mut object["metadata"], &[RENDERED_HASH]);
        let leaves_count = others.get(key).is_some_and(|other| other.pointer("/spec/replicas").is_none());
        if leaves_count && let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
            spec.remove("replicas");
        }
    }
    objects
}

/// Where two sets of objects differ; nothing if they are equal.
pub(crate) fn difference(expected: &Objects, present: &Objects) -> Option<String> {
    let mut told = Vec::new();
    for (kind, name) in expected.keys().filter(|key| !present.contains_key(*key)) {
        told.push(format!("{kind:?} {name} is missing"));
    }
    for ((kind, name), object) in present {
        match expected.get(&(*kind, name.clone())) {
            None => told.push(format!("{kind:?} {name} should not be there")),
            Some(wanted) => {
                paths("", wanted, object, &mut |what| told.push(format!("{kind:?} {name} {what}")));
            }
        }
    }
    (!told.is_empty()).then(|| told.join("\n"))
}

fn paths(path: &str, wanted: &Value, found: &Value, tell: &mut impl FnMut(String)) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for key in wanted.keys().chain(found.keys().filter(|key| !wanted.contains_key(*key))) {
                let of =
                    |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or_default();
                paths(&format!("{path}/{key}"), &of(wanted), &of(found), tell);
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                paths(&format!("{path}/{index}"), wanted, found, tell);
            }
        }
        _ if wanted == found => {}
        _ => tell(format!("{path} is {found} instead of {wanted}")),
    }
}
