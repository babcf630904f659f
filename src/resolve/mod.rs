// SPDX-License-Identifier: Apache-2.0
//! From a spec to one value with everything decided.
//!
//! Pure and total: what cannot be decided yet (a Secret that is not there) is a value too, [`Unresolved`], so that
//! everything else can still be built and the status can say what is missing.

mod broker;
mod flower;
mod scaler;
mod worker;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::DeploymentStrategy;
use k8s_openapi::api::core::v1::{LocalObjectReference, ResourceRequirements, Volume, VolumeMount};

use crate::api::{Celery, CelerySpec, Common, DEFAULT_POOL, ImagePullPolicy, Open, ServiceType, image};

pub use broker::{BrokerAccess, NOT_MEASURABLE, QueueSource, Unresolved};
pub use scaler::{QueueLength, ResourceMetric, ResourceTarget, Scaler};

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
    /// What was chosen where the user's arguments say nothing.
    pub chosen: Chosen,
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

/// What was chosen for a worker where its arguments say nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Tasks at once.
    pub concurrency: Option<u32>,
    /// Log level.
    pub log_level: Option<&'static str>,
    /// Tasks taken in advance for each that runs.
    pub prefetch_multiplier: Option<u32>,
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
    let pools = spec
        .worker_spec
        .iter()
        .map(|worker| worker::pool(DEFAULT_POOL, worker, spec, broker.as_ref()))
        .collect();
    let flower = spec.flower_spec.as_ref().map(|written| flower::flower(written, spec));
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

fn celery_app(spec: &CelerySpec) -> Vec<String> {
    spec.common.celery_app.iter().flat_map(|app| ["-A".to_owned(), app.clone()]).collect()
}

#[cfg(test)]
mod tests;
