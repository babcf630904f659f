// SPDX-License-Identifier: Apache-2.0
//! Every rule once, in the order of the areas.

use super::rule::Rule;
use super::{autoscale, broker, broker_url, common, flower, metrics, queue_names, replicas, worker_args};

const AREAS: &[&[Rule]] = &[
    common::RULES,
    broker::RULES,
    broker_url::RULES,
    queue_names::RULES,
    replicas::RULES,
    flower::RULES,
    autoscale::RULES,
    metrics::RULES,
];

/// All rules.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    AREAS.iter().chain(worker_args::AREAS).flat_map(|area| area.iter())
}
