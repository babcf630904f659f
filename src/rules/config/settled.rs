// SPDX-License-Identifier: Apache-2.0
//! Rules about settings that have no effect where they stand.

use super::{OPTIONS, has, has_field, taken};
use crate::celery::number;
use crate::celery::settings::{Extension, extension, settled_by_option};
use crate::celery::version::{Release, Target};
use crate::rules::args::{BEAT_FIELDS, WORKER_FIELDS, field_of};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Beat, Pool, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C45", severity: Severity::Warn, schema: false, since: "0.1",
        title: "config holds no settings that only options can set",
        consequence: "Celery settles the option before it reads the setting: the worker runs child processes and fetches four tasks for each, beat keeps its own scheduler and file.",
        check: Check::object(c45),
        example: Example { bad: "spec: {common: {config: {worker_prefetch_multiplier: 1}}}", at: "spec.common.config.worker_prefetch_multiplier", good: "spec: {workerSpec: {prefetchMultiplier: 1}}", old: None },
    },
    Rule {
        id: "C48", severity: Severity::Warn, schema: false, since: "0.1",
        title: "settings of a scheduler go with this scheduler, and RedBeat with its URL",
        consequence: "Nobody reads the setting: beat runs a scheduler that does not know it. RedBeat does not read CELERY_BROKER_URL: without redbeat_redis_url beat ends with \"'NoneType' object has no attribute 'startswith'\".",
        check: Check::object(c48),
        example: Example {
            bad: "spec: {common: {config: {redbeat_lock_timeout: 60}}, beatSpec: {}}",
            at: "spec.common.config.redbeat_lock_timeout",
            good: "spec: {common: {config: {redbeat_redis_url: 'redis://cache:6379/1', redbeat_lock_timeout: 900}}, beatSpec: {scheduler: redbeat.RedBeatScheduler}}",
            old: None,
        },
    },
    Rule {
        id: "C116", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the lock of RedBeat outlives the sleep of beat",
        consequence: "The lock expires while beat sleeps, and beat ends with LockNotOwnedError; with as many seconds for both too. What beat_schedule says more often lets beat sleep less.",
        check: Check::object(c116),
        example: Example {
            bad: "spec: {common: {config: {redbeat_redis_url: 'redis://cache:6379/1', redbeat_lock_timeout: 30}}, beatSpec: {scheduler: redbeat.RedBeatScheduler, maxInterval: 60}}",
            at: "spec.common.config.redbeat_lock_timeout",
            good: "spec: {common: {config: {redbeat_redis_url: 'redis://cache:6379/1', redbeat_lock_timeout: 300}}, beatSpec: {scheduler: redbeat.RedBeatScheduler, maxInterval: 60}}",
            old: None,
        },
    },
    Rule {
        id: "W52", severity: Severity::Warn, schema: false, since: "0.1",
        title: "no setting behind -- is one that only an option can set",
        consequence: "Celery settles the option before it reads the setting, which has no effect.",
        check: Check::object(w52),
        example: Example { bad: "spec: {workerSpec: {args: ['--', worker.prefetch_multiplier=1]}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['--prefetch-multiplier=1']}}", old: None },
    },
];

/// The setting for the sleep of beat, and the seconds that it sleeps by itself at most.
const SLEEP: &str = "beat_max_loop_interval";
const USUAL_SLEEP: f64 = 300.0;

/// Celery 4 reads its command line in another order.
fn is_settled(subject: &Subject<'_>) -> bool {
    subject.celery != Target::Known(Release::V4_4)
}

fn c45(subject: &Subject<'_>, report: &mut Report<'_>) {
    let has_beat = subject.beat.is_some();
    let sleeps = |beat: &Beat<'_>| {
        beat.said.has("--max-interval") || beat.spec.max_interval.is_some_and(|seconds| seconds != 0)
    };
    if subject.common().config.contains_key(SLEEP) && subject.beat.as_ref().is_some_and(sleeps) {
        let path = format!("spec.common.config.{SLEEP}");
        report.add(Kind::Forbidden, path, "has no effect beside maxInterval", "remove it");
    }
    for (name, value, path) in taken(subject).filter(|_| is_settled(subject)) {
        let is_of_beat = name.starts_with("beat_");
        let fields = if is_of_beat { BEAT_FIELDS } else { WORKER_FIELDS };
        let option = settled_by_option(name).filter(|_| !value.is_null());
        let Some(field) = option.and_then(|option| field_of(option, fields)) else { continue };
        let runs = if is_of_beat { has_beat } else { !subject.pools.is_empty() };
        // Where the field stands beside it, another rule tells.
        if runs && (is_of_beat || !has_field(subject, field)) {
            let pool = subject.pools.first().map_or("spec.workerSpec", |pool| pool.path.as_str());
            let whose = if is_of_beat { Beat::PATH } else { pool };
            report.add(Kind::Forbidden, path, "has no effect here", format!("use {whose}.{field}"));
        }
    }
}

fn c48(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(beat) = &subject.beat else { return };
    let Some(scheduler) = beat.effective().scheduler().is() else { return };
    for (name, _, path) in taken(subject) {
        let Some(extension) = extension(name).filter(|known| !known.has_scheduler(scheduler)) else {
            continue;
        };
        let message = format!("only {} reads it", extension.package());
        report.add(Kind::Forbidden, path, message, "set its scheduler in beatSpec, or remove it");
    }
    if Extension::RedBeat.has_scheduler(scheduler) {
        without_url(subject, beat, report);
    }
}

/// `RedBeat` asks the settings for the broker. Where the object leaves that to the application, they have it.
fn without_url(subject: &Subject<'_>, beat: &Beat<'_>, report: &mut Report<'_>) {
    let name = "redbeat_redis_url";
    let is_said = subject.common().config.contains_key(name) || beat.said.setting(name).is_some();
    if !is_said && subject.broker().is_some() {
        let path = beat.scheduler().map_or_else(|| Beat::PATH.to_owned(), |(_, path)| path);
        let message = format!("needs {name}");
        report.add(Kind::Forbidden, path, message, "set it in spec.common.config or in the application");
    }
}

/// The lock is taken anew after each sleep. With more frequent tasks beat sleeps less.
fn c116(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(beat) = &subject.beat else { return };
    let scheduler = beat.effective().scheduler().is();
    let Some(written) = subject.common().config.get("redbeat_lock_timeout") else { return };
    if scheduler.is_none_or(|scheduler| !Extension::RedBeat.has_scheduler(scheduler)) {
        return;
    }
    let (Some(sleep), Some(lock)) = (longest_sleep(subject, beat), written.0.as_f64()) else { return };
    if lock > 0.0 && lock <= sleep && most_frequent(subject).is_none_or(|seconds| seconds >= lock) {
        let message = format!("is not above {sleep} s, the longest sleep of beat");
        let path = "spec.common.config.redbeat_lock_timeout";
        report.add(Kind::Invalid, path, message, format!("use {}", sleep * 5.0));
    }
}

/// Seconds that beat sleeps at most, whoever says so; nothing where a variable does.
fn longest_sleep(subject: &Subject<'_>, beat: &Beat<'_>) -> Option<f64> {
    let is_set = |seconds: &f64| *seconds != 0.0;
    if let Some(used) = beat.said.last("--max-interval") {
        let seconds = number::float(used.value?)?;
        return Some(if is_set(&seconds) { seconds } else { USUAL_SLEEP });
    }
    if let Some(seconds) = beat.spec.max_interval.map(f64::from).filter(is_set) {
        return Some(seconds);
    }
    if let Some(setting) = beat.said.setting(SLEEP) {
        return number::float(setting.value).filter(|seconds| *seconds > 0.0);
    }
    match subject.common().config.get(SLEEP) {
        Some(setting) => setting.0.as_f64().filter(|seconds| *seconds > 0.0),
        None => Some(USUAL_SLEEP),
    }
}

/// Seconds between two runs of the task that config lets beat send most often.
fn most_frequent(subject: &Subject<'_>) -> Option<f64> {
    let entries = subject.common().config.get("beat_schedule")?.0.as_object()?;
    let seconds = entries.values().filter_map(|entry| entry.get("schedule")?.as_f64());
    seconds.filter(|seconds| *seconds > 0.0).reduce(f64::min)
}

/// What the pool says of the same by an option or its field, which wins.
fn said_already(pool: &Pool<'_>, name: &str) -> Option<&'static str> {
    let (_, option) = OPTIONS.iter().find(|(setting, _)| *setting == name)?;
    // This option is a setting to Celery, so that the later one wins.
    let is_a_setting = *option == "--disable-prefetch";
    let field = field_of(option, WORKER_FIELDS)?;
    if is_a_setting || pool.said.has(option) {
        return (!is_a_setting).then_some(*option);
    }
    has(pool, field).then_some(field)
}

fn w52(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in subject.pools.iter().filter(|_| is_settled(subject)) {
        for setting in &pool.said.settings {
            let Some(option) = settled_by_option(&setting.name) else {
                if let Some(option) = said_already(pool, &setting.name) {
                    let message = format!("has no effect beside {option}");
                    report.add(Kind::Forbidden, pool.arg(setting.at), message, "remove it");
                }
                continue;
            };
            // What is beat's is settled by beat alone.
            if setting.name.starts_with("worker_") {
                report.add(
                    Kind::Forbidden,
                    pool.arg(setting.at),
                    "has no effect after --",
                    format!("write {option} before it"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::findings;

    #[test]
    fn a_lock_is_longer_than_the_sleep_that_counts() {
        let is_told = |config: &str, beat: &str| {
            let config = format!("redbeat_redis_url: 'redis://cache/1', redbeat_lock_timeout: 60, {config}");
            let beat = format!("scheduler: redbeat.RedBeatScheduler, {beat}");
            let found =
                findings(&format!("spec: {{common: {{config: {{{config}}}}}, beatSpec: {{{beat}}}}}"));
            found.iter().any(|finding| finding.rule == "C116")
        };
        let every = |seconds: u32| format!("beat_schedule: {{a: {{task: a.b, schedule: {seconds}}}}}");
        for (config, beat) in [
            ("", ""),
            ("", "maxInterval: 60"),
            ("", "args: ['--max-interval=60']"),
            ("", "args: ['--max-interval=0']"),
            ("", "args: ['--', 'beat.max_loop_interval=90']"),
            ("beat_max_loop_interval: 90", ""),
            (every(60).as_str(), ""),
        ] {
            assert!(is_told(config, beat), "{config} {beat}");
        }
        for (config, beat) in [
            ("", "maxInterval: 59"),
            ("", "maxInterval: 90, args: ['--max-interval=30']"),
            ("", "args: ['--max-interval=$(PAUSE)'], env: [{name: PAUSE, value: '90'}]"),
            ("beat_max_loop_interval: 30", ""),
            (every(59).as_str(), ""),
        ] {
            assert!(!is_told(config, beat), "{config} {beat}");
        }
    }
}
