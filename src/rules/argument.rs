// SPDX-License-Identifier: Apache-2.0
//! From faults in argument lists to findings of the catalogue, each list read and judged once.

use serde_json::Value;

use super::args::{Arguments, Matter, Shown, Verdict, verdicts};
use super::finding::{Finding, Kind, Report, Severity};
use super::rule::Rule;
use super::subject::Subject;
use super::{catalogue, release};
use crate::celery::command::Command;

/// What the command lines refuse, each fault under the rule whose matter it is.
pub(super) fn findings(subject: &Subject<'_>, raw: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tell = |arguments: &Arguments<'_>| {
        for verdict in verdicts(arguments) {
            // A test sees to it that every matter has its rule.
            if let Some(rule) = rule(arguments.command, verdict.matter) {
                told(subject, arguments, verdict, Report::new(rule.origin(), raw, &mut findings));
            }
        }
    };
    for pool in &subject.pools {
        tell(&Arguments::of_pool(pool, subject.celery));
    }
    if let Some(beat) = &subject.beat {
        tell(&Arguments::of_beat(beat, subject.celery));
    }
    findings
}

fn told(subject: &Subject<'_>, arguments: &Arguments<'_>, verdict: Verdict, mut report: Report<'_>) {
    let Verdict { at, shown, message, fix, is_guess, .. } = verdict;
    let refused = release::refusal(subject, report.severity());
    let severity = if is_guess { Severity::Warn } else { refused };
    let path = arguments.at(at);
    match shown {
        Shown::Part(part) => report.add_shown(severity, path, &part, message, fix),
        Shown::Whole => report.graded(severity, Kind::Invalid, path, message, fix),
        Shown::Nothing => report.graded(severity, Kind::Forbidden, path, message, fix),
    }
}

/// The rule that a matter belongs to.
fn rule(command: Command, matter: Matter) -> Option<&'static Rule> {
    let owner = |matter: Matter| catalogue::rules().find(|rule| rule.check.owns(command, matter));
    match matter {
        Matter::Value(_) => owner(matter).or_else(|| owner(Matter::OtherValue)),
        matter => owner(matter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: &[Matter] = &[
        Matter::Unknown,
        Matter::Underscores,
        Matter::Global,
        Matter::Ends,
        Matter::Release,
        Matter::Stray,
        Matter::Form,
        Matter::Sign,
        Matter::Value("--heartbeat-interval"),
        Matter::Setting,
    ];

    #[test]
    fn every_matter_of_every_command_belongs_to_one_rule() {
        for command in [Command::Worker, Command::Beat] {
            for matter in EVERY {
                assert!(rule(command, *matter).is_some(), "{command:?}: {matter:?}");
                let owners: Vec<_> = catalogue::rules()
                    .filter(|rule| rule.check.owns(command, *matter))
                    .map(|rule| rule.id)
                    .collect();
                assert!(owners.len() < 2, "{command:?}: {matter:?}: {owners:?}");
            }
        }
    }

    #[test]
    fn every_option_that_a_rule_names_is_one() {
        let named = catalogue::rules().filter_map(|rule| Some((rule.id, rule.check.arguments?)));
        let mut seen = 0;
        for (id, (command, matters)) in named {
            for matter in matters {
                let Matter::Value(option) = matter else { continue };
                let is_option = command.options().rows().any(|row| row.name() == *option);
                assert!(is_option, "{id}: {option}");
                seen += 1;
            }
        }
        assert!(seen > 5, "only {seen} options are named");
    }
}
