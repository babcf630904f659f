// SPDX-License-Identifier: Apache-2.0
//! Rules about `spec.common`, names, and the object as a whole.

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::subject::Subject;
use crate::api::{Celery, ImagePullPolicy, Word as _, is_dns_label};
use crate::names;

/// Longest prefix with which every derived name still fits.
const MAX_APP_NAME: usize = names::MAX - "-celery-broker".len();

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "C01", severity: Severity::Deny, schema: true, since: "0.1",
        title: "workers need celeryApp",
        consequence: "The worker starts with an empty application, takes messages and discards each as unregistered.",
        check: Check::object(c01),
        example: Example { bad: "spec: {common: {celeryApp: null}}", at: "spec.common.celeryApp", good: "{}", old: None },
    },
    Rule {
        id: "C02", severity: Severity::Deny, schema: false, since: "0.1",
        title: "celeryApp is a module path with an optional attribute",
        consequence: "The container ends with \"Unable to load celery application\".",
        check: Check::field(&["spec.common.celeryApp"], "use module.path or module.path:attribute"),
        example: Example { bad: "spec: {common: {celeryApp: shop/tasks}}", at: "spec.common.celeryApp", good: "spec: {common: {celeryApp: 'shop.tasks:app'}}", old: None },
    },
    Rule {
        id: "C03", severity: Severity::Warn, schema: false, since: "0.1",
        title: "celeryApp is a module, not a file",
        consequence: "The container ends with \"The module tasks.py was not found\".",
        check: Check::object(c03),
        example: Example { bad: "spec: {common: {celeryApp: tasks.py}}", at: "spec.common.celeryApp", good: "spec: {common: {celeryApp: tasks}}", old: None },
    },
    Rule {
        id: "C04", severity: Severity::Deny, schema: false, since: "0.1",
        title: "image is a reference that a container runtime can pull",
        consequence: "The API server accepts nearly any text; the pods wait for ever in InvalidImageName.",
        check: Check::field(&["spec.common.image"], "use registry/name:tag in lower-case letters"),
        example: Example { bad: "spec: {common: {image: My/App}}", at: "spec.common.image", good: "spec: {common: {image: 'registry.example.com/my/app:1.0'}}", old: None },
    },
    Rule {
        id: "C06", severity: Severity::Deny, schema: true, since: "0.1",
        title: "imagePullPolicy is one of three words",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::object(c06),
        example: Example { bad: "spec: {common: {imagePullPolicy: always}}", at: "spec.common.imagePullPolicy", good: "spec: {common: {imagePullPolicy: Always}}", old: None },
    },
    Rule {
        id: "C10", severity: Severity::Deny, schema: false, since: "0.1",
        title: "celeryVersion is a version of Celery 4 or later",
        consequence: "Options could not be judged, and a label of every pod would be refused.",
        check: Check::field(&["spec.common.celeryVersion"], "use one such as \"5.5\" or \"5.5.3\""),
        example: Example { bad: "spec: {common: {celeryVersion: five}}", at: "spec.common.celeryVersion", good: "spec: {common: {celeryVersion: '5.5.3'}}", old: None },
    },
    Rule {
        id: "C13", severity: Severity::Deny, schema: true, since: "0.1",
        title: "appName begins every name, so it is a DNS label",
        consequence: "The Service cannot be created on every supported Kubernetes.",
        check: Check::field(&["spec.common.appName"], "use lower-case letters, digits and '-', begin with a letter").and(c13),
        example: Example { bad: "spec: {common: {appName: My_App}}", at: "spec.common.appName", good: "spec: {common: {appName: my-app}}", old: None },
    },
    Rule {
        id: "C14", severity: Severity::Deny, schema: true, since: "0.1",
        title: "names made from appName fit into 63 characters",
        consequence: "Names and labels end at 63 characters; a child could not be created.",
        check: Check::object(c14),
        example: Example { bad: "spec: {common: {appName: a23456789-123456789-123456789-123456789-123456789-x}}", at: "spec.common.appName", good: "spec: {common: {appName: a23456789-123456789-123456789-123456789-123456789}}", old: None },
    },
    Rule {
        id: "C15", severity: Severity::Deny, schema: true, since: "0.1",
        title: "appName never changes",
        consequence: "Children of the old name stay behind, and a Deployment's selector cannot change.",
        check: Check::object(c15),
        example: Example { bad: "spec: {common: {appName: other}}", at: "spec.common.appName", good: "spec: {common: {appName: shop}}", old: Some("spec: {common: {appName: shop}}") },
    },
    Rule {
        id: "C22", severity: Severity::Deny, schema: true, since: "0.1",
        title: "something is there to run",
        consequence: "An object without any component does nothing and looks healthy.",
        check: Check::object(c22),
        example: Example { bad: "spec: {workerSpec: null}", at: "spec", good: "spec: {workerSpec: null, flowerSpec: {auth: {allowUnauthenticated: true}}}", old: None },
    },
    Rule {
        id: "C23", severity: Severity::Deny, schema: true, since: "0.1",
        title: "metadata.name is a label value",
        consequence: "The name is a label of every child, and labels end at 63 characters.",
        check: Check::object(c23),
        example: Example {
            bad: "{metadata: {name: a23456789-123456789-123456789-123456789-123456789-123456789-abcd}, spec: {common: {appName: shop}}}",
            at: "metadata.name",
            good: "{metadata: {name: a23456789-123456789-123456789-123456789-123456789-123456789-abc}, spec: {common: {appName: shop}}}",
            old: None,
        },
    },
];

fn c01(subject: &Subject<'_>, report: &mut Report<'_>) {
    let runs_tasks = !subject.pools.is_empty() || subject.object.spec.beat_spec.is_some();
    if runs_tasks && subject.common().celery_app.is_none() {
        report.add(
            Kind::Required,
            "spec.common.celeryApp",
            "without it the worker runs an empty app and discards every task",
            "set the module path that celery -A takes",
        );
    }
}

fn c03(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(module) = subject.common().celery_app.as_deref().and_then(|app| app.strip_suffix(".py")) else {
        return;
    };
    report.add(
        Kind::Invalid,
        "spec.common.celeryApp",
        "looks like a file name",
        format!("use {:?}", module.replace('/', ".")),
    );
}

fn c06(subject: &Subject<'_>, report: &mut Report<'_>) {
    let policy = subject.common().image_pull_policy.as_ref();
    if policy.is_some_and(|policy| policy.known().is_none()) {
        report.add(
            Kind::Unsupported,
            "spec.common.imagePullPolicy",
            "is not a pull policy",
            format!("use one of {}", ImagePullPolicy::supported()),
        );
    }
}

fn c13(subject: &Subject<'_>, report: &mut Report<'_>) {
    let name = subject.object.metadata.name.as_deref().unwrap_or_default();
    if subject.common().app_name.is_none() && !is_dns_label(name) {
        let why = match name {
            "" => "a generated metadata.name is not known yet and cannot serve as the prefix of names",
            _ => "metadata.name cannot serve as the prefix of names",
        };
        report.add(
            Kind::Required,
            "spec.common.appName",
            why,
            "set lower-case letters, digits and '-', begin with a letter",
        );
    }
}

fn c14(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(app) = effective_app_name(subject.object) else {
        return;
    };
    let derived = names::broker_secret(app).len();
    if app.len() > MAX_APP_NAME && app.len() <= names::MAX {
        report.add(
            Kind::Invalid,
            "spec.common.appName",
            format!("names made from it have up to {derived} characters, {} are allowed", names::MAX),
            format!("use at most {MAX_APP_NAME} characters"),
        );
    }
}

fn c15(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(old) = subject.old.and_then(effective_app_name) else {
        return;
    };
    if effective_app_name(subject.object).is_some_and(|new| new != old) {
        report.add(
            Kind::Forbidden,
            "spec.common.appName",
            format!("field is immutable, it is {old:?}"),
            "create a new Celery for another name",
        );
    }
}

fn c22(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.components().is_empty() {
        report.add(
            Kind::Required,
            "spec",
            "there is nothing to run",
            "set workerSpec, workerPools, beatSpec or flowerSpec, {} is enough",
        );
    }
}

fn c23(subject: &Subject<'_>, report: &mut Report<'_>) {
    let name = subject.object.metadata.name.as_deref().unwrap_or_default();
    if name.len() > names::MAX {
        report.add(
            Kind::Invalid,
            "metadata.name",
            format!("has {} characters and is a label of every child", name.len()),
            format!("use at most {} characters", names::MAX),
        );
    }
}

/// The prefix of names: what is written, else the object's own name.
fn effective_app_name(object: &Celery) -> Option<&str> {
    object.spec.common.app_name.as_deref().or(object.metadata.name.as_deref())
}
