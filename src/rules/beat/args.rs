// SPDX-License-Identifier: Apache-2.0
//! Rules about the arguments of beat.

use super::PATH;
use crate::api::{BeatSpec, Open, Word as _};
use crate::celery::command::Command;
use crate::celery::reading::{Cause, Elsewhere, Occurrence, Reading};
use crate::celery::value::Refusal;
use crate::celery::version::{Release, Target};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Options that end beat's process at once, or take it away from the container.
const ENDS: &[&str] = &["--detach", "--help"];
/// Options for a life without a container, and what to use instead.
const USELESS: &[(&str, &str)] = &[
    ("--pidfile", "leave it out"),
    ("--logfile", "leave it out, logs belong to the standard error output"),
    ("--uid", "set spec.common.securityContext"),
    ("--gid", "set spec.common.securityContext"),
    ("--umask", "leave it out"),
    ("--executable", "leave it out"),
];

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "T11", severity: Severity::Deny, schema: false, since: "0.1",
        title: "every option is one that beat has",
        consequence: "Beat ends with \"No such option\" and no periodic task is sent.",
        check: Check::object(t11),
        example: Example {
            bad: "spec: {beatSpec: {args: ['--max_interval=5']}}",
            at: "spec.beatSpec.args[0]",
            good: "spec: {beatSpec: {args: ['--max-interval=5']}}",
            old: None,
        },
    },
    Rule {
        id: "T12", severity: Severity::Deny, schema: false, since: "0.1",
        title: "options of celery itself do not stand behind beat",
        consequence: "Beat ends with a usage message and no periodic task is sent.",
        check: Check::object(t12),
        example: Example {
            bad: "spec: {beatSpec: {args: ['--broker=redis://other/0']}}",
            at: "spec.beatSpec.args[0]",
            good: "spec: {beatSpec: {}}",
            old: None,
        },
    },
    Rule {
        id: "T14", severity: Severity::Deny, schema: false, since: "0.1",
        title: "beat can read every argument",
        consequence: "Beat ends with a usage message and no periodic task is sent.",
        check: Check::object(t14),
        example: Example {
            bad: "spec: {beatSpec: {args: ['--max-interval', soon]}}",
            at: "spec.beatSpec.args[1]",
            good: "spec: {beatSpec: {args: ['--max-interval', '5']}}",
            old: None,
        },
    },
    Rule {
        id: "T16", severity: Severity::Deny, schema: false, since: "0.1",
        title: "beat stays in the foreground of its container",
        consequence: "The container ends with success and is started again for ever; a file of its own hides the log.",
        check: Check::object(t16),
        example: Example {
            bad: "spec: {beatSpec: {args: ['--detach']}}",
            at: "spec.beatSpec.args[0]",
            good: "spec: {beatSpec: {args: ['--pidfile=']}}",
            old: None,
        },
    },
    Rule {
        id: "T17", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an option of beat is set once",
        consequence: "The last one counts, without a word about the others.",
        check: Check::object(t17),
        example: Example {
            bad: "spec: {beatSpec: {maxInterval: 5, args: ['--max-interval=10']}}",
            at: "spec.beatSpec.args[0]",
            good: "spec: {beatSpec: {args: ['--max-interval=10', '-l', DEBUG]}}",
            old: None,
        },
    },
];

/// Beat's arguments with what every release in question refuses, and what a refusal means.
fn judged<'a>(subject: &Subject<'a>) -> Option<(&'a BeatSpec, Reading<'a>, Severity)> {
    let beat = subject.object.spec.beat_spec.as_ref()?;
    let target = subject.celery;
    let is_guess = !target.is_certain() || target == Target::Known(Release::V4_4);
    let severity = if is_guess { Severity::Warn } else { Severity::Deny };
    Some((beat, Command::Beat.agreed(&beat.args, target), severity))
}

fn argument(at: usize) -> String {
    format!("{PATH}.args[{at}]")
}

fn t11(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some((_, reading, severity)) = judged(subject) else { return };
    for fault in &reading.faults {
        let Cause::UnknownOption { name, known } = &fault.cause else { continue };
        let message = "is no option of beat";
        let (severity, fix) = match known {
            Elsewhere::Global(_) => continue, // T12 tells.
            Elsewhere::Near(near) => (severity, format!("did you mean {near}?")),
            Elsewhere::OtherRelease(_) => (severity, "remove it, this Celery does not have it".to_owned()),
            // The application may add options of its own.
            Elsewhere::Nowhere => (Severity::Warn, "remove it, unless the application adds it".to_owned()),
        };
        report.add_shown(severity, argument(fault.at), name, message, fix);
    }
}

fn t12(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some((_, reading, severity)) = judged(subject) else { return };
    for fault in &reading.faults {
        let Cause::UnknownOption { known: Elsewhere::Global(option), .. } = &fault.cause else { continue };
        let fix = match option.name() {
            "--app" => "set spec.common.celeryApp",
            "--broker" => "set spec.common.broker",
            "--result-backend" => "set spec.common.resultBackend",
            _ => "remove it",
        };
        let message = format!("{} belongs to celery itself", option.name());
        report.graded(severity, Kind::Forbidden, argument(fault.at), message, fix);
    }
}

fn t14(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some((beat, reading, severity)) = judged(subject) else { return };
    // A word behind an unknown option is its value: one mistake.
    let unknown = |at: usize| {
        let before = reading
            .faults
            .iter()
            .any(|fault| fault.at + 1 == at && matches!(fault.cause, Cause::UnknownOption { .. }));
        before && beat.args.get(at).is_some_and(|word| !word.starts_with('-'))
    };
    for fault in reading.faults.iter().filter(|fault| !unknown(fault.at)) {
        let (message, fix) = match &fault.cause {
            Cause::UnknownOption { .. } => continue, // T11 and T12 tell.
            Cause::MissingValue(option) => {
                (format!("{} has no value", option.name()), "add its value".to_owned())
            }
            Cause::UnexpectedValue(option) => {
                (format!("{} takes no value", option.name()), "remove it".to_owned())
            }
            Cause::BadValue(option, refusal) => {
                (format!("is not a value for {}", option.name()), instead(refusal))
            }
            Cause::BadSetting(_) => ("is neither an option nor a setting".to_owned(), "remove it".to_owned()),
            Cause::Ambiguous(names) => (
                "is the beginning of several options".to_owned(),
                format!("write one of {}", names.join(", ")),
            ),
        };
        let (kind, path) = (Kind::Invalid, argument(fault.at));
        // A setting may hold credentials.
        if matches!(fault.cause, Cause::BadSetting(_)) {
            report.add_hidden(severity, path, message, fix);
        } else {
            report.graded(severity, kind, path, message, fix);
        }
    }
}

fn instead(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotAnInteger | Refusal::NotAConcurrency => "use whole seconds such as 5".to_owned(),
        Refusal::NotANumber => "use a number".to_owned(),
        Refusal::NotAChoice(words, _) => format!("use one of {}", words.join(", ")),
        Refusal::NotARange => "use max,min".to_owned(),
        Refusal::UnknownFormat(letter) => format!("remove %{letter}"),
    }
}

fn t16(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some((_, reading, _)) = judged(subject) else { return };
    for option in ENDS {
        for used in reading.all(option) {
            let message = format!("{option} makes the container exit at once");
            report.add(Kind::Forbidden, argument(used.at), message, "remove it");
        }
    }
    for (option, fix) in USELESS {
        // An empty path switches the file off, and Celery's own names of streams are no files.
        let harmless = |used: &&Occurrence<'_>| {
            used.value.is_some_and(|value| value.is_empty() || value.starts_with("/dev/std"))
        };
        for used in reading.all(option).filter(|used| !harmless(used)) {
            let message = format!("{option} has no use in a container");
            report.graded(Severity::Warn, Kind::Forbidden, argument(used.at), message, *fix);
        }
    }
}

fn t17(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some((beat, reading, _)) = judged(subject) else { return };
    let level = beat.log_level.as_ref().and_then(Open::known).map(|level| level.as_str().to_owned());
    let rows = [
        ("--schedule", "scheduleFile", beat.schedule_file.clone()),
        ("--scheduler", "scheduler", beat.scheduler.clone()),
        ("--max-interval", "maxInterval", beat.max_interval.map(|seconds| seconds.to_string())),
        ("--loglevel", "logLevel", level),
    ];
    for (option, field, written) in rows {
        let mut before = written.as_deref();
        for used in reading.all(option) {
            if let Some(other) = before {
                let same = used.value.is_some_and(|value| value.eq_ignore_ascii_case(other));
                let severity = if same { Severity::Warn } else { Severity::Deny };
                let message = match written {
                    Some(_) => format!("beatSpec.{field} sets {option} too"),
                    None => format!("{option} is there twice"),
                };
                report.graded(severity, Kind::Forbidden, argument(used.at), message, "keep one of them");
            }
            before = used.value.or(before);
        }
    }
}
