// SPDX-License-Identifier: Apache-2.0
//! Whether the lists of an object are longer than the schema lets through.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, ResourceRequirements};

use crate::api::{BeatSpec, Celery, FlowerSpec, ScaleTarget, WorkerSpec, limits};

/// Whether any list that rules go through is longer than the schema allows. A finding for every item of a list of
/// millions would take longer than anybody waits.
#[must_use]
pub(super) fn has_long_lists(object: &Celery) -> bool {
    let spec = &object.spec;
    let common = &spec.common;
    let redis = common.broker.as_ref().and_then(|broker| broker.redis.as_ref());
    let sentinel = redis.and_then(|redis| redis.sentinel.as_ref());
    let sqs = common.broker.as_ref().and_then(|broker| broker.sqs.as_ref());
    let shared = [
        common.volumes.len(),
        common.volume_mounts.len(),
        common.env.len(),
        common.env_from.len(),
        common.command.len(),
        common.pod_labels.len(),
        common.pod_annotations.len(),
        common.config.len(),
        redis.map_or(0, |redis| redis.priority_steps.len()),
        sentinel.map_or(0, |sentinel| sentinel.addresses.len()),
        sqs.map_or(0, |sqs| sqs.queue_urls.len()),
    ];
    let named = spec.worker_pools.iter().map(|pool| &pool.spec);
    let scaled = |target: &ScaleTarget| {
        target.metrics.len() > limits::METRICS
            || is_long(target.queues.len())
            || is_long(target.priority_steps.len())
    };
    shared.into_iter().any(is_long)
        || spec.scale_target_ref.iter().any(scaled)
        || has_long_containers(&common.init_containers)
        || spec.worker_spec.iter().chain(named).any(worker)
        || spec.beat_spec.as_ref().is_some_and(beat)
        || spec.flower_spec.as_ref().is_some_and(flower)
}

fn worker(spec: &WorkerSpec) -> bool {
    let lists = [
        spec.volumes.len(),
        spec.volume_mounts.len(),
        spec.env.len(),
        spec.env_from.len(),
        spec.args.len(),
        spec.user_options.len(),
        spec.queues.len(),
        spec.exclude_queues.len(),
    ];
    let words = spec.args.iter().chain(&spec.user_options).chain(&spec.queues).chain(&spec.exclude_queues);
    let probes = spec.probes.iter().flat_map(|probes| [&probes.startup, &probes.readiness, &probes.liveness]);
    lists.into_iter().any(is_long)
        || words.into_iter().any(|word| word.chars().nth(limits::TEXT).is_some())
        || probes.flatten().any(|probe| is_long(probe.command.len()))
        || has_long_containers(&spec.sidecars)
        || spec.resources.as_ref().is_some_and(resources)
}

fn beat(spec: &BeatSpec) -> bool {
    let probes = spec.probes.iter().flat_map(|probes| [&probes.startup, &probes.readiness, &probes.liveness]);
    [spec.env.len(), spec.env_from.len(), spec.args.len(), spec.user_options.len()].into_iter().any(is_long)
        || spec.args.iter().chain(&spec.user_options).any(|word| word.chars().nth(limits::TEXT).is_some())
        || probes.flatten().any(|probe| is_long(probe.command.len()))
        || spec.resources.as_ref().is_some_and(resources)
}

fn flower(spec: &FlowerSpec) -> bool {
    let oauth = spec.auth.as_ref().and_then(|auth| auth.oauth.as_ref());
    let lists = [
        spec.env.len(),
        spec.env_from.len(),
        spec.args.len(),
        spec.load_balancer_source_ranges.len(),
        oauth.map_or(0, |oauth| oauth.emails.len()),
    ];
    lists.into_iter().any(is_long) || spec.resources.as_ref().is_some_and(resources)
}

fn has_long_containers(containers: &[Container]) -> bool {
    is_long(containers.len())
        || containers.iter().any(|container| {
            container.volume_mounts.as_ref().is_some_and(|mounts| is_long(mounts.len()))
                || container.resources.as_ref().is_some_and(resources)
        })
}

fn resources(resources: &ResourceRequirements) -> bool {
    [&resources.requests, &resources.limits].into_iter().flatten().map(BTreeMap::len).any(is_long)
}

fn is_long(items: usize) -> bool {
    items > limits::ITEMS
}
