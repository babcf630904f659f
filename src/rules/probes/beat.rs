// SPDX-License-Identifier: Apache-2.0
//! Rules about what kubelet asks beat.

use super::ping::lacks_fanout;
use super::{Placed, written};
use crate::api::ProbeType;
use crate::celery::version::{Release, Target};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::release::lacks;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "G30", severity: Severity::Deny, schema: false, since: "0.1",
        title: "beat answers a ping since Celery 5.7",
        consequence: "Nobody ever answers, so nothing is asked: a beat that hangs stays as it is.",
        check: Check::object(g30).or(Severity::Warn, "with Celery 4, and when celeryVersion is not set"),
        example: Example {
            bad: "spec: {common: {celeryVersion: '5.6'}, beatSpec: {probes: {liveness: {type: Ping}}}}",
            at: "spec.beatSpec.probes.liveness.type",
            good: "spec: {common: {celeryVersion: '5.6'}, beatSpec: {probes: {liveness: {type: Heartbeat}}}}",
            old: None,
        },
    },
];

fn g30(subject: &Subject<'_>, report: &mut Report<'_>) {
    let probes = subject.beat.as_ref().and_then(|beat| beat.spec.probes.as_ref());
    let pings = written("spec.beatSpec", probes).filter(|one| one.is(ProbeType::Ping));
    let fix = "use Heartbeat or None";
    for Placed { path, .. } in pings {
        let path = format!("{path}.type");
        if lacks_fanout(subject) {
            let message = "this broker carries no remote control: beat would not answer";
            report.add(Kind::Invalid, path, message, fix);
        } else if let Some(severity) = lacks(subject, Release::V5_7) {
            report.graded(severity, Kind::Invalid, path, "beat answers pings only since Celery 5.7", fix);
        } else if subject.celery == Target::Any {
            let message = "is not asked: beat answers pings only since Celery 5.7";
            report.warn(Kind::Invalid, path, message, "set celeryVersion, or use Heartbeat");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::shop;
    use crate::rules::{Facts, Severity, check};

    #[test]
    fn a_ping_of_beat_depends_on_release_and_broker() {
        for (common, expected) in [
            ("celeryVersion: '5.7'", None),
            ("celeryVersion: '6.0'", None),
            ("celeryVersion: '5.2'", Some(Severity::Deny)),
            ("celeryVersion: '4.4'", Some(Severity::Warn)),
            ("celeryVersion: null", Some(Severity::Warn)),
            ("celeryVersion: '5.7', broker: {url: 'sqs://'}", Some(Severity::Deny)),
        ] {
            let overlay =
                format!("spec: {{common: {{{common}}}, beatSpec: {{probes: {{startup: {{type: Ping}}}}}}}}");
            let findings = check(&shop(&overlay), None, &Facts::default()).expect("a Celery");
            let found = findings.iter().find(|finding| finding.rule == "G30").map(|finding| finding.severity);
            assert_eq!(found, expected, "{common}");
        }
    }
}
