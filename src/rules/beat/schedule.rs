// SPDX-License-Identifier: Apache-2.0
//! Rules about `beat_schedule` in `spec.common.config`.

use serde_json::Value;

use super::EMBEDDED;
use crate::celery::scheduler::is_of_celery;
use crate::celery::settings::misplanned;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path::inner;
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// The setting.
const SCHEDULE: &str = "beat_schedule";
/// Where it stands.
const PATH: &str = "spec.common.config.beat_schedule";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "T18", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an entry of beat_schedule has a task, seconds, and nothing unknown",
        consequence: "Beat ends with an AttributeError or a TypeError, or sends the task without a pause.",
        check: Check::object(t18).or(Severity::Warn, "for arguments that are one text, for another scheduler than Celery's own, for Celery 4, and for a release that is newer than the operator"),
        example: Example {
            bad: "spec: {common: {config: {beat_schedule: {clean: {task: shop.clean, schedule: '*/5 * * * *'}}}}, beatSpec: {}}",
            at: "spec.common.config.beat_schedule.clean.schedule",
            good: "spec: {common: {config: {beat_schedule: {clean: {task: shop.clean, schedule: 300}}}}, beatSpec: {}}",
            old: None,
        },
    },
    Rule {
        id: "T19", severity: Severity::Warn, schema: false, since: "0.1",
        title: "beat_schedule goes with a beat",
        consequence: "Nobody sends the tasks: the setting reaches the pods of this Celery alone, and none of them is beat.",
        check: Check::object(t19),
        example: Example {
            bad: "spec: {common: {config: {beat_schedule: {clean: {task: shop.clean, schedule: 300}}}}}",
            at: "spec.common.config.beat_schedule",
            good: "spec: {common: {config: {beat_schedule: {clean: {task: shop.clean, schedule: 300}}}}, beatSpec: {}}",
            old: None,
        },
    },
];

fn embeds(subject: &Subject<'_>) -> bool {
    subject.pools.iter().any(|pool| pool.said.has(EMBEDDED))
}

/// Whether Celery's own scheduler will read the entries.
fn is_read_by_celery(subject: &Subject<'_>) -> bool {
    match &subject.beat {
        Some(beat) => beat.effective().scheduler().is().is_some_and(is_of_celery),
        None => embeds(subject) && !subject.pools.iter().any(|pool| pool.said.has("--scheduler")),
    }
}

fn t18(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(schedule) = subject.common().config.get(SCHEDULE) else { return };
    if subject.beat.is_none() && !embeds(subject) {
        return;
    }
    let is_own = is_read_by_celery(subject);
    let known = if is_own { report.severity() } else { Severity::Warn };
    let severity = release::refusal(subject, known);
    if schedule.0 == Value::Null {
        report.graded(severity, Kind::Forbidden, PATH, "cannot be null", "leave it out");
    }
    for found in misplanned(&schedule.0).into_iter().filter(|found| is_own || !found.is_own) {
        let path = inner(PATH.to_owned(), &found.fault.within);
        let severity = if found.is_doubt { Severity::Warn } else { severity };
        // The arguments of a task may hold a credential.
        report.graded(severity, Kind::Forbidden, path, found.fault.message, found.fault.fix);
    }
}

fn t19(subject: &Subject<'_>, report: &mut Report<'_>) {
    let schedule = subject.common().config.get(SCHEDULE);
    let has_entries = schedule.and_then(|schedule| schedule.0.as_object()).is_some_and(|all| !all.is_empty());
    // A shell line may start beat in a worker too.
    let may_embed = embeds(subject) || !subject.common().command.is_empty();
    if has_entries && subject.beat.is_none() && !may_embed {
        report.add(Kind::Forbidden, PATH, "has no effect without a beat", "add beatSpec: {}");
    }
}
