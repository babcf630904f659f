// SPDX-License-Identifier: Apache-2.0
//! The Celery that tests begin with.

use serde_json::{Value, json};

/// A small correct Celery called `shop`.
pub(crate) fn plain() -> Value {
    json!({
        "apiVersion": "celeryproject.org/v1alpha1",
        "kind": "Celery",
        "metadata": {"name": "shop"},
        "spec": {
            "common": {
                "image": "registry.example.com/shop:1.0",
                "celeryApp": "shop.tasks",
                "broker": {"url": "redis://cache:6379/0"},
            },
            "workerSpec": {},
        },
    })
}

/// The small correct Celery with this YAML laid over it; a null takes a field away.
pub(crate) fn with(overlay: &str) -> Value {
    let mut object = plain();
    json_patch::merge(&mut object, &yaml(overlay));
    object
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
