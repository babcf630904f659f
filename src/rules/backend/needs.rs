// SPDX-License-Identifier: Apache-2.0
//! Rules about what a result backend needs beside its URL, and what it is worth to pods.

use super::{URL, place, read, server, url};
use crate::celery::backend_url::{Backend, BackendKind as Store, Location};
use crate::celery::broker_url::Transport;
use crate::celery::expansion::expands;
use crate::celery::url::{is_local, sqlite_file};
use crate::celery::version::{Release, Target};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, RELEASES, Rule};
use crate::rules::signs::has_password;
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "R07", severity: Severity::Deny, schema: false, since: "0.1",
        title: "file:// is a folder of a volume",
        consequence: "The worker crashes with \"The configured path for the file-system backend does not work\", or nobody else sees its results.",
        check: Check::object(r07),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'file:///results'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'file:///results/celery'}, volumes: [{name: results, persistentVolumeClaim: {claimName: results}}], volumeMounts: [{name: results, mountPath: /results}]}}",
            old: None,
        },
    },
    Rule {
        id: "R08", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the settings of a result backend are set, with what it needs of them",
        consequence: "The worker crashes, unless the application sets them. A table in config takes the place of that of the application as a whole.",
        check: Check::object(r08),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'sentinel://cache:26379'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'sentinel://cache:26379'}, config: {result_backend_transport_options: {master_name: main}}}}",
            old: None,
        },
    },
    Rule {
        id: "R09", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the image has what a result backend needs",
        consequence: "The worker crashes with \"No module named …\" when the package is missing.",
        check: Check::object(r09),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'django-db'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'redis://cache/1'}}}",
            old: None,
        },
    },
    Rule {
        id: "R10", severity: Severity::Warn, schema: false, since: "0.1",
        title: "results are kept where others see them",
        consequence: "Each process keeps its own results, and nobody else ever sees one.",
        check: Check::object(r10),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'cache+memory://'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'rpc://'}}}",
            old: None,
        },
    },
    Rule {
        id: "R40", severity: Severity::Warn, schema: false, since: "0.1",
        title: "results are not kept at localhost",
        consequence: "localhost is the pod itself: the worker asks its own pod for a result backend and retries for ever.",
        check: Check::object(r40),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'redis://localhost:6379/1'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'redis://cache:6379/1'}}}",
            old: None,
        },
    },
    Rule {
        id: "R20", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a password in the result backend is readable",
        consequence: "Whoever may read the object, the repository or a backup of etcd reads the password.",
        check: Check::object(r20),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'redis://:hush@cache/1'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {urlSecretRef: {name: results, key: url}}}}",
            old: None,
        },
    },
    Rule {
        id: "R21", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the release of Celery has the result backend",
        consequence: "The worker crashes: to that release it is no backend.",
        check: Check::object(r21).or(Severity::Warn, RELEASES),
        example: Example {
            bad: "spec: {common: {celeryVersion: '5.3', resultBackend: {url: 'gs://results'}}}",
            at: URL,
            good: "spec: {common: {celeryVersion: '5.3', resultBackend: {url: 'redis://cache/1'}}}",
            old: None,
        },
    },
    Rule {
        id: "R22", severity: Severity::Warn, schema: false, since: "0.1",
        title: "results do not go over SQS",
        consequence: "With rpc:// results are messages to a queue of their client alone: on SQS every process that sends tasks makes one with a random name, which nobody deletes; with predefined_queues there is none.",
        check: Check::object(r22),
        example: Example {
            bad: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}}, resultBackend: {url: 'rpc://'}}}",
            at: URL,
            good: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}}, resultBackend: {url: 'redis://cache/1'}}}",
            old: None,
        },
    },
];

fn good(subject: &Subject<'_>) -> Option<Backend> {
    read(subject).and_then(Result::ok)
}

/// Folders of a pod template or of a container beside Celery are not looked at: with a template, nothing is told.
fn r07(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(backend) = good(subject).filter(|backend| backend.kind == Store::File) else { return };
    let folder = backend.locations.first().map(|location| location.path.as_str()).unwrap_or_default();
    if subject.pools.iter().any(|pool| !pool.may_keep(folder)) {
        let message = "is a folder on no volume of the workers";
        report.add(Kind::Invalid, place(subject), message, "mount a volume there that all pods share");
    }
}

/// Settings that the object does not have; the application may.
fn missing(subject: &Subject<'_>, backend: &Backend) -> Vec<&'static str> {
    let config = &subject.common().config;
    let needed = backend.needed_settings().iter();
    needed.copied().filter(|name| !config.contains_key(*name)).collect()
}

fn r08(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(backend) = good(subject) else { return };
    if let Some(first) = missing(subject, &backend).first() {
        let message = format!("needs {first}");
        report.add(Kind::Forbidden, place(subject), message, "set it in spec.common.config or in the app");
    }
    // What config says takes the place of what the application says, as a whole.
    let options =
        subject.common().config.get("result_backend_transport_options").and_then(|it| it.0.as_object());
    if backend.kind == Store::Sentinel
        && let Some(options) = options
        && options.get("master_name").is_none_or(serde_json::Value::is_null)
    {
        let path = "spec.common.config.result_backend_transport_options";
        report.add(Kind::Forbidden, path, "lacks master_name, which sentinel:// needs", "add it");
    }
}

fn r09(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(backend) = good(subject) else { return };
    // Redis is known to everybody who uses it, and missing settings come first.
    let is_common = matches!(backend.kind, Store::Redis | Store::Sentinel);
    if is_common || is_too_new(subject, &backend) || !missing(subject, &backend).is_empty() {
        return;
    }
    if let Some(package) = backend.package() {
        let install = package.extra.map_or(package.name.to_owned(), |extra| format!("celery[{extra}]"));
        let message = format!("needs {} in the image", package.name);
        report.add(Kind::Forbidden, place(subject), message, format!("install {install}"));
    }
}

fn r10(subject: &Subject<'_>, report: &mut Report<'_>) {
    if good(subject).is_some_and(|backend| backend.is_private()) {
        let message = "keeps results inside one process";
        report.add(Kind::Forbidden, place(subject), message, format!("use {}", server(subject)));
    }
    let file = url(subject).and_then(|url| sqlite_file(url.strip_prefix("db+")?));
    match file.filter(|_| good(subject).is_some()) {
        Some("") => {
            let message = "keeps results in the memory of one process";
            report.add(Kind::Forbidden, place(subject), message, format!("use {}", server(subject)));
        }
        Some(file) if subject.pools.iter().any(|pool| !pool.may_keep_file(file)) => {
            let message = "is a file on no volume of the workers";
            report.add(Kind::Forbidden, place(subject), message, "use a server such as redis://");
        }
        _ => {}
    }
}

/// A Redis without a host is that of the pod, too.
fn r40(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(backend) = good(subject) else { return };
    let is_redis = matches!(backend.kind, Store::Redis | Store::Sentinel);
    let is_socket = backend.driver.as_deref().is_some_and(|driver| driver.eq_ignore_ascii_case("socket"));
    // The setting fills in what the URL leaves out.
    let is_set = subject.common().config.contains_key("redis_host");
    let has_no_host = |host: &str| host.is_empty() && is_redis && !is_socket && !is_set;
    let is_here = |location: &Location| is_local(&location.host) || has_no_host(&location.host);
    if subject.may_have_neighbours() || backend.kind == Store::File {
        return;
    }
    let Some(here) = backend.locations.iter().find(|location| is_here(location)) else { return };
    let fix = "use the name of the backend's Service";
    if here.host.is_empty() {
        let message = "names no host: that is the worker's own pod";
        report.add(Kind::Forbidden, place(subject), message, fix);
    } else {
        let message = "is the worker's own pod";
        report.add_shown(report.severity(), place(subject), &here.host, message, fix);
    }
}

fn r20(subject: &Subject<'_>, report: &mut Report<'_>) {
    // Of a password in config another rule tells.
    if subject.common().result_backend.is_none() {
        return;
    }
    let has_variable = url(subject).is_some_and(expands);
    let has_key = url(subject).is_some_and(has_password);
    if !has_variable && good(subject).is_some_and(|backend| backend.has_password() || has_key) {
        report.add(Kind::Forbidden, place(subject), "holds a readable password", "use urlSecretRef");
    }
}

fn r21(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(backend) = good(subject).filter(|backend| is_too_new(subject, backend)) else { return };
    let severity = release::refusal(subject, report.severity());
    let version = subject.common().celery_version.as_deref().unwrap_or_default();
    let message = format!("needs Celery 5.{} or later, celeryVersion is {version}", backend.celery_since());
    report.graded(
        severity,
        Kind::Forbidden,
        place(subject),
        message,
        "use another, or correct celeryVersion",
    );
}

fn r22(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_rpc = good(subject).is_some_and(|backend| backend.kind == Store::Rpc);
    if is_rpc && subject.transport() == Some(Transport::Sqs) {
        let message = "makes an SQS queue for every client";
        report.add(Kind::Invalid, place(subject), message, format!("use {}", server(subject)));
    }
}

/// Whether the release that is named does not have the backend yet.
fn is_too_new(subject: &Subject<'_>, backend: &Backend) -> bool {
    let Target::Known(release) = subject.celery else { return false };
    let minor = match release {
        Release::V4_4 | Release::V5_2 => 2,
        Release::V5_3 => 3,
        Release::V5_4 => 4,
        Release::V5_5 => 5,
        Release::V5_6 => 6,
        Release::V5_7 => 7,
    };
    minor < backend.celery_since()
}
