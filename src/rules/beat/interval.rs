// SPDX-License-Identifier: Apache-2.0
//! How long beat sleeps, where something other than the field says it.

use serde_json::Value;

use crate::celery::expansion::expands;
use crate::celery::number;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release;
use crate::rules::rule::{Check, Example, RELEASES, Rule};
use crate::rules::subject::{Beat, Subject};

/// The option.
const OPTION: &str = "--max-interval";
/// The setting, in `config` and behind `--`.
const SETTING: &str = "beat_max_loop_interval";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "T20", severity: Severity::Deny, schema: false, since: "0.1",
        title: "beat sleeps between two looks, whoever says how long",
        consequence: "With fewer seconds than none beat never sleeps: beat of 5.2 and of 5.7 was seen to take a whole cpu.",
        check: Check::object(t20).or(Severity::Warn, RELEASES),
        example: Example {
            bad: "spec: {beatSpec: {args: ['--max-interval=-1']}}",
            at: "spec.beatSpec.args[0]",
            good: "spec: {beatSpec: {args: ['--max-interval=0']}}",
            old: None,
        },
    },
];

/// With 0 beat takes its own number.
fn t20(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(beat) = &subject.beat else { return };
    let is_negative = |text: &str| !expands(text) && number::float(text).is_some_and(|seconds| seconds < 0.0);
    // The option wins over its field, and both win over the setting.
    let path = if let Some(used) = beat.said.last(OPTION) {
        used.value.is_some_and(is_negative).then(|| Beat::arg(used.value_at))
    } else if beat.spec.max_interval.is_some_and(|seconds| seconds != 0) {
        None
    } else if let Some(setting) = beat.said.setting(SETTING) {
        is_negative(setting.value).then(|| Beat::arg(setting.at))
    } else {
        let is_told = match subject.common().config.get(SETTING).map(|setting| &setting.0) {
            Some(Value::String(text)) => is_negative(text),
            Some(value) => value.as_f64().is_some_and(|seconds| seconds < 0.0),
            None => false,
        };
        is_told.then(|| format!("spec.common.config.{SETTING}"))
    };
    if let Some(path) = path {
        let severity = release::refusal(subject, report.severity());
        report.graded(severity, Kind::Invalid, path, "lets beat spin without a pause", "use 1 or more");
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::shop;
    use crate::rules::{Facts, check};

    #[test]
    fn beat_never_gets_fewer_seconds_than_none() {
        for (spec, expected) in [
            ("beatSpec: {args: ['--max-interval', '-1']}", Some("spec.beatSpec.args[1]")),
            ("beatSpec: {args: ['--max-interval=-0.5']}", Some("spec.beatSpec.args[0]")),
            ("beatSpec: {args: ['--', 'beat.max_loop_interval=-1']}", Some("spec.beatSpec.args[1]")),
            (
                "common: {config: {beat_max_loop_interval: -1}}, beatSpec: {}",
                Some("spec.common.config.beat_max_loop_interval"),
            ),
            ("common: {config: {beat_max_loop_interval: -1}}", None),
            ("common: {config: {beat_max_loop_interval: -1}}, beatSpec: {maxInterval: 5}", None),
            ("common: {config: {beat_max_loop_interval: 0}}, beatSpec: {}", None),
            ("beatSpec: {args: ['--max-interval=5']}", None),
            ("beatSpec: {args: ['--max-interval=$(PAUSE)'], env: [{name: PAUSE, value: '5'}]}", None),
        ] {
            let findings =
                check(&shop(&format!("spec: {{{spec}}}")), None, &Facts::default()).expect("a Celery");
            let told: Vec<&str> =
                findings.iter().filter(|it| it.rule == "T20").map(|it| it.path.as_str()).collect();
            assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "{spec}");
        }
    }
}
