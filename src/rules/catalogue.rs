// SPDX-License-Identifier: Apache-2.0
//! Every rule once, in the order of the areas.

use super::rule::Rule;
use super::{
    autoscale, backend, beat, broker, common, config, credentials, flower, folders, ignored, monitors, pods,
    pools, probes, queue_names, references, replicas, schema, shutdown, within, worker, worker_args,
};

const AREAS: &[&[Rule]] = &[
    common::RULES,
    common::images::RULES,
    common::versions::RULES,
    common::names::RULES,
    common::volumes::RULES,
    common::labels::RULES,
    common::template::RULES,
    pods::RULES,
    common::main_container::RULES,
    common::annotations::RULES,
    ignored::RULES,
    folders::RULES,
    credentials::RULES,
    config::RULES,
    config::unfit::RULES,
    config::settled::RULES,
    config::content::RULES,
    backend::RULES,
    backend::address::RULES,
    backend::needs::RULES,
    queue_names::RULES,
    replicas::RULES,
    replicas::rollout::RULES,
    replicas::resources::RULES,
    replicas::disruption::RULES,
    worker::choices::RULES,
    worker::kinds::RULES,
    worker::limits::RULES,
    worker::memory::RULES,
    worker::containers::RULES,
    shutdown::RULES,
    shutdown::environment::RULES,
    shutdown::redelivery::RULES,
    probes::RULES,
    probes::ping::RULES,
    probes::beat::RULES,
    probes::heartbeat::RULES,
    flower::RULES,
    flower::args::RULES,
    flower::typed::RULES,
    flower::exposure::RULES,
    flower::auth::RULES,
    flower::oauth::RULES,
    flower::history::RULES,
    flower::broker::RULES,
    flower::env::RULES,
    monitors::RULES,
    flower::literal::RULES,
    flower::encryption::RULES,
    autoscale::target::RULES,
    autoscale::metrics::RULES,
    autoscale::resources::RULES,
    autoscale::queue::RULES,
    autoscale::priorities::RULES,
    autoscale::zero::RULES,
    autoscale::behavior::RULES,
    autoscale::keda::RULES,
    beat::RULES,
    beat::args::RULES,
    beat::schedule::RULES,
    beat::interval::RULES,
    pools::RULES,
    references::RULES,
];

/// All rules that this crate checks itself.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    AREAS
        .iter()
        .chain(broker::AREAS)
        .chain(within::AREAS)
        .chain(worker_args::AREAS)
        .flat_map(|area| area.iter())
}

/// Everything that has an id: the rules, and what the API server's own schema refuses.
pub fn entries() -> impl Iterator<Item = &'static Rule> {
    rules().chain(schema::RULES)
}
