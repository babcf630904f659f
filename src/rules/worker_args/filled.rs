// SPDX-License-Identifier: Apache-2.0
//! Values of options that are no free text: what kubelet makes of the variables in them.

use crate::celery::expansion::{expanded, names};
use crate::celery::options::Spec;
use crate::celery::reading::Occurrence;
use crate::celery::value::refused_by_all;
use crate::celery::version::Target;
use crate::rules::args::refused;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Component, Part, Pool, Subject};
use crate::rules::variables::{Reaching, filled, may_define, reaching};

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W64", severity: Severity::Deny, schema: false, since: "0.1",
        title: "with its variables filled in, a value is of its kind",
        consequence: "Kubernetes leaves $(NAME) as it is where the container has no such variable, and the container ends with \"Invalid value for\" and the option's name.",
        check: Check::object(w64).or(Severity::Warn, "for Celery 4, and for a release that is newer than the operator"),
        example: Example {
            bad: "spec: {workerSpec: {args: ['-c', $(CONC)], env: [{name: CONC, value: four}]}}",
            at: "spec.workerSpec.args[1]",
            good: "spec: {workerSpec: {args: ['-c', $(CONC)], env: [{name: CONC, value: '4'}]}}",
            old: None,
        },
    },
];

fn w64(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        for used in pool.said.occurrences.iter().filter(|used| used.is_opaque()) {
            if let Some([message, fix]) = fault(subject, pool, used) {
                let severity = release::refusal(subject, report.severity());
                report.graded(severity, Kind::Forbidden, pool.arg(used.value_at), message, fix);
            }
        }
    }
}

/// Whether a word of the arguments is told of here.
pub(super) fn is_told(subject: &Subject<'_>, pool: &Pool<'_>, at: Option<usize>) -> bool {
    let mut used = pool.said.occurrences.iter().filter(|used| used.is_opaque() && Some(used.value_at) == at);
    used.any(|used| fault(subject, pool, used).is_some())
}

fn fault(subject: &Subject<'_>, pool: &Pool<'_>, used: &Occurrence<'_>) -> Option<[String; 2]> {
    let text = used.value?;
    let option = used.option;
    if let Some(name) = names(text).into_iter().find(|name| !may_define(subject, pool, name)) {
        // What is not filled in stays as it is, which only a free text may. kubelet makes variables of Services too, where
        // a template asks for them.
        if has_service_links(subject, pool) {
            return None;
        }
        refused_by_all(option.kind, text, subject.celery)?;
        return Some(missing(name, option));
    }
    let component = Component { path: pool.path.clone(), part: Part::Worker(pool.spec) };
    let known = reaching(subject, &component);
    let refusal = refused_by_all(option.kind, &filled(text, &known)?, subject.celery)?;
    let [message, fix] = refused(option.name(), &refusal, subject.celery);
    let what = to_blame(text, &known, option, subject.celery).unwrap_or("its variables");
    Some([format!("with {what:.40} filled in {message}"), fix])
}

/// What is said of a name that is no variable of the container: a command that somebody expects a shell to run, or may
/// expect, as lower case says.
fn missing(name: &str, option: &Spec) -> [String; 2] {
    let option = option.name();
    let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    let (message, fix) = if !name.chars().all(is_of_a_name) {
        (format!("{option} is no value: no shell runs what is in $(…)"), "write the value itself")
    } else if name.contains(|letter: char| letter.is_ascii_lowercase()) {
        let message =
            format!("no variable {name:.40} is in env, and no shell runs $(…): {option} needs a value");
        (message, "add it to env, or write the value itself")
    } else {
        (format!("no variable {name:.40} is in env, and {option} needs a value"), "add it to env")
    };
    [message, fix.to_owned()]
}

/// The variable without which the value would be taken, where it is one alone.
fn to_blame<'t>(text: &'t str, known: &[Reaching], option: &Spec, celery: Target) -> Option<&'t str> {
    let names = names(text);
    if let [only] = names[..] {
        return Some(only);
    }
    let fits_beside = |blamed: &&&str| {
        let known = |name: &str| known.iter().find(|one| one.name == name)?.text.clone();
        let tamed = |name: &str| if name == **blamed { Some("1".to_owned()) } else { known(name) };
        expanded(text, tamed).is_some_and(|text| refused_by_all(option.kind, &text, celery).is_none())
    };
    let mut blamed = names.iter().filter(fits_beside);
    blamed.next().copied().filter(|_| blamed.next().is_none())
}

fn has_service_links(subject: &Subject<'_>, pool: &Pool<'_>) -> bool {
    let templates = [&subject.common().pod_template, &pool.spec.pod_template].into_iter().flatten();
    let mut links =
        templates.filter_map(|template| template.0.pointer("/spec/enableServiceLinks")?.as_bool());
    links.any(|is_on| is_on)
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::findings;

    fn told(rule: &str, worker: &str) -> Vec<String> {
        let found = findings(&format!("spec: {{workerSpec: {{{worker}}}}}"));
        let found = found.into_iter().filter(|one| one.rule == rule);
        found.map(|one| format!("{} {}; {}", one.severity.as_str(), one.message, one.fix)).collect()
    }

    #[test]
    fn a_variable_that_is_not_there_is_no_number() {
        for (worker, expected) in [
            (
                "args: [-c, '$(CONC)']",
                "no variable CONC is in env, and --concurrency needs a value; add it to env",
            ),
            (
                "args: ['--time-limit=$(TL)']",
                "no variable TL is in env, and --time-limit needs a value; add it to env",
            ),
            (
                "args: [-c, '$(nproc)']",
                "no variable nproc is in env, and no shell runs $(…): --concurrency needs a value; add it to env, or write the value itself",
            ),
            (
                "args: [-c, '$(cat /cpus)']",
                "--concurrency is no value: no shell runs what is in $(…); write the value itself",
            ),
            (
                "args: ['--autoscale=$(MOST),$(FEWEST)'], env: [{name: MOST, value: '4'}, {name: FEWEST, value: few}]",
                "with FEWEST filled in is not max,min; write the larger number first, 1 or more, such as 8,2",
            ),
            (
                "args: ['--autoscale=$(MOST),$(FEWEST)'], env: [{name: MOST, value: most}, {name: FEWEST, value: few}]",
                "with its variables filled in is not max,min; write the larger number first, 1 or more, such as 8,2",
            ),
            (
                "args: [-c, '$(CONC)'], env: [{name: CONC, value: four}]",
                "with CONC filled in is not a number of tasks; use 1 or more",
            ),
        ] {
            assert_eq!(told("W64", worker), [format!("deny {expected}")], "{worker}");
            assert_eq!(told("W51", worker), [""; 0], "{worker}");
        }
        for worker in [
            "args: [-Q, '$(QUEUES)']",
            "args: [-c, '$(CONC)'], env: [{name: CONC, value: '4'}]",
            "args: [-c, '$(CONC)'], env: [{name: CONC, valueFrom: {secretKeyRef: {name: a, key: b}}}]",
            "args: [-c, '$(CONC)'], envFrom: [{secretRef: {name: a}}]",
            "args: [-c, '$(MAIL_SERVICE_PORT)'], podTemplate: {spec: {enableServiceLinks: true}}",
            "args: [-c, '4']",
        ] {
            assert_eq!(told("W64", worker), [""; 0], "{worker}");
        }
    }
}
