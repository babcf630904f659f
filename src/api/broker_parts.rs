// SPDX-License-Identifier: Apache-2.0
//! Brokers by their parts, from which the operator writes the URL.

use std::collections::BTreeMap;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretKeyRef;
use super::grammar;
use super::open::{Open, Word};

/// Redis by its parts; the operator writes the URL.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct RedisBroker {
    /// Host name or address; not with `sentinel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(grammar::host)))]
    pub host: Option<String>,
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
    /// Encrypt the connection; present means on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub tls: Option<BrokerTls>,
    /// Ask Redis Sentinel for the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub sentinel: Option<RedisSentinel>,
    /// What stands before every key (`global_keyprefix`). It reaches workers and beat: producers and Flower need the same
    /// from their application, or they look under other keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub key_prefix: Option<String>,
    /// Priorities that have a list of their own (`priority_steps`); absent: 0, 3, 6, 9.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(range(min = 0, max = 9)))]
    #[garde(skip)]
    pub priority_steps: Vec<i32>,
    /// What stands between queue and priority in the name of such a list (`sep`); absent: the bytes 06 and 16.
    /// Producers and Flower need the same from their application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sep: Option<String>,
}

/// An encrypted connection to the broker.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct BrokerTls {
    /// Whether the broker's certificate is verified: `required` (when absent), `optional` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub cert_reqs: Option<Open<CertReqs>>,
    /// The key of a Secret with the certificate of the authority; absent: those of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub ca_secret_ref: Option<SecretKeyRef>,
}

/// Whether a certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertReqs {
    /// Yes.
    Required,
    /// When there is one.
    Optional,
    /// No.
    None,
}

impl Word for CertReqs {
    const SPELLINGS: &'static [(&'static str, Self)] =
        &[("required", Self::Required), ("optional", Self::Optional), ("none", Self::None)];
}

/// Redis Sentinel.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["masterName", "addresses"]))]
pub struct RedisSentinel {
    /// Name under which the sentinels know the server.
    #[serde(default)]
    #[garde(skip)]
    pub master_name: String,
    /// The sentinels, `host:26379`.
    #[serde(default)]
    #[garde(skip)]
    pub addresses: Vec<String>,
    /// Password of the sentinels themselves, for the autoscaler; workers take it from the application.
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
    /// Port; absent: 5672, with TLS 5671.
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
    /// Encrypt the connection; present means on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub tls: Option<BrokerTls>,
    /// URL of the management API, `http://mq:15672`, with which an autoscaler counts unacknowledged tasks too. It uses
    /// the credentials of the broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub management_url: Option<String>,
    /// The key of a Secret with that URL and credentials of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub management_url_secret_ref: Option<SecretKeyRef>,
}

/// Amazon SQS. Workers take their credentials from the pod's identity (on EKS: a role of `common.serviceAccountName`), or
/// from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` in `env`.
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
    /// What stands before the name of every queue (`queue_name_prefix`). Producers need the same from their application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub queue_name_prefix: Option<String>,
    /// Secret whose keys `awsAccessKeyID` and `awsSecretAccessKey` are the autoscaler's credentials; no worker
    /// gets them. Absent: KEDA takes
    /// its own identity, `podIdentity: {provider: aws}`. On EKS with IRSA that is a role in the annotation
    /// `eks.amazonaws.com/role-arn` of the `ServiceAccount` of KEDA (`keda-operator`), which has to allow
    /// `sqs:GetQueueAttributes`. For the role of the workers instead, make a `TriggerAuthentication` with `podIdentity:
    /// {provider: aws, identityOwner: workload}`, name it in `triggerAuthenticationRef` of the autoscaler, and annotate
    /// the `ServiceAccount` of the workers (`common.serviceAccountName`), whose role lets that of KEDA assume it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub credentials_secret_name: Option<String>,
}
