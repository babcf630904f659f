// SPDX-License-Identifier: Apache-2.0
//! What the command line of Celery refuses, each fault under the rule that explains it.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::super::finding::{Kind, Report, Severity};
use super::super::rule::{Check, Example, Rule};
use super::super::subject::{Pool, Subject};
use super::{shell, words};
use crate::celery::options::Spec;
use crate::celery::reading::{Cause, Elsewhere, Fault};
use crate::celery::settings::command_line::Defect;
use crate::celery::value::Refusal;
use crate::celery::version::{Release, Target};

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W03", severity: Severity::Deny, schema: false, since: "0.1",
        title: "every option is one of celery worker, or of the application",
        consequence: "The container ends with \"No such option\".",
        check: Check::object(told),
        example: Example { bad: "spec: {workerSpec: {args: ['--maxTasksPerChild=1']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--max-tasks-per-child=1', '--tenant=a'], userOptions: ['--tenant']}}", old: None },
    },
    Rule {
        id: "W04", severity: Severity::Deny, schema: false, since: "0.1",
        title: "options of celery itself have fields of their own",
        consequence: "The container ends with \"The support for this usage was removed in Celery 5.0\".",
        check: Check::object(told),
        example: Example { bad: "spec: {workerSpec: {args: ['-A', shop]}}", at: "spec.workerSpec.args[0]", good: "{}", old: None },
    },
    Rule {
        id: "W05", severity: Severity::Deny, schema: false, since: "0.1",
        title: "args begin after the word worker",
        consequence: "The container ends with \"Unable to parse extra configuration from command line\".",
        check: Check::object(told),
        example: Example { bad: "spec: {workerSpec: {args: [worker, '-E']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['-E']}}", old: None },
    },
    Rule {
        id: "W15", severity: Severity::Deny, schema: false, since: "0.1",
        title: "-c is a number of 1 or more, or auto",
        consequence: "The container ends with \"is not a valid integer\".",
        check: Check::object(w15),
        example: Example { bad: "spec: {workerSpec: {args: ['-c', many]}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['-c', '4']}}", old: None },
    },
    Rule {
        id: "W22", severity: Severity::Deny, schema: false, since: "0.1",
        title: "--autoscale is max,min",
        consequence: "The container ends with an error, or with a traceback for words that are no numbers.",
        check: Check::object(told),
        example: Example { bad: "spec: {workerSpec: {args: ['--autoscale=1,2,3']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--autoscale=8,2']}}", old: None },
    },
    Rule {
        id: "W31", severity: Severity::Deny, schema: false, since: "0.1",
        title: "--max-memory-per-child is a number of KiB",
        consequence: "The container ends with \"is not a valid integer\".",
        check: Check::object(told),
        example: Example { bad: "spec: {workerSpec: {args: ['--max-memory-per-child=200Mi']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--max-memory-per-child=204800']}}", old: None },
    },
    Rule {
        id: "W44", severity: Severity::Deny, schema: false, since: "0.1",
        title: "options of the worker are written with dashes",
        consequence: "The container ends with \"No such option\"; only Flower takes underscores.",
        check: Check::object(told),
        example: Example { bad: "spec: {workerSpec: {args: ['--max_tasks_per_child=1']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--max-tasks-per-child=1']}}", old: None },
    },
    Rule {
        id: "W47", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an option has a value exactly when it takes one",
        consequence: "The container ends with \"requires an argument\" or \"does not take a value\".",
        check: Check::object(told),
        example: Example { bad: "spec: {workerSpec: {args: ['--without-mingle=true']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--without-mingle']}}", old: None },
    },
    Rule {
        id: "W48", severity: Severity::Deny, schema: false, since: "0.1",
        title: "values of options are of their kind",
        consequence: "The container ends with \"Invalid value for\" and the option's name.",
        check: Check::object(told),
        example: Example { bad: "spec: {workerSpec: {args: ['--time-limit=5m']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--time-limit=300']}}", old: None },
    },
    Rule {
        id: "W49", severity: Severity::Deny, schema: false, since: "0.1",
        title: "words behind -- are settings of Celery",
        consequence: "The container ends with \"Unable to parse extra configuration from command line\".",
        check: Check::object(told),
        example: Example { bad: "spec: {workerSpec: {args: ['--', worker.nosuch=1]}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['--', worker.prefetch_multiplier=1]}}", old: None },
    },
];

/// The faults that belong to the rule at hand.
pub(in crate::rules) fn told(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        for fault in &pool.said.faults {
            let Some(verdict) = verdict(subject, pool, fault) else { continue };
            if verdict.rule == report.rule() {
                let severity = super::severity(subject, report);
                let path = pool.arg(fault.at);
                let Verdict { message, fix, .. } = verdict;
                match verdict.shown {
                    Shown::Part(part) => report.add_shown(severity, path, &part, message, fix),
                    Shown::Whole => report.graded(severity, Kind::Invalid, path, message, fix),
                    Shown::Nothing => report.graded(severity, Kind::Forbidden, path, message, fix),
                }
            }
        }
    }
}

/// A pool cannot have fewer than no children, although older releases only find out when it starts.
fn w15(subject: &Subject<'_>, report: &mut Report<'_>) {
    told(subject, report);
    for pool in &subject.pools {
        let is_number = match &pool.spec.concurrency {
            Some(IntOrString::Int(tasks)) => *tasks >= 0,
            Some(IntOrString::String(word)) => word == "auto",
            None => true,
        };
        if !is_number {
            let path = format!("{}.concurrency", pool.path);
            report.add(
                Kind::Invalid,
                path,
                "is not a number of tasks",
                "use 1 or more, or auto with Celery 5.7",
            );
        }
    }
    for (pool, used) in super::uses(subject, &["--concurrency"]) {
        let is_negative =
            used.value.and_then(|value| value.trim().parse::<i64>().ok()).is_some_and(|count| count < 0);
        let is_fault = pool.said.faults.iter().any(|fault| fault.at == used.value_at || fault.at == used.at);
        if is_negative && !is_fault {
            let severity = super::severity(subject, report);
            report.graded(
                severity,
                Kind::Invalid,
                pool.arg(used.value_at),
                "is not a number of tasks",
                "use 1 or more",
            );
        }
    }
}

/// What is shown of a word: it may hold a password.
enum Shown {
    /// All of it: the value of an option that takes none.
    Whole,
    /// A name.
    Part(String),
    /// Nothing.
    Nothing,
}

/// The name of an option or a setting, as far as it looks like one.
fn name_of(name: &str) -> Shown {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !name.is_empty() && name.len() <= 60 && name.chars().all(is_name) {
        Shown::Part(name.to_owned())
    } else {
        Shown::Nothing
    }
}

/// A fault in the words of its rule.
struct Verdict {
    rule: &'static str,
    shown: Shown,
    message: String,
    fix: String,
}

fn verdict(subject: &Subject<'_>, pool: &Pool<'_>, fault: &Fault) -> Option<Verdict> {
    let word = pool.word(fault.at);
    // The whole word is another rule's matter.
    let is_own = is_of_the_app(&fault.cause) && belongs_to_the_app(pool, fault.at);
    if words::joined(word).is_some() || shell::is_for_a_shell(word) || is_own {
        return None;
    }
    let (rule, shown, message, fix) = match &fault.cause {
        Cause::UnknownOption { name, known } => {
            let (rule, message, fix) = unknown(subject, pool, name, *known)?;
            // Behind a blank begins what was meant as the value.
            let name = name.split_whitespace().next().unwrap_or_default();
            (rule, name_of(name), message, fix)
        }
        Cause::MissingValue(option) => {
            let message = format!("{} has no value", option.name());
            ("W47", Shown::Whole, message, "write the value behind it".to_owned())
        }
        // Those options are refused whatever stands behind them.
        Cause::UnexpectedValue(option) if ["--purge", "--detach", "--help"].contains(&option.name()) => {
            return None;
        }
        Cause::UnexpectedValue(option) => {
            let name = option.name();
            (
                "W47",
                Shown::Part(name.to_owned()),
                "takes no value".to_owned(),
                format!("write {name} alone, or leave it out"),
            )
        }
        Cause::BadValue(option, refusal) => {
            let (rule, message, fix) = bad_value(option, refusal, subject.celery);
            (rule, Shown::Whole, message, fix)
        }
        Cause::BadSetting(defect) => setting(word, defect),
        Cause::Ambiguous(names) => {
            let message = format!("is short for {}", names.join(" and for "));
            ("W03", Shown::Whole, message, "write the whole name".to_owned())
        }
    };
    Some(Verdict { rule, shown, message, fix })
}

/// Whether an application may bring along what Celery does not know; its own options are Celery's.
fn is_of_the_app(cause: &Cause) -> bool {
    !matches!(cause, Cause::UnknownOption { known: Elsewhere::Global(_), .. })
}

/// Options that the application adds, and the word behind one of them.
fn belongs_to_the_app(pool: &Pool<'_>, at: usize) -> bool {
    let is_own = |at: usize| {
        let name = pool.word(at).split('=').next().unwrap_or_default();
        name.starts_with('-') && pool.spec.user_options.iter().any(|own| own == name)
    };
    let is_value = |at: usize| !pool.word(at).starts_with('-');
    let before = at.checked_sub(1);
    is_own(at)
        || (is_value(at) && before.is_some_and(|before| is_own(before) && !pool.word(before).contains('=')))
}

fn unknown(
    subject: &Subject<'_>,
    pool: &Pool<'_>,
    name: &str,
    known: Elsewhere,
) -> Option<(&'static str, String, String)> {
    let release = release(subject.celery);
    let no_option = format!("is not an option of celery worker{release}");
    match known {
        Elsewhere::Global(option) if option.name() == "--version" => None, // W07
        Elsewhere::Global(option) => {
            Some(("W04", "is an option of celery, not of its worker".to_owned(), instead(option).to_owned()))
        }
        Elsewhere::OtherRelease(option) => {
            let fix = "remove it, or correct celeryVersion".to_owned();
            let message = match option.until {
                Some(until) => format!("is gone since Celery {until}"),
                None => format!("needs Celery {}", option.since.max(option.long_since)),
            };
            Some(("C12", message, fix))
        }
        Elsewhere::Near(near) if near == name.replace('_', "-") => {
            Some(("W44", no_option, format!("write {near}")))
        }
        Elsewhere::Near(near) => Some(("W03", no_option, format!("did you mean {near}?"))),
        Elsewhere::Nowhere => {
            let fix = format!("remove it, or list it in {}.userOptions if the app adds it", pool.path);
            Some(("W03", no_option, fix))
        }
    }
}

/// ` 5.5`, where the version is known.
fn release(celery: Target) -> String {
    match celery {
        Target::Known(release) => format!(" {release}"),
        Target::Newer(_) => format!(" {}", Release::NEWEST),
        Target::Any => String::new(),
    }
}

/// The field for an option that stands before the sub-command.
fn instead(option: &Spec) -> &'static str {
    match option.name() {
        "--app" => "set spec.common.celeryApp",
        "--broker" => "set spec.common.broker",
        "--result-backend" => "set spec.common.resultBackend",
        "--workdir" => "set workingDir in podTemplate",
        "--config" | "--loader" => "set it in the application",
        _ => "remove it",
    }
}

fn bad_value(option: &'static Spec, refusal: &Refusal, celery: Target) -> (&'static str, String, String) {
    let name = option.name();
    let rule = match name {
        "--concurrency" => "W15",
        "--pool" => "W17",
        "--loglevel" => "W20",
        "--optimization" => "W21",
        "--pool-start-method" => "W50",
        "--autoscale" => "W22",
        "--max-tasks-per-child" => "W30",
        "--max-memory-per-child" => "W31",
        _ => "W48",
    };
    let (message, fix) = match refusal {
        Refusal::NotAnInteger if rule == "W31" => {
            ("is not a whole number of KiB".to_owned(), "set maxMemoryPerChild: 200Mi instead".to_owned())
        }
        Refusal::NotAnInteger | Refusal::NotAConcurrency if rule == "W15" && takes_auto(celery) => {
            ("is not a number of tasks".to_owned(), "use 1 or more, or auto".to_owned())
        }
        Refusal::NotAnInteger | Refusal::NotAConcurrency if rule == "W15" => {
            ("is not a number of tasks".to_owned(), "use 1 or more".to_owned())
        }
        Refusal::NotAnInteger | Refusal::NotAConcurrency => {
            (format!("{name} is not a whole number"), "use digits only".to_owned())
        }
        Refusal::NotANumber => (format!("{name} is not a number"), "use seconds such as 300".to_owned()),
        Refusal::NotAChoice(words, near) => {
            let fix = near.map_or_else(
                || format!("use one of {}", words.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            (format!("{name} has no such value"), fix)
        }
        Refusal::NotARange => ("is not max,min".to_owned(), "use two numbers such as 8,2".to_owned()),
        Refusal::UnknownFormat(letter) => (
            format!("%{letter} stands for nothing in {name}"),
            "use %h, %n or %d, or %% for a percent sign".to_owned(),
        ),
    };
    (rule, message, fix)
}

/// `-c auto` came with 5.7.
fn takes_auto(celery: Target) -> bool {
    celery.releases().iter().all(|release| *release >= Release::V5_7)
}

/// Only the name is shown: a setting may hold a password.
fn setting(word: &str, defect: &Defect) -> (&'static str, Shown, String, String) {
    let name = word.split('=').next().unwrap_or_default();
    let shown = name_of(name);
    let (message, fix) = match defect {
        Defect::NotASetting if matches!(word, "celery" | "worker") => {
            let message = "is in the command already".to_owned();
            return ("W05", shown, message, "remove it: args begin after the word worker".to_owned());
        }
        Defect::NotASetting
            if word.starts_with(['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}']) =>
        {
            let message = "begins with a dash that is none of the keyboard".to_owned();
            return ("W05", Shown::Nothing, message, "write it with a plain -".to_owned());
        }
        // What follows an option that is none may be its password.
        Defect::NotASetting if !word.contains('=') => {
            let message = "is neither an option nor a setting".to_owned();
            let fix = "remove it, or write the option it belongs to".to_owned();
            return ("W05", Shown::Nothing, message, fix);
        }
        Defect::NotASetting => {
            ("has no namespace".to_owned(), "write it as worker.prefetch_multiplier=1".to_owned())
        }
        Defect::Unknown { meant: Some(meant) } => {
            ("is not a setting of Celery".to_owned(), format!("did you mean {meant}?"))
        }
        Defect::Unknown { meant: None } => ("is not a setting of Celery".to_owned(), "remove it".to_owned()),
        Defect::OtherRelease(row) => {
            (format!("came with Celery {}", row.since), "remove it, or correct celeryVersion".to_owned())
        }
        Defect::Value(_) => (
            "has a value of the wrong type".to_owned(),
            "write the type: name=(dict){…}, or correct the value".to_owned(),
        ),
        Defect::UnknownCast => (
            "has a type that Celery does not know".to_owned(),
            "use (dict), (list), (int), (float), (bool) or (string)".to_owned(),
        ),
        Defect::Cast => {
            ("has a value that is not of the type before it".to_owned(), "write it as JSON".to_owned())
        }
    };
    ("W49", shown, message, fix)
}
