// SPDX-License-Identifier: Apache-2.0
//! Text that nobody expands: what only a shell would understand, and variables that are not there.

use crate::celery::expansion::names;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::shell::is_for_a_shell;
use crate::rules::subject::Subject;
use crate::rules::variables::may_define;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W43", severity: Severity::Warn, schema: false, since: "0.1",
        title: "no shell reads the arguments",
        consequence: "The text is passed as it is: a queue is called \"$QUEUES\", or the container ends with an error.",
        check: Check::object(w43).or(Severity::Deny),
        example: Example { bad: "spec: {workerSpec: {args: ['-Q', $QUEUES]}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['-Q', $(QUEUES)], env: [{name: QUEUES, value: mail}]}}", old: None },
    },
    Rule {
        id: "W51", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a variable in the arguments is defined",
        consequence: "Kubernetes leaves $(NAME) as it is when the container has no such variable; HOSTNAME is none of those.",
        check: Check::object(w51),
        example: Example { bad: "spec: {workerSpec: {args: ['-n', w1@$(HOSTNAME)]}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['-n', w1@%h]}}", old: None },
    },
];

fn w43(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        for (at, word) in pool.spec.args.iter().enumerate().filter(|(_, word)| is_for_a_shell(word)) {
            // Where Celery takes the text as it is, somebody may even want that.
            let refused = pool.said.faults.iter().any(|fault| fault.at == at);
            let severity =
                if refused { release::refusal(subject, Severity::Deny) } else { report.severity() };
            let fix = if word.contains('$') { "write $(NAME) for a variable" } else { "remove it" };
            report.graded(severity, Kind::Forbidden, pool.arg(at), "no shell reads the arguments", fix);
        }
    }
}

fn w51(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        for (at, word) in pool.spec.args.iter().enumerate() {
            let unknown = |name: &&str| !may_define(subject, pool, name);
            let Some(name) = names(word).into_iter().find(unknown) else { continue };
            let message = format!("no variable {name:.40} is in env");
            let fix = if name == "HOSTNAME" { "use %h in a node name, or add it" } else { "add it" };
            report.graded(Severity::Warn, Kind::Forbidden, pool.arg(at), message, fix);
        }
    }
}
