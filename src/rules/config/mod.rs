// SPDX-License-Identifier: Apache-2.0
//! Rules about the settings in `spec.common.config`: Celery must know them, and take them on a command line.

pub(super) mod content;
pub(super) mod queues;
pub(super) mod settled;
pub(super) mod spelling;
pub(super) mod unfit;

use serde_json::Value;

use super::args::{WORKER_FIELDS, field_of};
use super::finding::{Kind, Report, Severity};
use super::path;
use super::release;
use super::rule::{Check, Example, RELEASES, Rule};
use super::subject::{Beat, Pool, Subject};
use crate::celery::expansion::expands;
use crate::celery::settings::{Refusal, Unknown, meant, word};
use crate::celery::version::{Release, Target};

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "C18", severity: Severity::Deny, schema: false, since: "0.1",
        title: "config holds settings that Celery takes on its command line",
        consequence: "The worker ends with \"Unable to parse extra configuration from command line\".",
        check: Check::object(c18).or(Severity::Warn, RELEASES),
        example: Example { bad: "spec: {common: {config: {task_ack_late: true}}}", at: "spec.common.config.task_ack_late", good: "spec: {common: {config: {task_acks_late: true}}}", old: None },
    },
    Rule {
        id: "C19", severity: Severity::Deny, schema: false, since: "0.1",
        title: "what has a field is not set in config too",
        consequence: "One of the two has no effect, and nobody is told which. With broker_transport Celery takes another transport than the scheme of the URL: with memory the worker consumes nothing.",
        check: Check::object(c19).or(Severity::Warn, "for a part of the broker that its URL may leave out"),
        example: Example { bad: "spec: {common: {config: {worker_concurrency: 3}}, workerSpec: {concurrency: 7}}", at: "spec.common.config.worker_concurrency", good: "spec: {common: {config: {worker_concurrency: 3}}}", old: None },
    },
];

/// Settings that are options of the worker, too.
const OPTIONS: &[(&str, &str)] = &[
    ("worker_concurrency", "--concurrency"),
    ("worker_pool", "--pool"),
    ("worker_prefetch_multiplier", "--prefetch-multiplier"),
    ("worker_disable_prefetch", "--disable-prefetch"),
    ("worker_max_tasks_per_child", "--max-tasks-per-child"),
    ("worker_max_memory_per_child", "--max-memory-per-child"),
    ("worker_send_task_events", "--task-events"),
    ("task_time_limit", "--time-limit"),
    ("task_soft_time_limit", "--soft-time-limit"),
];

/// Unknown settings of one object for which the right name is looked for: nobody mends more of them at a time, and each is
/// compared with all that there are.
const COMPARED: usize = 16;

/// What is said of a setting that only the application can make.
const UNREACHABLE: &str = "cannot be set on the command line of Celery";

/// Whether a name is that of a setting which no command line can set.
fn is_unreachable(name: &str, celery: Target) -> bool {
    refusal(name, &Value::Null, celery) == Some(Refusal::Unreachable)
}

fn c18(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut unknown = 0;
    for (name, setting) in &subject.common().config {
        // The value of a variable is not known here; a text in its place stands for any.
        let opaque = matches!(&setting.0, Value::String(text) if expands(text));
        let Some(refusal) = refusal(name, &setting.0, subject.celery) else { continue };
        let (message, fix) = match &refusal {
            Refusal::Value(_) if opaque => continue,
            // Whatever its value, it has to go: C19 says where to.
            Refusal::Value(_) if is_option_of(subject, name) => continue,
            Refusal::Unknown(Unknown::Name) => {
                unknown += 1;
                let meant = (unknown <= COMPARED).then(|| meant(name, subject.celery.newest())).flatten();
                misspelt(meant, subject.celery)
            }
            Refusal::Unknown(_) => (refusal.to_string(), "remove it, or correct celeryVersion".to_owned()),
            Refusal::Unreachable => (UNREACHABLE.to_owned(), "set it in the application".to_owned()),
            Refusal::Value(_) => ("has a value of another kind".to_owned(), said(&refusal)),
        };
        let severity = release::refusal(subject, report.severity());
        // The value may be a credential, whatever the setting is called.
        report.graded(severity, Kind::Forbidden, path::entry("spec.common.config", name), message, fix);
    }
}

/// What is said of a name that no release knows.
fn misspelt(meant: Option<&str>, celery: Target) -> (String, String) {
    let message = Unknown::Name.to_string();
    match meant {
        // Its right name would not do either.
        Some(meant) if is_unreachable(meant, celery) => {
            (UNREACHABLE.to_owned(), format!("set {meant} in the application"))
        }
        Some(meant) => (message, format!("did you mean {meant}?")),
        // A package may read it, though none that is known here.
        None => (message, "remove it, or set it in the application".to_owned()),
    }
}

/// What to write: `use a whole number`.
fn said(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Value(kind) => format!("use {kind}"),
        _ => "remove it".to_owned(),
    }
}

/// Why no release in question takes the setting; the newest one's reason.
fn refusal(name: &str, value: &Value, celery: Target) -> Option<Refusal> {
    let releases = celery.releases();
    let refused = |release: &Release| word(name, value, *release).err();
    let newest = refused(releases.last()?)?;
    releases.iter().all(|release| refused(release).is_some()).then_some(newest)
}

/// The settings that Celery takes, with their paths; of the others C18 tells.
fn taken<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = (&'s str, &'s Value, String)> {
    let settings = subject.common().config.iter().map(|(name, setting)| (name.as_str(), &setting.0));
    let known = settings.filter(|(name, value)| refusal(name, value, subject.celery).is_none());
    known.map(|(name, value)| (name, value, path::entry("spec.common.config", name)))
}

/// Whether the field of a worker that is the same option is set in every pool, so that C19 tells. Where a pool leaves it
/// out, the setting is what the pools have in common, and a field wins over it.
fn has_field(subject: &Subject<'_>, field: &str) -> bool {
    !subject.pools.is_empty() && subject.pools.iter().all(|pool| has(pool, field))
}

/// Whether a field of a pool is set.
fn has(pool: &Pool<'_>, field: &str) -> bool {
    let written = serde_json::to_value(pool.spec).unwrap_or_default();
    written.get(field).is_some_and(|value| !value.is_null())
}

/// Settings that say where the broker is; `broker_transport` takes the place of the scheme of a URL.
const BROKER: [&str; 4] = ["broker_read_url", "broker_transport", "broker_url", "broker_write_url"];
/// Settings that say what a URL leaves out.
const PARTS: [&str; 5] = ["broker_host", "broker_password", "broker_port", "broker_user", "broker_vhost"];
/// What is said of them, and what to do.
const ADDS: (&str, &str) = ("adds to what spec.common.broker says", "say it there alone");

fn c19(subject: &Subject<'_>, report: &mut Report<'_>) {
    let config = &subject.common().config;
    let broker = subject.broker();
    let is_set = |name: &str| config.get(name).is_some_and(|setting| !setting.0.is_null());
    for name in BROKER.into_iter().filter(|name| broker.is_some() && is_set(name)) {
        tell(name, "spec.common.broker", report);
    }
    if broker.is_some() {
        for name in PARTS.into_iter().filter(|name| is_set(name)) {
            report.warn(Kind::Forbidden, path::entry("spec.common.config", name), ADDS.0, ADDS.1);
        }
        behind_dashes(subject, report);
    }
    let has_options = broker.is_some_and(|broker| {
        broker.transport_options.is_some() || broker.redis.is_some() || broker.sqs.is_some()
    });
    let shared = [
        ("broker_transport_options", has_options, "spec.common.broker"),
        ("result_backend", subject.common().result_backend.is_some(), "spec.common.resultBackend"),
    ];
    for (name, is_set, field) in shared {
        if is_set && config.contains_key(name) {
            tell(name, field, report);
        }
    }
    for (name, option) in OPTIONS.iter().filter(|(name, _)| config.contains_key(*name)) {
        if let Some(field) = field_of(option, WORKER_FIELDS).filter(|field| has_field(subject, field)) {
            let pool = subject.pools.first().map_or("spec.workerSpec", |pool| pool.path.as_str());
            tell(name, &format!("{pool}.{field}"), report);
        }
    }
}

/// The same settings among arguments.
fn behind_dashes(subject: &Subject<'_>, report: &mut Report<'_>) {
    let of_pools = subject.pools.iter().flat_map(|pool| {
        let settings = pool.said.settings.iter();
        settings.map(move |setting| (pool.arg(setting.at), setting.name.as_str()))
    });
    let of_beat = subject.beat.iter().flat_map(|beat| {
        beat.said.settings.iter().map(|setting| (Beat::arg(setting.at), setting.name.as_str()))
    });
    for (path, name) in of_pools.chain(of_beat) {
        if BROKER.contains(&name) {
            let message = "spec.common.broker sets this too";
            report.add(Kind::Forbidden, path, message, "keep the field only");
        } else if PARTS.contains(&name) {
            report.warn(Kind::Forbidden, path, ADDS.0, ADDS.1);
        }
    }
}

/// Whether the field of the same option is set too.
fn is_option_of(subject: &Subject<'_>, name: &str) -> bool {
    let option = OPTIONS.iter().find(|(setting, _)| *setting == name);
    option
        .and_then(|(_, option)| field_of(option, WORKER_FIELDS))
        .is_some_and(|field| has_field(subject, field))
}

fn tell(name: &str, field: &str, report: &mut Report<'_>) {
    let path = path::entry("spec.common.config", name);
    report.add(Kind::Forbidden, path, format!("{field} sets this too"), "keep the field only");
}
