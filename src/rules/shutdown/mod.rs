// SPDX-License-Identifier: Apache-2.0
//! Rules about the end of a worker: how long it may take, and what becomes of running tasks.

pub(super) mod environment;
pub(super) mod others;
pub(super) mod redelivery;

use super::finding::{Kind, Report, Severity};
use super::release;
use super::rule::{Check, Example, Rule};
use super::subject::{Pool, Subject};
use crate::api::{GracefulShutdown, Open, ShutdownMode, Word as _, WorkerPoolKind};
use crate::celery::version::Release;

/// Seconds that a worker needs for itself after the soft timeout.
const OWN: i32 = GracefulShutdown::LEAST_RESERVE_SECONDS;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "G01", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a worker gets time to stop",
        consequence: "It is killed at once: running tasks are lost, or wait for an hour until Redis gives them out again.",
        check: Check::field(
            &["spec.workerSpec.gracefulShutdown.timeoutSeconds", "spec.workerPools[].gracefulShutdown.timeoutSeconds"],
            "use the seconds of the longest task: without any, running tasks are killed at once",
        ),
        example: Example { bad: "spec: {workerSpec: {gracefulShutdown: {timeoutSeconds: 0}}}", at: "spec.workerSpec.gracefulShutdown.timeoutSeconds", good: "spec: {workerSpec: {gracefulShutdown: {timeoutSeconds: 60}}}", old: None },
    },
    Rule {
        id: "G02", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a soft shutdown ends before the kill",
        consequence: "Celery sleeps the whole soft timeout and needs seconds for itself; it is killed before the tasks are back in the queue.",
        check: Check::field(
            &["spec.workerSpec.gracefulShutdown.softTimeoutSeconds", "spec.workerPools[].gracefulShutdown.softTimeoutSeconds"],
            "use 1 or more",
        ).and(g02).or(Severity::Warn, "for 0, with which Celery has no soft shutdown"),
        example: Example {
            bad: "spec: {common: {config: {task_acks_late: true}}, workerSpec: {gracefulShutdown: {mode: Soft, timeoutSeconds: 30, softTimeoutSeconds: 28}}}",
            at: "spec.workerSpec.gracefulShutdown.softTimeoutSeconds",
            good: "spec: {common: {config: {task_acks_late: true}}, workerSpec: {gracefulShutdown: {mode: Soft, timeoutSeconds: 30, softTimeoutSeconds: 25}}}",
            old: None,
        },
    },
    Rule {
        id: "G03", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the longest task fits into the time to stop",
        consequence: "A task that still runs at the end of the grace period is killed.",
        check: Check::object(g03),
        example: Example {
            bad: "spec: {workerSpec: {timeLimit: 900}}",
            at: "spec.workerSpec.gracefulShutdown.timeoutSeconds",
            good: "spec: {workerSpec: {timeLimit: 900, gracefulShutdown: {timeoutSeconds: 960}}}",
            old: None,
        },
    },
    Rule {
        id: "G04", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a soft shutdown needs Celery 5.5",
        consequence: "The worker ends with \"Unable to parse extra configuration\" and starts again for ever.",
        check: Check::object(g04).or(Severity::Warn, "with Celery 4"),
        example: Example {
            bad: "spec: {common: {celeryVersion: '5.4', config: {task_acks_late: true}}, workerSpec: {gracefulShutdown: {mode: Soft}}}",
            at: "spec.workerSpec.gracefulShutdown.mode",
            good: "spec: {common: {celeryVersion: '5.5', config: {task_acks_late: true}}, workerSpec: {gracefulShutdown: {mode: Soft}}}",
            old: None,
        },
    },
    Rule {
        id: "G05", severity: Severity::Deny, schema: false, since: "0.1",
        title: "only child processes can be stopped while a task runs",
        consequence: "The worker ends with NotImplementedError, and the running task fails.",
        check: Check::object(g05),
        example: Example {
            bad: "spec: {workerSpec: {pool: threads, concurrency: 4, gracefulShutdown: {mode: Cold}}}",
            at: "spec.workerSpec.gracefulShutdown.mode",
            good: "spec: {workerSpec: {pool: threads, concurrency: 4, gracefulShutdown: {mode: Warm}}}",
            old: None,
        },
    },
    Rule {
        id: "G06", severity: Severity::Warn, schema: false, since: "0.1",
        title: "tasks that are stopped were not acknowledged yet",
        consequence: "A task that was acknowledged at its start is lost when it is stopped.",
        check: Check::object(g06),
        example: Example {
            bad: "spec: {workerSpec: {gracefulShutdown: {mode: Cold}}}",
            at: "spec.workerSpec.gracefulShutdown.mode",
            good: "spec: {common: {config: {task_acks_late: true}}, workerSpec: {gracefulShutdown: {mode: Cold}}}",
            old: None,
        },
    },
    Rule {
        id: "G20", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a mode of shutdown is Warm, Soft or Cold",
        consequence: "Nobody knows what is to become of running tasks.",
        check: Check::object(g20),
        example: Example { bad: "spec: {workerSpec: {gracefulShutdown: {mode: warm}}}", at: "spec.workerSpec.gracefulShutdown.mode", good: "spec: {workerSpec: {gracefulShutdown: {mode: Warm}}}", old: None },
    },
];

/// The written mode of a pool's end; `None` for none and for an unknown word.
fn written_mode(pool: &Pool<'_>) -> Option<ShutdownMode> {
    pool.spec.graceful_shutdown.as_ref()?.mode.as_ref().and_then(Open::known)
}

/// The mode of a pool's end.
fn mode(pool: &Pool<'_>) -> ShutdownMode {
    written_mode(pool).unwrap_or(ShutdownMode::Warm)
}

/// Seconds after which a task is killed, where the pool keeps to that.
fn time_limit(pool: &Pool<'_>) -> Option<f64> {
    let keeps = !matches!(pool.kind(), Some(WorkerPoolKind::Solo | WorkerPoolKind::Threads));
    pool.effective().time_limit().is().filter(|_| keeps)
}

/// Where somebody says after how many seconds a task is killed.
fn time_limit_place(pool: &Pool<'_>) -> Option<String> {
    pool.place("--time-limit", "timeLimit", pool.spec.time_limit.is_some())
}

fn g02(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in subject.pools.iter().filter(|pool| mode(pool) == ShutdownMode::Soft) {
        let soft = pool.spec.graceful_shutdown.as_ref().and_then(|shutdown| shutdown.soft_timeout_seconds);
        let most = pool.grace().saturating_sub(OWN);
        let path = format!("{}.gracefulShutdown.softTimeoutSeconds", pool.path);
        if soft == Some(0) {
            report.warn(
                Kind::Invalid,
                path,
                "switches the soft shutdown off",
                "use 1 or more, or the mode Warm",
            );
        } else if soft.is_some_and(|soft| soft > 0 && soft > most) && pool.grace() > 0 {
            let message = format!("is less than {OWN} seconds below timeoutSeconds");
            let fix = if most > 0 {
                format!("use at most {most}, or raise timeoutSeconds")
            } else {
                "raise timeoutSeconds".to_owned()
            };
            report.add(Kind::Invalid, path, message, fix);
        }
    }
}

fn g03(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in subject.pools.iter().filter(|pool| mode(pool) == ShutdownMode::Warm) {
        let grace = pool.grace();
        // A limit without an end limits nothing.
        let longer = time_limit(pool).filter(|limit| limit.is_finite() && *limit > f64::from(grace));
        if let Some(limit) = longer {
            report.add(
                Kind::Required,
                format!("{}.gracefulShutdown.timeoutSeconds", pool.path),
                format!("is {grace}, and a task may take longer"),
                format!("use {} or more", limit.ceil()),
            );
        }
    }
}

fn g04(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(severity) = release::lacks(subject, Release::V5_5) else { return };
    for pool in subject.pools.iter().filter(|pool| mode(pool) == ShutdownMode::Soft) {
        let version = subject.common().celery_version.as_deref().unwrap_or_default();
        report.graded(
            severity,
            Kind::Forbidden,
            format!("{}.gracefulShutdown.mode", pool.path),
            format!("Soft needs Celery 5.5 or later, celeryVersion is {version}"),
            "use Warm, or correct celeryVersion",
        );
    }
}

fn g05(subject: &Subject<'_>, report: &mut Report<'_>) {
    // Of a soft shutdown that Celery does not know another rule tells.
    let knows_soft = release::lacks(subject, Release::V5_5).is_none();
    let judged = |mode| mode == ShutdownMode::Cold || mode == ShutdownMode::Soft && knows_soft;
    for pool in subject.pools.iter().filter(|pool| judged(mode(pool))) {
        if let Some(kind) = pool.kind().filter(|kind| cannot_stop(*kind)) {
            report.add(
                Kind::Invalid,
                format!("{}.gracefulShutdown.mode", pool.path),
                format!("the pool {} cannot stop a running task", kind.as_str()),
                "use Warm, or the pool prefork",
            );
        }
    }
}

fn cannot_stop(kind: WorkerPoolKind) -> bool {
    !matches!(kind, WorkerPoolKind::Prefork | WorkerPoolKind::Custom)
}

fn g06(subject: &Subject<'_>, report: &mut Report<'_>) {
    let acknowledges_late = subject.common().config.get("task_acks_late");
    if acknowledges_late.is_some_and(|setting| setting.0 == true) {
        return;
    }
    for pool in subject.pools.iter().filter(|pool| mode(pool) != ShutdownMode::Warm) {
        // Of pools that cannot do it at all another rule tells.
        if !pool.kind().is_some_and(cannot_stop) {
            report.add(
                Kind::Required,
                format!("{}.gracefulShutdown.mode", pool.path),
                "loses tasks without task_acks_late",
                "set it in spec.common.config",
            );
        }
    }
}

fn g20(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let written = pool.spec.graceful_shutdown.as_ref().and_then(|shutdown| shutdown.mode.as_ref());
        if written.is_some_and(|mode| mode.known().is_none()) {
            report.add(
                Kind::Unsupported,
                format!("{}.gracefulShutdown.mode", pool.path),
                "is not a mode of shutdown",
                format!("use one of {}", ShutdownMode::supported()),
            );
        }
    }
}
