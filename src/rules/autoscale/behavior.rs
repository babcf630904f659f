// SPDX-License-Identifier: Apache-2.0
//! Rules about how fast pods are added and taken away.

use k8s_openapi::api::autoscaling::v2::{HPAScalingPolicy, HPAScalingRules};

use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Longest time over which Kubernetes looks back, in seconds.
const MAX_WINDOW: i32 = 3600;
/// Longest period of a policy, in seconds.
const MAX_PERIOD: i32 = 1800;
/// Below this many seconds pods come and go with every wave of tasks.
const STEADY: i32 = 60;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "A21", severity: Severity::Warn, schema: false, since: "0.1",
        title: "pods are not taken away at the first quiet moment",
        consequence: "Pods come and go with every wave of tasks, and each start costs seconds of cpu.",
        check: Check::object(a21),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, behavior: {scaleDown: {stabilizationWindowSeconds: 10}}, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].behavior.scaleDown.stabilizationWindowSeconds",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, behavior: {scaleDown: {stabilizationWindowSeconds: 60}}, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A35", severity: Severity::Deny, schema: false, since: "0.1",
        title: "behavior is what Kubernetes takes",
        consequence: "The autoscaler is refused, and the error stays in the operator's log or in KEDA's.",
        check: Check::object(a35),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 0}]}}, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            at: "spec.scaleTargetRef[0].behavior.scaleUp.policies[0].periodSeconds",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, behavior: {scaleUp: {selectPolicy: Max, policies: [{type: Pods, value: 2, periodSeconds: 60}]}}, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
            old: None,
        },
    },
];

fn a21(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, target) in subject.targets() {
        let down = target.behavior.as_ref().and_then(|behavior| behavior.scale_down.as_ref());
        let window = down.and_then(|rules| rules.stabilization_window_seconds);
        if window.is_some_and(|seconds| (0..STEADY).contains(&seconds)) {
            let path = format!("{path}.behavior.scaleDown.stabilizationWindowSeconds");
            report.add(Kind::Invalid, path, "causes flapping", "use 60 or more");
        }
    }
}

fn a35(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, target) in subject.targets() {
        let Some(behavior) = &target.behavior else { continue };
        for (field, rules) in [("scaleDown", &behavior.scale_down), ("scaleUp", &behavior.scale_up)] {
            if let Some(rules) = rules {
                scaling(&format!("{path}.behavior.{field}"), rules, report);
            }
        }
    }
}

fn scaling(path: &str, rules: &HPAScalingRules, report: &mut Report<'_>) {
    if rules.stabilization_window_seconds.is_some_and(|window| !(0..=MAX_WINDOW).contains(&window)) {
        let path = format!("{path}.stabilizationWindowSeconds");
        report.add(Kind::Invalid, path, "is not a time Kubernetes looks back", "use 0 to 3600 seconds");
    }
    if rules.select_policy.as_deref().is_some_and(|word| !["Max", "Min", "Disabled"].contains(&word)) {
        let path = format!("{path}.selectPolicy");
        report.add(Kind::Unsupported, path, "chooses no policy", "use Max, Min or Disabled");
    }
    let Some(policies) = &rules.policies else { return };
    if policies.is_empty() {
        let path = format!("{path}.policies");
        report.add(
            Kind::Required,
            path,
            "the list is empty",
            "leave it out for the default, or add a policy",
        );
    }
    for (index, policy) in policies.iter().enumerate() {
        scaling_policy(&format!("{path}.policies[{index}]"), policy, report);
    }
}

fn scaling_policy(path: &str, policy: &HPAScalingPolicy, report: &mut Report<'_>) {
    if !["Pods", "Percent"].contains(&policy.type_.as_str()) {
        report.add(
            Kind::Unsupported,
            format!("{path}.type"),
            "is not a type of policy",
            "use Pods or Percent",
        );
    }
    if policy.value < 1 {
        report.add(Kind::Invalid, format!("{path}.value"), "is not above zero", "use 1 or more");
    }
    if !(1..=MAX_PERIOD).contains(&policy.period_seconds) {
        let path = format!("{path}.periodSeconds");
        report.add(Kind::Invalid, path, "is not a period that Kubernetes accepts", "use 1 to 1800 seconds");
    }
}
