// SPDX-License-Identifier: Apache-2.0
//! What several unit tests need: a fixed moment and pairs issued at it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, SystemTime};

use crate::inspect::Identity;
use crate::issue::{self, SystemKeys, Validity};
use crate::names::Names;
use crate::state::Pair;

pub(crate) const DAY: Duration = Duration::from_hours(24);

/// A fixed moment, on a whole second.
pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

pub(crate) fn names() -> Names {
    Names::of_service("webhook", "celery").unwrap().with(["127.0.0.1".parse().unwrap()])
}

pub(crate) fn ca(now: SystemTime, lifetime: Duration) -> Identity {
    issue::ca(&SystemKeys, Validity::starting(now, lifetime).unwrap()).unwrap()
}

pub(crate) fn leaf(ca: &Identity, now: SystemTime, lifetime: Duration) -> Identity {
    issue::leaf(&SystemKeys, ca, &names(), Validity::starting(now, lifetime).unwrap()).unwrap()
}

/// A CA of 3650 days and a leaf of 90, both issued at `now`.
pub(crate) fn pair(now: SystemTime) -> Pair {
    let ca = ca(now, 3650 * DAY);
    let leaf = leaf(&ca, now, 90 * DAY);
    Pair { ca, older: Vec::new(), leaf }
}
