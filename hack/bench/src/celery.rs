// SPDX-License-Identifier: Apache-2.0
//! The objects that are created: each becomes five children.

use serde_json::{Value, json};
use testbed::exchange::{JSON, Message};

/// What each object becomes, for people.
pub(crate) const MIX: &str =
    "worker Deployment, its PodDisruptionBudget, beat Deployment, Flower Deployment, Flower Service";
/// Children of each object.
pub(crate) const CHILDREN: usize = 5;
/// The collections that children are in, and how many of them each object has.
pub(crate) const COLLECTIONS: [(&str, usize); 3] =
    [("apis/apps/v1/deployments", 3), ("api/v1/services", 1), ("apis/policy/v1/poddisruptionbudgets", 1)];
/// The collection of the objects themselves.
pub(crate) const CELERIES: &str = "apis/celeryproject.org/v1alpha1/celeries";

/// A path within a namespace: `apis/apps/v1/deployments` becomes `/apis/apps/v1/namespaces/NAMESPACE/deployments`.
pub(crate) fn within(namespace: &str, collection: &str) -> String {
    let (group, plural) = collection.rsplit_once('/').unwrap_or_default();
    format!("/{group}/namespaces/{namespace}/{plural}")
}

/// An object as a small shop would write it.
pub(crate) fn celery(name: &str) -> Value {
    json!({
        "apiVersion": celery_operator::api::API_VERSION,
        "kind": "Celery",
        "metadata": { "name": name },
        "spec": {
            "common": {
                "image": "registry.example.com/shop:1.0",
                "celeryApp": "shop.tasks",
                "celeryVersion": "5.5",
                "broker": { "url": "redis://cache.shop.svc:6379/0" },
                "env": [{ "name": "DJANGO_SETTINGS_MODULE", "value": "shop.settings" }],
            },
            "workerSpec": {
                "numOfWorkers": 2,
                "queues": ["celery", "mail"],
                "resources": {
                    "requests": { "cpu": "500m", "memory": "256Mi" },
                    "limits": { "memory": "512Mi" },
                },
            },
            "beatSpec": {},
            "flowerSpec": {},
        },
    })
}

/// Whether the status speaks of the newest spec and of every child.
pub(crate) fn is_settled(object: &Value, generation: Option<i64>) -> bool {
    let status = &object["status"];
    generation.is_some()
        && status["observedGeneration"].as_i64() == generation
        && status["children"].as_array().is_some_and(|children| children.len() == CHILDREN)
}

/// The creation of an object.
pub(crate) fn creation(namespace: &str, name: &str) -> Message {
    Message::new("POST", within(namespace, CELERIES), JSON, celery(name).to_string())
}

/// The name of the object of this number: always of the same length.
pub(crate) fn name(index: usize) -> String {
    format!("load-{index:06}")
}
