// SPDX-License-Identifier: Apache-2.0
//! Rules about beat: there is one, it knows its scheduler, and it can write its file.

pub(super) mod args;
pub(super) mod interval;
pub(super) mod redbeat;
pub(super) mod schedule;

use super::args::is_joined;
use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::subject::{Beat, Subject};
use super::volume;
use crate::api::BEAT_FOLDER;
use crate::celery::app::AppPath;
use crate::celery::command::Command;
use crate::celery::reading::Occurrence;
use crate::celery::scheduler::{is_registered, meant};

/// The option that starts beat inside a worker.
const EMBEDDED: &str = "--beat";

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "T02", severity: Severity::Deny, schema: false, since: "0.1",
        title: "beat runs in its own pod or in a worker, not in both",
        consequence: "Every periodic task is sent twice.",
        check: Check::object(t02),
        example: Example {
            bad: "spec: {beatSpec: {}, workerSpec: {args: [-B]}}",
            at: "spec.workerSpec.args[0]",
            good: "spec: {beatSpec: {}, workerSpec: {args: [-E]}}",
            old: None,
        },
    },
    Rule {
        id: "T03", severity: Severity::Deny, schema: false, since: "0.1",
        title: "beat can write its schedule file",
        consequence: "Beat ends with \"Read-only file system: 'celerybeat-schedule'\" and no periodic task is sent.",
        check: Check::object(t03).or(Severity::Warn, "for a working directory that is not read-only, when the user is not root"),
        example: Example {
            bad: "spec: {common: {containerSecurityContext: {readOnlyRootFilesystem: true}}, beatSpec: {scheduleFile: celerybeat-schedule}}",
            at: "spec.beatSpec.scheduleFile",
            good: "spec: {common: {containerSecurityContext: {readOnlyRootFilesystem: true}}, beatSpec: {scheduleFile: /tmp/celerybeat-schedule}}",
            old: None,
        },
    },
    Rule {
        id: "T04", severity: Severity::Deny, schema: false, since: "0.1",
        title: "scheduler is a class or a registered name",
        consequence: "Beat ends with ModuleNotFoundError and no periodic task is sent.",
        check: Check::object(t04).or(Severity::Warn, "for a word in lower case, which a package of the image may register"),
        example: Example {
            bad: "spec: {beatSpec: {scheduler: DatabaseScheduler}}",
            at: "spec.beatSpec.scheduler",
            good: "spec: {beatSpec: {scheduler: 'django_celery_beat.schedulers:DatabaseScheduler'}}",
            old: None,
        },
    },
    Rule {
        id: "T05", severity: Severity::Deny, schema: true, since: "0.1",
        title: "maxInterval is a second or more",
        consequence: "With 0 beat falls back to its own choice, with less it never sleeps.",
        check: Check::field(&["spec.beatSpec.maxInterval"], "use 1 or more"),
        example: Example {
            bad: "spec: {beatSpec: {maxInterval: 0}}",
            at: "spec.beatSpec.maxInterval",
            good: "spec: {beatSpec: {maxInterval: 60}}",
            old: None,
        },
    },
    Rule {
        id: "T15", severity: Severity::Deny, schema: true, since: "0.1",
        title: "persistence of beat is an existing claim or a new one, and holds the schedule",
        consequence: "One of the two is ignored, or the volume stays empty. A size of 10 is ten bytes: storage rounds it up to its least, pays no heed, or never makes the volume.",
        check: Check::object(t15).or(Severity::Warn, "for storageClass and retain beside an existing claim, and for a size that lacks its unit"),
        example: Example {
            bad: "spec: {beatSpec: {persistence: {existingClaim: beat, size: 1Gi}}}",
            at: "spec.beatSpec.persistence",
            good: "spec: {beatSpec: {persistence: {size: 100Mi, retain: false}}}",
            old: None,
        },
    },
];

fn t02(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.beat.is_none() {
        return;
    }
    let message = "starts a second beat beside beatSpec";
    for pool in &subject.pools {
        for used in pool.said.all(EMBEDDED) {
            report.add(Kind::Forbidden, pool.arg(used.at), message, "remove it");
        }
    }
    // A shell line starts every component, the workers too.
    let command = &subject.common().command;
    let embeds = |line: &String| line.split_whitespace().any(|word| word == "-B" || word == EMBEDDED);
    if !subject.pools.is_empty() && command.iter().any(embeds) {
        report.add(Kind::Forbidden, "spec.common.command", message, "remove -B");
    }
}

/// Whether an option and its value are one word.
fn stands_in_one(beat: &Beat<'_>, used: &Occurrence<'_>) -> bool {
    beat.spec.args.get(used.at).is_some_and(|word| is_joined(Command::Beat, word))
}

fn t03(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(beat) = &subject.beat else { return };
    let Some((file, path)) = beat.file().filter(|_| beat.effective().keeps_a_file()) else { return };
    if beat.said.last("--schedule").is_some_and(|used| stands_in_one(beat, used)) {
        return;
    }
    let common = subject.common();
    let container = common.container_security_context.as_ref();
    let is_read_only = container.and_then(|context| context.read_only_root_filesystem) == Some(true);
    let of_pod = common.security_context.as_ref().and_then(|context| context.run_as_non_root);
    let is_plain_user = container.and_then(|context| context.run_as_non_root).or(of_pod) == Some(true);
    if !file.starts_with('/') {
        let message = "lies in the working directory of the image";
        let fix = "use /tmp/celerybeat-schedule, or persistence";
        if is_read_only {
            report.add(Kind::Invalid, path, format!("{message}, which is read-only"), fix);
        } else if is_plain_user {
            report.graded(Severity::Warn, Kind::Invalid, path, message, fix);
        }
        return;
    }
    // Beside /tmp only a volume can be written to; the volume of `persistence` is one of them.
    let is_writable = |folder: &str| volume::holds(folder, file);
    let shared = common.volume_mounts.iter().filter(|mount| mount.read_only != Some(true));
    let mounted = shared.map(|mount| mount.mount_path.as_str()).any(is_writable);
    let laid_over = beat.spec.pod_template.is_some() || common.pod_template.is_some();
    if is_read_only && !is_writable("/tmp") && !mounted && !laid_over && beat.spec.persistence.is_none() {
        let message = "lies on the read-only file system of the image";
        report.add(Kind::Invalid, path, message, "use /tmp/celerybeat-schedule, or mount a volume there");
    }
}

fn t04(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(beat) = &subject.beat else { return };
    let Some((scheduler, path)) = beat.scheduler() else { return };
    // Of a sign too many another rule tells, and of two words in one.
    let is_odd = |used: &Occurrence<'_>| used.has_sign() || stands_in_one(beat, used);
    if beat.said.last("--scheduler").is_some_and(is_odd) {
        return;
    }
    if let Some(class) = meant(scheduler) {
        let message = "is no class of that package";
        return report.add(Kind::Invalid, path, message, format!("write {class}"));
    }
    let is_path = scheduler.parse::<AppPath>().is_ok();
    if is_registered(scheduler) || (is_path && scheduler.contains(['.', ':'])) {
        return;
    }
    let fix = "use package.module:Class";
    // A package of the image may register a name; those are in lower case.
    let is_name = is_path && !scheduler.contains(|letter: char| letter.is_uppercase());
    if is_name {
        let message = "is no class, and no registered name that is known";
        report.graded(Severity::Warn, Kind::Invalid, path, message, fix);
    } else {
        let example = ", such as django_celery_beat.schedulers:DatabaseScheduler";
        let example = if scheduler == "DatabaseScheduler" { example } else { "" };
        report.add(Kind::Invalid, path, "is not the path of a class", format!("{fix}{example}"));
    }
}

fn t15(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(beat) = &subject.beat else { return };
    let Some(persistence) = &beat.spec.persistence else { return };
    let claim = volume::Claim {
        existing: persistence.existing_claim.as_deref(),
        size: persistence.size.as_ref(),
        storage_class: persistence.storage_class.as_deref(),
        retain: persistence.retain,
    };
    claim.judge(&format!("{}.persistence", Beat::PATH), report);
    let in_one = beat.said.last("--schedule").is_some_and(|used| stands_in_one(beat, used));
    let is_outside =
        |file: &str| !in_one && beat.effective().keeps_a_file() && !volume::holds(BEAT_FOLDER, file);
    if let Some((_, path)) = beat.file().filter(|(file, _)| is_outside(file)) {
        let message = format!("lies outside of {BEAT_FOLDER}, the volume of persistence");
        report.add(Kind::Invalid, path, message, format!("use {BEAT_FOLDER}/celerybeat-schedule"));
    }
}

#[cfg(test)]
mod tests;
