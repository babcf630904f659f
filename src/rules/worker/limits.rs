// SPDX-License-Identifier: Apache-2.0
//! Rules about numbers that a worker keeps to: of tasks, of seconds.

use std::collections::HashSet;

use crate::api::WorkerPoolKind;
use crate::celery::command::Command;
use crate::effective::Effective;
use crate::rules::args::{self, Matter};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Pool, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "W30", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a child process gets at least one task",
        consequence: "The worker ends with an AssertionError or a ValueError and starts again for ever.",
        check: Check::field(
            &["spec.workerSpec.maxTasksPerChild", "spec.workerPools[].maxTasksPerChild"],
            "use 1 or more, or leave it out",
        )
        .arguments_too(Command::Worker, &[Matter::Value("--max-tasks-per-child")])
        .and(w30),
        example: Example { bad: "spec: {workerSpec: {maxTasksPerChild: 0}}", at: "spec.workerSpec.maxTasksPerChild", good: "spec: {workerSpec: {maxTasksPerChild: 100}}", old: None },
    },
    Rule {
        id: "W35", severity: Severity::Warn, schema: false, since: "0.1",
        title: "softTimeLimit comes before timeLimit",
        consequence: "The task is killed before it gets the exception that it could have caught.",
        check: Check::object(w35),
        example: Example { bad: "spec: {workerSpec: {timeLimit: 60, softTimeLimit: 60}}", at: "spec.workerSpec.softTimeLimit", good: "spec: {workerSpec: {timeLimit: 60, softTimeLimit: 50.5}}", old: None },
    },
    Rule {
        id: "W57", severity: Severity::Deny, schema: false, since: "0.1",
        title: "time limits are not below zero",
        consequence: "Celery takes the number and ends every task at once: \"Hard time limit (-5.0s) exceeded\".",
        check: Check::object(w57),
        example: Example { bad: "spec: {workerSpec: {timeLimit: -5}}", at: "spec.workerSpec.timeLimit", good: "spec: {workerSpec: {timeLimit: 5}}", old: None },
    },
    Rule {
        id: "W38", severity: Severity::Deny, schema: true, since: "0.1",
        title: "prefetchMultiplier is at least 1",
        consequence: "Celery reads 0 as \"not given\" and fetches as much as the application's settings say.",
        check: Check::field(
            &["spec.workerSpec.prefetchMultiplier", "spec.workerPools[].prefetchMultiplier"],
            "use 1 or more, or disablePrefetch with Celery 5.6 or later",
        )
        .and(w38)
        .or(Severity::Warn, "for a number in args"),
        example: Example { bad: "spec: {workerSpec: {prefetchMultiplier: 0}}", at: "spec.workerSpec.prefetchMultiplier", good: "spec: {workerSpec: {prefetchMultiplier: 1}}", old: None },
    },
];

/// Celery reads any whole number and ends later.
fn w30(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--max-tasks-per-child"]) {
        if pool.said.int("--max-tasks-per-child").is().is_some_and(|tasks| tasks < 1) {
            report.add(
                Kind::Invalid,
                pool.arg(used.value_at),
                "is less than one task",
                "use 1 or more, or leave it out",
            );
        }
    }
}

fn w38(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--prefetch-multiplier"]) {
        if pool.said.int("--prefetch-multiplier").is().is_some_and(|tasks| tasks < 1) {
            let path = pool.arg(used.value_at);
            report.graded(Severity::Warn, Kind::Invalid, path, "is not a number of tasks", "use 1 or more");
        }
    }
}

fn w35(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut told = HashSet::new();
    for pool in &subject.pools {
        let (hard, soft) = (pool.effective().time_limit(), pool.effective().soft_time_limit());
        let (Effective::Is(hard), Effective::Is(soft)) = (hard, soft) else { continue };
        let written = soft_time_limit(subject, pool);
        let Some(path) = written.filter(|path| !told.contains(path)) else { continue };
        // With 0 there is no limit. Of pools that do not keep both limits another rule tells.
        let keeps_both = matches!(pool.kind(), None | Some(WorkerPoolKind::Prefork | WorkerPoolKind::Custom));
        if keeps_both && hard > 0.0 && soft >= 0.0 && hard <= soft {
            let (message, fix) = ("is not below timeLimit, so it never fires", "lower it below timeLimit");
            report.add(Kind::Invalid, path.clone(), message, fix);
            // A setting is the same for all pools.
            told.insert(path);
        }
    }
}

fn w57(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut told = HashSet::new();
    for pool in &subject.pools {
        let limits = [
            (pool.effective().time_limit(), time_limit(subject, pool)),
            (pool.effective().soft_time_limit(), soft_time_limit(subject, pool)),
        ];
        for (limit, written) in limits {
            let Some(path) = written.filter(|path| !told.contains(path)) else { continue };
            if limit.is().is_some_and(|limit| limit < 0.0) {
                let (message, fix) = ("would end every task at once", "use seconds above 0, or leave it out");
                report.add(Kind::Invalid, path.clone(), message, fix);
                // A setting is the same for all pools.
                told.insert(path);
            }
        }
    }
}

/// Where the limit of a pool is written, if it is.
fn time_limit(subject: &Subject<'_>, pool: &Pool<'_>) -> Option<String> {
    let is_set = pool.spec.time_limit.is_some();
    pool.place("--time-limit", "timeLimit", is_set).or_else(|| setting(subject, "task_time_limit"))
}

fn soft_time_limit(subject: &Subject<'_>, pool: &Pool<'_>) -> Option<String> {
    let is_set = pool.spec.soft_time_limit.is_some();
    pool.place("--soft-time-limit", "softTimeLimit", is_set)
        .or_else(|| setting(subject, "task_soft_time_limit"))
}

fn setting(subject: &Subject<'_>, name: &str) -> Option<String> {
    subject.common().config.contains_key(name).then(|| format!("spec.common.config.{name}"))
}
