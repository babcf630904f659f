// SPDX-License-Identifier: Apache-2.0
//! Which queues a worker pool consumes, as far as the object says so: the one place that rules ask.

use crate::api::WorkerSpec;
use crate::celery::queues;

/// The queues that a pool names, in `queues` or behind `-Q`, without those it excludes. `None`: the application
/// decides, or a variable does.
pub(super) fn named(pool: &WorkerSpec) -> Option<Vec<String>> {
    let written = if pool.queues.is_empty() { queues::selected(&pool.args)? } else { pool.queues.clone() };
    let is_final = |queue: &String| !queue.contains("$(");
    let excluded = &pool.exclude_queues;
    (written.iter().all(is_final))
        .then(|| written.into_iter().filter(|name| !excluded.contains(name)).collect())
}

/// The field in which a pool names its queues.
pub(super) fn field(pool: &WorkerSpec) -> &'static str {
    if pool.queues.is_empty() && queues::selected(&pool.args).is_some() { "args" } else { "queues" }
}
