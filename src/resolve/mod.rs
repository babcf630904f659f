// SPDX-License-Identifier: Apache-2.0
//! From a spec to one value with everything decided.
//!
//! Pure and total: what cannot be decided yet (a Secret that is not there) is a value too, [`Unresolved`], so that
//! everything else can still be built and the status can say what is missing.

mod beat;
mod broker;
mod count;
mod flower;
mod flower_options;
mod heartbeat;
mod pod;
mod probes;
mod said;
mod scaler;
mod settings;
mod shutdown;
mod storage;
mod words;
mod worker;
mod worker_options;

use std::collections::{BTreeMap, BTreeSet};

use crate::api::{Celery, CelerySpec, DEFAULT_POOL};
use crate::names;

pub use beat::{Beat, beat_origins};
pub use broker::{
    AUTHORITY_FOLDER, BrokerAccess, NOT_MEASURABLE, QueueSource, RedisLists, Sentinel, Tls, Unresolved,
};
pub use count::{Count, Scaling};
pub use flower::{Entrance, Exposure, Flower};
pub use flower_options::TLS_FOLDER as FLOWER_TLS_FOLDER;
pub use heartbeat::{FILES as PROBE_FILES, STATE as PROBE_STATE};
pub use pod::{ContainerProbes, Pod};
pub use scaler::{QueueLength, ResourceMetric, ResourceTarget, Scaler, Watch};
pub use storage::{NewClaim, Storage};
pub use words::{Origin, Origins};
pub use worker::{Pace, Pool, worker_origins};
pub use worker_options::Chosen;

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
    /// The broker.
    pub broker: Option<BrokerAccess>,
    /// The worker pools.
    pub pools: Vec<Pool>,
    /// Beat.
    pub beat: Option<Beat>,
    /// Flower.
    pub flower: Option<Flower>,
}

impl Resolved {
    /// The pool that `spec.workerSpec` describes.
    #[must_use]
    pub fn default_pool(&self) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.name == DEFAULT_POOL)
    }

    /// Who says how many pods the Deployment of this name has; `None` for one that is not of this Celery.
    #[must_use]
    pub fn count(&self, deployment: &str) -> Option<Count> {
        let app = &self.app;
        let pools = self.pools.iter().map(|pool| (names::worker(app, &pool.name), pool.count));
        let beat = self.beat.iter().map(|_| (names::beat(app), Beat::COUNT));
        let flower = self.flower.iter().map(|flower| (names::flower(app), flower.count));
        let mut counts = pools.chain(beat).chain(flower);
        counts.find_map(|(name, count)| (name == deployment).then_some(count))
    }

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
        broker.redis.as_ref().and_then(|redis| redis.sentinel.as_ref()?.password_secret_ref.as_ref()),
        rabbit.and_then(|rabbit| rabbit.username_secret_ref.as_ref()),
        rabbit.and_then(|rabbit| rabbit.password_secret_ref.as_ref()),
        rabbit.and_then(|rabbit| rabbit.management_url_secret_ref.as_ref()),
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
    let mut broker = spec.common.broker.as_ref().map(|broker| broker::access(broker, &app, sources));
    if let Some(broker) = &mut broker {
        broker::follow(broker, &spec.common);
    }
    let default = spec.worker_spec.iter().map(|worker| (DEFAULT_POOL, worker));
    let named = spec.worker_pools.iter().map(|pool| (pool.name.as_str(), &pool.spec));
    let pools =
        default.chain(named).map(|(name, worker)| worker::pool(name, worker, spec, &app, broker.as_ref()));
    Resolved {
        pools: pools.collect(),
        beat: spec.beat_spec.as_ref().map(|written| beat::beat(written, spec, &app, broker.as_ref())),
        flower: spec.flower_spec.as_ref().map(|written| flower::flower(written, spec, &app, broker.as_ref())),
        app,
        broker,
        owner,
    }
}

fn celery_app(spec: &CelerySpec) -> Vec<String> {
    spec.common.celery_app.iter().flat_map(|app| ["-A".to_owned(), app.clone()]).collect()
}

#[cfg(test)]
mod tests;
