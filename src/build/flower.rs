// SPDX-License-Identifier: Apache-2.0
//! Flower's Deployment and Service.

use k8s_openapi::api::apps::v1::{DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, HTTPGetAction, Probe, Service, ServicePort, ServiceSpec, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::deployment::{self, Workload};
use super::manifest::{ChildKind, Manifest};
use super::metadata;
use crate::api::ServiceType;
use crate::labels::{self, Component};
use crate::names;
use crate::resolve::{Flower, Pace, Resolved};

/// Name of Flower's port in the container and in the Service.
pub(super) const PORT: &str = "http";

pub(super) fn deployment(resolved: &Resolved, flower: &Flower) -> Manifest {
    let workload = Workload {
        name: names::flower(&resolved.app),
        component: Component::Flower,
        pool: None,
        replicas: flower.count.first(),
        strategy: strategy(flower),
        pace: Pace::default(),
        pod: &flower.pod,
        container: Container {
            name: names::FLOWER_CONTAINER.to_owned(),
            args: Some(flower.args.clone()),
            ports: Some(vec![ContainerPort {
                name: Some(PORT.to_owned()),
                container_port: flower.port,
                protocol: Some("TCP".to_owned()),
                ..ContainerPort::default()
            }]),
            readiness_probe: Some(health(flower, 10)),
            // Slower than readiness: a busy Flower leaves the Service before it is restarted.
            liveness_probe: Some(health(flower, 60)),
            resources: Some(flower.resources.clone()),
            ..Container::default()
        },
    };
    deployment::deployment(resolved, workload)
}

/// The successor comes first, unless both would write one history: then it waits until the file is free.
fn strategy(flower: &Flower) -> DeploymentStrategy {
    if flower.storage.is_some() {
        return DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None };
    }
    DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: Some(IntOrString::Int(1)),
            max_unavailable: Some(IntOrString::Int(0)),
        }),
    }
}

/// Asks for the page that answers in any case; where its path is not known, whether anybody listens: a wrong one would
/// end a Flower that is well.
fn health(flower: &Flower, period_seconds: i32) -> Probe {
    let port = || IntOrString::String(PORT.to_owned());
    let path = flower.health_path();
    Probe {
        tcp_socket: path.is_none().then(|| TCPSocketAction { port: port(), ..TCPSocketAction::default() }),
        http_get: path.map(|path| HTTPGetAction {
            path: Some(path),
            scheme: flower.https.then(|| "HTTPS".to_owned()),
            port: port(),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period_seconds),
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}

pub(super) fn service(resolved: &Resolved, flower: &Flower) -> Manifest {
    let name = names::flower(&resolved.app);
    let exposure = &flower.exposure;
    let type_ = match exposure.type_ {
        ServiceType::ClusterIp => "ClusterIP",
        ServiceType::NodePort => "NodePort",
        ServiceType::LoadBalancer => "LoadBalancer",
    };
    let mut metadata = metadata(resolved, &name, Some(Component::Flower), None);
    metadata.annotations = (!exposure.annotations.is_empty()).then(|| exposure.annotations.clone());
    let source_ranges = &exposure.source_ranges;
    let object = Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(type_.to_owned()),
            selector: Some(labels::selector(&resolved.owner.name, Component::Flower, None)),
            ports: Some(vec![ServicePort {
                name: Some(PORT.to_owned()),
                port: flower.port,
                node_port: exposure.node_port,
                protocol: Some("TCP".to_owned()),
                target_port: Some(IntOrString::String(PORT.to_owned())),
                ..ServicePort::default()
            }]),
            load_balancer_source_ranges: (!source_ranges.is_empty()).then(|| source_ranges.clone()),
            session_affinity: exposure.session_affinity.map(str::to_owned),
            ..ServiceSpec::default()
        }),
        status: None,
    };
    Manifest::new(ChildKind::Service, &name, &object)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::resolve::{Sources, resolved};

    fn probe(flower: Value) -> Probe {
        let celery = serde_json::from_value(json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery", "metadata": {"name": "shop"},
            "spec": {"common": {"image": "shop:1"}, "flowerSpec": flower},
        }));
        let resolved = resolved(&celery.expect("a Celery"), &Sources::default());
        health(&resolved.flower.expect("Flower"), 10)
    }

    #[test]
    fn a_page_is_asked_for_only_where_its_path_is_known() {
        let known = probe(json!({"urlPrefix": "a"}));
        assert_eq!(known.http_get.and_then(|get| get.path).as_deref(), Some("/a/healthcheck"));
        assert!(known.tcp_socket.is_none());
        let unclear = probe(json!({"args": ["--url_prefix=$(PREFIX)"]}));
        assert!(unclear.http_get.is_none());
        assert_eq!(unclear.tcp_socket.map(|socket| socket.port), Some(IntOrString::String(PORT.to_owned())));
    }
}
