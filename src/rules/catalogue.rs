// SPDX-License-Identifier: Apache-2.0
//! Every rule once, in the order of the areas.

use super::rule::Rule;
use super::{autoscale, broker, broker_url, common, flower, replicas};

const AREAS: &[&[Rule]] = &[
    common::RULES,
    broker::RULES,
    broker_url::RULES,
    replicas::RULES,
    flower::RULES,
    autoscale::target::RULES,
    autoscale::metrics::RULES,
    autoscale::resources::RULES,
    autoscale::queue::RULES,
    autoscale::priorities::RULES,
    autoscale::zero::RULES,
    autoscale::behavior::RULES,
    autoscale::keda::RULES,
];

/// All rules.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    AREAS.iter().flat_map(|area| area.iter())
}
