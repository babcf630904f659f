// SPDX-License-Identifier: Apache-2.0
//! KEDA's ScaledObject, its TriggerAuthentication and the Secret that one reads.
//!
//! Every list of every queue is a trigger of its own, and a formula adds them up: without it the autoscaler would take
//! the longest list for the whole backlog. What KEDA drops from an object (false, empty) is never written, since it
//! would be written again and again.

use serde_json::{Value, json};

use super::manifest::{ChildKind, Manifest};
use super::{Capabilities, Children, Target, metadata, secret, triggers};
use crate::api::TriggerAuthenticationRef;
use crate::names;
use crate::resolve::{QueueLength, QueueSource, Resolved, ResourceMetric, ResourceTarget, SecretData, Watch};

/// Seconds between two looks at the queues.
const POLLING_INTERVAL: i32 = 15;
/// Seconds without tasks before the last pod goes.
const COOLDOWN_PERIOD: i32 = 300;

/// Adds what KEDA needs for a target; without KEDA, or while the broker is not known, what is there stays.
pub(super) fn keda(
    resolved: &Resolved,
    target: &Target<'_>,
    queue: &QueueLength,
    capabilities: Capabilities,
    children: &mut Children,
) {
    let source = resolved.broker.as_ref().and_then(|broker| broker.queues.as_ref().ok());
    let Some(source) = source.filter(|_| capabilities.keda) else {
        children.kept.extend([
            (ChildKind::ScaledObject, target.name.clone()),
            (ChildKind::TriggerAuthentication, target.name.clone()),
            (ChildKind::Secret, names::keda_secret(&resolved.app)),
        ]);
        return;
    };
    let authentication = match &queue.authentication {
        Some(_) => Authentication { secret: None, spec: None },
        None => Authentication::of(resolved, source, queue),
    };
    if let Some(data) = &authentication.secret {
        // It is made of the URL alone, so that one serves every pool.
        let name = names::keda_secret(&resolved.app);
        let is_it = |manifest: &Manifest| manifest.kind == ChildKind::Secret && manifest.name == name;
        if !children.manifests.iter().any(is_it) {
            children.manifests.push(secret::secret(resolved, &name, data));
        }
    }
    if let Some(spec) = &authentication.spec {
        let object = json!({
            "metadata": metadata(resolved, &target.name, Some(target.component), target.pool),
            "spec": spec,
        });
        children.manifests.push(Manifest::new(ChildKind::TriggerAuthentication, &target.name, &object));
    }
    let reference = match &queue.authentication {
        Some(own) => Some(own_reference(own)),
        None => authentication.spec.is_some().then(|| json!({ "name": target.name })),
    };
    let queue_triggers = triggers::of_queues(source, queue, reference.as_ref());
    let mut object = json!({
        "metadata": metadata(resolved, &target.name, Some(target.component), target.pool),
        "spec": {
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": target.name },
            "minReplicaCount": target.scaler.min,
            "maxReplicaCount": target.scaler.max,
            "advanced": advanced(target, queue, &queue_triggers),
            "triggers": queue_triggers.iter().cloned().chain(
                target.scaler.resources.iter().map(|metric| resource_trigger(metric, target.container))
            ).collect::<Vec<Value>>(),
        },
    });
    watch(&mut object["spec"], target.scaler.min, &queue.watch);
    children.manifests.push(Manifest::new(ChildKind::ScaledObject, &target.name, &object));
}

/// When KEDA looks, and what it does while there is nothing to see.
fn watch(spec: &mut Value, min: i32, watch: &Watch) {
    // Only the step between zero and one pod is KEDA's own; it warns about these numbers where they have no effect.
    let to_zero = min == 0 || watch.idle_replicas.is_some();
    let or = |written: Option<i32>, default: i32| written.or(to_zero.then_some(default));
    let numbers = [
        ("pollingInterval", or(watch.polling_interval, POLLING_INTERVAL)),
        ("cooldownPeriod", or(watch.cooldown_period, COOLDOWN_PERIOD)),
        ("idleReplicaCount", watch.idle_replicas),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            spec[name] = json!(number);
        }
    }
    if let Some(fallback) = &watch.fallback {
        // Same names, and the word that KEDA would add is left out when absent.
        spec["fallback"] = json!(fallback);
    }
}

fn own_reference(own: &TriggerAuthenticationRef) -> Value {
    match &own.kind {
        Some(kind) => json!({ "name": own.name, "kind": kind }),
        None => json!({ "name": own.name }),
    }
}

/// How KEDA proves who it is: what goes into the Secret, and which parameters come from where.
struct Authentication {
    secret: Option<SecretData>,
    spec: Option<Value>,
}

impl Authentication {
    fn of(resolved: &Resolved, source: &QueueSource, queue: &QueueLength) -> Self {
        // Typed parts already are a Secret; a URL is taken apart into one of its own.
        let typed = resolved.broker.as_ref().is_some_and(|broker| broker.has_secret);
        let tls;
        let enable = "enable".to_owned();
        let parts: Vec<(&str, &str, &String)> = match source {
            QueueSource::Redis { username, password, tls: encryption, sentinel, .. } => {
                tls = encryption.as_ref();
                let of_sentinels = sentinel.as_ref().and_then(|sentinel| sentinel.password.as_ref());
                [
                    ("username", username.as_ref()),
                    ("password", password.as_ref()),
                    ("sentinelPassword", of_sentinels),
                ]
                .into_iter()
                .filter_map(|(name, value)| Some((name, name, value?)))
                .collect()
            }
            QueueSource::RabbitMq { url, management, tls: encryption } => {
                tls = encryption.as_ref();
                let management = management.as_ref().filter(|_| queue.include_unacked == Some(true));
                let host = match management {
                    Some(management) => ("host", "managementUrl", management),
                    None => ("host", "url", url),
                };
                std::iter::once(host).chain(tls.map(|_| ("tls", "tls", &enable))).collect()
            }
            QueueSource::Sqs { credentials: None, .. } => {
                return Self { secret: None, spec: Some(json!({ "podIdentity": { "provider": "aws" } })) };
            }
            QueueSource::Sqs { credentials: Some(name), .. } => {
                let keys = ["awsAccessKeyID", "awsSecretAccessKey"].map(|key| (key, key));
                return Self { secret: None, spec: Some(parameters(name, keys)) };
            }
        };
        let authority = tls.and_then(|tls| tls.ca.as_ref());
        if parts.is_empty() && authority.is_none() {
            return Self { secret: None, spec: None };
        }
        let name =
            if typed { names::broker_secret(&resolved.app) } else { names::keda_secret(&resolved.app) };
        let mut spec = parameters(&name, parts.iter().map(|(parameter, key, _)| (*parameter, *key)));
        if let (Some(ca), Some(list)) = (authority, spec["secretTargetRef"].as_array_mut()) {
            list.push(json!({ "parameter": "ca", "name": ca.name, "key": ca.key }));
        }
        let data = || parts.iter().map(|(_, key, value)| ((*key).to_owned(), (*value).clone())).collect();
        Self { secret: (!typed && !parts.is_empty()).then(data), spec: Some(spec) }
    }
}

/// Parameters of a trigger, each read from a key of a Secret.
fn parameters<'a>(secret: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    let entry =
        |(parameter, key): (&str, &str)| json!({ "parameter": parameter, "name": secret, "key": key });
    json!({ "secretTargetRef": pairs.into_iter().map(entry).collect::<Vec<Value>>() })
}

fn advanced(target: &Target<'_>, queue: &QueueLength, queue_triggers: &[Value]) -> Value {
    // One pod a minute: a worker that goes still finishes its tasks.
    let slow = json!({
        "stabilizationWindowSeconds": 300,
        "policies": [{ "type": "Pods", "value": 1, "periodSeconds": 60 }],
    });
    let mut behavior = json!(target.scaler.behavior.clone().unwrap_or_default());
    if behavior.get("scaleDown").is_none() {
        behavior["scaleDown"] = slow;
    }
    let mut advanced =
        json!({ "horizontalPodAutoscalerConfig": { "name": target.name, "behavior": behavior } });
    if queue_triggers.len() > 1 {
        let names: Vec<&str> = queue_triggers.iter().filter_map(|trigger| trigger["name"].as_str()).collect();
        advanced["scalingModifiers"] = json!({
            "formula": names.join(" + "),
            "target": queue.for_each_pod,
            "metricType": "AverageValue",
        });
        if queue.activation > 0 {
            advanced["scalingModifiers"]["activationTarget"] = json!(queue.activation.to_string());
        }
    }
    advanced
}

fn resource_trigger(metric: &ResourceMetric, container: &str) -> Value {
    let (metric_type, value) = match &metric.target {
        ResourceTarget::Utilization(percent) => ("Utilization", percent.to_string()),
        ResourceTarget::AverageValue(amount) => ("AverageValue", amount.0.clone()),
    };
    json!({
        "type": metric.name,
        "metricType": metric_type,
        "metadata": { "value": value, "containerName": container },
    })
}
