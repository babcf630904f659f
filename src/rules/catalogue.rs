// SPDX-License-Identifier: Apache-2.0
//! Every rule once, in the order of the areas.

use super::rule::Rule;
use super::{autoscale, beat, broker, broker_url, common, flower, metrics, pools, replicas};

const AREAS: &[&[Rule]] = &[
    common::RULES,
    broker::RULES,
    broker_url::RULES,
    replicas::RULES,
    flower::RULES,
    flower::args::RULES,
    flower::typed::RULES,
    flower::exposure::RULES,
    flower::auth::RULES,
    flower::oauth::RULES,
    flower::history::RULES,
    flower::broker::RULES,
    flower::env::RULES,
    autoscale::RULES,
    metrics::RULES,
    beat::RULES,
    beat::args::RULES,
    pools::RULES,
];

/// All rules.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    AREAS.iter().flat_map(|area| area.iter())
}
