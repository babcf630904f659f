// SPDX-License-Identifier: Apache-2.0
//! Rules about how many pods a node drain may take.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::rollout::amount;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Pool, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "G19", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a disruption budget has one number, and lets a pod go",
        consequence: "Two numbers are refused by the API server; one that lets no pod go blocks every drain of a node.",
        check: Check::object(g19).or(Severity::Warn, "when the budget lets no pod go"),
        example: Example {
            bad: "spec: {workerSpec: {numOfWorkers: 3, podDisruptionBudget: {minAvailable: 1, maxUnavailable: 1}}}",
            at: "spec.workerSpec.podDisruptionBudget",
            good: "spec: {workerSpec: {numOfWorkers: 3, podDisruptionBudget: {minAvailable: 2}}}",
            old: None,
        },
    },
];

fn g19(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let Some(budget) = pool.spec.pod_disruption_budget.as_ref() else { continue };
        let path = format!("{}.podDisruptionBudget", pool.path);
        let (field, written) = match (&budget.min_available, &budget.max_unavailable) {
            (Some(written), None) => ("minAvailable", written),
            (None, Some(written)) => ("maxUnavailable", written),
            (None, None) => {
                let message = "a budget needs a number";
                report.add(Kind::Required, path, message, "set minAvailable or maxUnavailable");
                continue;
            }
            (Some(_), Some(_)) => {
                let message = "minAvailable and maxUnavailable exclude each other";
                report.add(Kind::Forbidden, path, message, "keep one");
                continue;
            }
        };
        let path = format!("{path}.{field}");
        let is_share = matches!(written, IntOrString::String(_));
        match amount(written) {
            None => {
                let message = "is not a number of pods or a percentage";
                report.add(Kind::Invalid, path, message, "use one such as 1 or 50%");
            }
            Some(percent) if is_share && percent > 100 => {
                report.add(Kind::Invalid, path, "is more than all pods", "use at most 100%");
            }
            Some(number) if blocks(subject, pool, field, number, is_share) => {
                let message = "blocks every drain of a node";
                report.graded(Severity::Warn, Kind::Invalid, path, message, "let one pod go");
            }
            Some(_) => {}
        }
    }
}

/// Whether the number never lets a pod go. With an autoscaler only what holds at its maximum is certain.
fn blocks(subject: &Subject<'_>, pool: &Pool<'_>, field: &str, number: u32, is_share: bool) -> bool {
    if field == "maxUnavailable" {
        return number == 0;
    }
    let pods = match subject.target_of(pool.name) {
        Some((_, target)) => target.max_replicas,
        None => pool.spec.num_of_workers,
    };
    let pods = pods.and_then(|pods| u64::try_from(pods).ok()).filter(|pods| *pods > 0);
    if is_share {
        // Kubernetes rounds up.
        let kept = |pods: u64| (u64::from(number) * pods).div_ceil(100);
        return number == 100 || pods.is_some_and(|pods| kept(pods) >= pods);
    }
    pods.is_some_and(|pods| u64::from(number) >= pods)
}
