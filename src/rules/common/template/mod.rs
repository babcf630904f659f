// SPDX-License-Identifier: Apache-2.0
//! Rules about `podTemplate`: the schema keeps it open, so that its fields are looked at here.

mod fields;

use serde_json::Value;

use super::labels::is_of_a_deployment;
use crate::api::limits;
use crate::names;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;
use fields::Oddity;

/// Findings of each severity that are told of one template: whoever has more of them sees the pattern.
const TOLD: usize = 16;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C24", severity: Severity::Deny, schema: false, since: "0.1",
        title: "podTemplate has the fields and types of a pod template",
        consequence: "The API server refuses the Deployment, and the old pods stay; the status tells of it, after the Celery was stored.",
        check: Check::object(c24).or(Severity::Warn, "for a field that is near none known here, since a newer cluster may have it"),
        example: Example {
            bad: "spec: {workerSpec: {podTemplate: {spec: {nodeSelecter: {disk: ssd}}}}}",
            at: "spec.workerSpec.podTemplate.spec.nodeSelecter",
            good: "spec: {workerSpec: {podTemplate: {metadata: {annotations: {a: b}}, spec: {nodeSelector: {disk: ssd}, hostNetwork: true}}}}",
            old: None,
        },
    },
    Rule {
        id: "C27", severity: Severity::Deny, schema: false, since: "0.1",
        title: "podTemplate leaves alone how a worker starts and ends",
        consequence: "The template is laid over last: what the fields say, and what was judged of them, is not what runs.",
        check: Check::object(c27),
        example: Example {
            bad: "spec: {workerSpec: {podTemplate: {spec: {containers: [{name: celery, args: [worker]}]}}}}",
            at: "spec.workerSpec.podTemplate.spec.containers[0].args",
            good: "spec: {workerSpec: {args: ['--without-mingle'], podTemplate: {spec: {containers: [{name: celery, tty: true}]}}}}",
            old: None,
        },
    },
];

fn c27(subject: &Subject<'_>, report: &mut Report<'_>) {
    let shared = subject.common().pod_template.as_ref().map(|template| ("spec.common".to_owned(), template));
    let own = subject.pools.iter();
    let own = own.filter_map(|pool| Some((pool.path.clone(), pool.spec.pod_template.as_ref()?)));
    // What is shared counts where there are workers.
    let shared = shared.filter(|_| !subject.pools.is_empty());
    for (path, template) in shared.into_iter().chain(own) {
        replaced(report, &format!("{path}.podTemplate.spec"), &template.0["spec"]);
    }
}

/// What a pod template says in the place of fields. A null takes away, which is no better; of wrong types another rule
/// tells.
fn replaced(report: &mut Report<'_>, path: &str, pod: &Value) {
    let containers = pod["containers"].as_array().into_iter().flatten().enumerate().take(limits::ITEMS);
    for (index, container) in containers.filter(|(_, container)| container["name"] == names::WORKER_CONTAINER)
    {
        for (field, fix) in [("command", "use common.command"), ("args", "use args of the worker")] {
            if container.get(field).is_some_and(|value| value.is_array() || value.is_null()) {
                // Without the words, which may hold the URL of a broker.
                let path = format!("{path}.containers[{index}].{field}");
                report.add(Kind::Forbidden, path, "replaces what the operator renders", fix);
            }
        }
    }
    let grace = "terminationGracePeriodSeconds";
    if pod.get(grace).is_some_and(|value| value.is_number() || value.is_null()) {
        let fix = "use gracefulShutdown.timeoutSeconds";
        report.add(Kind::Forbidden, format!("{path}.{grace}"), "has a field of its own", fix);
    }
}

fn c24(subject: &Subject<'_>, report: &mut Report<'_>) {
    let shared = subject.common().pod_template.as_ref().map(|template| ("spec.common".to_owned(), template));
    let components = subject.components().into_iter();
    let own = components.filter_map(|component| Some((component.path.clone(), component.pod_template()?)));
    for (path, template) in shared.into_iter().chain(own) {
        judge(report, &format!("{path}.podTemplate"), &template.0);
    }
}

fn judge(report: &mut Report<'_>, path: &str, template: &Value) {
    let (mut denied, mut warned) = (0, 0);
    for oddity in fields::oddities(template, path) {
        let (severity, path, message, fix) = match oddity {
            // The rule about the operator's own things tells.
            Oddity::Unknown { path: at, name, .. }
                if is_of_a_deployment(name)
                    && [format!("{path}.{name}"), format!("{path}.spec.{name}")].contains(&at) =>
            {
                continue;
            }
            Oddity::Unknown { path, meant: Some(meant), .. } => {
                (Severity::Deny, path, "is not a field of a pod template", format!("did you mean {meant}?"))
            }
            Oddity::Unknown { path, meant: None, .. } => (
                Severity::Warn,
                path,
                "is no field known here",
                "remove it if your cluster does not know it".to_owned(),
            ),
            Oddity::Type { path, wanted } => {
                (Severity::Deny, path, "has the wrong type", format!("use {wanted}"))
            }
        };
        let told = if severity == Severity::Deny { &mut denied } else { &mut warned };
        *told += 1;
        if *told <= TOLD {
            // Without the value, which may be that of a variable.
            report.graded(severity, Kind::Forbidden, path, message, fix);
        }
    }
}
