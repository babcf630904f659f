// SPDX-License-Identifier: Apache-2.0
//! Rules about `spec.common` and the object as a whole: here what is started, in the modules everything around it.

pub(super) mod images;
pub(super) mod labels;
pub(super) mod names;
pub(super) mod template;
pub(super) mod versions;
pub(super) mod volumes;

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::shell;
use super::subject::Subject;

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
        id: "C20", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a shell in front of Celery steps aside",
        consequence: "The shell takes SIGTERM and Celery never hears of it: running tasks are killed when the grace period ends.",
        check: Check::object(c20),
        example: Example {
            bad: "spec: {common: {command: [sh, -c, '. ./env && celery \"$@\"', celery]}}",
            at: "spec.common.command",
            good: "spec: {common: {command: [sh, -c, '. ./env && exec celery \"$@\"', celery]}}",
            old: None,
        },
    },
    Rule {
        id: "C22", severity: Severity::Deny, schema: true, since: "0.1",
        title: "something is there to run",
        consequence: "An object without any component does nothing and looks healthy.",
        check: Check::object(c22),
        example: Example { bad: "spec: {workerSpec: null}", at: "spec", good: "spec: {workerSpec: null, flowerSpec: {auth: {allowUnauthenticated: true}}}", old: None },
    },
    Rule {
        id: "C25", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the broker has one scheme",
        consequence: "Celery takes the scheme of the URL; whatever is judged or measured by the other one is wrong.",
        check: Check::object(c25),
        example: Example {
            bad: "spec: {common: {broker: {scheme: amqp}}}",
            at: "spec.common.broker.scheme",
            good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}, scheme: amqp}}}",
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

fn c20(subject: &Subject<'_>, report: &mut Report<'_>) {
    let script = shell::script(&subject.common().command);
    if script.is_some_and(|script| !shell::steps_aside(script)) {
        report.add(
            Kind::Forbidden,
            "spec.common.command",
            "the shell keeps SIGTERM from Celery",
            "start it with exec: exec celery \"$@\"",
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

fn c25(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(broker) = subject.broker() else { return };
    let Some(scheme) = broker.scheme.as_ref().map(|scheme| scheme.to_ascii_lowercase()) else { return };
    let (said, matches) = if let Some(Ok(first)) = subject.urls.first() {
        (format!("url has the scheme {}", first.scheme), first.scheme == scheme)
    } else if broker.redis.is_some() {
        ("redis is set".to_owned(), ["redis", "rediss", "sentinel"].contains(&scheme.as_str()))
    } else if broker.rabbitmq.is_some() {
        ("rabbitmq is set".to_owned(), ["amqp", "amqps", "pyamqp"].contains(&scheme.as_str()))
    } else if broker.sqs.is_some() {
        ("sqs is set".to_owned(), scheme == "sqs")
    } else {
        return;
    };
    if !matches {
        let fix = "leave it out: it is for urlSecretRef";
        report.add(
            Kind::Invalid,
            "spec.common.broker.scheme",
            format!("contradicts the broker: {said}"),
            fix,
        );
    }
}
