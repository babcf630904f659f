// SPDX-License-Identifier: Apache-2.0
//! The broker in its five forms.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::broker_parts::{RabbitMqBroker, RedisBroker, SqsBroker};
use super::grammar;
use super::json::AnyObject;

/// Where tasks travel: exactly one of `url`, `urlSecretRef`, `redis`, `rabbitmq`, `sqs`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Broker {
    /// The URL as Celery takes it: `redis://cache:6379/0`. Failover URLs are separated by `;`. Use `urlSecretRef` when
    /// it holds a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub url: Option<String>,
    /// The key of a Secret that holds the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub url_secret_ref: Option<SecretKeyRef>,
    /// Redis by its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub redis: Option<RedisBroker>,
    /// RabbitMQ by its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub rabbitmq: Option<RabbitMqBroker>,
    /// Amazon SQS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub sqs: Option<SqsBroker>,
    /// Scheme of the URL that the Secret holds, such as `redis` or `amqps`. Only beside `urlSecretRef`. Without it workers
    /// have no startup probe, and what is wrong for that broker is not told: a `timeLimit` above its visibility timeout,
    /// an autoscaler that stops running tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub scheme: Option<String>,
    /// Transport options, `visibility_timeout: 7200`. They take the place of the application's own for workers and beat,
    /// and reach neither producers nor Flower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub transport_options: Option<AnyObject>,
}

/// A key of a Secret of the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["name", "key"]))]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[serde(default)]
    #[garde(custom(grammar::object_name))]
    pub name: String,
    /// Key within the Secret.
    #[serde(default)]
    #[garde(custom(grammar::secret_key))]
    pub key: String,
}

impl Broker {
    /// The names of the forms that are set, in the order of the schema.
    #[must_use]
    pub fn forms(&self) -> Vec<&'static str> {
        [
            ("url", self.url.is_some()),
            ("urlSecretRef", self.url_secret_ref.is_some()),
            ("redis", self.redis.is_some()),
            ("rabbitmq", self.rabbitmq.is_some()),
            ("sqs", self.sqs.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, set)| set.then_some(name))
        .collect()
    }
}
