// SPDX-License-Identifier: Apache-2.0
//! Rules about priorities. On Redis every priority of a queue has a list of its own, and only the lists that somebody
//! looks into are counted.

use std::collections::BTreeSet;

use super::{Follower, followers};
use crate::api::ScaleTarget;
use crate::effective::broker::priority_steps;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Priorities that have a list of their own unless the application says otherwise.
const STEPS: [i64; 4] = [0, 3, 6, 9];
/// The highest priority; a higher one is taken for it.
const HIGHEST: i64 = 9;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "A24", severity: Severity::Warn, schema: false, since: "0.1",
        title: "every priority in use is counted",
        consequence: "Tasks of a priority whose list is not looked into are no backlog for the autoscaler.",
        check: Check::object(a24),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, common: {config: {task_default_priority: 6}}, scaleTargetRef: [{kind: worker, maxReplicas: 3, prioritySteps: [0, 3], metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].prioritySteps",
            good: "spec: {workerSpec: {queues: [mail]}, common: {config: {task_default_priority: 6}}, scaleTargetRef: [{kind: worker, maxReplicas: 3, prioritySteps: [0, 6], metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A33", severity: Severity::Deny, schema: true, since: "0.1",
        title: "prioritySteps are priorities from 0 to 9, each once",
        consequence: "A list that no task ever gets into is looked into, or one is counted twice.",
        check: Check::object(a33),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, prioritySteps: [0, 10], metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[0].prioritySteps[1]",
            good: "spec: {workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, prioritySteps: [0, 9], metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
];

fn a24(subject: &Subject<'_>, report: &mut Report<'_>) {
    if !subject.is_redis() {
        return;
    }
    let used = used(subject);
    for Follower { path, target, .. } in followers(subject) {
        let counted = counted(subject, target);
        let missing: Vec<String> = used.difference(&counted).map(ToString::to_string).collect();
        if !missing.is_empty() {
            let message = format!("tasks of priority {} are not counted", missing.join(", "));
            report.add(
                Kind::Forbidden,
                format!("{path}.prioritySteps"),
                message,
                "list every priority in use",
            );
        }
    }
}

fn a33(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, target) in subject.targets() {
        let mut seen = BTreeSet::new();
        for (index, step) in target.priority_steps.iter().enumerate() {
            let path = format!("{path}.prioritySteps[{index}]");
            if !(0..=HIGHEST).contains(&i64::from(*step)) {
                report.add(Kind::Invalid, path, "is not a priority", "use numbers from 0 to 9");
            } else if !seen.insert(step) {
                report.add(Kind::Duplicate, path, "the priority is given twice", "keep one of them");
            }
        }
    }
}

/// The priorities whose lists an autoscaler looks into.
pub(super) fn counted(subject: &Subject<'_>, target: &ScaleTarget) -> BTreeSet<i64> {
    if target.priority_steps.is_empty() {
        return priority_steps(subject.common()).unwrap_or_else(|| STEPS.into()).into_iter().collect();
    }
    target.priority_steps.iter().copied().map(i64::from).collect()
}

/// The priorities that are certainly in use: those the object gives lists of their own, and the one that tasks have
/// when nobody says otherwise.
fn used(subject: &Subject<'_>) -> BTreeSet<i64> {
    let config = &subject.common().config;
    let steps = priority_steps(subject.common()).unwrap_or_default();
    let default = config.get("task_default_priority").and_then(|setting| setting.0.as_i64()).unwrap_or(0);
    // A task is put into the list of the highest step that is not above its priority.
    let lists = if steps.is_empty() { STEPS.to_vec() } else { steps.clone() };
    let list = lists.into_iter().filter(|step| *step <= default.clamp(0, HIGHEST)).max();
    steps.into_iter().chain(list).collect()
}
