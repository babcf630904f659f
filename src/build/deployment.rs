// SPDX-License-Identifier: Apache-2.0
//! What the Deployments of all components share.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde_json::{Value, json};

use super::manifest::{ChildKind, Manifest};
use super::{metadata, overlay};
use crate::api::{Word as _, image};
use crate::labels::{self, Component};
use crate::names;
use crate::resolve::{Pace, Pod, Resolved};

/// What differs between components.
pub(super) struct Workload<'a> {
    pub(super) name: String,
    pub(super) component: Component,
    pub(super) pool: Option<&'a str>,
    pub(super) replicas: Option<i32>,
    pub(super) strategy: DeploymentStrategy,
    pub(super) pace: Pace,
    pub(super) pod: &'a Pod,
    pub(super) container: Container,
}

pub(super) fn deployment(resolved: &Resolved, workload: Workload<'_>) -> Manifest {
    let selector = labels::selector(&resolved.owner.name, workload.component, workload.pool);
    let name = workload.name.clone();
    let object = Deployment {
        metadata: metadata(resolved, &name, Some(workload.component), workload.pool),
        spec: Some(DeploymentSpec {
            replicas: workload.replicas,
            strategy: Some(workload.strategy.clone()),
            min_ready_seconds: workload.pace.min_ready_seconds,
            progress_deadline_seconds: workload.pace.progress_deadline_seconds,
            revision_history_limit: workload.pace.revision_history_limit,
            template: template(resolved, &workload),
            selector: LabelSelector { match_labels: Some(selector.clone()), ..LabelSelector::default() },
            paused: None,
        }),
        status: None,
    };
    // Types of k8s-openapi always serialise.
    let mut object = serde_json::to_value(&object).unwrap_or_default();
    let template = &mut object["spec"]["template"];
    for overlay in &workload.pod.overlays {
        overlay::lay_over(template, overlay);
    }
    // Pods that their Deployment does not select are refused as a whole.
    let labels = selector.into_iter().map(|(label, value)| (label, Value::String(value)));
    let labels = serde_json::json!({ "metadata": { "labels": labels.collect::<Value>() } });
    overlay::lay_over(template, &labels);
    name_account_twice(&mut template["spec"]);
    Manifest::new(ChildKind::Deployment, &name, &object)
}

/// When nodes pull the image of the default pool, or else of the first other part: what the pod templates say of it too.
#[must_use]
pub fn pull_policy(resolved: &Resolved) -> Option<String> {
    let pool = resolved.default_pool().or(resolved.pools.first());
    let pools = pool.map(|pool| (&pool.pod, names::WORKER_CONTAINER)).into_iter();
    let beat = resolved.beat.iter().map(|beat| (&beat.pod, names::BEAT_CONTAINER));
    let flower = resolved.flower.iter().map(|flower| (&flower.pod, names::FLOWER_CONTAINER));
    let (pod, name) = pools.chain(beat).chain(flower).next()?;
    let container = json!({ "name": name, "image": pod.image, "imagePullPolicy": pod.pull_policy.as_str() });
    let mut template = json!({ "spec": { "containers": [container] } });
    for overlay in &pod.overlays {
        overlay::lay_over(&mut template, overlay);
    }
    let containers = template["spec"]["containers"].as_array()?;
    let container = containers.iter().find(|container| container["name"] == name)?;
    let by_tag = || image::pull_policy(container["image"].as_str().unwrap_or_default()).as_str();
    Some(container["imagePullPolicy"].as_str().unwrap_or_else(by_tag).to_owned())
}

/// The API server keeps the service account under two names, and each that is missing takes the value of the other: the
/// one that is not ours would hold on to an account that the spec no longer names.
fn name_account_twice(pod: &mut Value) {
    const NAMES: [&str; 2] = ["serviceAccountName", "serviceAccount"];
    let Some(account) = NAMES.iter().find_map(|name| pod.get(name)).cloned() else { return };
    for name in NAMES {
        pod[name] = account.clone();
    }
}

fn template(resolved: &Resolved, workload: &Workload<'_>) -> PodTemplateSpec {
    let pod = workload.pod;
    let mut labels = pod.labels.clone();
    labels.extend(labels::child(
        &resolved.owner.name,
        &resolved.app,
        Some(workload.component),
        workload.pool,
    ));
    let celery = completed(pod, workload.container.clone());
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels),
            annotations: (!pod.annotations.is_empty()).then(|| pod.annotations.clone()),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            affinity: pod.affinity.clone(),
            automount_service_account_token: pod.service_account.is_none().then_some(false),
            containers: std::iter::once(celery).chain(pod.sidecars.iter().cloned()).collect(),
            dns_config: pod.dns.clone(),
            enable_service_links: Some(false),
            image_pull_secrets: some(&pod.pull_secrets),
            init_containers: some(&pod.init_containers),
            node_selector: (!pod.node_selector.is_empty()).then(|| pod.node_selector.clone()),
            priority_class_name: pod.priority_class.clone(),
            security_context: Some(pod.security.clone()),
            service_account_name: pod.service_account.clone(),
            share_process_namespace: pod.share_process_namespace.then_some(true),
            termination_grace_period_seconds: Some(pod.grace_seconds),
            tolerations: some(&pod.tolerations),
            topology_spread_constraints: some(&pod.spread),
            volumes: some(&pod.volumes),
            ..PodSpec::default()
        }),
    }
}

/// The container with what all containers share.
fn completed(pod: &Pod, container: Container) -> Container {
    let probes = &pod.probes;
    Container {
        image: Some(pod.image.clone()),
        image_pull_policy: Some(pod.pull_policy.as_str().to_owned()),
        command: Some(pod.command.clone()),
        env: some(&pod.env),
        env_from: some(&pod.env_from),
        lifecycle: pod.lifecycle.clone(),
        startup_probe: probes.startup.clone().or(container.startup_probe),
        readiness_probe: probes.readiness.clone().or(container.readiness_probe),
        liveness_probe: probes.liveness.clone().or(container.liveness_probe),
        volume_mounts: some(&pod.mounts),
        security_context: Some(pod.container_security.clone()),
        ..container
    }
}

fn some<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(spec: &Value) -> Resolved {
        let celery = json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery", "metadata": {"name": "shop", "namespace": "web"},
            "spec": spec,
        });
        let celery = serde_json::from_value(celery).expect("a Celery");
        crate::resolve::resolved(&celery, &crate::resolve::Sources::default())
    }

    #[test]
    fn the_pull_policy_is_the_one_that_the_pods_have() {
        let with = |image: &str, of_all: Value, of_workers: Value| {
            let template = |container: Value| match container {
                Value::Null => Value::Null,
                container => json!({"spec": {"containers": [container]}}),
            };
            let common = json!({"image": image, "podTemplate": template(of_all)});
            let worker = json!({"podTemplate": template(of_workers)});
            pull_policy(&resolved(&json!({"common": common, "workerSpec": worker}))).expect("a pool")
        };
        let says = |policy: &str| json!({"name": "celery", "imagePullPolicy": policy});
        assert_eq!(with("shop:1", Value::Null, Value::Null), "IfNotPresent");
        assert_eq!(with("shop:1", says("Always"), Value::Null), "Always");
        assert_eq!(with("shop:1", says("Always"), says("Never")), "Never");
        // Without any, the API server goes by the tag.
        let unsaid = json!({"name": "celery", "imagePullPolicy": null, "image": "shop:latest"});
        assert_eq!(with("shop:1", unsaid, Value::Null), "Always");
        let beat = json!({"common": {"image": "shop:1"}, "beatSpec": {}, "flowerSpec": {}});
        assert_eq!(pull_policy(&resolved(&beat)).as_deref(), Some("IfNotPresent"));
    }

    #[test]
    fn pods_keep_the_labels_that_their_deployment_selects() {
        let template =
            json!({"metadata": {"labels": {"app.kubernetes.io/instance": "other", "tier": "gold"}}});
        let common = json!({"image": "shop:1", "celeryApp": "shop.tasks", "podTemplate": template,
                            "broker": {"url": "redis://cache"}});
        let resolved = resolved(&json!({"common": common, "beatSpec": {}}));
        let beat = resolved.beat.as_ref().expect("beat");
        let spec = &super::super::beat::deployment(&resolved, beat).body["spec"];
        let labels = &spec["template"]["metadata"]["labels"];
        assert_eq!(
            labels["app.kubernetes.io/instance"],
            spec["selector"]["matchLabels"]["app.kubernetes.io/instance"]
        );
        assert_eq!(
            (&labels["app.kubernetes.io/instance"], &labels["tier"]),
            (&json!("shop"), &json!("gold"))
        );
    }

    #[test]
    fn an_account_has_both_names_or_none() {
        let twice = |mut pod: Value| {
            name_account_twice(&mut pod);
            pod
        };
        let both = |name: &str| json!({"serviceAccountName": name, "serviceAccount": name});
        assert_eq!(twice(json!({"serviceAccountName": "a"})), both("a"));
        assert_eq!(twice(json!({"serviceAccount": "b"})), both("b"));
        assert_eq!(twice(json!({"serviceAccountName": "a", "serviceAccount": "b"})), both("a"));
        assert_eq!(twice(json!({"hostNetwork": true})), json!({"hostNetwork": true}));
    }
}
