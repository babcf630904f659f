// SPDX-License-Identifier: Apache-2.0
//! What the rules look at: the object, what it replaces, what is known beside it, and what several rules would
//! otherwise read twice.

use std::cell::OnceCell;
use std::collections::HashSet;

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar, ResourceRequirements, Volume};
use serde::Deserialize as _;

use super::facts::Facts;
use super::pods::Breach;
use crate::api::{
    AnyObject, BeatSpec, Broker, Celery, Common, DEFAULT_POOL, FlowerSpec, MetricName, ScaleKind,
    ScaleTarget, WorkerPoolKind, WorkerSpec, limits,
};
use crate::celery::broker_url::{self, Defect, Endpoint, Scheme, Transport};
use crate::celery::command::Command;
use crate::celery::expansion::expands;
use crate::celery::reading::Reading;
use crate::celery::version::Target;
use crate::effective;
use crate::names;

/// The object under judgement.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The object.
    pub(super) object: &'a Celery,
    /// What it replaces.
    pub(super) old: Option<&'a Celery>,
    /// What is known beside it.
    pub(super) facts: &'a Facts,
    /// The elements of `spec.common.broker.url`, read once.
    pub(super) urls: Vec<Result<Endpoint, Defect>>,
    /// The scheme of the broker, as far as it is known.
    pub(super) scheme: Option<Scheme>,
    /// The worker pools, the default one first.
    pub(super) pools: Vec<Pool<'a>>,
    /// Which Celery will read the arguments.
    pub(super) celery: Target,
    /// The containers of pod templates.
    pub(super) laid_over: Vec<LaidOver>,
    /// What the tables of pods do not allow, once somebody has asked.
    pub(super) pods: OnceCell<Vec<Breach>>,
}

/// A container of a pod template.
#[derive(Clone, Debug)]
pub(super) struct LaidOver {
    /// `spec.common.podTemplate.spec.containers[0]`
    pub(super) path: String,
    /// The component whose template it is; none for the shared one.
    pub(super) component: Option<String>,
    /// Its fields. It may be laid over another of its name, and then has a part of them only.
    pub(super) container: Container,
}

/// A worker pool and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Pool<'a> {
    /// `spec.workerSpec` or `spec.workerPools[2]`.
    pub(super) path: String,
    /// Its name; `default` for `workerSpec`.
    pub(super) name: &'a str,
    /// Its fields.
    pub(super) spec: &'a WorkerSpec,
    /// What it shares with all components.
    common: &'a Common,
    /// What Celery makes of its arguments; the faults are those that every release in question finds.
    pub(super) said: Reading<'a>,
}

/// A component and where it stands: what rules about every pod look at.
#[derive(Clone, Debug)]
pub(super) struct Component<'a> {
    /// `spec.workerSpec`, `spec.workerPools[2]`, `spec.beatSpec` or `spec.flowerSpec`.
    pub(super) path: String,
    /// Its fields.
    pub(super) part: Part<'a>,
}

/// The fields of a component.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    /// A worker pool.
    Worker(&'a WorkerSpec),
    /// Beat.
    Beat(&'a BeatSpec),
    /// Flower.
    Flower(&'a FlowerSpec),
}

impl<'a> Subject<'a> {
    pub(super) fn new(object: &'a Celery, old: Option<&'a Celery>, facts: &'a Facts) -> Self {
        let url = object.spec.common.broker.as_ref().and_then(|broker| broker.url.as_deref());
        let urls = url.map(urls).unwrap_or_default();
        let celery = effective::celery(&object.spec.common);
        let scheme = effective::broker::scheme(&object.spec.common).is();
        let (pools, pods) = (pools(object, celery), OnceCell::new());
        let mut subject =
            Self { object, old, facts, urls, scheme, pools, celery, laid_over: Vec::new(), pods };
        subject.laid_over = laid_over(&subject);
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

    /// Workers, beat and Flower, as far as they are there.
    pub(super) fn components(&self) -> Vec<Component<'a>> {
        let spec = &self.object.spec;
        let pools = self
            .pools
            .iter()
            .map(|pool| Component { path: pool.path.clone(), part: Part::Worker(pool.spec) });
        let one = |path: &str, part| Component { path: path.to_owned(), part };
        let beat = spec.beat_spec.iter().map(|beat| one("spec.beatSpec", Part::Beat(beat)));
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

    /// The names of containers over which one of a template may be laid.
    pub(super) fn laid_under(&self) -> HashSet<&str> {
        let own = [names::WORKER_CONTAINER, names::BEAT_CONTAINER, names::FLOWER_CONTAINER];
        let written = self.containers().map(|(_, one)| one.name.as_str());
        // Of a shared one without an image is told where it stands.
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

/// The elements of a URL. While variables are missing in it, all that can be judged is the scheme: then a text that
/// cannot be read for another reason has no elements.
fn urls(url: &str) -> Vec<Result<Endpoint, Defect>> {
    let elements = broker_url::parse(url);
    let is_final = |element: &Result<Endpoint, Defect>| match element {
        Ok(_) | Err(Defect::CompoundScheme { .. } | Defect::RedisCluster | Defect::BackendScheme) => true,
        Err(Defect::UnknownScheme { scheme, .. }) => !scheme.contains('$'),
        Err(_) => false,
    };
    if expands(url) && !elements.iter().all(is_final) { Vec::new() } else { elements }
}

/// The containers of all pod templates. Of one that has wrong types another rule tells.
fn laid_over(subject: &Subject<'_>) -> Vec<LaidOver> {
    let shared = subject.common().pod_template.as_ref();
    let shared = shared.map(|template| (None, "spec.common".to_owned(), template)).into_iter();
    let own = subject.components().into_iter().filter_map(|component| {
        let template = component.pod_template()?;
        Some((Some(component.path.clone()), component.path, template))
    });
    let mut found = Vec::new();
    for (component, path, template) in shared.chain(own) {
        for list in ["containers", "initContainers"] {
            let items = template.0["spec"][list].as_array().into_iter().flatten().enumerate();
            for (index, item) in items.take(limits::ITEMS) {
                // What is taken away has no fields.
                let is_there = item.is_object() && item.get("$patch").is_none();
                if let Some(container) = is_there.then(|| Container::deserialize(item).ok()).flatten() {
                    let path = format!("{path}.podTemplate.spec.{list}[{index}]");
                    found.push(LaidOver { path, component: component.clone(), container });
                }
            }
        }
    }
    found
}

fn pools<'a>(object: &'a Celery, celery: Target) -> Vec<Pool<'a>> {
    let pool = |path: String, name: &'a str, spec: &'a WorkerSpec| {
        let said = Command::Worker.agreed(&spec.args, celery);
        Pool { path, name, spec, common: &object.spec.common, said }
    };
    let default = object.spec.worker_spec.iter();
    let default = default.map(|spec| pool("spec.workerSpec".to_owned(), DEFAULT_POOL, spec));
    let named = object.spec.worker_pools.iter().enumerate();
    let named = named
        .map(|(index, named)| pool(format!("spec.workerPools[{index}]"), named.name.as_str(), &named.spec));
    default.chain(named).collect()
}

impl<'a> Pool<'a> {
    /// What it will run with.
    pub(super) fn effective(&self) -> effective::Pool<'_> {
        effective::Pool { name: self.name, worker: self.spec, common: self.common, said: &self.said }
    }

    /// What runs its tasks, as far as that is known.
    pub(super) fn kind(&self) -> Option<WorkerPoolKind> {
        self.effective().implementation().is()
    }

    /// How many tasks one pod announces to run at once, as far as that is known.
    pub(super) fn concurrency(&self) -> Option<u32> {
        self.effective().concurrency().is()
    }

    /// The queues it names and does not leave out; `None` where the application decides, or a variable does.
    pub(super) fn queues(&self) -> Option<Vec<String>> {
        self.effective().queues().is()
    }

    /// The field that names its queues.
    pub(super) fn queues_field(&self) -> &'static str {
        if self.said.has("--queues") { "args" } else { "queues" }
    }

    /// The path of a word of its arguments.
    pub(super) fn arg(&self, at: usize) -> String {
        format!("{}.args[{at}]", self.path)
    }

    /// A word of its arguments.
    pub(super) fn word(&self, at: usize) -> &'a str {
        self.spec.args.get(at).map(String::as_str).unwrap_or_default()
    }
}

impl<'a> Component<'a> {
    /// Its requests and limits.
    pub(super) fn resources(&self) -> Option<&'a ResourceRequirements> {
        match self.part {
            Part::Worker(worker) => worker.resources.as_ref(),
            Part::Beat(beat) => beat.resources.as_ref(),
            Part::Flower(flower) => flower.resources.as_ref(),
        }
    }

    /// Its own environment variables, without the shared ones.
    pub(super) fn env(&self) -> &'a [EnvVar] {
        match self.part {
            Part::Worker(worker) => &worker.env,
            Part::Beat(beat) => &beat.env,
            Part::Flower(flower) => &flower.env,
        }
    }

    /// Its own sources of environment variables, without the shared ones.
    pub(super) fn env_from(&self) -> &'a [EnvFromSource] {
        match self.part {
            Part::Worker(worker) => &worker.env_from,
            Part::Beat(beat) => &beat.env_from,
            Part::Flower(flower) => &flower.env_from,
        }
    }

    /// Its arguments.
    pub(super) fn args(&self) -> &'a [String] {
        match self.part {
            Part::Worker(worker) => &worker.args,
            Part::Beat(beat) => &beat.args,
            Part::Flower(flower) => &flower.args,
        }
    }

    /// Its own volumes, without the shared ones.
    pub(super) fn volumes(&self) -> &'a [Volume] {
        match self.part {
            Part::Worker(worker) => &worker.volumes,
            Part::Beat(_) | Part::Flower(_) => &[],
        }
    }

    /// Whether the shared volumes appear in its pods.
    pub(super) fn has_shared_volumes(&self) -> bool {
        match self.part {
            Part::Flower(flower) => flower.inherit_volumes.unwrap_or(true),
            Part::Worker(_) | Part::Beat(_) => true,
        }
    }

    /// What is laid over its pods.
    pub(super) fn pod_template(&self) -> Option<&'a AnyObject> {
        match self.part {
            Part::Worker(worker) => worker.pod_template.as_ref(),
            Part::Beat(beat) => beat.pod_template.as_ref(),
            Part::Flower(flower) => flower.pod_template.as_ref(),
        }
    }
}
