// SPDX-License-Identifier: Apache-2.0
//! Flower's Ingress.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend,
    IngressSpec, IngressTLS, ServiceBackendPort,
};

use super::manifest::{ChildKind, Manifest};
use super::{flower, metadata};
use crate::labels::Component;
use crate::names;
use crate::resolve::{Entrance, Resolved};

pub(super) fn ingress(resolved: &Resolved, entrance: &Entrance) -> Manifest {
    let name = names::flower(&resolved.app);
    let mut metadata = metadata(resolved, &name, Some(Component::Flower), None);
    metadata.annotations = (!entrance.annotations.is_empty()).then(|| entrance.annotations.clone());
    let port = ServiceBackendPort { name: Some(flower::PORT.to_owned()), number: None };
    let path = HTTPIngressPath {
        path: Some(entrance.path.clone()),
        path_type: entrance.path_type.to_owned(),
        backend: IngressBackend {
            service: Some(IngressServiceBackend { name: name.clone(), port: Some(port) }),
            resource: None,
        },
    };
    let object = Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: entrance.class_name.clone(),
            rules: Some(vec![IngressRule {
                host: entrance.host.clone(),
                http: Some(HTTPIngressRuleValue { paths: vec![path] }),
            }]),
            tls: entrance.tls_secret_name.as_ref().map(|secret| {
                vec![IngressTLS {
                    hosts: entrance.host.clone().map(|host| vec![host]),
                    secret_name: Some(secret.clone()),
                }]
            }),
            ..IngressSpec::default()
        }),
        status: None,
    };
    Manifest::new(ChildKind::Ingress, &name, &object)
}
