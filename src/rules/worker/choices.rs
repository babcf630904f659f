// SPDX-License-Identifier: Apache-2.0
//! Rules about fields that take one of a few words.

use crate::api::{Open, Word, WorkerPoolKind};
use crate::celery::command::Command;
use crate::rules::args::Matter;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Beat, Subject};
use crate::rules::variables::may_define;

/// Names the class of a custom pool.
const CUSTOM_POOL: &str = "CELERY_CUSTOM_WORKER_POOL";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "W17", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a pool is one that Celery has, in lower case",
        consequence: "The worker ends with \"Invalid value for '-P'\" and starts again for ever.",
        check: Check::arguments(Command::Worker, &[Matter::Value("--pool")]).and(w17),
        example: Example { bad: "spec: {workerSpec: {pool: Prefork}}", at: "spec.workerSpec.pool", good: "spec: {workerSpec: {pool: prefork}}", old: None },
    },
    Rule {
        id: "W18", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a custom pool has a class",
        consequence: "The worker ends with \"No module named 'custom'\" and starts again for ever.",
        check: Check::object(w18),
        example: Example {
            bad: "spec: {workerSpec: {pool: custom}}",
            at: "spec.workerSpec.env",
            good: "spec: {workerSpec: {pool: custom, env: [{name: CELERY_CUSTOM_WORKER_POOL, value: 'shop.pools:Pool'}]}}",
            old: None,
        },
    },
    Rule {
        id: "W20", severity: Severity::Deny, schema: true, since: "0.1",
        title: "logLevel is a level of Celery",
        consequence: "The worker ends with \"Invalid value for '-l'\" and starts again for ever.",
        check: Check::arguments(Command::Worker, &[Matter::Value("--loglevel")]).and(w20),
        example: Example { bad: "spec: {workerSpec: {logLevel: verbose}}", at: "spec.workerSpec.logLevel", good: "spec: {workerSpec: {logLevel: debug}}", old: None },
    },
    Rule {
        id: "W21", severity: Severity::Deny, schema: true, since: "0.1",
        title: "optimization is default or fair",
        consequence: "The worker ends with \"Invalid value for '-O'\" and starts again for ever.",
        check: Check::arguments(Command::Worker, &[Matter::Value("--optimization")]).and(w21),
        example: Example { bad: "spec: {workerSpec: {optimization: fast}}", at: "spec.workerSpec.optimization", good: "spec: {workerSpec: {optimization: fair}}", old: None },
    },
    Rule {
        id: "W50", severity: Severity::Deny, schema: true, since: "0.1",
        title: "poolStartMethod is fork or spawn",
        consequence: "The worker ends with \"Invalid value for '--pool-start-method'\" and starts again for ever.",
        check: Check::arguments(Command::Worker, &[Matter::Value("--pool-start-method")]).and(w50),
        example: Example { bad: "spec: {workerSpec: {poolStartMethod: forkserver}}", at: "spec.workerSpec.poolStartMethod", good: "spec: {workerSpec: {poolStartMethod: spawn}}", old: None },
    },
];

fn w17(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let path = format!("{}.pool", pool.path);
        if pool.spec.pool.as_ref().is_some_and(|kind| kind.written() == "processes") {
            let message = "is another name of prefork, which only args take";
            report.add(Kind::Unsupported, path, message, "use prefork");
        } else {
            word(report, path, pool.spec.pool.as_ref(), "is not a pool of Celery");
        }
    }
}

fn w18(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let is_custom = pool.kind() == Some(WorkerPoolKind::Custom);
        if is_custom && !may_define(subject, pool, CUSTOM_POOL) {
            report.add(
                Kind::Required,
                format!("{}.env", pool.path),
                format!("the pool custom needs {CUSTOM_POOL}"),
                "add it with the class of the pool, module:Class",
            );
        }
    }
}

fn w20(subject: &Subject<'_>, report: &mut Report<'_>) {
    let pools = subject.pools.iter().map(|pool| (pool.path.as_str(), pool.spec.log_level.as_ref()));
    let beat = subject.beat.iter().map(|beat| (Beat::PATH, beat.spec.log_level.as_ref()));
    for (path, written) in pools.chain(beat) {
        let path = format!("{path}.logLevel");
        if written.is_some_and(|level| level.known().is_none()) {
            let fix = "use one of DEBUG, INFO, WARNING, ERROR, CRITICAL, FATAL";
            report.add(Kind::Unsupported, path, "is not a level of Celery", fix);
        }
    }
}

fn w21(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let path = format!("{}.optimization", pool.path);
        word(report, path, pool.spec.optimization.as_ref(), "is not an optimization");
    }
}

fn w50(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let path = format!("{}.poolStartMethod", pool.path);
        word(report, path, pool.spec.pool_start_method.as_ref(), "is not a start method that Celery offers");
    }
}

fn word<T: Word>(report: &mut Report<'_>, path: String, written: Option<&Open<T>>, message: &str) {
    if let Some(written) = written {
        report.unsupported(written, path, message);
    }
}
