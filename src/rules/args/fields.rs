// SPDX-License-Identifier: Apache-2.0
//! Fields that are options of a command.

/// The fields of a component that are options of its command: field, long name.
pub(in crate::rules) type Fields = &'static [(&'static str, &'static str)];

/// The fields that are options of the worker.
pub(in crate::rules) const WORKER_FIELDS: Fields = &[
    ("queues", "--queues"),
    ("excludeQueues", "--exclude-queues"),
    ("concurrency", "--concurrency"),
    ("pool", "--pool"),
    ("prefetchMultiplier", "--prefetch-multiplier"),
    ("disablePrefetch", "--disable-prefetch"),
    ("logLevel", "--loglevel"),
    ("maxTasksPerChild", "--max-tasks-per-child"),
    ("maxMemoryPerChild", "--max-memory-per-child"),
    ("timeLimit", "--time-limit"),
    ("softTimeLimit", "--soft-time-limit"),
    ("optimization", "--optimization"),
    ("taskEvents", "--task-events"),
    ("gossip", "--without-gossip"),
    ("mingle", "--without-mingle"),
    ("heartbeat", "--without-heartbeat"),
    ("heartbeatInterval", "--heartbeat-interval"),
    ("nodeName", "--hostname"),
    ("poolStartMethod", "--pool-start-method"),
];

/// The fields that are options of beat.
pub(in crate::rules) const BEAT_FIELDS: Fields = &[
    ("scheduleFile", "--schedule"),
    ("scheduler", "--scheduler"),
    ("maxInterval", "--max-interval"),
    ("logLevel", "--loglevel"),
];

/// The field that is an option.
pub(in crate::rules) fn field_of(option: &str, fields: Fields) -> Option<&'static str> {
    fields.iter().find(|(_, known)| *known == option).map(|(field, _)| *field)
}
