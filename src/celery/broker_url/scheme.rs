// SPDX-License-Identifier: Apache-2.0
//! Which schemes select which transport of kombu, and what people write instead.

use super::Defect;

/// The transports kombu knows, by every scheme that selects them.
const TRANSPORTS: &[(&str, Transport)] = &[
    ("amqp", Transport::Amqp),
    ("amqps", Transport::Amqp),
    ("pyamqp", Transport::Amqp),
    ("librabbitmq", Transport::Amqp),
    ("redis", Transport::Redis),
    ("rediss", Transport::Redis),
    ("redis+socket", Transport::RedisSocket),
    ("sentinel", Transport::Sentinel),
    ("sqs", Transport::Sqs),
    ("memory", Transport::Memory),
    ("kafka", Transport::Other),
    ("confluentkafka", Transport::Other),
    ("gcpubsub", Transport::Other),
    ("azureservicebus", Transport::Other),
    ("azurestoragequeues", Transport::Other),
    ("mongodb", Transport::Other),
    ("sqla", Transport::Other),
    ("sqlalchemy", Transport::Other),
    ("filesystem", Transport::Other),
    ("consul", Transport::Other),
    ("etcd", Transport::Other),
    ("zookeeper", Transport::Other),
    ("qpid", Transport::Other),
    ("pyro", Transport::Other),
    ("slmq", Transport::Other),
    ("pgmq", Transport::Other),
];

/// Schemes that people write although kombu has none of that name, and what they mean.
const MEANT: &[(&str, &str)] = &[
    ("rabbitmq", "amqp"),
    ("rabbit", "amqp"),
    ("py-amqp", "pyamqp"),
    ("valkey", "redis"),
    ("valkeys", "rediss"),
    ("keydb", "redis"),
    ("amqp+ssl", "amqps"),
    ("amqp+tls", "amqps"),
    ("redis+ssl", "rediss"),
    ("redis+tls", "rediss"),
    ("redis+sentinel", "sentinel"),
    ("aws-sqs", "sqs"),
    ("pubsub", "gcpubsub"),
];

/// What carries the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// RabbitMQ and other AMQP 0-9-1 brokers.
    Amqp,
    /// Redis over TCP.
    Redis,
    /// Redis over a Unix socket.
    RedisSocket,
    /// Redis behind Sentinel.
    Sentinel,
    /// Amazon SQS.
    Sqs,
    /// A queue inside one process.
    Memory,
    /// Any other transport of kombu.
    Other,
}

/// RFC 3986: a letter, then letters, digits, `+`, `-`, `.`. Python finds no scheme in anything else.
pub(super) fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

pub(super) fn transport(written: &str) -> Result<Transport, Defect> {
    let scheme = written.to_ascii_lowercase();
    let known =
        |name: &str| TRANSPORTS.iter().find(|(alias, _)| *alias == name).map(|(_, transport)| *transport);
    if let Some(transport) = known(&scheme) {
        return Ok(transport);
    }
    let meant = MEANT.iter().find(|(alias, _)| *alias == scheme).map(|(_, meant)| (*meant).to_owned());
    match scheme.split_once('+') {
        Some(("sqla" | "sqlalchemy", _)) => Ok(Transport::Other),
        Some(("redis" | "rediss", "cluster")) => Err(Defect::RedisCluster),
        Some(("db", _)) => Err(Defect::BackendScheme),
        Some(_) => Err(Defect::CompoundScheme { scheme: written.to_owned(), meant }),
        None if scheme == "redis-cluster" => Err(Defect::RedisCluster),
        None => Err(Defect::UnknownScheme {
            scheme: written.to_owned(),
            meant: meant.or_else(|| nearest(&scheme)),
        }),
    }
}

/// The known scheme that differs least, when it differs little.
fn nearest(scheme: &str) -> Option<String> {
    TRANSPORTS
        .iter()
        .map(|(alias, _)| (strsim::damerau_levenshtein(alias, scheme), *alias))
        .filter(|(distance, alias)| *distance <= 2 && *distance < alias.len().min(scheme.len()))
        .min()
        .map(|(_, alias)| alias.to_owned())
}

/// Whether the transport of a scheme takes the URL whole (`can_parse_url` in kombu): lists of hosts and raw keys are
/// nothing unusual there.
pub(super) fn reads_urls_itself(scheme: &str) -> bool {
    let scheme = scheme.to_ascii_lowercase();
    let base = scheme.split('+').next().unwrap_or_default();
    ["azureservicebus", "gcpubsub", "mongodb", "sqla", "sqlalchemy"].contains(&base)
}
