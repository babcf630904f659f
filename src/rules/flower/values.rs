// SPDX-License-Identifier: Apache-2.0
//! Rules about what Flower's options are set to.

use super::given::{Flower, Place, argument_path};
use crate::celery::environment::flower_variable;
use crate::celery::flower::{Cause, is_true, takes_variable};
use crate::celery::number;
use crate::celery::options::flower::{OPTIONS, Release, Spec, TornadoType};
use crate::celery::value::click_truth;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "F05", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a number is a number",
        consequence: "Flower ends with an error before it listens.",
        check: Check::object(f05),
        example: Example {
            bad: "spec: {flowerSpec: {args: ['--inspect-timeout=1s'], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {flowerSpec: {args: ['--inspect-timeout=1000'], auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F06", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a switch is true or false",
        consequence: "As an argument every other word means true; in a variable it ends Flower.",
        check: Check::object(f06),
        example: Example {
            bad: "spec: {flowerSpec: {args: ['--auto_refresh=no'], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {flowerSpec: {args: ['--auto_refresh=False'], auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
];

/// Numbers that tornado takes and Flower does not.
fn out_of_range(flower: &Flower<'_>, report: &mut Report<'_>) {
    let buckets = flower.option("task_runtime_metric_buckets");
    if let Some((text, place)) = buckets.text() {
        let bounds: Option<Vec<f64>> = text.split(',').map(number::float).collect();
        if bounds.is_some_and(|bounds| !bounds.is_sorted()) {
            let message = "are no bounds in ascending order, which ends Flower";
            place.blame(report.severity(), message, "write them as 1,2.5,5", report);
        }
    }
    let tasks = flower.option("max_tasks");
    if let Some((text, place)) = tasks.text()
        && number::int(text).is_some_and(|tasks| tasks < 0)
    {
        place.blame(report.severity(), "is less than no task", "use one such as 5000", report);
    }
}

fn f05(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    out_of_range(&flower, report);
    for fault in &flower.reading.faults {
        let (Cause::BadValue(option) | Cause::UnexpectedValue(option)) = fault.cause else { continue };
        let (message, fix) = match option.kind {
            TornadoType::Int => ("is not a whole number", "use one such as 5000"),
            TornadoType::Float | TornadoType::Floats => ("is not a number", "use one such as 1000"),
            _ => ("has a value that this option does not take", "correct the value, or remove it"),
        };
        report.add(Kind::Invalid, argument_path(fault.at), message, fix);
    }
    of_sources(&flower, report);
    for (entry, path) in flower.entries() {
        let Some(option) = flower_variable(&entry.name, flower.reading.release) else { continue };
        // F28 tells about the port. Everything else is read whatever the arguments say, but for the level of the log.
        if option.name == "port" || option.name == "logging" && !flower.argument("logging").is_absent() {
            continue;
        }
        let given = flower.variable(&entry.name);
        let is_here =
            |place: &Place| place.path().strip_prefix(&path).is_some_and(|rest| rest.starts_with('.'));
        let bad = given.text().filter(|(text, place)| is_here(place) && !takes_variable(option, text));
        if let Some((_, place)) = bad {
            let (message, fix) = unusable(option);
            place.blame(report.severity(), format!("{message}, which ends Flower"), fix, report);
        }
    }
}

/// The same of variables from a `ConfigMap` of the input.
fn of_sources(flower: &Flower<'_>, report: &mut Report<'_>) {
    for name in flower.brought() {
        let Some(option) = flower_variable(&name, flower.reading.release) else { continue };
        if option.name == "port" || option.name == "logging" && !flower.argument("logging").is_absent() {
            continue;
        }
        let given = flower.variable(&name);
        // Of the text of an entry that wins over it the entry is told.
        let is_here = |place: &Place| place.path().contains(".envFrom[");
        let bad = given.text().filter(|(text, place)| is_here(place) && !takes_variable(option, text));
        if let Some((_, place)) = bad {
            let (message, fix) = unusable(option);
            place.blame(report.severity(), format!("has {name}: {message}, which ends Flower"), fix, report);
        }
    }
}

/// What is wrong with the text of a variable, and what to write.
fn unusable(option: &Spec) -> (&'static str, &'static str) {
    match option.kind {
        TornadoType::Floats => ("is not a list of numbers", "use one such as 1,2.5"),
        TornadoType::Function => ("cannot be set by a variable", "remove it"),
        TornadoType::Text => ("is no level of a log", "use debug, info, warning, error or none"),
        _ => ("is not a number", "use one such as 5000"),
    }
}

fn f06(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let is_old = flower.reading.release == Release::V1_2;
    for option in OPTIONS
        .iter()
        .filter(|option| option.kind == TornadoType::Bool && option.is_in(flower.reading.release))
    {
        for given in [flower.argument(option.name), flower.variable(&option.variable())] {
            let Some((text, place)) = given.text() else { continue };
            let is_variable = matches!(place, Place::Variable(_));
            let known = match (is_variable, is_old) {
                // To Flower 1.x every text is true, "false" and "0" too.
                (true, true) => text.is_empty() || click_truth(text) == Some(true),
                (true, false) => click_truth(text).is_some(),
                (false, _) => click_truth(text) == Some(is_true(text)),
            };
            if !known {
                let message = if is_variable && !is_old {
                    "is neither true nor false, which ends Flower"
                } else {
                    "is read as true by Flower"
                };
                let fix =
                    if is_variable && is_old { "write true, or remove it" } else { "write true or false" };
                place.blame(report.severity(), message, fix, report);
            }
        }
    }
}
