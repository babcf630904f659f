// SPDX-License-Identifier: Apache-2.0
use super::*;

const EVERY: &[Matter] = &[
    Matter::Unknown,
    Matter::Underscores,
    Matter::Global,
    Matter::Ends,
    Matter::Release,
    Matter::Stray,
    Matter::Form,
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
