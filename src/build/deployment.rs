// SPDX-License-Identifier: Apache-2.0
//! What the Deployments of all components share.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::api::core::v1::{
    Container, PodSecurityContext, PodSpec, PodTemplateSpec, SeccompProfile, SecurityContext,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::manifest::{ChildKind, Manifest};
use super::metadata;
use crate::labels::{self, Component};
use crate::resolve::Resolved;

/// What differs between components.
pub(super) struct Workload<'a> {
    pub(super) name: String,
    pub(super) component: Component,
    pub(super) pool: Option<&'a str>,
    pub(super) replicas: Option<i32>,
    pub(super) strategy: Option<DeploymentStrategy>,
    pub(super) container: Container,
    /// Seconds between SIGTERM and SIGKILL.
    pub(super) grace_seconds: i64,
    /// The pause process becomes PID 1: a worker that is still importing then dies of SIGTERM instead of ignoring it.
    pub(super) share_process_namespace: bool,
}

pub(super) fn deployment(resolved: &Resolved, workload: Workload<'_>) -> Manifest {
    let instance = &resolved.owner.name;
    let selector = labels::selector(instance, workload.component, workload.pool);
    let name = workload.name;
    let mut pod_labels = labels::child(instance, &resolved.app, Some(workload.component), workload.pool);
    if let Some(version) = &resolved.pod.version {
        pod_labels.insert("app.kubernetes.io/version".to_owned(), version.clone());
    }
    let object = Deployment {
        metadata: metadata(resolved, &name, Some(workload.component), workload.pool),
        spec: Some(DeploymentSpec {
            replicas: workload.replicas,
            strategy: workload.strategy,
            selector: LabelSelector { match_labels: Some(selector), ..LabelSelector::default() },
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(pod_labels), ..ObjectMeta::default() }),
                spec: Some(PodSpec {
                    automount_service_account_token: Some(false),
                    containers: vec![completed(resolved, workload.container)],
                    enable_service_links: Some(false),
                    image_pull_secrets: some(&resolved.pod.pull_secrets),
                    security_context: Some(PodSecurityContext {
                        seccomp_profile: Some(SeccompProfile {
                            type_: "RuntimeDefault".to_owned(),
                            localhost_profile: None,
                        }),
                        ..PodSecurityContext::default()
                    }),
                    share_process_namespace: workload.share_process_namespace.then_some(true),
                    termination_grace_period_seconds: Some(workload.grace_seconds),
                    volumes: some(&resolved.pod.volumes),
                    ..PodSpec::default()
                }),
            },
            ..DeploymentSpec::default()
        }),
        status: None,
    };
    Manifest::new(ChildKind::Deployment, &name, &object)
}

/// The container with what all containers share.
fn completed(resolved: &Resolved, container: Container) -> Container {
    let pod = &resolved.pod;
    Container {
        image: Some(pod.image.clone()),
        image_pull_policy: Some(pull_policy(resolved)),
        command: Some(vec!["celery".to_owned()]),
        env: resolved.broker.as_ref().map(|broker| vec![broker.env.clone()]),
        volume_mounts: some(&pod.mounts),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            ..SecurityContext::default()
        }),
        ..container
    }
}

fn pull_policy(resolved: &Resolved) -> String {
    use crate::api::Word as _;
    resolved.pod.pull_policy.as_str().to_owned()
}

fn some<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}
