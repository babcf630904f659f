// SPDX-License-Identifier: Apache-2.0
//! From a spec to one value with everything decided.
//!
//! Pure and total: what cannot be decided yet (a Secret that is not there) is a value too, [`Unresolved`], so that
//! everything else can still be built and the status can say what is missing.

mod broker;
mod scaler;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::{DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{LocalObjectReference, ResourceRequirements, Volume, VolumeMount};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube_quantity::ParsedQuantity;

use crate::api::{
    Celery, CelerySpec, Common, DEFAULT_POOL, FlowerSpec, ImagePullPolicy, Open, ScaleKind, ServiceType,
    WorkerSpec, image,
};
use crate::celery::options;

pub use broker::{BrokerAccess, QueueSource, Unresolved};
pub use scaler::{QueueLength, ResourceMetric, ResourceTarget, Scaler};

/// Port of Flower when nobody chooses one.
const FLOWER_PORT: i32 = 5555;
/// Fields of a Secret by key; values that are not UTF-8 are left out.
pub type SecretData = BTreeMap<String, String>;

/// What was read from the namespace: each Secret that [`secrets`] names, `None` when it does not exist.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Secrets by name.
    pub secrets: BTreeMap<String, Option<SecretData>>,
}

/// A Celery with everything decided.
#[derive(Clone, PartialEq)]
pub struct Resolved {
    /// Who owns the children.
    pub owner: Owner,
    /// Prefix of the children's names.
    pub app: String,
    /// What all pods share.
    pub pod: Pod,
    /// The broker.
    pub broker: Option<BrokerAccess>,
    /// The worker pools.
    pub pools: Vec<Pool>,
    /// Flower.
    pub flower: Option<Flower>,
}

impl Resolved {
    /// Whether the broker is not known because a Secret, or a key of it, is not there.
    #[must_use]
    pub fn waits_for_secret(&self) -> bool {
        let unresolved = self.broker.as_ref().and_then(|broker| broker.queues.as_ref().err());
        unresolved.is_some_and(|unresolved| [broker::NO_SECRET, broker::NO_KEY].contains(&unresolved.reason))
    }
}

/// The Celery object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its identity.
    pub uid: String,
    /// Which spec was resolved.
    pub generation: Option<i64>,
}

/// What all pods share.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    /// Image of the application.
    pub image: String,
    /// When nodes pull it.
    pub pull_policy: ImagePullPolicy,
    /// Registry credentials.
    pub pull_secrets: Vec<LocalObjectReference>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// Mounts.
    pub mounts: Vec<VolumeMount>,
    /// Version of Celery, when given.
    pub version: Option<String>,
}

/// A worker pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// What runs in the container, word by word, without `celery` itself.
    pub args: Vec<String>,
    /// The number of pods to write; `None` leaves it to whoever scales.
    pub replicas: Option<i32>,
    /// How pods are replaced.
    pub strategy: DeploymentStrategy,
    /// Requests and limits.
    pub resources: Option<ResourceRequirements>,
    /// Who scales.
    pub scaler: Option<Scaler>,
    /// The queues that the arguments name.
    pub queues: Option<Vec<String>>,
}

/// Flower.
#[derive(Clone, Debug, PartialEq)]
pub struct Flower {
    /// What runs in the container, word by word, without `celery` itself.
    pub args: Vec<String>,
    /// The number of pods to write; `None` leaves it to whoever scales.
    pub replicas: Option<i32>,
    /// Port of the container and of the Service.
    pub port: i32,
    /// Type of the Service.
    pub service_type: ServiceType,
    /// Path of the health check.
    pub health_path: String,
    /// Requests and limits.
    pub resources: ResourceRequirements,
    /// Who scales.
    pub scaler: Option<Scaler>,
}

/// The Secrets to read before [`resolved`].
#[must_use]
pub fn secrets(spec: &CelerySpec) -> BTreeSet<String> {
    let Some(broker) = &spec.common.broker else {
        return BTreeSet::new();
    };
    let redis = broker.redis.as_ref().and_then(|redis| redis.password_secret_ref.as_ref());
    let rabbit = broker.rabbitmq.as_ref();
    [
        broker.url_secret_ref.as_ref(),
        redis,
        rabbit.and_then(|rabbit| rabbit.username_secret_ref.as_ref()),
        rabbit.and_then(|rabbit| rabbit.password_secret_ref.as_ref()),
    ]
    .into_iter()
    .flatten()
    .map(|reference| reference.name.clone())
    .collect()
}

/// Everything decided.
#[must_use]
pub fn resolved(celery: &Celery, sources: &Sources) -> Resolved {
    let spec = &celery.spec;
    let metadata = &celery.metadata;
    let owner = Owner {
        name: metadata.name.clone().unwrap_or_default(),
        namespace: metadata.namespace.clone().unwrap_or_default(),
        uid: metadata.uid.clone().unwrap_or_default(),
        generation: metadata.generation,
    };
    let app = spec.common.app_name.clone().unwrap_or_else(|| owner.name.clone());
    let broker = spec.common.broker.as_ref().map(|broker| broker::access(broker, &app, sources));
    let pools =
        spec.worker_spec.iter().map(|worker| pool(DEFAULT_POOL, worker, spec, broker.as_ref())).collect();
    let flower = spec.flower_spec.as_ref().map(|written| flower(written, spec));
    Resolved { app, pod: pod(&spec.common), broker, pools, flower, owner }
}

fn pod(common: &Common) -> Pod {
    let image = common.image.clone().unwrap_or_default();
    let written = common.image_pull_policy.as_ref().and_then(Open::known);
    Pod {
        pull_policy: written.unwrap_or_else(|| image::pull_policy(&image)),
        image,
        pull_secrets: common.image_pull_secrets.clone(),
        volumes: common.volumes.clone(),
        mounts: common.volume_mounts.clone(),
        version: common.celery_version.clone(),
    }
}

fn pool(name: &str, worker: &WorkerSpec, spec: &CelerySpec, broker: Option<&BrokerAccess>) -> Pool {
    let queues = crate::celery::queues::selected(&worker.args);
    let scaler = scaler::scaler(spec, ScaleKind::Worker, name, queues.as_deref());
    Pool {
        name: name.to_owned(),
        args: worker_args(name, worker, spec, broker),
        replicas: if scaler.is_some() { None } else { worker.num_of_workers },
        strategy: strategy(worker.rollout_strategy.as_ref()),
        resources: worker.resources.clone(),
        scaler,
        queues,
    }
}

/// The worker's command line. What the user's arguments say is never said twice.
fn worker_args(
    pool: &str,
    worker: &WorkerSpec,
    spec: &CelerySpec,
    broker: Option<&BrokerAccess>,
) -> Vec<String> {
    let mut args = celery_app(spec);
    args.push("worker".to_owned());
    let chosen = |short: &str, long: &str| options::contains(&worker.args, short, long);
    if !chosen("-n", "--hostname") {
        args.extend(["-n".to_owned(), format!("{pool}@%h")]);
    }
    if !chosen("-l", "--loglevel") {
        args.extend(["-l", "INFO"].map(str::to_owned));
    }
    // Celery's own default is the number of cpus of the node, whatever the container may use of them.
    if !chosen("-c", "--concurrency") && !chosen("", "--autoscale") {
        args.extend(["-c".to_owned(), concurrency(worker.resources.as_ref()).to_string()]);
    }
    args.extend(worker.args.iter().cloned());
    let settings = broker.map(|broker| broker.worker_settings.as_slice()).unwrap_or_default();
    if !settings.is_empty() {
        if !worker.args.iter().any(|word| word == "--") {
            args.push("--".to_owned());
        }
        args.extend(settings.iter().cloned());
    }
    args
}

fn celery_app(spec: &CelerySpec) -> Vec<String> {
    spec.common.celery_app.iter().flat_map(|app| ["-A".to_owned(), app.clone()]).collect()
}

/// As many tasks at once as the container has cpus: its limit, else its request, else one.
fn concurrency(resources: Option<&ResourceRequirements>) -> u32 {
    let cpu = |list: &Option<BTreeMap<String, Quantity>>| list.as_ref()?.get("cpu").cloned();
    let Some(amount) =
        resources.and_then(|resources| cpu(&resources.limits).or_else(|| cpu(&resources.requests)))
    else {
        return 1;
    };
    let cpus = ParsedQuantity::try_from(amount).ok().and_then(|amount| amount.to_bytes_f64()).unwrap_or(1.0);
    // Clamped before the conversion, so that nothing is lost in it.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = cpus.ceil().clamp(1.0, 1024.0) as u32;
    whole
}

/// The written strategy with both numbers of a rolling update: a strategy left half to the server could not be
/// switched to Recreate later.
fn strategy(written: Option<&DeploymentStrategy>) -> DeploymentStrategy {
    let recreate = |strategy: &&DeploymentStrategy| strategy.type_.as_deref() == Some("Recreate");
    if let Some(strategy) = written.filter(recreate) {
        return strategy.clone();
    }
    let rolling = written.and_then(|strategy| strategy.rolling_update.clone()).unwrap_or_default();
    DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: rolling.max_surge.or_else(|| Some(IntOrString::String("25%".to_owned()))),
            max_unavailable: rolling.max_unavailable.or(Some(IntOrString::Int(0))),
        }),
    }
}

fn flower(written: &FlowerSpec, spec: &CelerySpec) -> Flower {
    let from_args = options::flower_value(&written.args, "port").and_then(|port| port.parse().ok());
    let port = written.service_port.or(from_args).unwrap_or(FLOWER_PORT);
    let mut args = celery_app(spec);
    args.extend(["flower".to_owned(), "--address=0.0.0.0".to_owned(), format!("--port={port}")]);
    args.extend(written.args.iter().cloned());
    let scaler = scaler::scaler(spec, ScaleKind::Flower, DEFAULT_POOL, None);
    let prefix = options::flower_value(&written.args, "url_prefix").unwrap_or_default().trim_matches('/');
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
        resources: written.resources.clone().unwrap_or_else(flower_resources),
        scaler,
    }
}

fn flower_resources() -> ResourceRequirements {
    let amounts = |list: &[(&str, &str)]| {
        Some(list.iter().map(|(name, amount)| ((*name).to_owned(), Quantity((*amount).to_owned()))).collect())
    };
    ResourceRequirements {
        requests: amounts(&[("cpu", "50m"), ("memory", "128Mi")]),
        limits: amounts(&[("memory", "512Mi")]),
        ..ResourceRequirements::default()
    }
}

#[cfg(test)]
mod tests;
