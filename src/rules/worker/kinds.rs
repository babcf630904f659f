// SPDX-License-Identifier: Apache-2.0
//! Rules about what goes with which kind of pool, and with which broker.

use crate::api::{Probes, Word as _, WorkerPoolKind};
use crate::effective::Effective;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Pool, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "W19", severity: Severity::Warn, schema: false, since: "0.1",
        title: "solo has no concurrency",
        consequence: "The worker announces the number and runs one task at a time all the same.",
        check: Check::object(w19),
        example: Example { bad: "spec: {workerSpec: {pool: solo, concurrency: 4}}", at: "spec.workerSpec.concurrency", good: "spec: {workerSpec: {pool: solo, concurrency: 1}}", old: None },
    },
    Rule {
        id: "W36", severity: Severity::Warn, schema: false, since: "0.1",
        title: "time limits go with child processes",
        consequence: "The limit is not kept: the task runs on to its end. Of the two limits gevent keeps the hard one alone.",
        check: Check::object(w36),
        example: Example { bad: "spec: {workerSpec: {pool: solo, timeLimit: 60}}", at: "spec.workerSpec.timeLimit", good: "spec: {workerSpec: {pool: prefork, timeLimit: 60}}", old: None },
    },
    Rule {
        id: "W37", severity: Severity::Warn, schema: false, since: "0.1",
        title: "limits of a child go with child processes",
        consequence: "The limit is ignored: there is no child process to replace.",
        check: Check::object(w37),
        example: Example { bad: "spec: {workerSpec: {pool: threads, concurrency: 4, maxTasksPerChild: 100}}", at: "spec.workerSpec.maxTasksPerChild", good: "spec: {workerSpec: {pool: prefork, concurrency: 4, maxTasksPerChild: 100}}", old: None },
    },
    Rule {
        id: "W40", severity: Severity::Warn, schema: false, since: "0.1",
        title: "disablePrefetch goes with Redis",
        consequence: "The worker logs that disabling prefetch is \"only supported for Redis brokers\", and goes on as without it.",
        check: Check::object(w40),
        example: Example {
            bad: "spec: {common: {broker: {url: 'amqp://app@mq'}}, workerSpec: {disablePrefetch: true}}",
            at: "spec.workerSpec.disablePrefetch",
            good: "spec: {common: {broker: {url: 'sentinel://cache:26379', transportOptions: {master_name: main}}}, workerSpec: {disablePrefetch: true}}",
            old: None,
        },
    },
    Rule {
        id: "W42", severity: Severity::Deny, schema: false, since: "0.1",
        title: "who waits for heartbeats gets them",
        consequence: "No heartbeat is ever sent: the probe kills a worker that is well, and Flower shows it as offline.",
        check: Check::object(w42).or(Severity::Warn, "when no probe looks at the heartbeat and only Flower misses it"),
        example: Example {
            bad: "spec: {workerSpec: {heartbeat: false, probes: {liveness: {type: Heartbeat}}}}",
            at: "spec.workerSpec.heartbeat",
            good: "spec: {workerSpec: {heartbeat: true, probes: {liveness: {type: Heartbeat}}}}",
            old: None,
        },
    },
    Rule {
        id: "W46", severity: Severity::Warn, schema: false, since: "0.1",
        title: "green threads and threads have a number",
        consequence: "The number follows the cpus, so that the pool runs as few tasks at once as child processes would.",
        check: Check::object(w46),
        example: Example { bad: "spec: {workerSpec: {pool: gevent}}", at: "spec.workerSpec.concurrency", good: "spec: {workerSpec: {pool: gevent, concurrency: 200}}", old: None },
    },
];

fn w19(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let is_solo = pool.kind() == Some(WorkerPoolKind::Solo);
        let is_set = pool.spec.concurrency.is_some();
        let Some(path) = pool.place("--concurrency", "concurrency", is_set) else { continue };
        if is_solo && pool.concurrency().is_some_and(|tasks| tasks > 1) {
            report.add(Kind::Invalid, path, "has no effect: solo runs one task at a time", "use prefork");
        }
    }
}

/// Whether a kind of pool keeps a limit; gevent has its own clock for the hard one.
fn keeps(kind: WorkerPoolKind, field: &str) -> bool {
    match kind {
        WorkerPoolKind::Solo | WorkerPoolKind::Threads | WorkerPoolKind::Eventlet => false,
        WorkerPoolKind::Gevent => field == "timeLimit",
        WorkerPoolKind::Prefork | WorkerPoolKind::Custom => true,
    }
}

/// Tells of a setting that no pool can follow; where one can, it may be meant for that.
fn no_pool(
    subject: &Subject<'_>,
    report: &mut Report<'_>,
    name: &str,
    follows: impl Fn(WorkerPoolKind) -> bool,
) {
    let Some(written) = subject.common().config.get(name).filter(|written| !written.0.is_null()) else {
        return;
    };
    let is_nothing = written.0.as_f64() == Some(0.0);
    let mut kinds = subject.pools.iter().map(Pool::kind);
    if !is_nothing && !subject.pools.is_empty() && kinds.all(|kind| kind.is_some_and(|kind| !follows(kind))) {
        let path = format!("spec.common.config.{name}");
        report.add(Kind::Forbidden, path, "has no effect with the pools here", "use the pool prefork");
    }
}

fn w36(subject: &Subject<'_>, report: &mut Report<'_>) {
    no_pool(subject, report, "task_time_limit", |kind| keeps(kind, "timeLimit"));
    no_pool(subject, report, "task_soft_time_limit", |kind| keeps(kind, "softTimeLimit"));
    for pool in &subject.pools {
        let Some(kind) = pool.kind() else { continue };
        let (hard, soft) = (pool.effective().time_limit(), pool.effective().soft_time_limit());
        for (option, field, is_set, limit) in [
            ("--time-limit", "timeLimit", pool.spec.time_limit.is_some(), hard),
            ("--soft-time-limit", "softTimeLimit", pool.spec.soft_time_limit.is_some(), soft),
        ] {
            let Some(path) = pool.place(option, field, is_set).filter(|_| !keeps(kind, field)) else {
                continue;
            };
            // With 0 there is no limit that could be kept.
            if limit.is() == Some(0.0) {
                continue;
            }
            // There the rule about that probe tells what the limit means.
            if !(field == "timeLimit" && pool.is_restarted_in_long_tasks()) {
                let message = format!("has no effect with the pool {}", kind.as_str());
                report.add(Kind::Invalid, path, message, "use prefork");
            }
        }
    }
}

fn w37(subject: &Subject<'_>, report: &mut Report<'_>) {
    let has_children = |kind| matches!(kind, WorkerPoolKind::Prefork | WorkerPoolKind::Custom);
    for name in ["worker_max_tasks_per_child", "worker_max_memory_per_child"] {
        no_pool(subject, report, name, has_children);
    }
    for pool in &subject.pools {
        let Some(kind) = pool.kind() else { continue };
        if has_children(kind) {
            continue;
        }
        for (option, field, is_set) in [
            ("--max-tasks-per-child", "maxTasksPerChild", pool.spec.max_tasks_per_child.is_some()),
            ("--max-memory-per-child", "maxMemoryPerChild", pool.spec.max_memory_per_child.is_some()),
        ] {
            if let Some(path) = pool.place(option, field, is_set) {
                let message = format!("has no effect with the pool {}", kind.as_str());
                report.add(Kind::Invalid, path, message, "use prefork");
            }
        }
    }
}

fn w40(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.transport().is_none() || subject.is_redis() {
        return;
    }
    // Of the release that does not have the setting yet another rule tells.
    let setting = subject.common().config.get("worker_disable_prefetch");
    if setting.is_some_and(|setting| setting.0 == true) {
        let path = "spec.common.config.worker_disable_prefetch";
        let message = "has no effect: only Redis can do without fetching ahead";
        report.add(Kind::Forbidden, path, message, "remove it");
    }
    for pool in &subject.pools {
        let is_set = pool.spec.disable_prefetch == Some(true);
        let Some(path) = pool.place("--disable-prefetch", "disablePrefetch", is_set) else { continue };
        report.add(Kind::Forbidden, path, "has no effect: only Redis has it", "set prefetchMultiplier to 1");
    }
}

fn w42(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in subject.pools.iter().filter(|pool| pool.effective().sends_heartbeat() == Effective::Is(false))
    {
        let is_set = pool.spec.heartbeat == Some(false);
        let mut variables = subject.env_of(pool);
        let mut variable = || variables.find(|(_, one)| one.name == "CELERY_WORKER_WITHOUT_HEARTBEAT");
        let written = pool.place("--without-heartbeat", "heartbeat", is_set);
        let Some(path) = written.or_else(|| Some(format!("{}.value", variable()?.0))) else { continue };
        if pool.spec.probes.as_ref().is_some_and(Probes::look_at_heartbeat) {
            let message = "switches off the heartbeat that the Heartbeat probe checks";
            report.add(Kind::Invalid, path, message, "remove it, or change the probe type");
        } else if subject.object.spec.flower_spec.is_some() {
            let message = "makes Flower show its workers as offline";
            report.graded(Severity::Warn, Kind::Invalid, path, message, "remove it");
        }
    }
}

fn w46(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in subject.pools.iter().filter(|pool| !pool.effective().stated_concurrency().is_written()) {
        let Some(kind) = pool.kind() else { continue };
        let fix = match kind {
            WorkerPoolKind::Gevent | WorkerPoolKind::Eventlet => "set a number such as 100",
            WorkerPoolKind::Threads => "set the number of threads",
            _ => continue,
        };
        report.add(
            Kind::Required,
            format!("{}.concurrency", pool.path),
            format!("{} would run only as many tasks as there are cpus", kind.as_str()),
            fix,
        );
    }
}
