// SPDX-License-Identifier: Apache-2.0
//! Rules about Flower's options as they are written: Flower ignores what it does not know, so that a misspelt option
//! for authentication leaves it open.

use super::given::{Flower, argument_path};
use crate::celery::closest;
use crate::celery::flower::{Cause, Dropped, Unread};
use crate::celery::options::flower::OPTIONS;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// What begins a variable that Flower reads.
const PREFIX: &str = "FLOWER_";
#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "F01", severity: Severity::Deny, schema: false, since: "0.1",
        title: "every option is one that Flower has",
        consequence: "Flower ignores it without a word: a misspelt --basic_auth leaves it open to everybody.",
        check: Check::object(f01).or(Severity::Warn, "for words that are near no option, stand behind the end of the options or belong to another release, and where the release of Flower is not certain"),
        example: Example {
            bad: "spec: {flowerSpec: {args: ['--max_taks=5000'], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {flowerSpec: {args: ['--max_tasks=5000'], auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F02", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an option and its value are one argument",
        consequence: "Flower ends with \"Option 'port' requires a value\".",
        check: Check::object(f02),
        example: Example {
            bad: "spec: {flowerSpec: {args: ['--max_tasks', '5000'], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {flowerSpec: {args: ['--max_tasks=5000', '--debug'], auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F03", severity: Severity::Deny, schema: false, since: "0.1",
        title: "options of celery itself do not stand behind flower",
        consequence: "Flower ignores them but for a line in its log, and watches another broker or application.",
        check: Check::object(f03).or(Severity::Warn, "when the field for it is set"),
        example: Example {
            bad: "spec: {common: {celeryApp: null}, workerSpec: null, flowerSpec: {args: ['-A', shop], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {common: {celeryApp: shop}, workerSpec: null, flowerSpec: {auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F43", severity: Severity::Deny, schema: false, since: "0.1",
        title: "Flower is not asked for its help",
        consequence: "Flower prints its help and ends; the pod is restarted for ever.",
        check: Check::object(f43),
        example: Example {
            bad: "spec: {flowerSpec: {args: ['--help'], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {flowerSpec: {args: ['--debug'], auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
];

fn f01(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let args = &flower.spec.args;
    // Words behind an option of the same mistake: the value that it should have had.
    let mut values: Vec<usize> = flower.reading.faults.iter().map(|fault| fault.at + 1).collect();
    for Dropped { at, why } in &flower.reading.dropped {
        let word = &args[*at];
        if values.contains(at) && !word.starts_with('-') {
            continue;
        }
        if !word.contains('=') {
            values.push(at + 1);
        }
        unread(&flower, *at, word, *why, report);
    }
    for used in &flower.reading.occurrences {
        let glued =
            used.value.is_some_and(|value| value.split_whitespace().skip(1).any(|it| it.starts_with("--")));
        if glued {
            let message = "holds several options, of which Flower reads one";
            report.add_hidden(
                report.severity(),
                argument_path(used.at),
                message,
                "make each its own element",
            );
        }
    }
    for fault in flower.reading.faults.iter().filter(|fault| fault.cause == Cause::Reserved) {
        report.add(Kind::Invalid, argument_path(fault.at), "is not an option of Flower", "remove it");
    }
    misspelt_variables(&flower, report);
}

/// What is said about a word that Flower does not read. Never its value, which may be a password.
fn unread(flower: &Flower<'_>, at: usize, word: &str, why: Unread, report: &mut Report<'_>) {
    let path = argument_path(at);
    let name = word.split('=').next().unwrap_or_default();
    let message = "is no option of Flower, which ignores it";
    match why {
        Unread::Global(_) => {} // F03 tells.
        Unread::Near(_) | Unread::Unknown if begins_with_an_option(word) => {
            let message = "holds an option and its value, of which Flower reads neither";
            report.add_hidden(Severity::Deny, path, message, "write --name=value");
        }
        Unread::Near(option) => {
            let severity = if is_certain(flower) { Severity::Deny } else { Severity::Warn };
            report.add_shown(severity, path, name, message, format!("did you mean {}?", option.flag()));
        }
        Unread::OtherRelease(option) => {
            let opens = option.name == "read_only" && flower.spec.version.is_some();
            let severity = if opens { Severity::Deny } else { Severity::Warn };
            let message = format!("{} is no option of this Flower, which ignores it", option.flag());
            report.graded(severity, Kind::Forbidden, path, message, "remove it, or use another image");
        }
        Unread::BehindTheEnd => {
            let message = "is not read: a word before it ends the options";
            report.add_hidden(Severity::Warn, path, message, "begin every option with --");
        }
        Unread::Unknown if word.starts_with('-') => {
            report.add_shown(Severity::Warn, path, name, message, "remove it");
        }
        Unread::Unknown => report.add_hidden(Severity::Warn, path, message, "remove it"),
    }
}

/// Whether a word is an option of Flower and its value with a blank in between.
fn begins_with_an_option(word: &str) -> bool {
    let mut words = word.split_whitespace();
    let name = words.next().filter(|_| words.next().is_some());
    let name = name.and_then(|name| name.strip_prefix("--")).map(|name| name.replace('-', "_"));
    name.is_some_and(|name| OPTIONS.iter().any(|option| option.name == name))
}

/// Whether the tables know this Flower; else the newest one is a guess.
fn is_certain(flower: &Flower<'_>) -> bool {
    flower.version().is_none_or(|version| version <= (2, 2))
}

fn misspelt_variables(flower: &Flower<'_>, report: &mut Report<'_>) {
    for (entry, path) in flower.entries() {
        let Some(option) = entry.name.strip_prefix(PREFIX) else { continue };
        if is_known(option) {
            continue;
        }
        if let Some(near) = closest::of(option, OPTIONS.iter().map(|option| option.name)) {
            let fix = format!("did you mean {PREFIX}{}?", near.to_ascii_uppercase());
            let message = "is no variable of Flower, which ignores it";
            report.add(Kind::Invalid, format!("{path}.name"), message, fix);
        }
    }
}

/// Variables that are read beside the options, and the options.
fn is_known(option: &str) -> bool {
    let beside = ["UNAUTHENTICATED_API", "OAUTH2_", "GITHUB_", "GITLAB_", "SERVICE_", "PORT_"];
    let name = option.to_lowercase().replace('-', "_");
    beside.iter().any(|known| option.starts_with(known)) || OPTIONS.iter().any(|option| option.name == name)
}

fn f02(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    for fault in &flower.reading.faults {
        if let Cause::MissingValue(option) = fault.cause {
            let fix = format!("write {}=… as one element", option.flag());
            report.add(Kind::Invalid, argument_path(fault.at), "has no value", fix);
        }
    }
}

fn f03(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let common = subject.common();
    for dropped in &flower.reading.dropped {
        let Unread::Global(option) = dropped.why else { continue };
        let (field, is_set) = match option.name() {
            "--app" => ("celeryApp", common.celery_app.is_some()),
            "--broker" => ("broker", common.broker.is_some()),
            "--result-backend" => ("resultBackend", common.result_backend.is_some()),
            _ => ("", true),
        };
        // Where the field is set, Flower follows it, and the option is one word too many.
        let (severity, fix) = if is_set {
            (Severity::Warn, "remove it".to_owned())
        } else {
            (Severity::Deny, format!("set spec.common.{field} instead"))
        };
        let message = format!("Flower ignores {}, an option of celery itself", option.name());
        report.graded(severity, Kind::Forbidden, argument_path(dropped.at), message, fix);
    }
}

fn f43(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    if flower.argument("help").switch() == Some(true)
        && let Some(used) = flower.reading.last("help")
    {
        report.add(Kind::Forbidden, argument_path(used.at), "prints the help and ends", "remove it");
    }
    let variable = flower.variable("FLOWER_HELP");
    if let Some((_, place)) = variable.text().filter(|_| variable.switch() == Some(true)) {
        place.blame(report.severity(), "makes Flower print its help and end", "remove it", report);
    }
}
