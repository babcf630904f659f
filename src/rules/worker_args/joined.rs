// SPDX-License-Identifier: Apache-2.0
//! Words that are several words, or none of the command line at all.

use crate::celery::command::Command;
use crate::celery::options::ValueKind;
use crate::rules::args::{Joined, Matter, joined, parted};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, RELEASES, Rule};
use crate::rules::subject::{Pool, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W01", severity: Severity::Deny, schema: false, since: "0.1",
        title: "every argument is a word of its own",
        consequence: "The worker starts, consumes queues called \" a\" and \"b -c 1\", and the real ones fill up.",
        check: Check::object(w01).or(Severity::Warn, "when the space stands before a number, which is read all the same"),
        example: Example { bad: "spec: {workerSpec: {args: ['-Q a,b -c 1']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['-Q', 'a,b', '-c', '1']}}", old: None },
    },
    Rule {
        id: "W02", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an option and its value are two arguments, or joined by '='",
        consequence: "The container ends with \"No such option '--loglevel info'\".",
        check: Check::object(w02).or(Severity::Warn, RELEASES),
        example: Example { bad: "spec: {workerSpec: {args: ['--loglevel info']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--loglevel', 'info', '--concurrency=2']}}", old: None },
    },
    Rule {
        id: "W60", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a short option takes its value without '='",
        consequence: "Celery takes the sign for a part of the value: -Q=a consumes a queue called \"=a\", and -c=4 ends with \"'=4' is not a valid integer\".",
        check: Check::arguments(Command::Worker, &[Matter::Sign]).or(Severity::Warn, "for names of nodes and of files, which begin with the sign then, and for a release that is newer than the operator"),
        example: Example { bad: "spec: {workerSpec: {args: ['-Q=a,b']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['-Qa,b', '-c', '4', '--loglevel=INFO']}}", old: None },
    },
];

fn w01(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, at) in words(subject, Joined::Value) {
        // Celery reads "-c 1" as a number with a blank before it, which is a number all the same.
        let severity = if is_harmless(pool, at) { Severity::Warn } else { report.severity() };
        let message = "looks like several arguments in one string";
        told(report, severity, pool, at, message);
    }
}

fn w02(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, at) in words(subject, Joined::Name) {
        let severity = release::refusal(subject, report.severity());
        told(report, severity, pool, at, "has an option and its value in one string");
    }
}

fn words<'s, 'a>(subject: &'s Subject<'a>, kind: Joined) -> impl Iterator<Item = (&'s Pool<'a>, usize)> {
    subject.pools.iter().flat_map(move |pool| {
        let words = pool.spec.args.iter().enumerate();
        words
            .filter(move |(_, word)| joined(Command::Worker, word) == Some(kind))
            .map(move |(at, _)| (pool, at))
    })
}

fn is_harmless(pool: &Pool<'_>, at: usize) -> bool {
    let is_number = |kind| matches!(kind, ValueKind::Int | ValueKind::Float | ValueKind::Concurrency);
    let is_one = pool.word(at).split_whitespace().count() == 2;
    let read = pool.said.occurrences.iter().any(|used| used.at == at && is_number(used.option.kind));
    is_one && read && !pool.said.faults.iter().any(|fault| fault.at == at)
}

/// The words that were meant stand in the message only where none of them can be a secret.
fn told(report: &mut Report<'_>, severity: Severity, pool: &Pool<'_>, at: usize, message: &str) {
    let word = pool.word(at);
    if let Some(fix) = parted(Command::Worker, word) {
        report.add_shown(severity, pool.arg(at), word, message, fix);
    } else {
        report.graded(severity, Kind::Forbidden, pool.arg(at), message, "split it, one word per element");
    }
}
