// SPDX-License-Identifier: Apache-2.0
//! What a pool will run with, as far as it is certain: what the arguments say, else what is written in a field, else
//! what the operator chooses.

use crate::effective::Effective;
use crate::rules::subject::Pool;

/// Whether somebody says how many tasks one pod runs at once.
#[must_use]
pub(in crate::rules) fn states_concurrency(pool: &Pool<'_>) -> bool {
    pool.effective().stated_concurrency().is_written()
}

/// Whether the worker is not certain to send no heartbeats.
#[must_use]
pub(in crate::rules) fn effective_heartbeat(pool: &Pool<'_>) -> bool {
    pool.effective().sends_heartbeat() != Effective::Is(false)
}

/// Where somebody says what an option is: in the arguments, else in the field.
#[must_use]
pub(in crate::rules) fn place(pool: &Pool<'_>, option: &str, field: &str, is_set: bool) -> Option<String> {
    match pool.said.last(option) {
        Some(used) => Some(pool.arg(used.value_at)),
        None => is_set.then(|| format!("{}.{field}", pool.path)),
    }
}
