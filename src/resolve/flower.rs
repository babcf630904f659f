// SPDX-License-Identifier: Apache-2.0
//! Flower with everything decided.

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::{Flower, scaler};
use crate::api::{CelerySpec, DEFAULT_POOL, FlowerSpec, Open, ScaleKind, ServiceType};
use crate::celery::flower as command;
use crate::celery::options::flower::Release;

/// Port of Flower when nobody chooses one.
const PORT: i32 = 5555;

pub(super) fn flower(written: &FlowerSpec, spec: &CelerySpec) -> Flower {
    let said = command::reading(&written.args, Release::NEWEST);
    let from_args = said
        .int("port")
        .is()
        .and_then(|port| i32::try_from(port).ok())
        .filter(|port| (1..=65535).contains(port));
    let port = written.service_port.or(from_args).unwrap_or(PORT);
    let mut args = super::celery_app(spec);
    args.push("flower".to_owned());
    args.extend(written.args.iter().cloned());
    // Last, since the last one wins: the Service and the probes ask here.
    args.extend(["--address=0.0.0.0".to_owned(), format!("--port={port}")]);
    let scaler = scaler::scaler(spec, ScaleKind::Flower, DEFAULT_POOL, None);
    let prefix = said.text("url_prefix").is().unwrap_or_default().trim_matches('/');
    Flower {
        args,
        replicas: if scaler.is_some() { None } else { Some(written.replicas.unwrap_or(1)) },
        port,
        service_type: written.service_type.as_ref().and_then(Open::known).unwrap_or(ServiceType::ClusterIp),
        health_path: if prefix.is_empty() {
            "/healthcheck".to_owned()
        } else {
            format!("/{prefix}/healthcheck")
        },
        resources: written.resources.clone().unwrap_or_else(default_resources),
        scaler,
    }
}

fn default_resources() -> ResourceRequirements {
    let amounts = |list: &[(&str, &str)]| {
        Some(list.iter().map(|(name, amount)| ((*name).to_owned(), Quantity((*amount).to_owned()))).collect())
    };
    ResourceRequirements {
        requests: amounts(&[("cpu", "50m"), ("memory", "128Mi")]),
        limits: amounts(&[("memory", "512Mi")]),
        ..ResourceRequirements::default()
    }
}
