// SPDX-License-Identifier: Apache-2.0
//! The operator's own Deployment and what belongs to it: what a pod needs in a namespace where `restricted` of Pod
//! Security is enforced, and no more.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Affinity, Capabilities, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction,
    ObjectFieldSelector, PodAffinityTerm, PodAntiAffinity, PodSecurityContext, PodSpec, PodTemplateSpec,
    Probe, ResourceRequirements, SeccompProfile, SecurityContext, Service, ServicePort, ServiceSpec,
    TopologySpreadConstraint, WeightedPodAffinityTerm,
};
use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::{Installation, NAME};
use crate::labels::COMPONENT;

/// The image of this release.
pub const IMAGE: &str = concat!("celery-operator:", env!("CARGO_PKG_VERSION"));

/// Port of the webhooks in the pod, by its name and number.
const WEBHOOKS: (&str, i32) = ("webhooks", 9443);
/// Port of probes and metrics.
const ADMIN: (&str, i32) = ("admin", 8080);
/// Who the process is; nobody in particular, and the image says the same.
const USER: i64 = 65532;
/// Seconds that a pod may take to end: those in which it goes on serving, and as many to finish what it does and to give
/// the Lease back.
const GRACE_SECONDS: i64 = 30;

/// The Deployment with its Services, disruption budget and network policy.
#[must_use]
pub fn manager(installation: &Installation, image: &str) -> Vec<Value> {
    let objects = [
        serde_json::to_value(network_policy(installation)),
        serde_json::to_value(budget(installation)),
        serde_json::to_value(webhook_service(installation)),
        serde_json::to_value(metrics_service(installation)),
        serde_json::to_value(deployment(installation, image)),
    ];
    objects.into_iter().map(Result::unwrap_or_default).collect()
}

fn metadata(installation: &Installation, name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(installation.namespace.clone()),
        labels: Some(installation.labels()),
        ..ObjectMeta::default()
    }
}

fn pods(installation: &Installation) -> LabelSelector {
    LabelSelector { match_labels: Some(installation.labels()), match_expressions: None }
}

fn deployment(installation: &Installation, image: &str) -> Deployment {
    Deployment {
        metadata: metadata(installation, &installation.name),
        spec: Some(DeploymentSpec {
            replicas: Some(2),
            revision_history_limit: Some(3),
            selector: pods(installation),
            // The webhooks are never served by fewer than before.
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: Some(IntOrString::Int(1)),
                    max_unavailable: Some(IntOrString::Int(0)),
                }),
            }),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(installation.labels()),
                    annotations: Some(BTreeMap::from([(
                        "kubectl.kubernetes.io/default-container".to_owned(),
                        NAME.to_owned(),
                    )])),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(installation, image)),
            },
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn pod(installation: &Installation, image: &str) -> PodSpec {
    let spread = |key: &str| TopologySpreadConstraint {
        topology_key: key.to_owned(),
        max_skew: 1,
        // A cluster of one zone runs it too.
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        label_selector: Some(pods(installation)),
        ..TopologySpreadConstraint::default()
    };
    PodSpec {
        affinity: Some(apart(installation)),
        automount_service_account_token: Some(true),
        containers: vec![container(installation, image)],
        // A Service called like an installation would put variables beside those that the operator reads.
        enable_service_links: Some(false),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(USER),
            run_as_group: Some(USER),
            fs_group: Some(USER),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                localhost_profile: None,
            }),
            ..PodSecurityContext::default()
        }),
        service_account_name: Some(installation.name.clone()),
        termination_grace_period_seconds: Some(GRACE_SECONDS),
        topology_spread_constraints: Some(vec![spread("topology.kubernetes.io/zone")]),
        ..PodSpec::default()
    }
}

/// One node is not to take all replicas with it, if there is another.
fn apart(installation: &Installation) -> Affinity {
    let term = PodAffinityTerm {
        topology_key: "kubernetes.io/hostname".to_owned(),
        label_selector: Some(pods(installation)),
        ..PodAffinityTerm::default()
    };
    Affinity {
        pod_anti_affinity: Some(PodAntiAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(vec![WeightedPodAffinityTerm {
                weight: 100,
                pod_affinity_term: term,
            }]),
            ..PodAntiAffinity::default()
        }),
        ..Affinity::default()
    }
}

fn arguments(installation: &Installation) -> Vec<String> {
    let Installation { name, cluster_wide_name, watched, namespace: _ } = installation;
    let mut arguments = vec!["run".to_owned(), format!("--name={name}"), "--log-format=json".to_owned()];
    if cluster_wide_name != name {
        arguments.push(format!("--cluster-wide-name={cluster_wide_name}"));
    }
    arguments.extend(watched.iter().map(|namespace| format!("--watch-namespace={namespace}")));
    arguments
}

fn container(installation: &Installation, image: &str) -> Container {
    let port = |(name, number): (&str, i32)| ContainerPort {
        name: Some(name.to_owned()),
        container_port: number,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    // From the pod itself, so that whoever moves the manifests to another namespace need not know.
    let namespace = EnvVar {
        name: "CELERY_OPERATOR_NAMESPACE".to_owned(),
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector {
                api_version: Some("v1".to_owned()),
                field_path: "metadata.namespace".to_owned(),
            }),
            ..EnvVarSource::default()
        }),
        value: None,
    };
    Container {
        name: NAME.to_owned(),
        image: Some(image.to_owned()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        args: Some(arguments(installation)),
        env: Some(vec![namespace]),
        ports: Some(vec![port(WEBHOOKS), port(ADMIN)]),
        liveness_probe: Some(probe("/livez", 10, 3)),
        readiness_probe: Some(probe("/readyz", 5, 2)),
        resources: Some(resources()),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            read_only_root_filesystem: Some(true),
            ..SecurityContext::default()
        }),
        ..Container::default()
    }
}

fn probe(path: &str, period_seconds: i32, failure_threshold: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(ADMIN.0.to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period_seconds),
        timeout_seconds: Some(3),
        failure_threshold: Some(failure_threshold),
        ..Probe::default()
    }
}

/// Enough for a thousand objects, with a limit for some thousands. None for the processor: to be throttled would make
/// whoever writes an object wait. What is written to disk is the log alone, which kubelets rotate.
fn resources() -> ResourceRequirements {
    let of = |amounts: &[(&str, &str)]| {
        Some(
            amounts
                .iter()
                .map(|(name, amount)| ((*name).to_owned(), Quantity((*amount).to_owned())))
                .collect(),
        )
    };
    ResourceRequirements {
        requests: of(&[("cpu", "50m"), ("memory", "64Mi"), ("ephemeral-storage", "64Mi")]),
        limits: of(&[("memory", "256Mi"), ("ephemeral-storage", "1Gi")]),
        claims: None,
    }
}

fn service(installation: &Installation, name: &str, (port, number): (&str, i32), target: &str) -> Service {
    Service {
        metadata: metadata(installation, name),
        spec: Some(ServiceSpec {
            selector: Some(installation.labels()),
            ports: Some(vec![ServicePort {
                name: Some(port.to_owned()),
                port: number,
                protocol: Some("TCP".to_owned()),
                target_port: Some(IntOrString::String(target.to_owned())),
                ..ServicePort::default()
            }]),
            type_: Some("ClusterIP".to_owned()),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

fn webhook_service(installation: &Installation) -> Service {
    service(installation, &installation.service(), ("https", 443), WEBHOOKS.0)
}

/// A replica that is not ready is the one whose metrics are wanted.
fn metrics_service(installation: &Installation) -> Service {
    let mut service = service(installation, &installation.metrics_service(), ("metrics", ADMIN.1), ADMIN.0);
    // Selects one Service of several for a ServiceMonitor.
    service.metadata.labels.get_or_insert_default().insert(COMPONENT.to_owned(), "metrics".to_owned());
    if let Some(spec) = &mut service.spec {
        spec.publish_not_ready_addresses = Some(true);
    }
    service
}

fn budget(installation: &Installation) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: metadata(installation, &installation.name),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(pods(installation)),
            // One that does not serve anyway keeps no node from being drained.
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        status: None,
    }
}

/// From anywhere: API servers and kubelets call from addresses that nobody knows beforehand. Where the API server is,
/// nobody knows either, so that what the operator itself calls is left open.
fn network_policy(installation: &Installation) -> NetworkPolicy {
    let port = |(name, _): (&str, i32)| NetworkPolicyPort {
        port: Some(IntOrString::String(name.to_owned())),
        protocol: Some("TCP".to_owned()),
        end_port: None,
    };
    NetworkPolicy {
        metadata: metadata(installation, &installation.name),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(pods(installation)),
            policy_types: Some(vec!["Ingress".to_owned()]),
            ingress: Some(vec![NetworkPolicyIngressRule {
                ports: Some(vec![port(WEBHOOKS), port(ADMIN)]),
                from: None,
            }]),
            egress: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_say_what_the_installation_is() {
        let installation = Installation {
            cluster_wide_name: "x.shop".to_owned(),
            watched: vec!["a".to_owned(), "b".to_owned()],
            ..Installation::new("shop", "x")
        };
        assert_eq!(
            arguments(&installation),
            [
                "run",
                "--name=x",
                "--log-format=json",
                "--cluster-wide-name=x.shop",
                "--watch-namespace=a",
                "--watch-namespace=b"
            ]
        );
        assert_eq!(
            arguments(&Installation::default()),
            ["run", "--name=celery-operator", "--log-format=json"]
        );
    }

    #[test]
    fn every_selector_means_the_pods() {
        let objects = manager(&Installation::default(), IMAGE);
        let of = |pointer: &str, kind: &str| {
            let object = objects.iter().find(|object| object["kind"] == kind).unwrap();
            object.pointer(pointer).unwrap().clone()
        };
        let pods = of("/spec/template/metadata/labels", "Deployment");
        for (kind, pointer) in [
            ("Deployment", "/spec/selector/matchLabels"),
            ("Service", "/spec/selector"),
            ("PodDisruptionBudget", "/spec/selector/matchLabels"),
            ("NetworkPolicy", "/spec/podSelector/matchLabels"),
        ] {
            assert_eq!(of(pointer, kind), pods, "{kind}");
        }
    }
}
