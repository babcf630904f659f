// SPDX-License-Identifier: Apache-2.0
//! The broker in its five forms.

use std::collections::BTreeMap;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grammar;

/// Where tasks travel: exactly one of the fields.
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

/// Redis by its parts; the operator writes the URL.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["host"]))]
pub struct RedisBroker {
    /// Host name or address.
    #[serde(default)]
    #[garde(custom(grammar::host))]
    pub host: String,
    /// Port; absent: 6379.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// Number of the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 0))]
    #[garde(range(min = 0))]
    pub db: Option<i32>,
    /// User of an access control list; absent: the default user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub username: Option<String>,
    /// The password, as it is (not percent-encoded).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub password_secret_ref: Option<SecretKeyRef>,
}

/// RabbitMQ by its parts; the operator writes the URL.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["host"]))]
pub struct RabbitMqBroker {
    /// Host name or address.
    #[serde(default)]
    #[garde(custom(grammar::host))]
    pub host: String,
    /// Port; absent: 5672.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// Virtual host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "/"))]
    #[garde(skip)]
    pub vhost: Option<String>,
    /// The user; absent: `guest`, which RabbitMQ only takes from its own host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub username_secret_ref: Option<SecretKeyRef>,
    /// The password, as it is (not percent-encoded).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub password_secret_ref: Option<SecretKeyRef>,
}

/// Amazon SQS. Workers take their credentials from the pod's identity or from the environment of the image.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["region"]))]
pub struct SqsBroker {
    /// Region of the queues.
    #[serde(default)]
    #[garde(custom(grammar::written))]
    pub region: String,
    /// Number of the account that owns the queues; with it the address of a queue follows from its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub account_id: Option<String>,
    /// Addresses of queues by their name in Celery, where they do not follow from the account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[garde(skip)]
    pub queue_urls: BTreeMap<String, String>,
    /// What stands before the name of every queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub queue_name_prefix: Option<String>,
    /// Access key id and secret access key for the autoscaler, when it has no identity of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub credentials_secret_name: Option<String>,
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
