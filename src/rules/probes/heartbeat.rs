// SPDX-License-Identifier: Apache-2.0
//! Rules about the probe that looks at the heartbeat of a worker.

use super::{Placed, of_pool};
use crate::api::{Probe, ProbeRole};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Pool, Subject};

/// The option that says how often a heartbeat is sent.
const OPTION: &str = "--heartbeat-interval";
/// Seconds between two looks when nobody writes a number.
const PERIOD: i32 = 30;
/// Failures after which a container is restarted when nobody writes a number.
const FAILURES: i32 = 3;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C64", severity: Severity::Deny, schema: false, since: "0.1",
        title: "heartbeats come more often than the probe wants to see one",
        consequence: "A worker of Celery 5.2 or 5.7 was seen to send one every heartbeatInterval seconds and none in between: meanwhile the probe restarts a worker that is well, in the middle of its tasks.",
        check: Check::object(c64).or(Severity::Warn, "when no liveness probe restarts a healthy worker for it"),
        example: Example {
            bad: "spec: {workerSpec: {heartbeatInterval: 900, probes: {liveness: {type: Heartbeat}}}}",
            at: "spec.workerSpec.heartbeatInterval",
            good: "spec: {workerSpec: {heartbeatInterval: 60, probes: {liveness: {type: Heartbeat}}}}",
            old: None,
        },
    },
];

fn c64(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let Some((interval, path)) = interval(pool) else { continue };
        let late = of_pool(pool)
            .filter(|one| one.probe.looks_at_heartbeat())
            .filter(|one| interval >= one.probe.oldest().into());
        // One finding for the interval: the probe that restarts is the worst of them.
        let kills = |one: Placed<'_>| one.role == ProbeRole::Liveness && is_restarted(interval, one.probe);
        let mut late = late.peekable();
        if late.peek().is_none() {
            continue;
        }
        let (severity, message) = if late.any(kills) {
            (report.severity(), "is far above maxAgeSeconds, so the probe restarts healthy workers")
        } else {
            (Severity::Warn, "is not below maxAgeSeconds of the probe")
        };
        report.graded(severity, Kind::Invalid, path, message, "lower it, or raise maxAgeSeconds");
    }
}

/// Seconds between two heartbeats where somebody chooses them, and where that stands.
fn interval(pool: &Pool<'_>) -> Option<(i64, String)> {
    match pool.said.last(OPTION) {
        Some(used) => Some((pool.said.int(OPTION).is()?, pool.arg(used.value_at))),
        None => Some((pool.spec.heartbeat_interval?.into(), format!("{}.heartbeatInterval", pool.path))),
    }
}

/// Whether enough looks in a row fall into the time in which the last heartbeat is too old and the next one not due.
fn is_restarted(interval: i64, probe: &Probe) -> bool {
    let period = i64::from(probe.period_seconds.unwrap_or(PERIOD)).max(1);
    let failures = i64::from(probe.failure_threshold.unwrap_or(FAILURES)).max(1);
    // The age is counted in whole seconds.
    interval - i64::from(probe.oldest()) > period * failures
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::shop;
    use crate::rules::{Facts, Severity, check};

    #[test]
    fn a_heartbeat_that_is_rare_is_denied_where_it_kills() {
        for (worker, expected) in [
            ("heartbeatInterval: 391, probes: {liveness: {type: Heartbeat}}", Some(Severity::Deny)),
            ("heartbeatInterval: 390, probes: {liveness: {type: Heartbeat}}", Some(Severity::Warn)),
            ("heartbeatInterval: 300, probes: {liveness: {type: Heartbeat}}", Some(Severity::Warn)),
            ("heartbeatInterval: 299, probes: {liveness: {type: Heartbeat}}", None),
            ("heartbeatInterval: 900, probes: {readiness: {type: Heartbeat}}", Some(Severity::Warn)),
            ("heartbeatInterval: 900, probes: {liveness: {type: Heartbeat, maxAgeSeconds: 1000}}", None),
            (
                "heartbeatInterval: 900, probes: {liveness: {type: Heartbeat, failureThreshold: 30}}",
                Some(Severity::Warn),
            ),
            ("heartbeatInterval: 900, probes: {liveness: {type: Ping}}", None),
            (
                "args: ['--heartbeat-interval=900'], probes: {liveness: {type: Heartbeat}}",
                Some(Severity::Deny),
            ),
            (
                "args: ['--heartbeat-interval=$(LONG)'], env: [{name: LONG, value: '9'}], probes: {liveness: {type: Heartbeat}}",
                None,
            ),
            ("probes: {liveness: {type: Heartbeat, maxAgeSeconds: 1}}", None),
        ] {
            let overlay = format!("spec: {{workerSpec: {{{worker}}}}}");
            let findings = check(&shop(&overlay), None, &Facts::default()).expect("a Celery");
            let found = findings.iter().find(|finding| finding.rule == "C64").map(|finding| finding.severity);
            assert_eq!(found, expected, "{worker}");
        }
    }
}
