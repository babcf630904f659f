// SPDX-License-Identifier: Apache-2.0
//! Rules about what a transport needs, and about transports that cannot serve pods.

use serde_json::{Map, Value};

use super::super::finding::{Kind, Report, Severity};
use super::super::rule::{Check, Example, Rule};
use super::super::subject::Subject;
use super::{good, options};
use crate::celery::broker_url::{Endpoint, Transport, masked};
use crate::celery::expansion::expands;
use crate::celery::url::sqlite_file;
use crate::effective::Effective;
use crate::effective::broker::{OPTIONS, transport_options};
use crate::rules::path::BROKER_URL;
use crate::rules::variables;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B19", severity: Severity::Deny, schema: false, since: "0.1",
        title: "Sentinel has the name of its master",
        consequence: "The worker crashes: 'master_name' transport option must be specified.",
        check: Check::object(b19).or(Severity::Warn, "when the object says no transport options, since the application may"),
        example: Example {
            bad: "spec: {common: {broker: {url: 'sentinel://cache:26379', transportOptions: {visibility_timeout: 3600}}}}",
            at: "spec.common.broker.transportOptions.master_name",
            good: "spec: {common: {broker: {url: 'sentinel://cache:26379', transportOptions: {master_name: main}}}}",
            old: None,
        },
    },
    Rule {
        id: "B20", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the broker is not private to one process",
        consequence: "The worker starts and never sees a task of another pod.",
        check: Check::object(b20),
        example: Example { bad: "spec: {common: {broker: {url: 'memory://'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://cache'}}}", old: None },
    },
    Rule {
        id: "B21", severity: Severity::Deny, schema: false, since: "0.1",
        title: "filesystem:// has its folders, on a volume",
        consequence: "The worker crashes with \"No such file or directory: 'data_in'\", or never sees a task of another pod.",
        check: Check::object(b21).or(Severity::Warn, "when the object says no transport options, since the application may"),
        example: Example {
            bad: "spec: {common: {broker: {url: 'filesystem://', transportOptions: {data_folder_in: /tasks}}, volumes: [{name: tasks, persistentVolumeClaim: {claimName: tasks}}], volumeMounts: [{name: tasks, mountPath: /tasks}]}}",
            at: "spec.common.broker.transportOptions.data_folder_out",
            good: "spec: {common: {broker: {url: 'filesystem://', transportOptions: {data_folder_in: /tasks, data_folder_out: /tasks}}, volumes: [{name: tasks, persistentVolumeClaim: {claimName: tasks}}], volumeMounts: [{name: tasks, mountPath: /tasks}]}}",
            old: None,
        },
    },
    Rule {
        id: "B22", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the transport slmq is not used",
        consequence: "The worker crashes with \"catching classes that do not inherit from BaseException\".",
        check: Check::object(b22),
        example: Example {
            bad: "spec: {common: {broker: {url: 'slmq://app@mq'}}}",
            at: BROKER_URL,
            good: "spec: {common: {broker: {url: 'amqp://app@mq'}}}",
            old: None,
        },
    },
    Rule {
        id: "B23", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the image has what a transport needs",
        consequence: "The worker crashes with ModuleNotFoundError when the package is missing.",
        check: Check::object(b23),
        example: Example {
            bad: "spec: {common: {broker: {url: 'mongodb://db/tasks'}}}",
            at: BROKER_URL,
            good: "spec: {common: {broker: {url: 'redis://cache'}}}",
            old: None,
        },
    },
    Rule {
        id: "B38", severity: Severity::Deny, schema: true, since: "0.1",
        title: "transportOptions is a map of options",
        consequence: "The worker ends with an error about its command line.",
        check: Check::object(b38),
        example: Example {
            bad: "spec: {common: {broker: {transportOptions: fast}}}",
            at: "spec.common.broker.transportOptions",
            good: "spec: {common: {broker: {transportOptions: {visibility_timeout: 3600}}}}",
            old: None,
        },
    },
    Rule {
        id: "B39", severity: Severity::Deny, schema: false, since: "0.1",
        title: "SQS has a region",
        consequence: "Celery takes us-east-1, and no autoscaler can look into the queues.",
        check: Check::field(&["spec.common.broker.sqs.region"], "set the region of the queues, such as eu-west-1").and(b39).or(Severity::Warn, "for a URL, where boto3 may know the region from elsewhere"),
        example: Example { bad: "spec: {common: {broker: {url: null, sqs: {region: ''}}}}", at: "spec.common.broker.sqs.region", good: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}}}}", old: None },
    },
];

/// What is said of a folder that only the container has.
const ON_NO_VOLUME: &str = "is a folder on no volume of the workers";
/// What to use instead of a broker that no other pod can reach.
const ANOTHER: &str = "use a broker such as redis:// or amqp://";

/// Where the transport options are written that count.
fn options_path(subject: &Subject<'_>) -> &'static str {
    let in_config = subject.common().config.contains_key(OPTIONS);
    if in_config {
        "spec.common.config.broker_transport_options"
    } else {
        "spec.common.broker.transportOptions"
    }
}

/// Tells of options that a transport cannot do without. Where the object sets no options at all, the application may.
fn needed(subject: &Subject<'_>, report: &mut Report<'_>, names: &[&str], message: &str, fix: &str) {
    let (severity, options) = match transport_options(subject.common()) {
        Effective::Unclear => return, // B38 tells about what is no map.
        Effective::Absent => (Severity::Warn, Map::new()),
        Effective::Is(options) => (report.severity(), options),
    };
    if severity == Severity::Warn && subject.follows_queues() {
        return; // The autoscaler needs another description of the broker in any case.
    }
    for name in names {
        let missing = |value: Option<&Value>| value.is_none_or(|value| value.is_null() || value == "");
        if missing(options.get(*name)) {
            let path = format!("{}.{name}", options_path(subject));
            report.graded(severity, Kind::Required, path, message, fix);
        }
    }
}

fn b19(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_typed = subject.broker().is_some_and(|broker| broker.redis.is_some());
    if !is_typed && subject.transport() == Some(Transport::Sentinel) {
        needed(
            subject,
            report,
            &["master_name"],
            "sentinel:// cannot do without it",
            "set the master's name",
        );
    }
}

fn b20(subject: &Subject<'_>, report: &mut Report<'_>) {
    if good(subject).any(|endpoint| endpoint.transport == Transport::Memory) {
        let message = "memory:// cannot carry tasks between pods";
        let shown = masked(subject.broker_url().unwrap_or_default());
        report.add_shown(report.severity(), subject.broker_place(), &shown, message, ANOTHER);
    }
    if sqlite(subject) == Some("") {
        let message = "is kept in the memory of one process and cannot carry tasks between pods";
        report.add(Kind::Invalid, subject.broker_place(), message, ANOTHER);
    }
}

/// The file of a broker in `SQLite`; empty for one in memory.
fn sqlite<'s>(subject: &'s Subject<'_>) -> Option<&'s str> {
    let is_read = good(subject).next().is_some();
    let url = subject.broker_url().filter(|_| is_read)?;
    let (wrapper, inner) = url.split_once('+')?;
    sqlite_file(inner).filter(|_| ["sqla", "sqlalchemy"].contains(&wrapper))
}

fn b21(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.scheme.as_ref().is_some_and(|scheme| scheme.name == "filesystem") {
        let names = ["data_folder_in", "data_folder_out"];
        needed(subject, report, &names, "filesystem:// needs it", "name a shared volume's folder");
        let options = transport_options(subject.common()).is().unwrap_or_default();
        for name in names {
            let Some(folder) = options.get(name).and_then(Value::as_str) else { continue };
            let is_lost = folder.starts_with('/') && subject.pools.iter().any(|pool| !pool.may_keep(folder));
            if is_lost && !expands(folder) {
                let path = format!("{}.{name}", options_path(subject));
                report.add(Kind::Invalid, path, ON_NO_VOLUME, "mount a volume there that all pods share");
            }
        }
    }
    let file = sqlite(subject).filter(|file| !file.is_empty());
    if file.is_some_and(|file| subject.pools.iter().any(|pool| !pool.may_keep_file(file))) {
        report.add(Kind::Invalid, subject.broker_place(), "is a file on no volume of the workers", ANOTHER);
    }
}

fn b22(subject: &Subject<'_>, report: &mut Report<'_>) {
    if good(subject).any(|endpoint| endpoint.scheme == "slmq") {
        let message = "has the scheme slmq, which no current Celery can use";
        report.add(
            Kind::Invalid,
            subject.broker_place(),
            message,
            "use a broker such as redis:// or amqp://",
        );
    }
}

fn b23(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.follows_queues() {
        return; // No autoscaler can look into such a broker: it has to be another one.
    }
    // What Redis and SQS need is known to everybody who uses them, and what slmq needs does not help it.
    let is_rare = |endpoint: &&Endpoint| {
        endpoint.scheme == "librabbitmq"
            || endpoint.transport == Transport::Other && endpoint.scheme != "slmq"
    };
    let package = good(subject).filter(is_rare).find_map(Endpoint::extra_package);
    if let Some(package) = package {
        let install = package.extra.map_or(package.name.to_owned(), |extra| format!("kombu[{extra}]"));
        let message = format!("needs {} in the image", package.name);
        report.add(Kind::Forbidden, subject.broker_place(), message, format!("install {install}"));
    }
}

fn b38(subject: &Subject<'_>, report: &mut Report<'_>) {
    let options = subject.broker().and_then(|broker| broker.transport_options.as_ref());
    if options.is_some_and(|options| !options.0.is_object() && !options.0.is_null()) {
        let path = "spec.common.broker.transportOptions";
        report.add(Kind::Forbidden, path, "is not a map of options", "write {visibility_timeout: 3600}");
    }
}

/// An SQS URL has no place for the region. Beside a queue autoscaler the URL itself is refused, with the same way out.
fn b39(subject: &Subject<'_>, report: &mut Report<'_>) {
    let options = transport_options(subject.common()).is();
    let named = options.is_some_and(|options| options.contains_key("region"));
    // boto3 reads the variable; what comes out of a ConfigMap or a Secret is not known.
    let in_env = !variables::sources(subject).is_empty()
        || variables::all(subject).iter().any(|place| place.variable.name == "AWS_DEFAULT_REGION");
    let is_sqs =
        good(subject).any(|endpoint| endpoint.transport == Transport::Sqs && endpoint.host.is_empty());
    if is_sqs && !named && !in_env && !subject.follows_queues() {
        let message = "names no region, so Celery may take us-east-1";
        let is_misnamed = options::options(subject).any(|(_, name, _)| name == "region_name");
        let fix = if is_misnamed { "write region for region_name" } else { "set transportOptions.region" };
        report.warn(Kind::Forbidden, subject.broker_place(), message, fix);
    }
}
