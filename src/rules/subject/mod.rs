// SPDX-License-Identifier: Apache-2.0
//! What the rules look at: the object, what it replaces, what is known beside it, and what several rules would
//! otherwise read twice.

mod beat;
mod component;
mod pool;
mod template;
mod url;

use std::cell::OnceCell;
use std::collections::HashSet;

use k8s_openapi::api::core::v1::{Container, EnvVar};

use super::breach::Breach;
use super::facts::Facts;
use super::path;
use crate::api::{Broker, Celery, Common, MetricName, ScaleKind, ScaleTarget};
use crate::celery::broker_url::{self, Defect, Endpoint, Scheme, Transport};
use crate::celery::expansion::expands;
use crate::celery::url::line;
use crate::celery::version::Target;
use crate::effective;
use crate::names;

pub(super) use beat::Beat;
pub(super) use component::{Component, Part};
pub(super) use pool::Pool;
pub(super) use template::LaidOver;
use url::Url;

/// The object under judgement.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The object.
    pub(super) object: &'a Celery,
    /// What it replaces.
    pub(super) old: Option<&'a Celery>,
    /// What is known beside it.
    pub(super) facts: &'a Facts,
    /// The elements of the broker's URL, read once.
    pub(super) urls: Vec<Result<Endpoint, Defect>>,
    /// The broker's URL, as far as it can be read.
    broker_url: Option<Url<'a>>,
    /// The result backend's.
    backend_url: Option<Url<'a>>,
    /// The scheme of the broker, as far as it is known.
    pub(super) scheme: Option<Scheme>,
    /// The worker pools, the default one first.
    pub(super) pools: Vec<Pool<'a>>,
    /// Beat, when there is one.
    pub(super) beat: Option<Beat<'a>>,
    /// Which Celery will read the arguments.
    pub(super) celery: Target,
    /// The containers of pod templates.
    pub(super) laid_over: Vec<LaidOver>,
    /// What the tables of pods do not allow, once somebody has asked.
    pub(super) pods: OnceCell<Vec<Breach>>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(object: &'a Celery, old: Option<&'a Celery>, facts: &'a Facts) -> Self {
        let celery = effective::celery(&object.spec.common);
        let scheme = effective::broker::scheme(&object.spec.common).is();
        let scheme = scheme.or_else(|| scheme_in_secret(object.spec.common.broker.as_ref()?, facts));
        let mut subject = Self {
            object,
            old,
            facts,
            urls: Vec::new(),
            broker_url: None,
            backend_url: None,
            scheme,
            pools: pool::pools(object, celery),
            beat: beat::beat(object, celery),
            celery,
            laid_over: Vec::new(),
            pods: OnceCell::new(),
        };
        subject.laid_over = template::laid_over(&subject);
        subject.broker_url = url::of_broker(&subject);
        subject.backend_url = url::of_backend(&subject);
        subject.urls = subject.broker_url().map(urls).unwrap_or_default();
        subject
    }

    /// The shared part of the spec.
    pub(super) fn common(&self) -> &'a Common {
        &self.object.spec.common
    }

    /// The broker, when there is one.
    pub(super) fn broker(&self) -> Option<&'a Broker> {
        self.common().broker.as_ref()
    }

    /// The broker's URL: what the field says, or a variable or the setting where there is no broker.
    pub(super) fn broker_url(&self) -> Option<&str> {
        self.broker_url.as_ref().map(|url| url.text.as_ref())
    }

    /// Where that stands.
    pub(super) fn broker_place(&self) -> &str {
        self.broker_url.as_ref().map_or(path::BROKER_URL, |url| &url.place)
    }

    /// The result backend's URL, in the same way.
    pub(super) fn backend_url(&self) -> Option<&str> {
        self.backend_url.as_ref().map(|url| url.text.as_ref())
    }

    /// Where that stands.
    pub(super) fn backend_place(&self) -> &str {
        self.backend_url.as_ref().map_or(path::BACKEND_URL, |url| &url.place)
    }

    /// Workers, beat and Flower, as far as they are there.
    pub(super) fn components(&self) -> Vec<Component<'a>> {
        let spec = &self.object.spec;
        let pools = self
            .pools
            .iter()
            .map(|pool| Component { path: pool.path.clone(), part: Part::Worker(pool.spec) });
        let one = |path: &str, part| Component { path: path.to_owned(), part };
        let beat = self.beat.iter().map(|beat| one(Beat::PATH, Part::Beat(beat.spec)));
        let flower = spec.flower_spec.iter().map(|flower| one("spec.flowerSpec", Part::Flower(flower)));
        pools.chain(beat).chain(flower).collect()
    }

    /// The containers that users describe as a whole, with their paths.
    pub(super) fn containers(&self) -> impl Iterator<Item = (String, &'a Container)> {
        let shared = self.common().init_containers.iter().enumerate();
        let shared =
            shared.map(|(index, container)| (format!("spec.common.initContainers[{index}]"), container));
        let beside = self.pools.iter().flat_map(|pool| {
            let sidecars = pool.spec.sidecars.iter().enumerate();
            sidecars.map(|(index, container)| (format!("{}.sidecars[{index}]", pool.path), container))
        });
        shared.chain(beside)
    }

    /// The containers of pod templates, with their paths.
    pub(super) fn laid_over(&self) -> impl Iterator<Item = (String, &Container)> {
        self.laid_over.iter().map(|one| (one.path.clone(), &one.container))
    }

    /// Whether a worker may have a container beside it that answers at its own localhost.
    pub(super) fn may_have_neighbours(&self) -> bool {
        let own = [names::WORKER_CONTAINER, names::BEAT_CONTAINER, names::FLOWER_CONTAINER];
        let is_further = |laid: &LaidOver| {
            !laid.is_init && laid.container.image.is_some() && !own.contains(&laid.container.name.as_str())
        };
        self.laid_over.iter().any(is_further) || self.pools.iter().any(|pool| !pool.spec.sidecars.is_empty())
    }

    /// The names of containers over which one of a template may be laid.
    pub(super) fn laid_under(&self) -> HashSet<&str> {
        let own = [names::WORKER_CONTAINER, names::BEAT_CONTAINER, names::FLOWER_CONTAINER];
        let written = self.containers().map(|(_, one)| one.name.as_str());
        // A shared one without an image is the matter of C04.
        let shared = self.laid_over.iter();
        let shared = shared.filter(|laid| laid.component.is_none() && laid.container.image.is_some());
        let shared = shared.map(|laid| laid.container.name.as_str());
        own.into_iter().chain(written).chain(shared).collect()
    }

    /// The variables of a pool's container with their paths: its own, then the shared ones that it leaves alone.
    pub(super) fn env_of(&self, pool: &Pool<'a>) -> impl Iterator<Item = (String, &'a EnvVar)> {
        let own = &pool.spec.env;
        let taken: HashSet<&str> = own.iter().map(|variable| variable.name.as_str()).collect();
        let path = pool.path.clone();
        let own = own.iter().enumerate().map(move |(index, one)| (format!("{path}.env[{index}]"), one));
        let shared = self.common().env.iter().enumerate();
        own.chain(
            shared
                .filter(move |(_, variable)| !taken.contains(variable.name.as_str()))
                .map(|(index, variable)| (format!("spec.common.env[{index}]"), variable)),
        )
    }

    /// What carries the tasks, as far as it is known.
    pub(super) fn transport(&self) -> Option<Transport> {
        self.scheme.as_ref().map(|scheme| scheme.transport)
    }

    /// Whether the broker is a Redis: one list for each queue and priority, and one hash for everything unacknowledged.
    pub(super) fn is_redis(&self) -> bool {
        matches!(self.transport(), Some(Transport::Redis | Transport::RedisSocket | Transport::Sentinel))
    }

    /// Every queue that some pool names. `None` when a pool's queues are not known: it may consume any.
    pub(super) fn queues(&self) -> Option<Vec<String>> {
        let lists: Option<Vec<Vec<String>>> = self.pools.iter().map(Pool::queues).collect();
        lists.map(|lists| lists.concat())
    }

    /// The autoscalers with their paths.
    pub(super) fn targets(&self) -> impl Iterator<Item = (String, &'a ScaleTarget)> {
        let targets = &self.object.spec.scale_target_ref;
        targets.iter().enumerate().map(|(index, target)| (format!("spec.scaleTargetRef[{index}]"), target))
    }

    /// Whether more than one pod of a pool can run at a time, apart from rollouts.
    pub(super) fn may_be_many(&self, pool: &Pool<'_>) -> bool {
        let scaled = self
            .target_of(pool.name)
            .is_some_and(|(_, target)| target.max_replicas.is_none_or(|max| max > 1));
        scaled || pool.spec.num_of_workers.is_some_and(|count| count > 1)
    }

    /// The autoscaler of a worker pool, with its path.
    pub(super) fn target_of(&self, pool: &str) -> Option<(String, &'a ScaleTarget)> {
        self.targets()
            .find(|(_, target)| target.kind.known() == Some(ScaleKind::Worker) && target.pool() == pool)
    }

    /// The pool that an autoscaler of workers means.
    pub(super) fn pool_of(&self, target: &ScaleTarget) -> Option<&Pool<'a>> {
        let is_worker = target.kind.known() == Some(ScaleKind::Worker);
        self.pools.iter().find(|pool| is_worker && pool.name == target.pool())
    }

    /// Whether a worker pool is scaled by its queues.
    pub(super) fn follows_queues(&self) -> bool {
        self.targets().any(|(_, target)| {
            target.kind.known() == Some(ScaleKind::Worker) && target.follows(MetricName::TaskQueueLength)
        })
    }
}

/// The scheme of the URL in a Secret whose text is known, where the object names none.
fn scheme_in_secret(broker: &Broker, facts: &Facts) -> Option<Scheme> {
    let reference =
        broker.url_secret_ref.as_ref().filter(|_| broker.scheme.is_none() && broker.url.is_none())?;
    let url = facts.secrets.get(&reference.name)?.0.get(&reference.key)?;
    effective::broker::of_url(url.trim_end_matches('\n')).is()
}

/// The elements of a URL. While variables are missing in it, all that can be judged is the scheme: then a text that
/// cannot be read for another reason has no elements.
fn urls(url: &str) -> Vec<Result<Endpoint, Defect>> {
    let elements = broker_url::parse(line(url));
    let is_final = |element: &Result<Endpoint, Defect>| match element {
        Ok(_) | Err(Defect::CompoundScheme { .. } | Defect::RedisCluster | Defect::BackendScheme) => true,
        Err(Defect::UnknownScheme { scheme, .. }) => !scheme.contains('$'),
        Err(_) => false,
    };
    if expands(url) && !elements.iter().all(is_final) { Vec::new() } else { elements }
}
