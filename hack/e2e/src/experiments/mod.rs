// SPDX-License-Identifier: Apache-2.0
//! The experiments, in the order in which they run: what everything else rests on comes first.

mod away;
mod beat;
mod broken;
mod cpu;
mod first_steps;
pub(crate) mod flower;
mod fresh;
mod outage;
mod password;
mod plain;
mod queue;
mod refused;
mod rollout;
mod stack;

use crate::Error;
use crate::outcome::Outcome;
use crate::stage::Stage;

type Experiment = fn(&Stage) -> Result<Outcome, Error>;

/// All of them.
pub(crate) const EXPERIMENTS: &[(&str, Experiment)] = &[
    ("image", fresh::image),
    ("first-steps", first_steps::run),
    ("plain", plain::run),
    ("stack", stack::run),
    ("redis", fresh::redis),
    ("rabbitmq", fresh::rabbitmq),
    ("refused", refused::run),
    ("rollout-redis", rollout::redis),
    ("rollout-rabbitmq", rollout::rabbitmq),
    ("rollout-soft", rollout::soft),
    ("rollout-cold", rollout::cold),
    ("broken", broken::run),
    ("beat", beat::run),
    ("flower", flower::run),
    ("password", password::run),
    ("operator", outage::run),
    ("queue", queue::run),
    ("cpu", cpu::run),
    ("broker-away", away::run),
];
