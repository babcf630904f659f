// SPDX-License-Identifier: Apache-2.0
//! Rules about cpu and memory: what a share is a share of, and whether it can be reached.
//!
//! Kubernetes adds up the requests of every container of a pod; KEDA is asked to look at the one container of Celery.
//! A limit without a request counts as the request.

use k8s_openapi::api::core::v1::{Container, ResourceRequirements};
use kube_quantity::ParsedQuantity;
use serde_json::Value;

use super::is_queue;
use crate::api::{Metric, MetricName, Open, ScaleKind, ScaleTarget, TargetType, WorkerPoolKind};
use crate::names;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Component, Part, Pool, Subject};

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "A08", severity: Severity::Deny, schema: false, since: "0.1",
        title: "what a share of cpu or memory is a share of is written",
        consequence: "Kubernetes reports a missing request and never scales; KEDA refuses the autoscaler.",
        check: Check::object(a08),
        example: Example {
            bad: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            at: "spec.workerSpec.resources.requests.cpu",
            good: "spec: {workerSpec: {resources: {requests: {cpu: 500m}}}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A09", severity: Severity::Deny, schema: true, since: "0.1",
        title: "a utilization is above zero, and below what the limit lets through",
        consequence: "The autoscaler is refused and nothing scales; or its target is never reached.",
        check: Check::field(&["spec.scaleTargetRef[].metrics[].target.averageUtilization"], "use a percentage such as 80").and(a09).or(Severity::Warn, "for a percentage that the limit keeps from being reached"),
        example: Example {
            bad: "spec: {workerSpec: {resources: {requests: {cpu: 500m}}}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 0}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].target.averageUtilization",
            good: "spec: {workerSpec: {resources: {requests: {cpu: 500m}}}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "A12", severity: Severity::Warn, schema: false, since: "0.1",
        title: "memory of child processes does not fall again",
        consequence: "Python keeps what it once took: pods are added and never taken away.",
        check: Check::object(a12),
        example: Example {
            bad: "spec: {workerSpec: {resources: {requests: {memory: 1Gi}}}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: memory, target: {type: Utilization, averageUtilization: 80}}]}]}",
            at: "spec.scaleTargetRef[0].metrics[0].name",
            good: "spec: {workerSpec: {resources: {requests: {cpu: 500m}}}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
            old: None,
        },
    },
];

/// A metric of cpu or memory, and the component that it is measured on.
struct Measured<'s> {
    /// `spec.scaleTargetRef[0].metrics[1]`.
    path: String,
    /// `cpu` or `memory`.
    resource: &'static str,
    metric: &'s Metric,
    type_: TargetType,
    component: Component<'s>,
    /// Whether a queue is followed too, which makes the autoscaler KEDA's.
    by_keda: bool,
}

/// The metrics of cpu and memory whose component is there.
fn measured<'s>(subject: &'s Subject<'s>) -> impl Iterator<Item = Measured<'s>> {
    subject.targets().flat_map(move |(path, target)| {
        let by_keda = target.metrics.iter().any(is_queue);
        let metrics = component(subject, target).into_iter().flat_map(|component| {
            target.metrics.iter().enumerate().map(move |(index, metric)| (index, metric, component.clone()))
        });
        metrics.filter_map(move |(index, metric, component)| {
            let resource = match metric.name.known()? {
                MetricName::Cpu => "cpu",
                MetricName::Memory => "memory",
                MetricName::TaskQueueLength => return None,
            };
            let type_ = metric.target.type_.as_ref().and_then(Open::known)?;
            let path = format!("{path}.metrics[{index}]");
            Some(Measured { path, resource, metric, type_, component, by_keda })
        })
    })
}

/// What an autoscaler scales.
fn component<'s>(subject: &'s Subject<'s>, target: &ScaleTarget) -> Option<Component<'s>> {
    match target.kind.known()? {
        ScaleKind::Worker => {
            let pool = subject.pool_of(target)?;
            Some(Component { path: pool.path.clone(), part: Part::Worker(pool.spec) })
        }
        ScaleKind::Flower => {
            let flower = subject.object.spec.flower_spec.as_ref()?;
            Some(Component { path: "spec.flowerSpec".to_owned(), part: Part::Flower(flower) })
        }
    }
}

fn a08(subject: &Subject<'_>, report: &mut Report<'_>) {
    for measured in measured(subject).filter(|it| it.by_keda || it.type_ == TargetType::Utilization) {
        let amount = if measured.resource == "cpu" { "500m" } else { "256Mi" };
        let resource = measured.resource;
        let target = measured.path.rsplit_once('.').map_or("", |(target, _)| target);
        for path in lacking(subject, &measured) {
            report.add(
                Kind::Required,
                format!("{path}.requests.{resource}"),
                format!("the {resource} metric of {target} needs a {resource} request"),
                format!("set one such as {amount}"),
            );
        }
    }
}

/// The paths of `resources` in which a container should request the resource and does not.
fn lacking(subject: &Subject<'_>, measured: &Measured<'_>) -> Vec<String> {
    let Measured { component, resource, .. } = measured;
    let overlays: Vec<(String, &Value)> = [
        ("spec.common.podTemplate".to_owned(), subject.common().pod_template.as_ref()),
        (format!("{}.podTemplate", component.path), component.pod_template()),
    ]
    .into_iter()
    .filter_map(|(path, template)| Some((path, template?.0.get("spec")?)))
    .collect();
    // Requests of the whole pod stand for those of its containers.
    if overlays.iter().any(|(_, pod)| has_written(pod, resource)) {
        return Vec::new();
    }
    let overlaid: Vec<(String, &str, bool)> =
        overlays.iter().flat_map(|(path, pod)| laid_over(path, pod, resource)).collect();
    let sufficient = |name: &str| overlaid.iter().any(|(_, overlaid, has)| *overlaid == name && *has);
    let (main, sidecars): (&str, &[Container]) = match component.part {
        Part::Worker(worker) => (names::WORKER_CONTAINER, &worker.sidecars),
        _ => (names::FLOWER_CONTAINER, &[]),
    };
    let mut lacking = Vec::new();
    // Flower has requests of its own unless somebody writes others.
    let by_default = matches!(component.part, Part::Flower(_)) && component.resources().is_none();
    if !by_default && !has(component.resources(), resource) && !sufficient(main) {
        lacking.push(format!("{}.resources", component.path));
    }
    if measured.by_keda {
        return lacking;
    }
    let is_new = |name: &str| name != main && !sidecars.iter().any(|sidecar| sidecar.name == name);
    for (index, sidecar) in sidecars.iter().enumerate() {
        if !has(sidecar.resources.as_ref(), resource) && !sufficient(&sidecar.name) {
            lacking.push(format!("{}.sidecars[{index}].resources", component.path));
        }
    }
    // An init container that is restarted runs beside the others.
    for (index, container) in subject.common().init_containers.iter().enumerate() {
        let stays = container.restart_policy.as_deref() == Some("Always");
        if stays && !has(container.resources.as_ref(), resource) {
            lacking.push(format!("spec.common.initContainers[{index}].resources"));
        }
    }
    let others = overlaid.iter().filter(|(_, name, has)| !has && is_new(name) && !sufficient(name));
    lacking.extend(others.map(|(path, ..)| path.clone()));
    lacking
}

/// The containers of a pod template: the path of their resources, their names, and whether they request the resource.
fn laid_over<'v>(path: &str, pod: &'v Value, resource: &str) -> Vec<(String, &'v str, bool)> {
    let containers = pod.get("containers").and_then(Value::as_array).into_iter().flatten().enumerate();
    containers
        .filter_map(|(index, container)| {
            let name = container.get("name")?.as_str()?;
            let path = format!("{path}.spec.containers[{index}].resources");
            Some((path, name, has_written(container, resource)))
        })
        .collect()
}

/// Whether a request, or a limit that stands for it, is written.
fn has(resources: Option<&ResourceRequirements>, name: &str) -> bool {
    resources.is_some_and(|resources| {
        [&resources.requests, &resources.limits].into_iter().flatten().any(|list| list.contains_key(name))
    })
}

/// The same of a part of a pod template.
fn has_written(part: &Value, name: &str) -> bool {
    let resources = part.get("resources");
    ["requests", "limits"].iter().any(|list| {
        let amount = resources.and_then(|resources| resources.get(list)?.get(name));
        amount.is_some_and(|amount| !amount.is_null())
    })
}

fn a09(subject: &Subject<'_>, report: &mut Report<'_>) {
    for measured in measured(subject).filter(|it| it.type_ == TargetType::Utilization) {
        let (Some(percent), Some(most)) = (measured.metric.target.average_utilization, most(&measured))
        else {
            continue;
        };
        if percent >= 1 && f64::from(percent) > most {
            let path = format!("{}.target.averageUtilization", measured.path);
            let message = format!("is never reached, the limit is {}", most.floor());
            report.warn(Kind::Invalid, path, message, "use less");
        }
    }
}

/// The percentage of its request that the container's limit lets through; `None` where other containers, or a pod
/// template, have a say.
fn most(measured: &Measured<'_>) -> Option<f64> {
    let Measured { component, resource, .. } = measured;
    let alone = match component.part {
        Part::Worker(worker) => worker.sidecars.is_empty() || measured.by_keda,
        _ => true,
    };
    if !alone || component.pod_template().is_some() {
        return None;
    }
    let resources = component.resources()?;
    let amount = |list: &Option<std::collections::BTreeMap<String, _>>| -> Option<f64> {
        ParsedQuantity::try_from(list.as_ref()?.get(*resource)?).ok()?.to_bytes_f64()
    };
    let limit = amount(&resources.limits)?;
    let request = amount(&resources.requests).unwrap_or(limit);
    (request > 0.0).then(|| 100.0 * limit / request)
}

fn a12(subject: &Subject<'_>, report: &mut Report<'_>) {
    for measured in measured(subject) {
        let pool = subject.pools.iter().find(|pool| pool.path == measured.component.path);
        let is_prefork = pool.and_then(Pool::kind) == Some(WorkerPoolKind::Prefork);
        if measured.resource == "memory" && measured.type_ == TargetType::Utilization && is_prefork {
            let path = format!("{}.name", measured.path);
            let message = "memory of prefork rarely falls, so pods stay";
            report.add(Kind::Forbidden, path, message, "use cpu or task_queue_length");
        }
    }
}
