// SPDX-License-Identifier: Apache-2.0
//! Rules about what a Deployment takes over from a Celery as it is: variables, volumes, taints, names, pod templates.
//!
//! The API server takes the Celery with any of it, since the types fit, and refuses the Deployment later, when nobody
//! looks. What it asks of such values is written down in tables ([`form`]), which [`mod@walk`] goes through once.

mod containers;
mod form;
mod pod;
mod root;
mod rules;
mod scheduling;
mod security;
mod text;
mod variables;
mod volumes;
mod walk;

use serde_json::{Value, json};

use super::breach::{Breach, Topic};
use super::finding::Report;
use super::path;
use super::subject::{Component, Part, Subject};
use crate::api::GracefulShutdown;
use containers::{CONTAINER, INIT_CONTAINER, LIFECYCLE, program};
use form::{Form, Must, Pod, field};
use pod::{ANNOTATIONS, DNS, LABELS, TEMPLATE};
use scheduling::{AFFINITY, SPREAD, TOLERATION, spread_twice};
use text::{OBJECT_NAME, WHOLE};
use variables::{SOURCES, VARIABLES};
use volumes::{MOUNT, VOLUME};
use walk::{Told, walk};

pub(super) use rules::RULES;

/// What all components share.
static COMMON: Form = Form::of(&[
    field("command", Must::Texts(&WHOLE)).about(Topic::Words),
    field("env", Must::List(&VARIABLES)).about(Topic::Variables),
    field("envFrom", Must::List(&SOURCES)).about(Topic::Variables),
    field("volumes", Must::List(&VOLUME)).about(Topic::Volumes),
    field("volumeMounts", Must::List(&MOUNT)).about(Topic::Mounts),
    field("initContainers", Must::List(&INIT_CONTAINER)).about(Topic::Containers),
    field("tolerations", Must::List(&TOLERATION)).about(Topic::Tolerations),
    field("affinity", Must::Be(&AFFINITY)).about(Topic::Affinity),
    field("topologySpreadConstraints", Must::List(&SPREAD)).about(Topic::Spread),
    field("podLabels", LABELS).about(Topic::Labels),
    field("podAnnotations", ANNOTATIONS).about(Topic::Labels),
    field("nodeSelector", LABELS).about(Topic::Labels),
    field("serviceAccountName", Must::Read(&OBJECT_NAME)).about(Topic::Names),
    field("priorityClassName", Must::Read(&OBJECT_NAME)).about(Topic::Names),
    field("securityContext", Must::Be(&security::POD)).about(Topic::Security),
    field("containerSecurityContext", Must::Be(&security::CONTAINER)).about(Topic::Security),
    field("dnsConfig", Must::Be(&DNS)).about(Topic::Dns),
])
.whole(|item, told| {
    let path = item.at("topologySpreadConstraints");
    told.about(Topic::Spread, |told| spread_twice(item.list("topologySpreadConstraints"), &path, told));
});

/// A component: what each of them may have of its own.
static COMPONENT: Form = Form::of(&[
    field("args", Must::Texts(&WHOLE)).about(Topic::Words),
    field("env", Must::List(&VARIABLES)).about(Topic::Variables),
    field("envFrom", Must::List(&SOURCES)).about(Topic::Variables),
    field("volumes", Must::List(&VOLUME)).about(Topic::Volumes),
    field("volumeMounts", Must::List(&MOUNT)).about(Topic::Mounts),
    field("sidecars", Must::List(&CONTAINER)).about(Topic::Containers),
    field("lifecycle", Must::Be(&LIFECYCLE)).about(Topic::Handlers),
    field("probes", Must::Be(&PROBES)).about(Topic::Words),
    field("serviceAnnotations", ANNOTATIONS).about(Topic::Labels),
    field("ingress", Must::Be(&INGRESS)).about(Topic::Names),
]);

static INGRESS: Form = Form::of(&[
    field("className", Must::ReadEven(&OBJECT_NAME)),
    field("annotations", ANNOTATIONS).about(Topic::Labels),
]);

static PROBES: Form = Form::of(&[
    field("startup", Must::Be(&PROBE)),
    field("readiness", Must::Be(&PROBE)),
    field("liveness", Must::Be(&PROBE)),
]);
static PROBE: Form = Form::of(&[field("command", Must::Texts(&WHOLE))]).whole(program);

/// Reports what is about a topic.
fn told(subject: &Subject<'_>, report: &mut Report<'_>, topic: Topic) {
    let breaches = subject.pods.get_or_init(|| breaches(subject, report.raw()));
    for breach in breaches.iter().filter(|breach| breach.topic == topic) {
        report.add(breach.kind, breach.path.clone(), breach.message.clone(), breach.fix.clone());
    }
}

/// What the tables do not allow in an object, wherever it stands.
fn breaches(subject: &Subject<'_>, raw: &Value) -> Vec<Breach> {
    let mut told = Told::new();
    let common = &raw["spec"]["common"];
    let shared = common.get("podTemplate").filter(|template| template.is_object());
    let components = subject.components();
    let (pod_below, container_below) = (pod_layer(common), container_layer(common));
    let nothing = [None; 3];
    walk(&COMMON, common, "spec.common", nothing, Pod::default(), &mut told);
    told.about(Topic::Security, |told| root::judged(raw, &components, told));
    if let Some(template) = shared {
        let sidecars: Vec<&str> = components.iter().flat_map(sidecars).collect();
        let mut own = components.iter().map(|component| component.part.own_container());
        let first = own.next();
        let pod = Pod {
            own: first.filter(|first| own.all(|other| other == *first)),
            container: [Some(&container_below), None, None],
            beside: &sidecars,
            grace: None,
            shares_processes: !subject.pools.is_empty(),
        };
        walk(&TEMPLATE, template, "spec.common.podTemplate", [Some(&pod_below), None, None], pod, &mut told);
    }
    for component in &components {
        let Some(value) = path::at(raw, &component.path) else { continue };
        let beside = sidecars(component);
        let pod = Pod {
            own: Some(component.part.own_container()),
            container: [Some(&container_below), Some(value), None],
            beside: &beside,
            grace: grace(component.part),
            shares_processes: matches!(component.part, Part::Worker(_)),
        };
        walk(&COMPONENT, value, &component.path, nothing, pod, &mut told);
        if let Some(template) = value.get("podTemplate") {
            let path = format!("{}.podTemplate", component.path);
            walk(&TEMPLATE, template, &path, [Some(&pod_below), None, shared], pod, &mut told);
        }
    }
    told.into_breaches()
}

/// What a pod template is laid over, as far as tables ask for it.
fn pod_layer(common: &Value) -> Value {
    let mut security = common["securityContext"].clone();
    if security["seccompProfile"].is_null() && (security.is_object() || security.is_null()) {
        security["seccompProfile"] = json!({"type": "RuntimeDefault"});
    }
    let mut pod = json!({ "securityContext": security });
    for name in ["affinity", "dnsConfig", "topologySpreadConstraints", "initContainers"] {
        pod[name] = common[name].clone();
    }
    json!({ "spec": pod })
}

/// What the operator's container is rendered from, as far as tables ask for it.
fn container_layer(common: &Value) -> Value {
    json!({ "securityContext": common["containerSecurityContext"], "volumeMounts": common["volumeMounts"] })
}

/// The names of the containers beside a component's own.
fn sidecars<'a>(component: &Component<'a>) -> Vec<&'a str> {
    match component.part {
        Part::Worker(worker) => worker.sidecars.iter().map(|one| one.name.as_str()).collect(),
        Part::Beat(_) | Part::Flower(_) => Vec::new(),
    }
}

/// Seconds between the request to stop and the kill.
fn grace(part: Part<'_>) -> Option<i64> {
    let Part::Worker(worker) = part else { return None };
    let written = worker.graceful_shutdown.as_ref().and_then(|shutdown| shutdown.timeout_seconds);
    Some(written.unwrap_or(GracefulShutdown::TIMEOUT_SECONDS).into())
}
