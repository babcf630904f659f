// SPDX-License-Identifier: Apache-2.0
//! Flower with everything decided.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::pod::{Own, Pod, pod};
use super::said::SaidToFlower;
use super::{BrokerAccess, Count, Scaler, Storage, flower_options, scaler, storage, worker};
use crate::api::{
    CelerySpec, DEFAULT_POOL, FlowerIngress, FlowerSpec, Open, PathType, ScaleKind, ServiceType, Word, image,
};
use crate::effective::{self, Effective};

/// Flower stops within about a second.
const GRACE_SECONDS: i64 = 30;

/// Flower.
#[derive(Clone, Debug, PartialEq)]
pub struct Flower {
    /// Its pods.
    pub pod: Pod,
    /// What runs in the container, word by word, without `celery` itself.
    pub args: Vec<String>,
    /// Who says how many pods there are.
    pub count: Count,
    /// Port of the container and of the Service.
    pub port: i32,
    /// How its Service lets people in.
    pub exposure: Exposure,
    /// Its way in from outside the cluster.
    pub entrance: Option<Entrance>,
    /// Path under which everything is, without slashes at its ends; absent for the root.
    pub prefix: Effective<String>,
    /// Whether it speaks HTTPS itself.
    pub https: bool,
    /// Requests and limits.
    pub resources: ResourceRequirements,
    /// Who scales.
    pub scaler: Option<Scaler>,
    /// Where its history is kept.
    pub storage: Option<Storage>,
    /// Whether Prometheus is to scrape it.
    pub is_monitored: bool,
}

impl Flower {
    /// Path of the health check, which answers without authentication and with the broker away; `None` where only a
    /// variable knows below which path Flower answers.
    #[must_use]
    pub fn health_path(&self) -> Option<String> {
        self.path("healthcheck")
    }

    /// Path of the metrics, which answer without authentication too. A prefix that is not known counts as none: a path
    /// that is wrong shows as a target that is down, while no monitor would show nothing.
    #[must_use]
    pub fn metrics_path(&self) -> String {
        self.path("metrics").unwrap_or_else(|| "/metrics".to_owned())
    }

    fn path(&self, page: &str) -> Option<String> {
        match &self.prefix {
            Effective::Absent => Some(format!("/{page}")),
            Effective::Is(prefix) => Some(format!("/{prefix}/{page}")),
            Effective::Unclear => None,
        }
    }
}

/// A way in from outside the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Entrance {
    /// Class of the Ingress; the cluster's default otherwise.
    pub class_name: Option<String>,
    /// Host name; any otherwise.
    pub host: Option<String>,
    /// Path, with its leading slash.
    pub path: String,
    /// `Prefix`, `Exact` or `ImplementationSpecific`.
    pub path_type: &'static str,
    /// Secret with the certificate of the host.
    pub tls_secret_name: Option<String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

/// How a Service lets people in.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposure {
    /// Its type.
    pub type_: ServiceType,
    /// Port of every node, where the type has one.
    pub node_port: Option<i32>,
    /// Who gets through the load balancer; everybody when empty.
    pub source_ranges: Vec<String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// `None` or `ClientIP`.
    pub session_affinity: Option<&'static str>,
}

pub(super) fn flower(
    written: &FlowerSpec,
    spec: &CelerySpec,
    app: &str,
    broker: Option<&BrokerAccess>,
) -> Flower {
    let said = SaidToFlower::new(written, spec);
    let port = effective::flower::port(written);
    let foreign = written.image.as_deref().is_some_and(image::is_flower);
    let mut args = if foreign { Vec::new() } else { super::celery_app(spec) };
    args.push("flower".to_owned());
    let storage = written.persistence.as_ref().map(|persistence| storage::flower(persistence, app));
    args.extend(flower_options::words(written, &said, storage.as_ref()));
    args.extend(written.args.iter().cloned());
    // Last, since the last one wins: the Service and the probes ask here.
    args.extend(["--address=0.0.0.0".to_owned(), format!("--port={port}")]);
    let scaler = scaler::scaler(spec, ScaleKind::Flower, DEFAULT_POOL, &[]);
    let mut made = flower_options::made(written);
    made.volumes.extend(storage.as_ref().map(Storage::volume));
    let prefix = effective::flower::url_prefix(written, &spec.common);
    Flower {
        args,
        count: worker::count(written.replicas, scaler.as_ref()),
        port,
        exposure: exposure(written),
        entrance: written.ingress.as_ref().map(|ingress| entrance(ingress, &prefix)),
        prefix,
        https: written.tls.is_some() || said.option_or_variable("certfile"),
        resources: written.resources.clone().unwrap_or_else(default_resources),
        scaler,
        storage,
        is_monitored: spec.common.metrics.as_ref().and_then(|it| it.flower_service_monitor) == Some(true),
        pod: pod(
            spec,
            broker,
            Own {
                image: written.image.as_deref(),
                env: &written.env,
                env_from: &written.env_from,
                template: written.pod_template.as_ref(),
                without_shared_volumes: written.inherit_volumes == Some(false),
                foreign_image: foreign,
                made,
                grace_seconds: GRACE_SECONDS,
                ..Own::default()
            },
        ),
    }
}

fn exposure(written: &FlowerSpec) -> Exposure {
    let type_ = effective::flower::service_type(written);
    Exposure {
        type_,
        // A Service inside the cluster with one of these is refused.
        node_port: written.node_port.filter(|_| type_ != ServiceType::ClusterIp),
        source_ranges: if type_ == ServiceType::LoadBalancer {
            written.load_balancer_source_ranges.clone()
        } else {
            Vec::new()
        },
        annotations: written.service_annotations.clone(),
        session_affinity: written.session_affinity.as_ref().and_then(Open::known).map(Word::as_str),
    }
}

fn entrance(written: &FlowerIngress, prefix: &Effective<String>) -> Entrance {
    // A path that is not known lies below the root.
    let prefix = prefix.as_ref().is().map_or("", String::as_str);
    Entrance {
        class_name: written.class_name.clone(),
        host: written.host.clone(),
        // Flower answers under its prefix only.
        path: written.path.clone().unwrap_or_else(|| format!("/{prefix}")),
        path_type: written.path_type.as_ref().and_then(Open::known).unwrap_or(PathType::Prefix).as_str(),
        tls_secret_name: written.tls_secret_name.clone(),
        annotations: written.annotations.clone(),
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
