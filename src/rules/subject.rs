// SPDX-License-Identifier: Apache-2.0
//! What the rules look at: the object, what it replaces, what is known beside it, and what several rules would
//! otherwise read twice.

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, ResourceRequirements};

use super::facts::Facts;
use crate::api::{
    AnyObject, BeatSpec, Broker, Celery, Common, DEFAULT_POOL, FlowerSpec, MetricName, ScaleKind,
    ScaleTarget, WorkerSpec,
};
use crate::celery::broker_url::{self, Defect, Endpoint};

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
    /// The worker pools, the default one first.
    pub(super) pools: Vec<Pool<'a>>,
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
        let urls = url.map(broker_url::parse).unwrap_or_default();
        Self { object, old, facts, urls, pools: pools(object) }
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

    /// The autoscalers with their paths.
    pub(super) fn targets(&self) -> impl Iterator<Item = (String, &'a ScaleTarget)> {
        let targets = &self.object.spec.scale_target_ref;
        targets.iter().enumerate().map(|(index, target)| (format!("spec.scaleTargetRef[{index}]"), target))
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

    /// The path of the first `task_queue_length` metric.
    pub(super) fn queue_metric(&self) -> Option<String> {
        self.targets().find_map(|(path, target)| {
            let index =
                target.metrics.iter().position(|m| m.name.known() == Some(MetricName::TaskQueueLength))?;
            Some(format!("{path}.metrics[{index}]"))
        })
    }
}

fn pools(object: &Celery) -> Vec<Pool<'_>> {
    let default = object.spec.worker_spec.iter().map(|spec| Pool {
        path: "spec.workerSpec".to_owned(),
        name: DEFAULT_POOL,
        spec,
    });
    let named = object.spec.worker_pools.iter().enumerate().map(|(index, pool)| Pool {
        path: format!("spec.workerPools[{index}]"),
        name: &pool.name,
        spec: &pool.spec,
    });
    default.chain(named).collect()
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

    /// What is laid over its pods.
    pub(super) fn pod_template(&self) -> Option<&'a AnyObject> {
        match self.part {
            Part::Worker(worker) => worker.pod_template.as_ref(),
            Part::Beat(beat) => beat.pod_template.as_ref(),
            Part::Flower(flower) => flower.pod_template.as_ref(),
        }
    }
}
