// SPDX-License-Identifier: Apache-2.0
//! Rules about the modules that a worker includes.

use crate::celery::app;
use crate::celery::value::{Value, value};
use crate::rules::args;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
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
    use crate::rules::Finding;
    use crate::rules::tests::findings;

    #[test]
    fn modules_are_included_by_their_names() {
        let told = |worker: &str| {
            let found = findings(&format!("spec: {{workerSpec: {{{worker}}}}}"));
            let found = found.into_iter().filter(|one| one.rule == "W65");
            let line = |one: Finding| format!("{} {}; {}", one.severity.as_str(), one.message, one.fix);
            found.map(line).collect::<Vec<_>>()
        };
        let file = "is a path of files, the module is called \"shop.tasks\"; use module.path";
        assert_eq!(told("args: [-I, 'shop.a,shop/tasks.py']"), [format!("deny {file}")]);
        assert_eq!(told("args: ['--include=shop/tasks']"), [format!("deny {file}")]);
        assert_eq!(told("args: [-I, shop.tasks.py]").len(), 1);
        assert_eq!(told("args: [-I, 'shop.tasks,other']"), [""; 0]);
    }
}
