// SPDX-License-Identifier: Apache-2.0
//! Variables of containers and where they come from.

use super::form::{Form, Item, Must, field};
use super::text::{KEY, OBJECT_NAME, VARIABLE, WHOLE, is_pod_field};
use super::walk::Told;
use crate::api::amount::number;
use crate::rules::breach::Topic;
use crate::rules::finding::Kind;

/// A variable.
pub(super) static VARIABLES: Form = Form::of(&[
    field("name", Must::Read(&VARIABLE)),
    field("value", Must::Read(&WHOLE)).about(Topic::Words),
    field("valueFrom", Must::Be(&SOURCE)),
])
.needs(&[("name", "name the variable")])
.whole(one_value);

static SOURCE: Form = Form::of(&[
    field("secretKeyRef", Must::Be(&REFERENCE)),
    field("configMapKeyRef", Must::Be(&REFERENCE)),
    field("fieldRef", Must::Be(&FIELD)),
    field("resourceFieldRef", Must::Be(&RESOURCE)),
])
.one_of(&["secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef"]);

static REFERENCE: Form = Form::of(&[field("name", Must::Read(&OBJECT_NAME)), field("key", Must::Read(&KEY))])
    .needs(&[("name", "name the object"), ("key", "name one of its keys")]);

static FIELD: Form = Form::of(&[field("apiVersion", Must::Word(&["v1"]))])
    .needs(&[("fieldPath", "set one such as metadata.name")])
    .whole(pod_field);

/// A request or a limit of a container.
pub(super) static RESOURCE: Form = Form::of(&[field("divisor", Must::Amount)])
    .needs(&[("resource", "set one such as limits.cpu")])
    .whole(resource);

/// A `ConfigMap` or a Secret whose keys become variables.
pub(super) static SOURCES: Form = Form::of(&[
    field("prefix", Must::Read(&VARIABLE)),
    field("configMapRef", Must::Be(&WHOLE_OBJECT)),
    field("secretRef", Must::Be(&WHOLE_OBJECT)),
])
.one_of(&["secretRef", "configMapRef"]);

static WHOLE_OBJECT: Form =
    Form::of(&[field("name", Must::Read(&OBJECT_NAME))]).needs(&[("name", "name the object")]);

/// Fields of a pod that can be the value of a variable.
const FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

fn one_value(item: &Item<'_>, told: &mut Told) {
    if !item.text("value").is_empty() && item.get("valueFrom").is_some() {
        told.add(Kind::Forbidden, item.at("valueFrom"), "value is set too", "keep one of the two");
    }
}

fn pod_field(item: &Item<'_>, told: &mut Told) {
    let path = item.text("fieldPath");
    if !path.is_empty() && !is_pod_field(path, FIELDS) {
        let message = "is not a field that a variable can show";
        told.add(
            Kind::Invalid,
            item.at("fieldPath"),
            message,
            "use one such as metadata.name or status.podIP",
        );
    }
}

fn resource(item: &Item<'_>, told: &mut Told) {
    let written = item.text("resource");
    let name =
        ["limits.", "requests."].iter().find_map(|list| written.strip_prefix(list)).unwrap_or_default();
    let is_known = ["cpu", "memory", "ephemeral-storage"].contains(&name) || name.starts_with("hugepages-");
    if !written.is_empty() && !is_known {
        let message = "is not a resource that can be shown";
        return told.add(Kind::Invalid, item.at("resource"), message, "use one such as limits.cpu");
    }
    let Some(divisor) = item.get("divisor").and_then(|divisor| match divisor.as_str() {
        Some(text) => number(text),
        None => divisor.as_f64(),
    }) else {
        return;
    };
    let close = |unit: f64| (divisor - unit).abs() < unit * 1e-9;
    let fits = if name == "cpu" {
        [1.0, 0.001].into_iter().any(close)
    } else {
        (0..=6).any(|power| close(1000_f64.powi(power)) || close(1024_f64.powi(power)))
    };
    if divisor > 0.0 && !fits {
        let fix = if name == "cpu" { "use 1 or 1m" } else { "use one such as 1, 1Ki or 1Mi" };
        told.add(Kind::Invalid, item.at("divisor"), "is not a unit", fix);
    }
}
