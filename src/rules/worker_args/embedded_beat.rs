// SPDX-License-Identifier: Apache-2.0
//! A scheduler inside the worker.

use crate::api::WorkerPoolKind;
use crate::celery::settings::Extension;
use crate::rules::args;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Pool, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W11", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the scheduler is not part of a worker that may run twice",
        consequence: "Every pod sends every periodic task; with gevent and eventlet the worker does not start.",
        check: Check::object(w11).or(Severity::Warn, "when the pool has one pod, or a scheduler with a lock, so that only a rollout runs two"),
        example: Example { bad: "spec: {workerSpec: {numOfWorkers: 2, args: ['-B']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {numOfWorkers: 2}, beatSpec: {}}", old: None },
    },
    Rule {
        id: "W12", severity: Severity::Warn, schema: false, since: "0.1",
        title: "options of the scheduler stand where a scheduler is",
        consequence: "Without -B the worker ignores them.",
        check: Check::object(w12),
        example: Example { bad: "spec: {workerSpec: {args: ['-s', /tmp/schedule]}}", at: "spec.workerSpec.args[0]", good: "spec: {beatSpec: {scheduleFile: /tmp/schedule}}", old: None },
    },
];

fn w11(subject: &Subject<'_>, report: &mut Report<'_>) {
    // Two schedulers in one object are another rule's matter.
    if subject.beat.is_some() {
        return;
    }
    for (pool, used) in args::uses(subject, &["--beat"]) {
        let path = pool.arg(used.at);
        let fix = format!("remove {} and set beatSpec: {{}}", used.name);
        if has_green_threads(pool) {
            let message = "gevent and eventlet cannot run the scheduler";
            report.add(Kind::Forbidden, path, message, fix);
        } else if subject.may_be_many(pool) && !has_lock(pool) {
            let message = format!("with {} every pod would send every periodic task", used.name);
            report.add(Kind::Forbidden, path, message, fix);
        } else {
            let message = "a rollout briefly runs two schedulers";
            report.graded(Severity::Warn, Kind::Forbidden, path, message, fix);
        }
    }
}

fn has_green_threads(pool: &Pool<'_>) -> bool {
    matches!(pool.kind(), Some(WorkerPoolKind::Gevent | WorkerPoolKind::Eventlet))
}

/// Schedulers that let only one of them send.
fn has_lock(pool: &Pool<'_>) -> bool {
    pool.said.text("--scheduler").is().is_some_and(|scheduler| Extension::RedBeat.has_scheduler(scheduler))
}

fn w12(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--schedule-filename", "--scheduler"]) {
        if !pool.said.has("--beat") {
            let message = format!("{} has no effect without -B", used.name);
            report.add(Kind::Forbidden, pool.arg(used.at), message, "use spec.beatSpec");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity;
    use crate::rules::tests::findings;

    #[test]
    fn whoever_names_the_pool_green_threads_run_no_scheduler() {
        let told = |worker: &str| {
            let found = findings(&format!("spec: {{workerSpec: {{args: ['-B'], {worker}}}}}"));
            found.into_iter().find(|one| one.rule == "W11").map(|one| one.severity)
        };
        for worker in ["pool: gevent", "env: [{name: CELERY_WORKER_POOL, value: eventlet}]"] {
            assert_eq!(told(worker), Some(Severity::Deny), "{worker}");
        }
        assert_eq!(told("pool: threads"), Some(Severity::Warn));
    }
}
