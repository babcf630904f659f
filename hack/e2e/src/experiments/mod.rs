// SPDX-License-Identifier: Apache-2.0
//! The experiments, in the order in which they run: what everything else rests on comes first.

mod away;
mod beat;
mod broken;
mod cpu;
mod fresh;
mod outage;
mod password;
mod queue;
mod refused;
mod rollout;

use crate::Error;
use crate::outcome::Outcome;
use crate::stage::Stage;

type Experiment = fn(&Stage) -> Result<Outcome, Error>;

/// All of them.
pub(crate) const EXPERIMENTS: &[(&str, Experiment)] = &[
    ("image", fresh::image),
    ("redis", fresh::redis),
    ("rabbitmq", fresh::rabbitmq),
    ("refused", refused::run),
    ("rollout-redis", rollout::redis),
    ("rollout-rabbitmq", rollout::rabbitmq),
    ("broken", broken::run),
    ("beat", beat::run),
    ("password", password::run),
    ("operator", outage::run),
    ("queue", queue::run),
    ("cpu", cpu::run),
    ("broker-away", away::run),
];
