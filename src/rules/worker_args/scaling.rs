// SPDX-License-Identifier: Apache-2.0
//! How many tasks one pod runs, and who changes that number.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::api::WorkerPoolKind;
use crate::celery::command::Concurrency;
use crate::celery::value::Value;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "W16", severity: Severity::Warn, schema: false, since: "0.1",
        title: "concurrency does not follow the node",
        consequence: "With 0 a worker starts a child for every cpu of the node, whatever its own limits are.",
        check: Check::object(w16),
        example: Example { bad: "spec: {workerSpec: {args: ['-c', '0']}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {concurrency: 4}}", old: None },
    },
    Rule {
        id: "W23", severity: Severity::Warn, schema: false, since: "0.1",
        title: "one autoscaler for one pool",
        consequence: "Celery changes the children of each pod while Kubernetes changes the pods, each undoing the other's work.",
        check: Check::object(w23),
        example: Example {
            bad: "spec: {workerSpec: {args: ['--autoscale=8,2'], resources: {requests: {cpu: 1}}}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            at: "spec.workerSpec.args[0]",
            good: "spec: {workerSpec: {args: ['--autoscale=8,2']}}",
            old: None,
        },
    },
    Rule {
        id: "W24", severity: Severity::Warn, schema: false, since: "0.1",
        title: "--autoscale stands where it has an effect",
        consequence: "The solo pool ignores it, and beside it a number of tasks is ignored.",
        check: Check::object(w24),
        example: Example { bad: "spec: {workerSpec: {args: ['--autoscale=8,2', '-c', '4']}}", at: "spec.workerSpec.args[1]", good: "spec: {workerSpec: {args: ['--autoscale=8,2']}}", old: None },
    },
    Rule {
        id: "W85", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a pool of threads has no --autoscale",
        consequence: "Threads cannot grow: with the first task too many the worker ends with \"'TaskPool' object has no attribute 'grow'\". Workers of 5.6 and 5.7 were seen to end at the third task.",
        check: Check::object(w85),
        example: Example { bad: "spec: {workerSpec: {pool: threads, args: ['--autoscale=8,2']}}", at: "spec.workerSpec.args[0]", good: "spec: {workerSpec: {args: ['--autoscale=8,2']}}", old: None },
    },
];

fn w16(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let unset = pool.said.concurrency().is() == Some(Concurrency::Unset);
        if let Some(used) = pool.said.last("--concurrency").filter(|_| unset) {
            let message = "means all cpus of the node";
            report.add(Kind::Invalid, pool.arg(used.value_at), message, "use 1 or more");
        }
        if pool.spec.concurrency == Some(IntOrString::Int(0)) {
            let path = format!("{}.concurrency", pool.path);
            report.add(Kind::Invalid, path, "means all cpus of the node", "use 1 or more");
        }
    }
}

fn w23(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in subject.pools.iter().filter(|pool| subject.target_of(pool.name).is_some()) {
        if let Some(used) = pool.said.last("--autoscale") {
            let message = "the pool has an autoscaler in scaleTargetRef too";
            report.add(Kind::Forbidden, pool.arg(used.at), message, "use one of them");
        }
    }
}

fn w24(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let Some(autoscale) = pool.said.last("--autoscale") else { continue };
        if pool.kind() == Some(WorkerPoolKind::Solo) {
            let message = "--autoscale has no effect with the pool solo";
            report.add(Kind::Forbidden, pool.arg(autoscale.at), message, "remove it, or use prefork");
        }
        if let Some(concurrency) = pool.said.last("--concurrency") {
            let message = format!("{} has no effect beside --autoscale", concurrency.name);
            report.add(Kind::Forbidden, pool.arg(concurrency.at), message, "remove one of the two");
        } else if pool.spec.concurrency.is_some() {
            let path = format!("{}.concurrency", pool.path);
            report.add(Kind::Invalid, path, "has no effect beside --autoscale", "remove one of the two");
        }
    }
}

fn w85(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in subject.pools.iter().filter(|pool| pool.kind() == Some(WorkerPoolKind::Threads)) {
        // Where both bounds are one, nothing has to grow; of no threads at all none can be made.
        let grows = match pool.said.effective("--autoscale").is() {
            Some(Value::Range(most, fewest)) => most > fewest || fewest < 1,
            _ => false,
        };
        if let Some(autoscale) = pool.said.last("--autoscale").filter(|_| grows) {
            let message = "--autoscale ends a worker of the pool threads as soon as it grows";
            report.add(Kind::Forbidden, pool.arg(autoscale.at), message, "use the pool prefork or gevent");
        }
    }
}
