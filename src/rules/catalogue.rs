// SPDX-License-Identifier: Apache-2.0
//! Every rule once, in the order of the areas.

use super::rule::Rule;
use super::{autoscale, broker, broker_url, common, flower, metrics, replicas, schema};

const AREAS: &[&[Rule]] = &[
    common::RULES,
    broker::RULES,
    broker_url::RULES,
    replicas::RULES,
    flower::RULES,
    autoscale::RULES,
    metrics::RULES,
];

/// All rules that this crate checks itself.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    AREAS.iter().flat_map(|area| area.iter())
}

/// Everything that has an id: the rules, and what the API server's own schema refuses.
pub fn entries() -> impl Iterator<Item = &'static Rule> {
    rules().chain(schema::RULES)
}
