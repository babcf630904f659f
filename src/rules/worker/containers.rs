// SPDX-License-Identifier: Apache-2.0
//! Rules about the containers before and beside Celery's own.

use std::collections::HashSet;

use crate::names;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "W45", severity: Severity::Deny, schema: false, since: "0.1",
        title: "each container of a pod has a name of its own",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::object(w45),
        example: Example {
            bad: "spec: {workerSpec: {sidecars: [{name: celery, image: 'log:1'}]}}",
            at: "spec.workerSpec.sidecars[0].name",
            good: "spec: {workerSpec: {sidecars: [{name: log, image: 'log:1'}]}}",
            old: None,
        },
    },
];

fn w45(subject: &Subject<'_>, report: &mut Report<'_>) {
    let spec = &subject.object.spec;
    let own = [
        (names::WORKER_CONTAINER, !subject.pools.is_empty()),
        (names::BEAT_CONTAINER, spec.beat_spec.is_some()),
        (names::FLOWER_CONTAINER, spec.flower_spec.is_some()),
    ];
    let own: HashSet<&str> = own.into_iter().filter_map(|(name, runs)| runs.then_some(name)).collect();
    let mut taken = HashSet::new();
    for (index, container) in spec.common.init_containers.iter().enumerate() {
        let name = container.name.as_str();
        if !taken.insert(name) || own.contains(name) {
            twice(report, format!("spec.common.initContainers[{index}].name"));
        }
    }
    // Beside a worker there is neither beat nor Flower.
    taken.insert(names::WORKER_CONTAINER);
    for pool in &subject.pools {
        let mut taken = taken.clone();
        for (index, container) in pool.spec.sidecars.iter().enumerate() {
            if !taken.insert(&container.name) {
                twice(report, format!("{}.sidecars[{index}].name", pool.path));
            }
        }
    }
}

fn twice(report: &mut Report<'_>, path: String) {
    report.add(Kind::Duplicate, path, "another container of the pod has this name", "use another name");
}
