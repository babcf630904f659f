// SPDX-License-Identifier: Apache-2.0
//! KEDA's ScaledObject, its TriggerAuthentication and the Secret that one reads.
//!
//! Every list of every queue is a trigger of its own, and a formula adds them up: without it the autoscaler would take
//! the longest list for the whole backlog. What KEDA drops from an object (false, empty) is never written, since it
//! would be written again and again.

use serde_json::{Value, json};

use super::manifest::{ChildKind, Manifest};
use super::{Capabilities, Children, Target, metadata, secret, text_map};
use crate::celery::sqs;
use crate::names;
use crate::resolve::{QueueLength, QueueSource, Resolved, ResourceMetric, ResourceTarget, SecretData};

/// Seconds between two looks at the queues.
const POLLING_INTERVAL: i32 = 15;
/// Seconds without tasks before the last pod goes.
const COOLDOWN_PERIOD: i32 = 300;
/// Lists into which kombu sorts priorities, with what it puts before the step.
const PRIORITY_STEPS: [u8; 4] = [0, 3, 6, 9];
const PRIORITY_SEPARATOR: &str = "\u{6}\u{16}";

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
    let authentication = Authentication::of(resolved, source);
    if let Some(data) = &authentication.secret {
        children.manifests.push(secret::secret(resolved, &names::keda_secret(&resolved.app), data));
    }
    if let Some(spec) = &authentication.spec {
        let object = json!({
            "metadata": metadata(resolved, &target.name, Some(target.component), target.pool),
            "spec": spec,
        });
        children.manifests.push(Manifest::new(ChildKind::TriggerAuthentication, &target.name, &object));
    }
    let queue_triggers = queue_triggers(source, queue, authentication.spec.is_some().then_some(&target.name));
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
    if target.scaler.min == 0 {
        // Only the step between zero and one pod is KEDA's own; it warns about these numbers where they have no effect.
        object["spec"]["pollingInterval"] = json!(POLLING_INTERVAL);
        object["spec"]["cooldownPeriod"] = json!(COOLDOWN_PERIOD);
    }
    children.manifests.push(Manifest::new(ChildKind::ScaledObject, &target.name, &object));
}

/// How KEDA proves who it is: what goes into the Secret, and which parameters come from where.
struct Authentication {
    secret: Option<SecretData>,
    spec: Option<Value>,
}

impl Authentication {
    fn of(resolved: &Resolved, source: &QueueSource) -> Self {
        // Typed parts already are a Secret; a URL is taken apart into one of its own.
        let typed = resolved.broker.as_ref().is_some_and(|broker| broker.has_secret);
        let parts: Vec<(&str, &str, &String)> = match source {
            QueueSource::Redis { username, password, .. } => [("username", username), ("password", password)]
                .into_iter()
                .filter_map(|(name, value)| Some((name, name, value.as_ref()?)))
                .collect(),
            QueueSource::RabbitMq { url } => vec![("host", "url", url)],
            QueueSource::Sqs { credentials: None, .. } => {
                return Self { secret: None, spec: Some(json!({ "podIdentity": { "provider": "aws" } })) };
            }
            QueueSource::Sqs { credentials: Some(name), .. } => {
                let keys = ["awsAccessKeyID", "awsSecretAccessKey"].map(|key| (key, key));
                return Self { secret: None, spec: Some(parameters(name, keys)) };
            }
        };
        if parts.is_empty() {
            return Self { secret: None, spec: None };
        }
        let name =
            if typed { names::broker_secret(&resolved.app) } else { names::keda_secret(&resolved.app) };
        let spec = parameters(&name, parts.iter().map(|(parameter, key, _)| (*parameter, *key)));
        let data = || parts.iter().map(|(_, key, value)| ((*key).to_owned(), (*value).clone())).collect();
        Self { secret: (!typed).then(data), spec: Some(spec) }
    }
}

/// Parameters of a trigger, each read from a key of a Secret.
fn parameters<'a>(secret: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    let entry =
        |(parameter, key): (&str, &str)| json!({ "parameter": parameter, "name": secret, "key": key });
    json!({ "secretTargetRef": pairs.into_iter().map(entry).collect::<Vec<Value>>() })
}

fn advanced(target: &Target<'_>, queue: &QueueLength, queue_triggers: &[Value]) -> Value {
    let mut advanced = json!({
        "horizontalPodAutoscalerConfig": {
            "name": target.name,
            // One pod a minute: a worker that goes still finishes its tasks.
            "behavior": { "scaleDown": {
                "stabilizationWindowSeconds": 300,
                "policies": [{ "type": "Pods", "value": 1, "periodSeconds": 60 }],
            } },
        },
    });
    if queue_triggers.len() > 1 {
        let names: Vec<&str> = queue_triggers.iter().filter_map(|trigger| trigger["name"].as_str()).collect();
        advanced["scalingModifiers"] = json!({
            "formula": names.join(" + "),
            "target": queue.for_each_pod,
            "metricType": "AverageValue",
        });
    }
    advanced
}

/// One trigger for each list of tasks, named for the formula.
fn queue_triggers(source: &QueueSource, queue: &QueueLength, authentication: Option<&String>) -> Vec<Value> {
    let reference = authentication.map(|name| json!({ "name": name }));
    let trigger = |name: String, type_: &str, metadata: Value| {
        let mut trigger =
            json!({ "type": type_, "name": name, "metricType": "AverageValue", "metadata": metadata });
        if let Some(reference) = &reference {
            trigger["authenticationRef"] = reference.clone();
        }
        trigger
    };
    let queues = queue.queues.iter().enumerate();
    match source {
        QueueSource::Redis { address, database, tls, .. } => queues
            .flat_map(|(index, name)| PRIORITY_STEPS.map(|step| (index, name, step)))
            .map(|(index, name, step)| {
                let list = if step == 0 { name.clone() } else { format!("{name}{PRIORITY_SEPARATOR}{step}") };
                let mut metadata = text_map([
                    ("address", address),
                    ("databaseIndex", &database.to_string()),
                    ("listName", &list),
                    ("listLength", &queue.for_each_pod),
                ]);
                if *tls {
                    metadata.insert("enableTLS".to_owned(), "true".to_owned());
                }
                trigger(format!("q{index}_p{step}"), "redis", json!(metadata))
            })
            .collect(),
        QueueSource::RabbitMq { .. } => queues
            .map(|(index, name)| {
                let metadata =
                    text_map([("queueName", name), ("mode", "QueueLength"), ("value", &queue.for_each_pod)]);
                trigger(format!("q{index}"), "rabbitmq", json!(metadata))
            })
            .collect(),
        QueueSource::Sqs { region, .. } => queues
            .map(|(index, name)| {
                let metadata = text_map([
                    ("queueURL", &sqs_url(source, name)),
                    ("queueLength", &queue.for_each_pod),
                    ("awsRegion", region),
                ]);
                trigger(format!("q{index}"), "aws-sqs-queue", json!(metadata))
            })
            .collect(),
    }
}

/// Where SQS has a queue: a written address, or one made of account and name; else the name alone, which KEDA looks up.
fn sqs_url(source: &QueueSource, queue: &str) -> String {
    let QueueSource::Sqs { region, queue_urls, account_id, prefix, .. } = source else {
        return String::new();
    };
    if let Some(url) = queue_urls.get(queue) {
        return url.clone();
    }
    let name = sqs::queue_name(prefix, queue);
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    match account_id {
        Some(account) => format!("https://sqs.{region}.{domain}/{account}/{name}"),
        None => name,
    }
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
