// SPDX-License-Identifier: Apache-2.0
//! Rules about numbers of pods.

use super::finding::Severity;
use super::rule::{Check, Example, Rule};

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "K01", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a number of pods is not negative",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::field(
            &["spec.workerSpec.numOfWorkers", "spec.flowerSpec.replicas", "spec.scaleTargetRef[].minReplicas"],
            "use 0 or more",
        ),
        example: Example { bad: "spec: {workerSpec: {numOfWorkers: -1}}", at: "spec.workerSpec.numOfWorkers", good: "spec: {workerSpec: {numOfWorkers: 0}}", old: None },
    },
];
