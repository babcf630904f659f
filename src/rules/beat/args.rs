// SPDX-License-Identifier: Apache-2.0
//! Rules about the arguments of beat.

use crate::celery::command::Command;
use crate::celery::reading::Occurrence;
use crate::rules::args::{BEAT_FIELDS, Joined, Matter, joined, not_names, parted, removal, repeated};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Beat, Subject};

/// Options that end beat's process at once, or take it away from the container.
const ENDS: &[&str] = &["--detach", "--help"];
/// Options for a life without a container, and what to use instead.
const USELESS: &[(&str, &str)] = &[
    ("--pidfile", "remove it"),
    ("--logfile", "remove it: logs belong to the standard error output"),
    ("--uid", "set spec.common.securityContext"),
    ("--gid", "set spec.common.securityContext"),
    ("--umask", "remove it"),
    ("--executable", "remove it"),
];

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "T11", severity: Severity::Deny, schema: false, since: "0.1",
        title: "every option is one of celery beat, or of the application",
        consequence: "Beat ends with \"No such option\" and no periodic task is sent.",
        check: Check::arguments(Command::Beat, &[Matter::Unknown, Matter::Underscores, Matter::Release])
            .and(t11)
            .or(Severity::Warn, "for an entry of userOptions that is no name, for Celery 4, and for a release that is newer than the operator"),
        example: Example {
            bad: "spec: {beatSpec: {args: ['--max_interval=5']}}",
            at: "spec.beatSpec.args[0]",
            good: "spec: {beatSpec: {args: ['--max-interval=5', '--tenant=a'], userOptions: ['--tenant']}}",
            old: None,
        },
    },
    Rule {
        id: "T12", severity: Severity::Deny, schema: false, since: "0.1",
        title: "options of celery itself do not stand behind beat",
        consequence: "Beat ends with a usage message and no periodic task is sent.",
        check: Check::arguments(Command::Beat, &[Matter::Global]),
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
        consequence: "Beat ends with a usage message and no periodic task is sent. -S=django ends with \"No module named '=django'\", \"-S django\" in one string with \"No module named ' django'\".",
        check: Check::arguments(
            Command::Beat,
            &[Matter::Stray, Matter::Form, Matter::Sign, Matter::OtherValue, Matter::Setting],
        )
        .and(t14)
        .or(
            Severity::Warn,
            "where an option may be meant as a value, for a file whose name begins with a sign or a space, for a number after a space, for Celery 4, and for a release that is newer than the operator",
        ),
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
        check: Check::arguments(Command::Beat, &[Matter::Ends]).and(t16).or(Severity::Warn, "for options that only have no use in a container, for Celery 4, and for a release that is newer than the operator"),
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
        check: Check::object(t17).or(Severity::Warn, "when both say the same, for Celery 4, and for a release that is newer than the operator"),
        example: Example {
            bad: "spec: {beatSpec: {maxInterval: 5, args: ['--max-interval=10']}}",
            at: "spec.beatSpec.args[0]",
            good: "spec: {beatSpec: {args: ['--max-interval=10', '-l', DEBUG]}}",
            old: None,
        },
    },
];

/// An option of the application is known by its name, dashes and all.
fn t11(subject: &Subject<'_>, report: &mut Report<'_>) {
    if let Some(beat) = &subject.beat {
        not_names(Beat::PATH, &beat.spec.user_options, report);
    }
}

/// An option and its value in one string, where a shell would have parted them.
fn t14(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(beat) = &subject.beat else { return };
    for (at, word) in beat.spec.args.iter().enumerate() {
        let Some(kind) = joined(Command::Beat, word) else { continue };
        let severity = match kind {
            Joined::Value if is_harmless(beat, at) => Severity::Warn,
            _ => release::refusal(subject, report.severity()),
        };
        let message = "has an option and its value in one string";
        if let Some(fix) = parted(Command::Beat, word) {
            report.add_shown(severity, Beat::arg(at), word, message, fix);
        } else {
            let fix = "split it, one word per element";
            report.graded(severity, Kind::Forbidden, Beat::arg(at), message, fix);
        }
    }
}

/// Whether beat runs with the blank in front of the value: a text may have one, unless a class or a folder is meant.
fn is_harmless(beat: &Beat<'_>, at: usize) -> bool {
    let is_free = |used: &&Occurrence<'_>| {
        let is_name = used.option.name() != "--scheduler";
        used.at == at && is_name && !used.value.is_some_and(|value| value.contains('/'))
    };
    let used = beat.said.occurrences.iter().find(is_free);
    used.is_some() && !beat.said.faults.iter().any(|fault| fault.at == at)
}

fn t16(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(beat) = &subject.beat else { return };
    for option in ENDS {
        for used in beat.said.all(option) {
            let message = format!("{option} makes the container exit at once");
            report.add(Kind::Forbidden, Beat::arg(used.at), message, "remove it");
        }
    }
    for (option, fix) in USELESS {
        // An empty path switches the file off, and Celery's own names of streams are no files.
        let harmless = |used: &&Occurrence<'_>| {
            used.value.is_some_and(|value| value.is_empty() || value.starts_with("/dev/std"))
        };
        for used in beat.said.all(option).filter(|used| !harmless(used)) {
            let message = match *option {
                "--umask" | "--executable" => format!("{option} has no effect without --detach"),
                _ => format!("{option} has no use in a container"),
            };
            let fix = fix.replace("remove it", &removal(used));
            report.graded(Severity::Warn, Kind::Forbidden, Beat::arg(used.at), message, fix);
        }
    }
}

fn t17(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(beat) = &subject.beat else { return };
    let written = serde_json::to_value(beat.spec).unwrap_or_default();
    repeated(subject, Beat::PATH, &beat.said, &written, BEAT_FIELDS, report);
}
