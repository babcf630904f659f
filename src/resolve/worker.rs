// SPDX-License-Identifier: Apache-2.0
//! A worker pool with everything decided.

use k8s_openapi::api::apps::v1::{DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::pod::{Made, Own, Pod, pod};
use super::said::Said;
use super::words::{Origin, Origins};
use super::worker_options::Chosen;
use super::{BrokerAccess, Count, Scaler, heartbeat, probes, scaler, settings, shutdown, worker_options};
use crate::api::{CelerySpec, PodDisruptionBudget, ScaleKind, WorkerSpec};
use crate::celery::command::Command;
use crate::effective::{self, Effective};

/// A worker pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its pods.
    pub pod: Pod,
    /// What runs in the container, word by word, without `celery` itself.
    pub args: Vec<String>,
    /// What was chosen where the user's words say nothing.
    pub chosen: Chosen,
    /// Who says how many pods there are.
    pub count: Count,
    /// How pods are replaced.
    pub strategy: DeploymentStrategy,
    /// How fast, and what is kept.
    pub pace: Pace,
    /// How many pods a drained node may take along at once.
    pub budget: Option<PodDisruptionBudget>,
    /// Requests and limits.
    pub resources: Option<ResourceRequirements>,
    /// Who scales.
    pub scaler: Option<Scaler>,
    /// The queues it consumes; absent where the application decides.
    pub queues: Effective<Vec<String>>,
    /// The queue that it consumes then, unless the application says otherwise.
    pub default_queue: Effective<String>,
    /// Whether a probe looks at its heartbeat.
    pub has_heartbeat: bool,
}

/// How fast a rollout goes, and what is kept of the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Seconds a pod must be ready before the rollout goes on.
    pub min_ready_seconds: Option<i32>,
    /// Seconds after which a rollout that does not move counts as failed.
    pub progress_deadline_seconds: Option<i32>,
    /// Old revisions to keep.
    pub revision_history_limit: Option<i32>,
}

pub(super) fn pool(
    name: &str,
    worker: &WorkerSpec,
    spec: &CelerySpec,
    app: &str,
    broker: Option<&BrokerAccess>,
) -> Pool {
    let reading = Command::Worker.reading(&worker.args, effective::celery(&spec.common).newest());
    let pool = effective::Pool { name, worker, common: &spec.common, said: &reading };
    let said = Said::to_worker(pool);
    let scaler = scaler::scaler(spec, ScaleKind::Worker, name, &pool.counted_queues());
    let chosen = worker_options::chosen(&pool, spec, &said, scaler.as_ref());
    let shutdown = shutdown::shutdown(worker.graceful_shutdown.as_ref());
    let mut words = super::celery_app(spec);
    words.push("worker".to_owned());
    words.extend(worker_options::words(&pool, spec, &said, chosen).all());
    let settings = settings::settings(spec, broker).into_iter().chain(shutdown.settings);
    let mut made = Made { env: shutdown.env, ..Made::default() };
    let has_heartbeat = heartbeat::is_asked(worker.probes.as_ref());
    if has_heartbeat {
        heartbeat::add(&mut made, app);
    }
    let loaded = || heartbeat::loaded_by_worker(&worker.args, &said);
    let own_args = if has_heartbeat { loaded() } else { worker.args.clone() };
    Pool {
        name: name.to_owned(),
        args: settings::joined(words, &own_args, settings.collect()),
        has_heartbeat,
        chosen,
        count: count(worker.num_of_workers, scaler.as_ref()),
        strategy: strategy(worker.rollout_strategy.as_ref()),
        pace: pace(worker),
        budget: budget(worker, scaler.as_ref()),
        resources: worker.resources.clone(),
        scaler,
        queues: pool.queues(),
        default_queue: pool.default_queue(),
        pod: pod(
            spec,
            broker,
            Own {
                image: worker.image.as_deref(),
                env: &worker.env,
                env_from: &worker.env_from,
                volumes: &worker.volumes,
                mounts: &worker.volume_mounts,
                sidecars: &worker.sidecars,
                lifecycle: worker.lifecycle.as_ref(),
                template: worker.pod_template.as_ref(),
                made,
                probes: probes::worker(&pool, spec),
                grace_seconds: shutdown.grace_seconds,
                share_process_namespace: true,
                ..Own::default()
            },
        ),
    }
}

/// Who says which option of a worker.
#[must_use]
pub fn worker_origins(pool: &effective::Pool<'_>, spec: &CelerySpec) -> Origins {
    let said = Said::to_worker(*pool);
    let scaler = scaler::scaler(spec, ScaleKind::Worker, pool.name, &pool.counted_queues());
    let chosen = worker_options::chosen(pool, spec, &said, scaler.as_ref());
    let mut origins = worker_options::words(pool, spec, &said, chosen).origins();
    // What a variable lists stands in the same word.
    if heartbeat::is_asked(pool.worker.probes.as_ref()) && !said.option_or_variable("--include") {
        origins.insert("--include", Origin::Chosen);
    }
    origins
}

fn pace(worker: &WorkerSpec) -> Pace {
    Pace {
        min_ready_seconds: worker.min_ready_seconds,
        progress_deadline_seconds: worker.progress_deadline_seconds,
        revision_history_limit: worker.revision_history_limit,
    }
}

/// Who says the number of a pool.
pub(super) fn count(written: Option<i32>, scaler: Option<&Scaler>) -> Count {
    let unscaled = written.map_or(Count::Open, Count::Written);
    scaler.map_or(unscaled, |scaler| Count::Scaled { least: scaler.min })
}

/// The written budget; else one pod at a time, where there can be more than one: it would block every drain otherwise.
fn budget(worker: &WorkerSpec, scaler: Option<&Scaler>) -> Option<PodDisruptionBudget> {
    let most = scaler.map(|scaler| scaler.max).or(worker.num_of_workers).unwrap_or(1);
    let one = || PodDisruptionBudget { min_available: None, max_unavailable: Some(IntOrString::Int(1)) };
    worker.pod_disruption_budget.clone().or_else(|| (most > 1).then(one))
}

/// The written strategy with both numbers of a rolling update: a strategy left half to the server could not be
/// switched to Recreate later.
pub(super) fn strategy(written: Option<&DeploymentStrategy>) -> DeploymentStrategy {
    let recreate = |strategy: &&DeploymentStrategy| strategy.type_.as_deref() == Some("Recreate");
    if let Some(strategy) = written.filter(recreate) {
        return strategy.clone();
    }
    let rolling = written.and_then(|strategy| strategy.rolling_update.clone()).unwrap_or_default();
    let no_surge = match &rolling.max_surge {
        Some(IntOrString::Int(pods)) => *pods == 0,
        Some(IntOrString::String(share)) => share.trim_end_matches('%').parse() == Ok(0),
        None => false,
    };
    DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: rolling.max_surge.or_else(|| Some(IntOrString::String("25%".to_owned()))),
            // One of the two has to leave room: without surge a pod has to go before its successor comes.
            max_unavailable: rolling.max_unavailable.or(Some(IntOrString::Int(i32::from(no_surge)))),
        }),
    }
}
