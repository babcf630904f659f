// SPDX-License-Identifier: Apache-2.0
//! Rules about memory, from what a worker of an empty application was seen to use.

use crate::api::WorkerPoolKind;
use crate::api::amount::number;
use crate::celery::reading::Effective;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Pool, Subject};

/// Bytes of a kibibyte, in which Celery counts.
const KIBI: f64 = 1024.0;
/// Bytes of a mebibyte.
const MEBI: f64 = 1024.0 * 1024.0;
/// Mebibytes of the worker's main process, and the least that a child process has after its first task.
const MAIN: u32 = 64;
/// Mebibytes that a child process adds to the container.
const CHILD: u32 = 40;
/// The option that says how much memory a child may have.
const OPTION: &str = "--max-memory-per-child";
/// Below this many bytes no container starts, of which another rule tells.
const STARTS: f64 = 4.0 * MEBI;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "W32", severity: Severity::Warn, schema: false, since: "0.1",
        title: "maxMemoryPerChild is more than an idle child uses",
        consequence: "The child process is replaced after every task.",
        check: Check::object(w32),
        example: Example { bad: "spec: {workerSpec: {maxMemoryPerChild: 32Mi}}", at: "spec.workerSpec.maxMemoryPerChild", good: "spec: {workerSpec: {maxMemoryPerChild: 200Mi}}", old: None },
    },
    Rule {
        id: "W33", severity: Severity::Warn, schema: false, since: "0.1",
        title: "all children together fit into the container",
        consequence: "The container is killed for its memory before any child process reaches its own limit.",
        check: Check::object(w33),
        example: Example {
            bad: "spec: {workerSpec: {concurrency: 4, maxMemoryPerChild: 300Mi, resources: {limits: {memory: 1Gi}}}}",
            at: "spec.workerSpec.maxMemoryPerChild",
            good: "spec: {workerSpec: {concurrency: 4, maxMemoryPerChild: 200Mi, resources: {limits: {memory: 1Gi}}}}",
            old: None,
        },
    },
    Rule {
        id: "W34", severity: Severity::Warn, schema: false, since: "0.1",
        title: "the memory limit is enough to start",
        consequence: "The container is killed for its memory while it starts, even with an empty application.",
        check: Check::object(w34),
        example: Example {
            bad: "spec: {workerSpec: {concurrency: 8, resources: {limits: {memory: 256Mi}}}}",
            at: "spec.workerSpec.resources.limits.memory",
            good: "spec: {workerSpec: {concurrency: 8, resources: {limits: {memory: 512Mi}}}}",
            old: None,
        },
    },
];

fn w32(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, bytes) in children(subject) {
        let Some(path) = children_place(pool) else { continue };
        let fix = if pool.said.has(OPTION) {
            format!("use {} or more: it counts KiB", MAIN * 1024)
        } else if let Some(kibibytes) = kibibytes(pool) {
            format!("use {kibibytes}Ki, a plain number is bytes")
        } else {
            format!("use {MAIN}Mi or more")
        };
        if bytes >= 0.0 && bytes < f64::from(MAIN) * MEBI {
            report.add(Kind::Invalid, path, "is less than an idle child uses", fix);
        }
    }
}

/// The number in the field that was probably meant as Celery counts, in KiB.
fn kibibytes(pool: &Pool<'_>) -> Option<u32> {
    let text = &pool.spec.max_memory_per_child.as_ref()?.0;
    text.parse::<u32>().ok().filter(|count| *count >= MAIN * 1024)
}

fn w33(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, bytes) in children(subject) {
        let (Some(limit), Some(tasks)) = (limit(pool), pool.concurrency()) else { continue };
        let Some(path) = children_place(pool) else { continue };
        if bytes * f64::from(tasks) > limit {
            let children = if tasks == 1 { "child" } else { "children" };
            report.add(
                Kind::Invalid,
                path,
                format!("x {tasks} {children} exceeds limits.memory"),
                "lower it or concurrency",
            );
        }
    }
}

/// Where somebody says how much memory a child may have.
fn children_place(pool: &Pool<'_>) -> Option<String> {
    pool.place(OPTION, "maxMemoryPerChild", pool.spec.max_memory_per_child.is_some())
}

/// The prefork pools that replace a child for its memory, with the bytes after which they do.
fn children<'s, 'a>(subject: &'s Subject<'a>) -> impl Iterator<Item = (&'s Pool<'a>, f64)> {
    subject.pools.iter().filter_map(|pool| {
        let bytes = match pool.said.int(OPTION) {
            // Celery takes 0 and less for no limit.
            Effective::Is(kibibytes) => {
                f64::from(u32::try_from(kibibytes).ok().filter(|kib| *kib > 0)?) * KIBI
            }
            Effective::Unclear => return None,
            Effective::Absent => number(&pool.spec.max_memory_per_child.as_ref()?.0)?,
        };
        (pool.kind() == Some(WorkerPoolKind::Prefork)).then_some((pool, bytes))
    })
}

fn w34(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let Some(limit) = limit(pool).filter(|limit| *limit >= STARTS) else { continue };
        let children = match pool.kind() {
            Some(WorkerPoolKind::Prefork) => pool.concurrency(),
            Some(_) => Some(0),
            None => None,
        };
        let Some(children) = children else { continue };
        let needed = u64::from(MAIN) + u64::from(CHILD) * u64::from(children);
        #[allow(clippy::cast_precision_loss)] // Of a number of mebibytes nothing is lost.
        let is_too_small = limit < needed as f64 * MEBI;
        if is_too_small {
            let whose = if children > 1 { format!("{children} children") } else { "a worker".to_owned() };
            report.add(
                Kind::Invalid,
                format!("{}.resources.limits.memory", pool.path),
                format!("is little for {whose}"),
                format!("use {needed}Mi or more"),
            );
        }
    }
}

/// The memory limit of a pool's container in bytes.
fn limit(pool: &Pool<'_>) -> Option<f64> {
    let limits = pool.spec.resources.as_ref()?.limits.as_ref()?;
    number(&limits.get("memory")?.0)
}
