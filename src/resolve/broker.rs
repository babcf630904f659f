// SPDX-License-Identifier: Apache-2.0
//! How the broker is reached: by the pods through an environment variable, by an autoscaler through its parts.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::EnvVar;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::pod::{from_key, from_reference, literal};
use super::{SecretData, Sources};
use crate::api::{Broker, BrokerStatus, RabbitMqBroker, RedisBroker, SecretKeyRef, SqsBroker};
use crate::celery::broker_url::{self, Defect, Endpoint, Transport};
use crate::celery::sqs::queue_name;
use crate::names;

/// The variable that Celery 4.4 to 5.7 reads before anything in the application.
const URL_VARIABLE: &str = "CELERY_BROKER_URL";
/// What must be encoded in the path of a URL.
const PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'/').add(b'?');

/// Reason of a Secret that does not exist.
pub(super) const NO_SECRET: &str = "SecretNotFound";
/// Reason of a broker whose queues no autoscaler can look into; pods can use it all the same.
pub const NOT_MEASURABLE: &str = "BrokerNotMeasurable";
/// Reason of a Secret without the key.
pub(super) const NO_KEY: &str = "SecretKeyNotFound";

/// How the broker is reached.
#[derive(Clone, PartialEq)]
pub struct BrokerAccess {
    /// How containers get the URL.
    pub env: EnvVar,
    /// What may be shown of it.
    pub shown: BrokerStatus,
    /// Content of the Secret made from typed parts; `None` when nothing is made or a part is missing.
    pub secret: Option<SecretData>,
    /// Whether such a Secret belongs to this form of the broker.
    pub has_secret: bool,
    /// Transport options that the typed parts need.
    pub transport_options: Map<String, Value>,
    /// How an autoscaler looks into the queues.
    pub queues: Result<QueueSource, Unresolved>,
}

/// How an autoscaler looks into the queues.
#[derive(Clone, PartialEq, Eq)]
pub enum QueueSource {
    /// Lists of a Redis.
    Redis {
        /// `host:port`.
        address: String,
        /// Number of the database.
        database: u32,
        /// User and password, as they are.
        username: Option<String>,
        /// The password, as it is.
        password: Option<String>,
        /// Whether the connection is encrypted.
        tls: bool,
    },
    /// Queues of a RabbitMQ.
    RabbitMq {
        /// `amqp(s)://user:password@host:port/vhost`.
        url: String,
    },
    /// Queues of Amazon SQS.
    Sqs {
        /// Region of the queues.
        region: String,
        /// Addresses by queue.
        queue_urls: BTreeMap<String, String>,
        /// What makes an address from a name.
        account_id: Option<String>,
        /// What stands before every name.
        prefix: String,
        /// The Secret with access keys; the pod's identity otherwise.
        credentials: Option<String>,
    },
}

/// Why the broker is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// One word for programs.
    pub reason: &'static str,
    /// One sentence for people, without credentials.
    pub message: String,
}

/// How the broker of a spec is reached.
pub(super) fn access(broker: &Broker, app: &str, sources: &Sources) -> BrokerAccess {
    if let Some(url) = &broker.url {
        from_url(url, literal(URL_VARIABLE, url), "url")
    } else if let Some(reference) = &broker.url_secret_ref {
        from_secret(reference, sources)
    } else if let Some(redis) = &broker.redis {
        from_redis(redis, app, sources)
    } else if let Some(rabbitmq) = &broker.rabbitmq {
        from_rabbitmq(rabbitmq, app, sources)
    } else if let Some(sqs) = &broker.sqs {
        from_sqs(sqs)
    } else {
        from_url("", EnvVar::default(), "none")
    }
}

fn from_url(url: &str, env: EnvVar, source: &str) -> BrokerAccess {
    let elements = broker_url::parse(url);
    let good: Vec<&Endpoint> = elements.iter().filter_map(|element| element.as_ref().ok()).collect();
    let shown = BrokerStatus {
        scheme: good.first().map(|endpoint| endpoint.scheme.clone()).unwrap_or_default(),
        hosts: good.iter().map(|endpoint| endpoint.host.clone()).collect(),
        source: source.to_owned(),
    };
    let queues = match elements.into_iter().collect::<Result<Vec<Endpoint>, Defect>>() {
        Ok(endpoints) => queue_source(endpoints.first()),
        Err(defect) => Err(Unresolved { reason: "BrokerUrlInvalid", message: told(&defect) }),
    };
    BrokerAccess { env, shown, secret: None, has_secret: false, transport_options: Map::new(), queues }
}

fn from_secret(reference: &SecretKeyRef, sources: &Sources) -> BrokerAccess {
    let env = from_reference(URL_VARIABLE, reference);
    match value(reference, sources) {
        Ok(url) => {
            let mut access = from_url(url.trim_end_matches('\n'), env, "urlSecretRef");
            if let Err(unresolved) = &mut access.queues {
                unresolved.message = format!(
                    "{} (key {:?} of Secret {:?})",
                    unresolved.message, reference.key, reference.name
                );
            }
            access
        }
        Err(unresolved) => BrokerAccess {
            env,
            shown: BrokerStatus { source: "urlSecretRef".to_owned(), ..BrokerStatus::default() },
            secret: None,
            has_secret: false,
            transport_options: Map::new(),
            queues: Err(unresolved),
        },
    }
}

fn from_redis(redis: &RedisBroker, app: &str, sources: &Sources) -> BrokerAccess {
    let port = redis.port.unwrap_or(6379);
    let host = redis.host.as_deref().unwrap_or_default();
    let address = format!("{}:{port}", bracketed(host));
    let database = redis.db.and_then(|db| u32::try_from(db).ok()).unwrap_or_default();
    let password = redis.password_secret_ref.as_ref().map(|reference| value(reference, sources)).transpose();
    let password = password.map(|password| password.map(|text| text.trim_end_matches('\n').to_owned()));
    let secret = password.as_ref().ok().map(|password| {
        let user_info = user_info(redis.username.as_deref(), password.as_deref());
        parts([
            ("url", Some(format!("redis://{user_info}{address}/{database}"))),
            ("host", Some(host.to_owned())),
            ("port", Some(port.to_string())),
            ("address", Some(address.clone())),
            ("db", Some(database.to_string())),
            ("username", redis.username.clone()),
            ("password", password.clone()),
        ])
    });
    BrokerAccess {
        env: from_key(URL_VARIABLE, &names::broker_secret(app), "url"),
        shown: shown("redis", host, "redis"),
        secret,
        has_secret: true,
        transport_options: Map::new(),
        queues: password.map(|password| QueueSource::Redis {
            address,
            database,
            username: redis.username.clone(),
            password,
            tls: false,
        }),
    }
}

fn from_rabbitmq(rabbitmq: &RabbitMqBroker, app: &str, sources: &Sources) -> BrokerAccess {
    let read = |reference: &Option<SecretKeyRef>| {
        let text = reference.as_ref().map(|reference| value(reference, sources)).transpose();
        text.map(|text| text.map(|text| text.trim_end_matches('\n').to_owned()))
    };
    let vhost = rabbitmq.vhost.as_deref().unwrap_or("/");
    let location = format!("{}:{}", bracketed(&rabbitmq.host), rabbitmq.port.unwrap_or(5672));
    let credentials = read(&rabbitmq.username_secret_ref)
        .and_then(|user| read(&rabbitmq.password_secret_ref).map(|password| (user, password)));
    let url = credentials.map(|(user, password)| {
        let user_info = user_info(user.as_deref(), password.as_deref());
        format!("amqp://{user_info}{location}/{}", utf8_percent_encode(vhost, PATH))
    });
    BrokerAccess {
        env: from_key(URL_VARIABLE, &names::broker_secret(app), "url"),
        shown: shown("amqp", &rabbitmq.host, "rabbitmq"),
        secret: url
            .as_ref()
            .ok()
            .map(|url| parts([("url", Some(url.clone())), ("host", Some(rabbitmq.host.clone()))])),
        has_secret: true,
        transport_options: Map::new(),
        queues: url.map(|url| QueueSource::RabbitMq { url }),
    }
}

fn from_sqs(sqs: &SqsBroker) -> BrokerAccess {
    let mut options = serde_json::Map::from_iter([("region".to_owned(), json!(sqs.region))]);
    if let Some(prefix) = &sqs.queue_name_prefix {
        options.insert("queue_name_prefix".to_owned(), json!(prefix));
    }
    if !sqs.queue_urls.is_empty() {
        // kombu looks a queue up under either name: the one of Celery when it receives, the one of SQS when it sends.
        let prefix = sqs.queue_name_prefix.as_deref().unwrap_or_default();
        let queues = sqs.queue_urls.iter().flat_map(|(name, url)| {
            [name.clone(), queue_name(prefix, name)].map(|name| (name, json!({ "url": url })))
        });
        options.insert("predefined_queues".to_owned(), queues.collect::<serde_json::Map<_, _>>().into());
    }
    BrokerAccess {
        env: literal(URL_VARIABLE, "sqs://"),
        shown: BrokerStatus {
            scheme: "sqs".to_owned(),
            hosts: vec![sqs.region.clone()],
            source: "sqs".to_owned(),
        },
        secret: None,
        has_secret: false,
        transport_options: options,
        queues: Ok(QueueSource::Sqs {
            region: sqs.region.clone(),
            queue_urls: sqs.queue_urls.clone(),
            account_id: sqs.account_id.clone(),
            prefix: sqs.queue_name_prefix.clone().unwrap_or_default(),
            credentials: sqs.credentials_secret_name.clone(),
        }),
    }
}

/// What is wrong with a URL, without quoting it: it may come from a Secret, where even a scheme may be none.
fn told(defect: &Defect) -> String {
    match defect {
        Defect::UnknownScheme { .. } | Defect::CompoundScheme { .. } => {
            "the broker URL has a scheme that Celery does not know".to_owned()
        }
        defect => format!("the broker URL {defect}"),
    }
}

/// What an autoscaler needs of the first URL of a failover list.
fn queue_source(first: Option<&Endpoint>) -> Result<QueueSource, Unresolved> {
    let unsupported = |scheme: &str| Unresolved {
        reason: NOT_MEASURABLE,
        message: format!("the queues of a {scheme}:// broker cannot be measured"),
    };
    let Some(endpoint) = first else {
        return Err(unsupported(""));
    };
    let port = endpoint.effective_port().unwrap_or_default();
    match endpoint.transport {
        Transport::Redis => Ok(QueueSource::Redis {
            address: format!("{}:{port}", bracketed(host_or_local(endpoint))),
            database: endpoint.database().unwrap_or_default(),
            username: endpoint.username.clone(),
            password: endpoint.password.clone(),
            tls: endpoint.tls(),
        }),
        Transport::Memory => Err(Unresolved {
            reason: "BrokerUrlInvalid",
            message: "the broker URL names memory://, which cannot carry tasks between pods".to_owned(),
        }),
        Transport::Amqp => {
            let scheme = if endpoint.tls() { "amqps" } else { "amqp" };
            let user_info = user_info(endpoint.username.as_deref(), endpoint.password.as_deref());
            let host = bracketed(host_or_local(endpoint));
            let vhost = utf8_percent_encode(endpoint.virtual_host(), PATH);
            Ok(QueueSource::RabbitMq { url: format!("{scheme}://{user_info}{host}:{port}/{vhost}") })
        }
        _ => Err(unsupported(&endpoint.scheme)),
    }
}

fn host_or_local(endpoint: &Endpoint) -> &str {
    if endpoint.host.is_empty() { "localhost" } else { &endpoint.host }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn user_info(user: Option<&str>, password: Option<&str>) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    match (user, password) {
        (None, None) => String::new(),
        (user, None) => format!("{}@", encoded(user.unwrap_or_default())),
        (user, Some(password)) => format!("{}:{}@", encoded(user.unwrap_or_default()), encoded(password)),
    }
}

fn value<'s>(reference: &SecretKeyRef, sources: &'s Sources) -> Result<&'s str, Unresolved> {
    let SecretKeyRef { name, key } = reference;
    let missing = |reason, message| Unresolved { reason, message };
    let secret = sources.secrets.get(name).and_then(Option::as_ref);
    let secret = secret.ok_or_else(|| missing(NO_SECRET, format!("Secret {name:?} does not exist")))?;
    let text = secret.get(key);
    text.map(String::as_str)
        .ok_or_else(|| missing(NO_KEY, format!("Secret {name:?} has no text under the key {key:?}")))
}

fn parts<const N: usize>(parts: [(&str, Option<String>); N]) -> SecretData {
    parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn shown(scheme: &str, host: &str, source: &str) -> BrokerStatus {
    BrokerStatus { scheme: scheme.to_owned(), hosts: vec![host.to_owned()], source: source.to_owned() }
}
