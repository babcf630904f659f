// SPDX-License-Identifier: Apache-2.0
//! Rules about what the command line of Celery refuses. Most of them only say which matter is theirs.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::node;
use crate::celery::command::Command;
use crate::celery::value::{Value, value};
use crate::rules::args::{self, Matter};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W03", severity: Severity::Deny, schema: false, since: "0.1",
        title: "every option is one of celery worker, or of the application",
        consequence: "The container ends with \"No such option\".",
        check: Check::arguments(Command::Worker, &[Matter::Unknown]).and(w03).or(Severity::Warn, "for an entry of userOptions that is no name, for Celery 4, and for a release that is newer than the operator"),
        example: Example { bad: "spec: {workerSpec: {args: ['--maxTasksPerChild=1']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--max-tasks-per-child=1', '--tenant=a'], userOptions: ['--tenant']}}", old: None },
    },
    Rule {
        id: "W04", severity: Severity::Deny, schema: false, since: "0.1",
        title: "options of celery itself have fields of their own",
        consequence: "The container ends with \"The support for this usage was removed in Celery 5.0\".",
        check: Check::arguments(Command::Worker, &[Matter::Global]),
        example: Example { bad: "spec: {workerSpec: {args: ['-A', shop]}}", at: "spec.workerSpec.args[0]", good: "{}", old: None },
    },
    Rule {
        id: "W05", severity: Severity::Deny, schema: false, since: "0.1",
        title: "args begin after the word worker",
        consequence: "The container ends with \"Unable to parse extra configuration from command line\".",
        check: Check::arguments(Command::Worker, &[Matter::Stray]),
        example: Example { bad: "spec: {workerSpec: {args: [worker, '-E']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['-E']}}", old: None },
    },
    Rule {
        id: "W15", severity: Severity::Deny, schema: false, since: "0.1",
        title: "-c is a number of 1 or more, or auto",
        consequence: "The container ends with \"is not a valid integer\".",
        check: Check::arguments(Command::Worker, &[Matter::Value("--concurrency")]).and(w15),
        example: Example { bad: "spec: {workerSpec: {args: ['-c', many]}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['-c', '4']}}", old: None },
    },
    Rule {
        id: "W22", severity: Severity::Deny, schema: false, since: "0.1",
        title: "--autoscale is max,min, with a child or more at most",
        consequence: "The container ends with an error, or with a traceback for words that are no numbers and for numbers below 0. With 0 at most the worker says that it is ready and never runs a task.",
        check: Check::arguments(Command::Worker, &[Matter::Value("--autoscale")]).and(w22),
        example: Example { bad: "spec: {workerSpec: {args: ['--autoscale=1,2,3']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--autoscale=8,2']}}", old: None },
    },
    Rule {
        id: "W31", severity: Severity::Deny, schema: false, since: "0.1",
        title: "--max-memory-per-child is a number of KiB",
        consequence: "The container ends with \"is not a valid integer\".",
        check: Check::arguments(Command::Worker, &[Matter::Value("--max-memory-per-child")]),
        example: Example { bad: "spec: {workerSpec: {args: ['--max-memory-per-child=200Mi']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--max-memory-per-child=204800']}}", old: None },
    },
    Rule {
        id: "W44", severity: Severity::Deny, schema: false, since: "0.1",
        title: "options of the worker are written with dashes",
        consequence: "The container ends with \"No such option\"; only Flower takes underscores.",
        check: Check::arguments(Command::Worker, &[Matter::Underscores]),
        example: Example { bad: "spec: {workerSpec: {args: ['--max_tasks_per_child=1']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--max-tasks-per-child=1']}}", old: None },
    },
    Rule {
        id: "W47", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an option has a value exactly when it takes one",
        consequence: "The container ends with \"requires an argument\" or \"does not take a value\".",
        check: Check::arguments(Command::Worker, &[Matter::Form]).or(Severity::Warn, "where an option may be meant as the value of the one before it, for Celery 4, and for a release that is newer than the operator"),
        example: Example { bad: "spec: {workerSpec: {args: ['--without-mingle=true']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--without-mingle']}}", old: None },
    },
    Rule {
        id: "W48", severity: Severity::Deny, schema: false, since: "0.1",
        title: "values of options are of their kind",
        consequence: "The container ends with \"Invalid value for\" and the option's name.",
        check: Check::arguments(Command::Worker, &[Matter::OtherValue]).and(node::w48),
        example: Example { bad: "spec: {workerSpec: {args: ['--time-limit=5m']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--time-limit=300']}}", old: None },
    },
    Rule {
        id: "W49", severity: Severity::Deny, schema: false, since: "0.1",
        title: "words behind -- are settings of Celery",
        consequence: "The container ends with \"Unable to parse extra configuration from command line\".",
        check: Check::arguments(Command::Worker, &[Matter::Setting]),
        example: Example { bad: "spec: {workerSpec: {args: ['--', worker.nosuch=1]}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['--', worker.lost_wait=20]}}", old: None },
    },
];

/// Celery reads any two numbers, and its pool ends over them later or waits for a child for ever.
fn w22(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--autoscale"]) {
        let read = used.value.filter(|_| !used.is_opaque());
        let read = read.and_then(|text| value(used.option.kind, text, pool.said.release).ok());
        let Some(Value::Range(most, fewest)) = read else { continue };
        let message = match (most, fewest) {
            (..1, _) => "lets the worker run no task at all",
            (_, ..0) => "has a number below 0, which ends the worker",
            _ => continue,
        };
        let fix = "use max,min such as 8,2, with a max of 1 or more";
        let severity = release::refusal(subject, report.severity());
        report.graded(severity, Kind::Invalid, pool.arg(used.value_at), message, fix);
    }
}

/// An option of the application is known by its name, dashes and all.
fn w03(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        args::not_names(&pool.path, &pool.spec.user_options, report);
    }
}

/// A pool cannot have fewer than no children, although older releases only find out when it starts.
fn w15(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let is_number = match &pool.spec.concurrency {
            Some(IntOrString::Int(tasks)) => *tasks >= 0,
            Some(IntOrString::String(word)) => word == "auto",
            None => true,
        };
        if !is_number {
            let path = format!("{}.concurrency", pool.path);
            let digits = match &pool.spec.concurrency {
                Some(IntOrString::String(text)) => text.trim().parse::<u32>().ok().filter(|tasks| *tasks > 0),
                _ => None,
            };
            let (message, fix) = match digits {
                Some(tasks) => ("is a string", format!("write {tasks} without quotes")),
                None => ("is not a number of tasks", "use 1 or more, or auto with Celery 5.7".to_owned()),
            };
            report.add(Kind::Invalid, path, message, fix);
        }
    }
    for (pool, used) in args::uses(subject, &["--concurrency"]) {
        let is_negative =
            used.value.and_then(|value| value.trim().parse::<i64>().ok()).is_some_and(|count| count < 0);
        let is_fault = pool.said.faults.iter().any(|fault| fault.at == used.value_at || fault.at == used.at);
        if is_negative && !is_fault {
            let severity = release::refusal(subject, report.severity());
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
