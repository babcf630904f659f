// SPDX-License-Identifier: Apache-2.0
//! Every rule once, in the order of the areas.

use super::rule::Rule;
use super::{
    autoscale, backend, beat, broker, common, config, credentials, environment, flower, folders, ignored,
    monitors, pods, pools, probes, queue_names, references, replicas, schema, shutdown, within, worker,
    worker_args,
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
    environment::RULES,
    config::RULES,
    config::unfit::RULES,
    config::settled::RULES,
    config::content::RULES,
    config::spelling::RULES,
    config::queues::RULES,
    backend::RULES,
    backend::address::RULES,
    backend::needs::RULES,
    backend::variables::RULES,
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
    shutdown::others::RULES,
    probes::RULES,
    probes::ping::RULES,
    probes::beat::RULES,
    probes::custom::RULES,
    probes::heartbeat::RULES,
    probes::named::RULES,
    flower::RULES,
    flower::args::RULES,
    flower::values::RULES,
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
    beat::redbeat::RULES,
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

/// The same as they are listed: by the letter of the id, then by its number.
#[must_use]
pub fn sorted() -> Vec<&'static Rule> {
    let mut rules: Vec<&Rule> = entries().collect();
    rules.sort_by_key(|rule| {
        let (letter, number) = rule.id.split_at(1);
        (letter, number.parse::<u32>().unwrap_or_default())
    });
    rules
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_the_schema_refuses_has_ids_beside_the_rules() {
        let ids = |entries: &mut dyn Iterator<Item = &'static Rule>| -> BTreeSet<&str> {
            entries.map(|rule| rule.id).collect()
        };
        let (of_rules, of_schema) = (ids(&mut rules()), ids(&mut schema::RULES.iter()));
        assert!(of_rules.contains("C01") && of_schema.contains("S01"));
        assert_eq!(ids(&mut entries()), &of_rules | &of_schema);
    }
}
