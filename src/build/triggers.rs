// SPDX-License-Identifier: Apache-2.0
//! KEDA's triggers: one for each list of tasks, each with a name that a formula can use.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::text_map;
use crate::celery::sqs;
use crate::resolve::{QueueLength, QueueSource, RedisLists};

/// The triggers of a pool's queues, and of what its workers hold.
pub(super) fn of_queues(
    source: &QueueSource,
    queue: &QueueLength,
    authentication: Option<&Value>,
) -> Vec<Value> {
    let each = queue.queues.iter().enumerate();
    let found: Vec<(String, &str, BTreeMap<String, String>)> = match source {
        QueueSource::Redis { .. } => of_redis(source, queue),
        QueueSource::RabbitMq { management, tls, .. } => each
            .map(|(index, name)| {
                let mut metadata =
                    text_map([("queueName", name), ("mode", "QueueLength"), ("value", &queue.for_each_pod)]);
                if management.is_some() && queue.include_unacked == Some(true) {
                    metadata.insert("protocol".to_owned(), "http".to_owned());
                }
                if tls.as_ref().is_some_and(|tls| tls.unverified) {
                    metadata.insert("unsafeSsl".to_owned(), "true".to_owned());
                }
                (format!("q{index}"), "rabbitmq", metadata)
            })
            .collect(),
        QueueSource::Sqs { region, .. } => each
            .map(|(index, name)| {
                let mut metadata = text_map([
                    ("queueURL", &sqs_url(source, name)),
                    ("queueLength", &queue.for_each_pod),
                    ("awsRegion", region),
                ]);
                if queue.include_unacked == Some(false) {
                    metadata.insert("scaleOnInFlight".to_owned(), "false".to_owned());
                }
                (format!("q{index}"), "aws-sqs-queue", metadata)
            })
            .collect(),
    };
    let alone = found.len() == 1;
    let trigger = |(name, type_, mut metadata): (String, &str, BTreeMap<String, String>)| {
        // With a formula its sum has the threshold.
        if alone && queue.activation > 0 {
            metadata.insert(activation(source).to_owned(), queue.activation.to_string());
        }
        let mut trigger =
            json!({ "type": type_, "name": name, "metricType": "AverageValue", "metadata": metadata });
        if let Some(reference) = authentication {
            trigger["authenticationRef"] = reference.clone();
        }
        trigger
    };
    found.into_iter().map(trigger).collect()
}

fn activation(source: &QueueSource) -> &'static str {
    match source {
        QueueSource::Redis { .. } => "activationListLength",
        QueueSource::RabbitMq { .. } => "activationValue",
        QueueSource::Sqs { .. } => "activationQueueLength",
    }
}

/// One trigger for each priority of each queue, and one for the hash of what is not acknowledged.
fn of_redis<'a>(
    source: &QueueSource,
    queue: &QueueLength,
) -> Vec<(String, &'a str, BTreeMap<String, String>)> {
    let QueueSource::Redis { address, database, tls, sentinel, lists, .. } = source else {
        return Vec::new();
    };
    let (type_, server) = match sentinel {
        None => ("redis", text_map([("address", address)])),
        Some(sentinel) => (
            "redis-sentinel",
            text_map([("addresses", &sentinel.addresses.join(",")), ("sentinelMaster", &sentinel.master)]),
        ),
    };
    let trigger = |name: String, list: &str| {
        let mut metadata = text_map([
            ("databaseIndex", &database.to_string()),
            ("listName", &format!("{}{list}", lists.prefix)),
            ("listLength", &queue.for_each_pod),
        ]);
        metadata.extend(server.clone());
        if let Some(tls) = tls {
            metadata.insert("enableTLS".to_owned(), "true".to_owned());
            if tls.unverified {
                metadata.insert("unsafeSsl".to_owned(), "true".to_owned());
            }
        }
        (name, type_, metadata)
    };
    let steps = steps(queue, lists);
    let each = queue.queues.iter().enumerate();
    let mut triggers: Vec<_> = each
        .flat_map(|(index, name)| steps.iter().map(move |step| (index, name, *step)))
        .map(|(index, name, step)| {
            let list = if step == 0 { name.clone() } else { format!("{name}{}{step}", lists.separator) };
            trigger(format!("q{index}_p{step}"), &list)
        })
        .collect();
    if queue.include_unacked == Some(true) {
        triggers.push(trigger("unacked".to_owned(), "unacked"));
    }
    triggers
}

/// The priorities to look at; a negative one could not be told in a name, and kombu has none.
fn steps(queue: &QueueLength, lists: &RedisLists) -> Vec<i64> {
    let written: Vec<i64> = queue.priority_steps.iter().map(|step| i64::from(*step)).collect();
    let mut steps = if written.is_empty() { lists.steps.clone() } else { written };
    steps.retain(|step| *step >= 0);
    steps.sort_unstable();
    steps.dedup();
    steps
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
