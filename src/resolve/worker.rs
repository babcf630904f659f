// SPDX-License-Identifier: Apache-2.0
//! A worker pool with everything decided.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube_quantity::ParsedQuantity;

use super::{BrokerAccess, Chosen, Pool, Scaler, scaler};
use crate::api::{CelerySpec, ScaleKind, WorkerSpec};
use crate::celery::command::Command;
use crate::celery::reading::Reading;
use crate::celery::version::Release;

pub(super) fn pool(
    name: &str,
    worker: &WorkerSpec,
    spec: &CelerySpec,
    broker: Option<&BrokerAccess>,
) -> Pool {
    // The newest release knows every option.
    let said = Command::Worker.reading(&worker.args, Release::NEWEST);
    let queues = said.queues();
    let scaler = scaler::scaler(spec, ScaleKind::Worker, name, queues.as_deref());
    let chosen = chosen(worker, &said, scaler.as_ref());
    Pool {
        name: name.to_owned(),
        args: args(name, worker, &said, spec, broker, chosen),
        chosen,
        replicas: if scaler.is_some() { None } else { worker.num_of_workers },
        strategy: strategy(worker.rollout_strategy.as_ref()),
        resources: worker.resources.clone(),
        scaler,
        queues,
    }
}

/// What the user's arguments leave open.
fn chosen(worker: &WorkerSpec, said: &Reading<'_>, scaler: Option<&Scaler>) -> Chosen {
    let follows_queue = scaler.is_some_and(|scaler| scaler.queue.is_some());
    Chosen {
        // Celery's own default is the number of cpus of the node, whatever the container may use of them.
        concurrency: (!said.has("--concurrency") && !said.has("--autoscale"))
            .then(|| concurrency(worker.resources.as_ref())),
        log_level: (!said.has("--loglevel")).then_some("INFO"),
        // What a worker holds beyond the tasks it runs is hidden from whoever counts the queue.
        prefetch_multiplier: (follows_queue && !said.has("--prefetch-multiplier")).then_some(1),
    }
}

/// The worker's command line. What the user's arguments say is never said twice.
fn args(
    pool: &str,
    worker: &WorkerSpec,
    said: &Reading<'_>,
    spec: &CelerySpec,
    broker: Option<&BrokerAccess>,
    chosen: Chosen,
) -> Vec<String> {
    let mut args = super::celery_app(spec);
    args.push("worker".to_owned());
    if !said.has("--hostname") {
        args.extend(["-n".to_owned(), format!("{pool}@%h")]);
    }
    args.extend(chosen.log_level.iter().flat_map(|level| ["-l".to_owned(), (*level).to_owned()]));
    args.extend(chosen.concurrency.iter().flat_map(|tasks| ["-c".to_owned(), tasks.to_string()]));
    args.extend(chosen.prefetch_multiplier.iter().map(|tasks| format!("--prefetch-multiplier={tasks}")));
    args.extend(worker.args.iter().cloned());
    let settings = broker.map(|broker| broker.worker_settings.as_slice()).unwrap_or_default();
    if !settings.is_empty() {
        if said.separator.is_none() {
            args.push("--".to_owned());
        }
        args.extend(settings.iter().cloned());
    }
    args
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
