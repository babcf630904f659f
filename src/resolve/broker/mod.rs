// SPDX-License-Identifier: Apache-2.0
//! How the broker is reached: by the pods through an environment variable, by an autoscaler through its parts.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EnvVar, Volume, VolumeMount};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::pod::{from_reference, literal};
use super::{SecretData, Sources};
use crate::api::{Broker, BrokerStatus, Common, SecretKeyRef};
use crate::celery::broker_url::{self, Defect, Endpoint, Transport};
use crate::effective;

mod typed;

pub use typed::AUTHORITY_FOLDER;

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
    /// What `broker_use_ssl` has to say.
    pub use_ssl: Option<Value>,
    /// How encrypted sentinels are spoken to.
    pub sentinel_kwargs: Option<Map<String, Value>>,
    /// The certificate of the authority, as a file in every pod.
    pub authority: Option<(Volume, VolumeMount)>,
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
        /// The user, as it is.
        username: Option<String>,
        /// The password, as it is.
        password: Option<String>,
        /// The encryption of the connection, when there is one.
        tls: Option<Tls>,
        /// Who knows where the server is; the address otherwise.
        sentinel: Option<Sentinel>,
        /// How its lists are called.
        lists: RedisLists,
    },
    /// Queues of a RabbitMQ.
    RabbitMq {
        /// `amqp(s)://user:password@host:port/vhost`.
        url: String,
        /// `http(s)://user:password@host:port/vhost` of the management API.
        management: Option<String>,
        /// What a client must know of the encryption beyond the scheme.
        tls: Option<Tls>,
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

/// How an autoscaler encrypts its connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether any certificate will do.
    pub unverified: bool,
    /// The key of a Secret with the certificate of the authority; the usual ones otherwise.
    pub ca: Option<SecretKeyRef>,
}

/// Who knows where a Redis server is.
#[derive(Clone, PartialEq, Eq)]
pub struct Sentinel {
    /// Name under which they know it.
    pub master: String,
    /// `host:port` of each.
    pub addresses: Vec<String>,
    /// Their own password, as it is.
    pub password: Option<String>,
}

/// How kombu calls the lists of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisLists {
    /// What stands before every key.
    pub prefix: String,
    /// What stands between queue and priority.
    pub separator: String,
    /// Priorities that have a list.
    pub steps: Vec<i64>,
}

impl Default for RedisLists {
    fn default() -> Self {
        Self { prefix: String::new(), separator: "\u{6}\u{16}".to_owned(), steps: vec![0, 3, 6, 9] }
    }
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
        typed::redis(redis, app, sources)
    } else if let Some(rabbitmq) = &broker.rabbitmq {
        typed::rabbitmq(rabbitmq, app, sources)
    } else if let Some(sqs) = &broker.sqs {
        typed::sqs(sqs)
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
    plain(env, shown, queues)
}

/// A broker of which nothing has to be made.
fn plain(env: EnvVar, shown: BrokerStatus, queues: Result<QueueSource, Unresolved>) -> BrokerAccess {
    BrokerAccess {
        env,
        shown,
        secret: None,
        has_secret: false,
        use_ssl: None,
        sentinel_kwargs: None,
        authority: None,
        queues,
    }
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
        Err(unresolved) => {
            let shown = BrokerStatus { source: "urlSecretRef".to_owned(), ..BrokerStatus::default() };
            plain(env, shown, Err(unresolved))
        }
    }
}

/// Lets an autoscaler look for lists under the names that the transport options give them.
pub(super) fn follow(broker: &mut BrokerAccess, common: &Common) {
    let Ok(QueueSource::Redis { lists, .. }) = &mut broker.queues else {
        return;
    };
    let options = effective::broker::transport_options(common).is().unwrap_or_default();
    let text = |name: &str| options.get(name).and_then(Value::as_str).map(str::to_owned);
    lists.prefix = text("global_keyprefix").unwrap_or_default();
    lists.separator = text("sep").unwrap_or_else(|| RedisLists::default().separator);
    if let Some(steps) = effective::broker::priority_steps(common) {
        lists.steps = steps;
    }
}

/// What is wrong with a URL, without quoting it: it may come from a Secret.
fn told(defect: &Defect) -> String {
    format!("the broker URL {}", defect.unquoted())
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
            tls: endpoint.tls().then(|| Tls {
                unverified: endpoint
                    .parameter("ssl_cert_reqs")
                    .is_some_and(|word| word.eq_ignore_ascii_case("none")),
                ca: None,
            }),
            sentinel: None,
            lists: RedisLists::default(),
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
            let url = format!("{scheme}://{user_info}{host}:{port}/{vhost}");
            Ok(QueueSource::RabbitMq { url, management: None, tls: None })
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
