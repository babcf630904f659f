// SPDX-License-Identifier: Apache-2.0
//! What a pool will run with, as far as it is certain: what the arguments say, else what is written in a field, else
//! what the operator chooses.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::api::{Open, WorkerPoolKind};
use crate::celery::command::Concurrency;
use crate::celery::reading::Effective;
use crate::rules::amount::number;
use crate::rules::subject::Pool;

/// What runs the tasks; `None` when that is not known.
#[must_use]
pub(in crate::rules) fn effective_pool(pool: &Pool<'_>) -> Option<WorkerPoolKind> {
    match pool.said.pool() {
        // Another name of prefork.
        Effective::Is("processes") => Some(WorkerPoolKind::Prefork),
        Effective::Is(word) => Open::from(word).known(),
        Effective::Unclear => None,
        Effective::Absent => pool.spec.pool.as_ref().map_or(Some(WorkerPoolKind::Prefork), Open::known),
    }
}

/// How many tasks one pod runs at once; `None` when that is not known.
#[must_use]
pub(in crate::rules) fn effective_concurrency(pool: &Pool<'_>) -> Option<u32> {
    match (pool.said.concurrency(), &pool.spec.concurrency) {
        _ if pool.said.has("--autoscale") => None,
        (Effective::Is(Concurrency::Of(tasks)), _) => u32::try_from(tasks).ok(),
        (Effective::Is(_) | Effective::Unclear, _) | (Effective::Absent, Some(IntOrString::String(_))) => {
            None
        }
        (Effective::Absent, Some(IntOrString::Int(tasks))) => u32::try_from(*tasks).ok(),
        (Effective::Absent, None) => Some(derived_concurrency(pool)),
    }
}

/// Whether somebody says how many tasks one pod runs at once.
#[must_use]
pub(in crate::rules) fn states_concurrency(pool: &Pool<'_>) -> bool {
    pool.spec.concurrency.is_some() || pool.said.has("--concurrency") || pool.said.has("--autoscale")
}

/// Whether the worker sends heartbeats.
#[must_use]
pub(in crate::rules) fn effective_heartbeat(pool: &Pool<'_>) -> bool {
    !pool.said.has("--without-heartbeat") && pool.spec.heartbeat.unwrap_or(true)
}

/// The cpu limit rounded up, else the cpu request, else one.
fn derived_concurrency(pool: &Pool<'_>) -> u32 {
    let resources = pool.spec.resources.as_ref();
    let lists = [
        resources.and_then(|resources| resources.limits.as_ref()),
        resources.and_then(|resources| resources.requests.as_ref()),
    ];
    let cpu = lists.into_iter().flatten().find_map(|list| list.get("cpu"));
    let cpus = cpu.and_then(|cpu| number(&cpu.0)).unwrap_or(1.0);
    // Clamped before the conversion, so that nothing is lost in it.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = cpus.ceil().clamp(1.0, 1024.0) as u32;
    whole
}
