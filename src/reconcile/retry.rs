// SPDX-License-Identifier: Apache-2.0
//! What becomes of a reconcile that did not come to its end: it is logged, and tried again.

use std::time::Duration;

use kube::ResourceExt as _;
use kube::runtime::controller::Action;
use thiserror::Error;
use tracing::warn;

use super::failures::Failures;
use super::{CONFIG_RESYNC, Context, RESYNC};
use crate::cluster;
use crate::index::StoredCelery;

/// After how long a failed object is tried again, at most.
const MAX_PAUSE: Duration = Duration::from_mins(1);

/// Why a reconcile did not come to its end.
#[derive(Debug, Error)]
#[error("{failures}")]
pub(super) struct Error {
    pub(super) failures: Failures,
    /// After how long the object is looked at again in any case.
    pub(super) again: Duration,
}

impl From<cluster::Error> for Error {
    fn from(error: cluster::Error) -> Self {
        Self { failures: error.into(), again: RESYNC }
    }
}

impl Error {
    /// One word for metrics.
    pub(super) fn reason(&self) -> &'static str {
        self.failures.first().map_or("ApiError", cluster::Error::reason)
    }
}

/// After how long to look at an object again that has failed.
pub(super) fn retry(object: &StoredCelery, error: &Error, context: &Context) -> Action {
    if !context.may_write() {
        // Whoever writes now does it.
        return Action::await_change();
    }
    let namespace = object.namespace();
    for error in error.failures.errors() {
        warn!(name = object.name_any(), namespace, reason = error.reason(), %error, detail = error.detail(), "not converged");
    }
    let mut failures = context.lock_failures();
    let count = failures.entry(object.uid().unwrap_or_default()).or_default();
    *count = count.saturating_add(1);
    Action::requeue(backoff(error, *count))
}

/// After how long to try again what has failed so many times in a row. What pods read at their start is looked at
/// meanwhile as always.
fn backoff(error: &Error, count: u32) -> Duration {
    if error.failures.are_settled() {
        return error.again;
    }
    // 0.5 s, 1 s, 2 s … one minute.
    let pause = Duration::from_millis(250u64.saturating_mul(1 << count.min(8))).min(MAX_PAUSE);
    pause.min(error.again.max(CONFIG_RESYNC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::MISSING;

    #[test]
    fn what_pods_read_is_looked_at_while_something_fails() {
        let refused = cluster::Error::ClaimRefused {
            name: "shop-beat".to_owned(),
            field: "size".to_owned(),
            message: "cannot shrink".to_owned(),
        };
        let settled = Error { failures: refused.into(), again: CONFIG_RESYNC };
        assert_eq!(backoff(&settled, 9), CONFIG_RESYNC);
        let passing = |again| Error { failures: cluster::Error::Timeout.into(), again };
        assert_eq!(backoff(&passing(CONFIG_RESYNC), 1), Duration::from_millis(500));
        assert_eq!(backoff(&passing(CONFIG_RESYNC), 9), CONFIG_RESYNC);
        assert_eq!(backoff(&passing(MISSING), 9), CONFIG_RESYNC);
        assert_eq!(backoff(&passing(RESYNC), u32::MAX), MAX_PAUSE);
    }
}
