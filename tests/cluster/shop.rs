// SPDX-License-Identifier: Apache-2.0
//! The Celery that tests begin with.

use celery_operator::rules::example;
use serde_json::{Value, json};

/// A small correct Celery called `shop`.
pub(crate) fn plain() -> Value {
    with("{}")
}

/// The small correct Celery with this YAML laid over it; a null takes a field away.
pub(crate) fn with(overlay: &str) -> Value {
    example::object(overlay).unwrap_or_else(|error| panic!("{overlay}: {error}"))
}

/// The same under another name.
pub(crate) fn named(name: &str, overlay: &str) -> Value {
    let mut object = with(overlay);
    object["metadata"]["name"] = json!(name);
    object
}

/// YAML as JSON.
pub(crate) fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An autoscaler that follows cpu.
pub(crate) const CPU: &str = "[{kind: worker, minReplicas: 1, maxReplicas: 5, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]";
/// An autoscaler that follows the queue.
pub(crate) const QUEUE: &str = "[{kind: worker, minReplicas: 0, maxReplicas: 5, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 10}}]}]";
