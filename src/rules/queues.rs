// SPDX-License-Identifier: Apache-2.0
//! Which queues a worker pool consumes, as far as its fields tell.

use super::subject::Pool;
use crate::celery::queues;

/// The queues that a pool consumes: its typed list, else those of its arguments, without the excluded ones. `None` when
/// it names none, so that the application decides, or when kubelet puts a name together.
pub(super) fn consumed(pool: &Pool<'_>) -> Option<Vec<String>> {
    let named = match pool.spec.queues.as_slice() {
        [] => queues::selected(&pool.spec.args)?,
        typed => typed.to_vec(),
    };
    let is_opaque = |name: &String| name.contains("$(");
    let excluded = &pool.spec.exclude_queues;
    (!named.iter().any(is_opaque))
        .then(|| named.into_iter().filter(|name| !excluded.contains(name)).collect())
}
