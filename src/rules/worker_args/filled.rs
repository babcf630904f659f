// SPDX-License-Identifier: Apache-2.0
//! Values of options that are no free text: what kubelet makes of the variables in them, and which modules are named.

use crate::celery::app;
use crate::celery::expansion::{expanded, names};
use crate::celery::options::Spec;
use crate::celery::reading::Occurrence;
use crate::celery::value::{Refusal, Value, value};
use crate::rules::args::{self, refused};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Component, Part, Pool, Subject};
use crate::rules::variables::{may_define, reaching};

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
    Rule {
        id: "W65", severity: Severity::Deny, schema: false, since: "0.1",
        title: "what is included are modules, not files",
        consequence: "The container ends with \"No module named\".",
        check: Check::object(w65).or(Severity::Warn, "for a name that only ends like that of a file, for Celery 4, and for a release that is newer than the operator"),
        example: Example {
            bad: "spec: {workerSpec: {args: ['-I', shop/tasks.py]}}",
            at: "spec.workerSpec.args[1]",
            good: "spec: {workerSpec: {args: ['-I', shop.tasks]}}",
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
        refusal(subject, option, text)?;
        let is_command = name.contains(|letter: char| letter.is_ascii_lowercase() || letter.is_whitespace());
        let (message, fix) = if is_command {
            (
                format!("{} is no value: no shell runs what is in $(…)", option.name()),
                "write the value itself",
            )
        } else {
            (
                format!("no variable {name:.40} is in env, and {} needs a value", option.name()),
                "add it to env",
            )
        };
        return Some([message, fix.to_owned()]);
    }
    let component = Component { path: pool.path.clone(), part: Part::Worker(pool.spec) };
    let known = reaching(subject, &component);
    let filled = expanded(text, |name| known.iter().find(|one| one.name == name)?.text.clone())?;
    let refusal = refusal(subject, option, &filled)?;
    let [message, fix] = refused(option.name(), &refusal, subject.celery);
    let name = names(text).first().copied().unwrap_or_default().to_owned();
    Some([format!("with {name:.40} filled in {message}"), fix])
}

fn has_service_links(subject: &Subject<'_>, pool: &Pool<'_>) -> bool {
    let templates = [&subject.common().pod_template, &pool.spec.pod_template].into_iter().flatten();
    let mut links =
        templates.filter_map(|template| template.0.pointer("/spec/enableServiceLinks")?.as_bool());
    links.any(|is_on| is_on)
}

/// What every release in question refuses in a text.
fn refusal(subject: &Subject<'_>, option: &Spec, text: &str) -> Option<Refusal> {
    let read = |release: &_| value(option.kind, text, *release).err();
    let refusals: Option<Vec<Refusal>> = subject.celery.releases().iter().map(read).collect();
    refusals?.pop()
}

fn w65(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (pool, used) in args::uses(subject, &["--include"]).filter(|(_, used)| !used.is_opaque()) {
        let read = used.value.and_then(|text| value(used.option.kind, text, pool.said.release).ok());
        let Some(Value::List(modules)) = read else { continue };
        let Some((name, module)) = modules.iter().find_map(|name| Some((*name, app::meant(name)?))) else {
            continue;
        };
        // A package may have a module called py.
        let known = if name.contains('/') { report.severity() } else { Severity::Warn };
        let severity = release::refusal(subject, known);
        let message = format!("is a path of files, the module is called {module:?}");
        report.graded(severity, Kind::Forbidden, pool.arg(used.value_at), message, "use module.path");
    }
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
                "--concurrency is no value: no shell runs what is in $(…); write the value itself",
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

    #[test]
    fn modules_are_included_by_their_names() {
        let file = "is a path of files, the module is called \"shop.tasks\"; use module.path";
        assert_eq!(told("W65", "args: [-I, 'shop.a,shop/tasks.py']"), [format!("deny {file}")]);
        assert_eq!(told("W65", "args: ['--include=shop/tasks']"), [format!("deny {file}")]);
        assert_eq!(told("W65", "args: [-I, shop.tasks.py]").len(), 1);
        assert_eq!(told("W65", "args: [-I, 'shop.tasks,other']"), [""; 0]);
    }
}
