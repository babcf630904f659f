// SPDX-License-Identifier: Apache-2.0
//! Which schemes select which transport of kombu, and what people write instead.

use std::str::FromStr;

use super::Defect;
use crate::celery::closest;

/// A scheme of kombu.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) scheme: &'static str,
    pub(super) transport: Transport,
    /// The first minor of kombu 5 that has it.
    pub(super) since: u8,
    /// What must be installed beside Celery.
    pub(super) package: Option<Package>,
    /// Whether messages for every worker exist (`fanout`).
    pub(super) broadcasts: bool,
    /// Whether the transport takes the URL whole (`can_parse_url`): lists of hosts and raw keys are usual there.
    pub(super) whole: bool,
}

/// What a transport or a backend needs beside Celery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// The distribution on the package index.
    pub name: &'static str,
    /// The extra that brings it: `celery[<extra>]`, or `kombu[<extra>]` for a broker.
    pub extra: Option<&'static str>,
}

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

/// What a URL says before `://`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// In lower case, with what stands behind a `+`.
    pub name: String,
    /// What it selects.
    pub transport: Transport,
    /// Whether messages reach every worker: without that there is no remote control, so no ping, and no events.
    pub broadcasts: bool,
}

impl FromStr for Scheme {
    type Err = Defect;

    fn from_str(written: &str) -> Result<Self, Defect> {
        let known = selected(written)?;
        let name = written.to_ascii_lowercase();
        Ok(Self { name, transport: known.transport, broadcasts: known.broadcasts })
    }
}

const fn package(name: &'static str, extra: &'static str) -> Package {
    Package { name, extra: Some(extra) }
}

const fn known(
    scheme: &'static str,
    transport: Transport,
    since: u8,
    package: Option<Package>,
    features: (bool, bool),
) -> Known {
    Known { scheme, transport, since, package, broadcasts: features.0, whole: features.1 }
}

/// Broadcasts, and lets kombu read its URL.
const FANOUT: (bool, bool) = (true, false);
/// Broadcasts, and reads its URL itself.
const FANOUT_WHOLE: (bool, bool) = (true, true);
/// Neither.
const PLAIN: (bool, bool) = (false, false);
/// Reads its URL itself.
const WHOLE: (bool, bool) = (false, true);

/// The transports kombu knows, by every scheme that selects them.
#[rustfmt::skip] // A table: one scheme, one line.
const TRANSPORTS: &[Known] = &[
    known("amqp", Transport::Amqp, 0, None, FANOUT),
    known("amqps", Transport::Amqp, 0, None, FANOUT),
    known("pyamqp", Transport::Amqp, 0, None, FANOUT),
    known("librabbitmq", Transport::Amqp, 0, Some(package("librabbitmq", "librabbitmq")), FANOUT),
    known("redis", Transport::Redis, 0, Some(package("redis", "redis")), FANOUT),
    known("rediss", Transport::Redis, 0, Some(package("redis", "redis")), FANOUT),
    known("redis+socket", Transport::RedisSocket, 0, Some(package("redis", "redis")), FANOUT),
    known("sentinel", Transport::Sentinel, 0, Some(package("redis", "redis")), FANOUT),
    known("sqs", Transport::Sqs, 0, Some(package("boto3", "sqs")), PLAIN),
    known("memory", Transport::Memory, 0, None, FANOUT),
    known("filesystem", Transport::Other, 0, None, FANOUT),
    known("kafka", Transport::Other, 4, Some(package("confluent-kafka", "confluentkafka")), PLAIN),
    known("confluentkafka", Transport::Other, 3, Some(package("confluent-kafka", "confluentkafka")), PLAIN),
    known("gcpubsub", Transport::Other, 5, Some(package("google-cloud-pubsub", "gcpubsub")), FANOUT_WHOLE),
    known("azureservicebus", Transport::Other, 0, Some(package("azure-servicebus", "azureservicebus")), WHOLE),
    known("azurestoragequeues", Transport::Other, 0, Some(package("azure-storage-queue", "azurestoragequeues")), WHOLE),
    known("mongodb", Transport::Other, 0, Some(package("pymongo", "mongodb")), FANOUT_WHOLE),
    known("mongodb+srv", Transport::Other, 0, Some(package("pymongo", "mongodb")), FANOUT_WHOLE),
    known("sqla", Transport::Other, 0, Some(package("sqlalchemy", "sqlalchemy")), WHOLE),
    known("sqlalchemy", Transport::Other, 0, Some(package("sqlalchemy", "sqlalchemy")), WHOLE),
    known("consul", Transport::Other, 0, Some(package("python-consul2", "consul")), PLAIN),
    known("etcd", Transport::Other, 0, Some(Package { name: "python-etcd", extra: None }), PLAIN),
    known("zookeeper", Transport::Other, 0, Some(package("kazoo", "zookeeper")), PLAIN),
    known("qpid", Transport::Other, 0, Some(package("qpid-python", "qpid")), FANOUT),
    known("pyro", Transport::Other, 0, Some(package("pyro4", "pyro")), PLAIN),
    known("slmq", Transport::Other, 0, Some(package("softlayer_messaging", "slmq")), PLAIN),
    known("pgmq", Transport::Other, 7, Some(package("pgmq", "pgmq")), FANOUT),
];

/// Schemes that people write although kombu has none of that name, and what they mean.
const MEANT: &[(&str, &str)] = &[
    ("rabbitmq", "amqp"),
    ("rabbit", "amqp"),
    ("rabbitmqs", "amqps"),
    ("py-amqp", "pyamqp"),
    ("pyamqps", "amqps"),
    ("redis-sentinel", "sentinel"),
    ("sentinels", "sentinel"),
    ("rediss+sentinel", "sentinel"),
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

/// Whether the text can name a dialect and a driver of `SQLAlchemy`.
pub(in crate::celery) fn is_driver(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "+_".contains(c))
}

fn by_name(name: &str) -> Option<&'static Known> {
    TRANSPORTS.iter().find(|known| known.scheme == name)
}

/// What kombu makes of the text before `://`.
pub(super) fn selected(written: &str) -> Result<&'static Known, Defect> {
    if written.contains([':', '/', '@', '?', '#', '%']) {
        // A whole address before "://", which shall not be quoted.
        return Err(Defect::NoScheme);
    }
    let scheme = written.to_ascii_lowercase();
    let Some((base, driver)) = written.split_once('+') else {
        return match by_name(&scheme) {
            Some(known) => Ok(known),
            None if scheme.is_empty() => Err(Defect::NoScheme),
            None if scheme == "redis-cluster" => Err(Defect::RedisCluster),
            None => Err(unknown(written, &scheme)),
        };
    };
    // What stands before a "+" is looked up as it is written: here, and only here, kombu minds the case.
    let whole = match (base, driver) {
        ("sqla" | "sqlalchemy", driver) if is_driver(driver) => by_name(base),
        ("mongodb", "srv") => by_name("mongodb+srv"),
        ("redis", driver) if driver.eq_ignore_ascii_case("socket") => by_name("redis+socket"),
        _ => None,
    };
    if let Some(known) = whole {
        return Ok(known);
    }
    match (base, driver) {
        ("redis" | "rediss", driver) if driver.eq_ignore_ascii_case("cluster") => Err(Defect::RedisCluster),
        ("db", _) => Err(Defect::BackendScheme),
        ("", _) => Err(Defect::NoScheme),
        _ if by_name(base).is_some() => {
            Err(Defect::CompoundScheme { scheme: written.to_owned(), meant: meant(&scheme) })
        }
        _ => Err(unknown(written, &scheme)),
    }
}

fn unknown(written: &str, scheme: &str) -> Defect {
    let cased = (written != scheme).then(|| selected(scheme).is_ok().then(|| scheme.to_owned())).flatten();
    Defect::UnknownScheme {
        scheme: written.to_owned(),
        meant: cased
            .or_else(|| meant(scheme))
            .or_else(|| closest::of(scheme, TRANSPORTS.iter().map(|known| known.scheme)).map(str::to_owned)),
    }
}

fn meant(scheme: &str) -> Option<String> {
    MEANT.iter().find(|(alias, _)| *alias == scheme).map(|(_, meant)| (*meant).to_owned())
}
