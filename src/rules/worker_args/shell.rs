// SPDX-License-Identifier: Apache-2.0
//! What only a shell would understand.

use super::super::finding::{Kind, Report, Severity};
use super::super::rule::{Check, Example, Rule};
use super::super::subject::Subject;
use super::super::worker::words::may_define;
use crate::celery::expansion::names;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W43", severity: Severity::Warn, schema: false, since: "0.1",
        title: "no shell reads the arguments",
        consequence: "The text is passed as it is: a queue is called \"$QUEUES\", or the container ends with an error.",
        check: Check::object(w43),
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

/// Words that connect commands.
const CONNECTIVES: &[&str] = &["&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"];

/// Whether a word has a meaning in a shell and none here.
pub(super) fn is_for_a_shell(word: &str) -> bool {
    let expands = |word: &str| {
        let mut rest = word;
        while let Some((_, after)) = rest.split_once('$') {
            if after.starts_with(|c: char| c == '{' || c == '_' || c.is_ascii_alphabetic()) {
                return true;
            }
            // Kubernetes reads "$(NAME)" and "$$".
            rest = after.strip_prefix('$').unwrap_or(after);
        }
        false
    };
    let is_python = word.contains("%(") && !word.contains('=');
    CONNECTIVES.contains(&word) || word.contains('`') || word.contains("&&") || is_python || expands(word)
}

fn w43(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        for (at, word) in pool.spec.args.iter().enumerate().filter(|(_, word)| is_for_a_shell(word)) {
            // Where Celery takes the text as it is, somebody may even want that.
            let refused = pool.said.faults.iter().any(|fault| fault.at == at);
            let severity =
                if refused { super::severity_of(subject, Severity::Deny) } else { report.severity() };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_shell_are_told_from_words_for_kubernetes() {
        for word in ["$X", "${X:-4}", "--concurrency=$N", "`nproc`", "&&", "a$$$b", "%(here)s"] {
            assert!(is_for_a_shell(word), "{word}");
        }
        for word in ["$(X)", "$$X", "cost$", "a$1", "%h", "a|b", "--logfile=%n%I.log", ""] {
            assert!(!is_for_a_shell(word), "{word}");
        }
    }
}
