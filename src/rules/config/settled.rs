// SPDX-License-Identifier: Apache-2.0
//! Rules about settings that have no effect where they stand.

use super::{has_field, taken};
use crate::celery::settings::{extension, settled_by_option};
use crate::celery::version::{Release, Target};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

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
        title: "settings of a scheduler go with this scheduler",
        consequence: "Nobody reads the setting: beat runs a scheduler that does not know it.",
        check: Check::object(c48),
        example: Example {
            bad: "spec: {common: {config: {redbeat_lock_timeout: 60}}, beatSpec: {}}",
            at: "spec.common.config.redbeat_lock_timeout",
            good: "spec: {common: {config: {redbeat_lock_timeout: 60}}, beatSpec: {scheduler: redbeat.RedBeatScheduler}}",
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

/// Celery 4 reads its command line in another order.
fn is_settled(subject: &Subject<'_>) -> bool {
    subject.celery != Target::Known(Release::V4_4)
}

fn c45(subject: &Subject<'_>, report: &mut Report<'_>) {
    let has_beat = subject.beat.is_some();
    for (name, value, path) in taken(subject).filter(|_| is_settled(subject)) {
        let Some((_, field)) = settled_by_option(name).filter(|_| !value.is_null()) else { continue };
        let is_of_beat = name.starts_with("beat_");
        let runs = if is_of_beat { has_beat } else { !subject.pools.is_empty() };
        // Where the field stands beside it, another rule tells.
        if runs && (is_of_beat || !has_field(subject, field)) {
            let whose = if is_of_beat { "beatSpec" } else { "the worker" };
            report.add(Kind::Forbidden, path, "has no effect there", format!("use {field} of {whose}"));
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
        report.add(Kind::Forbidden, path, message, "use its scheduler in beatSpec");
    }
}

fn w52(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in subject.pools.iter().filter(|_| is_settled(subject)) {
        for setting in &pool.said.settings {
            let Some((option, _)) = settled_by_option(&setting.name) else { continue };
            // What is beat's is settled by beat alone.
            if setting.name.starts_with("worker_") {
                report.add(
                    Kind::Forbidden,
                    pool.arg(setting.at),
                    "has no effect behind --",
                    format!("write {option} before it"),
                );
            }
        }
    }
}
