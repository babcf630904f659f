// SPDX-License-Identifier: Apache-2.0
//! The rule about containers of pod templates that mean the operator's own and have another name.

use crate::celery::closest;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{LaidOver, Part, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C56", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a template names the operator's container as the operator does",
        consequence: "The template is laid over by names: a second container comes beside Celery's own, which stays as it is.",
        check: Check::object(c56).or(Severity::Warn, "when the container has an image of its own"),
        example: Example {
            bad: "spec: {workerSpec: {podTemplate: {spec: {containers: [{name: worker, tty: true}]}}}}",
            at: "spec.workerSpec.podTemplate.spec.containers[0].name",
            good: "spec: {workerSpec: {podTemplate: {spec: {containers: [{name: celery, tty: true}]}}}}",
            old: None,
        },
    },
];

/// The names that people give to the main container of a component, beside the operator's own.
fn aliases(part: Part<'_>) -> &'static [&'static str] {
    match part {
        Part::Worker(_) => &["worker", "celery-worker", "celeryworker", "main"],
        Part::Beat(_) => &["celery-beat", "celerybeat", "scheduler", "main"],
        Part::Flower(_) => &["celery-flower", "celeryflower", "main"],
    }
}

fn c56(subject: &Subject<'_>, report: &mut Report<'_>) {
    let laid_under = subject.laid_under();
    for laid in subject.laid_over.iter().filter(|laid| !laid_under.contains(laid.container.name.as_str())) {
        let Some(meant) = meant(subject, laid) else { continue };
        let path = format!("{}.name", laid.path);
        if laid.container.image.is_none() {
            let message = "is no container of this pod, and has no image to be one of its own";
            report.add(Kind::NotFound, path, message, format!("use {meant:?}"));
        } else {
            // Somebody may want a container of this name beside Celery.
            let fix = format!("use {meant:?} for the operator's");
            report.warn(Kind::Invalid, path, "is a second container", fix);
        }
    }
}

/// The operator's container that a container of a template means: by a name that people give it, or, where it could not
/// run by itself, by one that is nearly right.
#[must_use]
pub(super) fn meant(subject: &Subject<'_>, laid: &LaidOver) -> Option<&'static str> {
    let name = laid.container.name.as_str();
    if laid.is_init {
        return None;
    }
    let components = subject.components();
    let is_over = |at: &str| laid.component.as_ref().is_none_or(|path| path == at);
    let mut own =
        components.iter().filter(|component| is_over(&component.path)).map(|component| component.part);
    let first = own.next()?;
    // What is laid over pods of several kinds means none of them.
    if !own.all(|other| other.own_container() == first.own_container()) {
        return None;
    }
    let meant = first.own_container();
    let is_near = || laid.container.image.is_none() && closest::of(name, [meant].into_iter()).is_some();
    (aliases(first).contains(&name) || is_near()).then_some(meant)
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::shop;
    use crate::rules::{Facts, Severity, check};

    #[test]
    fn other_names_of_the_main_container_are_told() {
        let container = |of: &str, container: &str| {
            format!("spec: {{{of}: {{podTemplate: {{spec: {{containers: [{{{container}}}]}}}}}}}}")
        };
        for (overlay, expected) in [
            (container("workerSpec", "name: worker"), vec![("C56", Severity::Deny)]),
            (container("workerSpec", "name: celerry"), vec![("C56", Severity::Deny)]),
            (container("workerSpec", "name: worker, image: 'a:1'"), vec![("C56", Severity::Warn)]),
            (container("workerSpec", "name: beat"), vec![("C17", Severity::Deny)]),
            (container("workerSpec", "name: log"), vec![("C04", Severity::Deny)]),
            (container("workerSpec", "name: log, image: 'a:1'"), vec![]),
            (container("beatSpec", "name: celery-beat"), vec![("C56", Severity::Deny)]),
            (container("common", "name: worker"), vec![("C56", Severity::Deny)]),
            (container("beatSpec: {}, common", "name: worker"), vec![("C04", Severity::Deny)]),
            (
                "spec: {workerSpec: {sidecars: [{name: worker, image: 'a:1'}], podTemplate: {spec: {containers: [{name: worker, tty: true}]}}}}".to_owned(),
                vec![],
            ),
        ] {
            let findings = check(&shop(&overlay), None, &Facts::default()).expect("a Celery");
            let found: Vec<_> = findings.iter().map(|finding| (finding.rule, finding.severity)).collect();
            assert_eq!(found, expected, "{overlay}: {findings:?}");
        }
    }

    #[test]
    fn the_name_to_use_is_told() {
        let overlay = "spec: {beatSpec: {podTemplate: {spec: {containers: [{name: celery, tty: true}]}}}}";
        let findings = check(&shop(overlay), None, &Facts::default()).expect("a Celery");
        assert!(findings.iter().any(|finding| finding.fix.contains("\"beat\"")), "{findings:?}");
    }
}
