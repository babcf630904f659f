// SPDX-License-Identifier: Apache-2.0
//! Broker URLs, judged by every release with the kombu of its time.

use std::sync::OnceLock;

use celery_operator::celery::broker_url::{self, Defect, Endpoint, Transport};
use celery_operator::celery::url::Fault;
use serde_json::{Value, json};

use super::{assert_none, difference, port, said, strange, text};
use crate::dice::Dice;
use crate::venv::Pins;

const BROKERS: usize = 2500;
/// URLs that chance finds too rarely.
const RARE: &[&str] = &[
    "redis://cache?ssl_cert_reqs=none",
    "redis+socket:///run/redis.sock?socket_timeout=5",
    "librabbitmq://app:secret@mq?ssl_cert_reqs=none",
];

/// Schemes of brokers, right and wrong; the usual ones more than once.
const BROKER_SCHEMES: &[&str] = &[
    "amqp",
    "amqp",
    "amqps",
    "pyamqp",
    "librabbitmq",
    "redis",
    "redis",
    "redis",
    "rediss",
    "rediss",
    "sentinel",
    "sqs",
    "memory",
    "filesystem",
    "kafka",
    "confluentkafka",
    "gcpubsub",
    "azureservicebus",
    "azurestoragequeues",
    "mongodb",
    "mongodb+srv",
    "sqla+sqlite",
    "sqlalchemy+postgresql+psycopg2",
    "consul",
    "etcd",
    "zookeeper",
    "qpid",
    "pyro",
    "slmq",
    "pgmq",
    "redis+socket",
    "redis+socket",
    "SQS",
    "Redis",
    "AMQP",
    "SQLA+sqlite",
    "Redis+socket",
    "redis+SOCKET",
    "rabbitmq",
    "valkey",
    "nats",
    "http",
    "redis+cluster",
    "rediss+cluster",
    "redis-cluster",
    "amqp+ssl",
    "redis+ssl",
    "db+postgresql",
    "db",
    "sqla",
    "py-amqp",
    "a.b",
    "_redis",
    "1redis",
    "redis:/h",
    "x+y",
    "amqp+",
    "+redis",
    "",
];

/// What differs between an endpoint and what kombu says.
fn broker_difference(endpoint: &Endpoint, answer: &Value, kombu: u64) -> Option<String> {
    if u64::from(endpoint.kombu_since()) > kombu {
        let old = answer["ok"] == false;
        return (!old).then(|| "taken by an older kombu".to_owned());
    }
    // kombu 5.2 reads this one by the common rules still.
    if endpoint.scheme == "azurestoragequeues" && kombu == 2 {
        return None;
    }
    if answer["ok"] == false {
        return Some(format!("refused: {}", answer["why"]));
    }
    // The file system broadcasts since kombu 5.3.
    let since = if endpoint.scheme == "filesystem" { 3 } else { 0 };
    if answer["fanout"].is_boolean() && kombu >= since && answer["fanout"] != endpoint.has_remote_control() {
        return Some("remote control".to_owned());
    }
    if answer["whole"] == true || endpoint.scheme == "mongodb+srv" || endpoint.scheme.starts_with("sql") {
        return None;
    }
    let mut parts: Vec<(&str, Value, Value)> = vec![
        ("user", json!(endpoint.username), json!(said(answer, "user"))),
        ("password", json!(endpoint.password), json!(said(answer, "password"))),
    ];
    let host = Some(endpoint.host.as_str()).filter(|host| !host.is_empty());
    let tls = (json!(endpoint.tls()), answer["tls"].clone());
    match endpoint.transport {
        Transport::Amqp if endpoint.scheme != "librabbitmq" => {
            // py-amqp makes one text of host and port, and takes it apart again.
            let port = endpoint.effective_port();
            parts.push(("host", json!(host.unwrap_or("localhost")), local(&answer["host"])));
            parts.push(("port", json!(port), json!(port_of(answer))));
            parts.push(("vhost", json!(endpoint.virtual_host()), answer["vhost"].clone()));
            parts.push(("tls", tls.0, tls.1));
        }
        Transport::Redis | Transport::Sentinel => {
            let default = if endpoint.transport == Transport::Redis { Some("127.0.0.1") } else { None };
            parts.push(("host", json!(host.or(default)), json!(said(answer, "host"))));
            parts.push(("port", json!(endpoint.effective_port()), json!(port(answer))));
            parts.push(("db", json!(endpoint.database()), answer["db"].clone()));
            parts.push(("tls", tls.0, tls.1));
            let verifies = endpoint.verifies_certificates().unwrap_or(false);
            parts.push(("verifies", json!(verifies), answer["verifies"].clone()));
        }
        Transport::RedisSocket => {
            parts.push(("path", json!(format!("/{}", endpoint.path)), answer["path"].clone()));
            parts.push(("db", json!(endpoint.database()), answer["db"].clone()));
        }
        _ => {
            parts.push(("host", json!(host), json!(said(answer, "host"))));
            parts.push(("port", json!(endpoint.port), json!(port(answer))));
            parts.push(("vhost", json!(endpoint.virtual_host()), answer["vhost"].clone()));
        }
    }
    difference(parts)
}

/// kombu writes 127.0.0.1 for localhost.
fn local(host: &Value) -> Value {
    if host == "127.0.0.1" { json!("localhost") } else { host.clone() }
}

fn port_of(answer: &Value) -> Option<u64> {
    answer["port"].as_u64()
}

/// Why an element is refused that kombu takes: where it would lead. `None` is a difference.
fn broker_reason(defect: &Defect, element: &str, alone: bool, answer: &Value) -> Option<&'static str> {
    use Defect as D;
    let host = answer["host"].as_str().unwrap_or_default();
    let elsewhere = |written: &str| !written.eq_ignore_ascii_case(host);
    match defect {
        D::WhiteSpace => Some("an autoscaler refuses it, and most of it crashes the worker"),
        D::Empty => Some("amqp://localhost, whatever was meant"),
        D::NoScheme => {
            (answer["scheme"] == "amqp" || element.contains(":/")).then_some("another host than meant")
        }
        D::UnknownScheme { .. } => {
            (answer["scheme"] == "amqp").then_some("RabbitMQ, whatever the scheme says")
        }
        // Within a list, not even the name before the "+" is found.
        D::CompoundScheme { .. } | D::RedisCluster => (host.contains("://")
            || answer["scheme"] == "amqp"
            || ["localhost", "127.0.0.1", ""].contains(&host))
        .then_some("another host than meant"),
        D::TlsParameter(_) | D::ParameterValue(_) => {
            element.starts_with("librabbitmq").then_some("a client that is not installed, so not asked")
        }
        D::NotInList(_) if alone => None,
        D::NotInList(_) => Some("the first element only, until the list comes round again"),
        D::Url(Fault::Port) => element.contains(":0").then_some("port 0 counts as none"),
        D::Url(Fault::Brackets | Fault::Unencoded('[' | ']')) => Some("newer releases of Python refuse it"),
        D::Url(Fault::Unencoded('#')) => Some("what follows is dropped without a word"),
        D::Url(Fault::Unencoded(_)) if element.contains(":0") => Some("port 0 counts as none"),
        D::Url(Fault::Unencoded(_)) if element.matches("://").count() > 1 => Some("a comma makes no list"),
        D::Url(Fault::Unencoded(_)) => {
            let meant = element.rsplit('@').next().unwrap_or_default();
            let meant = meant.split([':', '/', '?']).next().unwrap_or_default();
            (host.is_empty() || elsewhere(meant)).then_some("a part of the password as the host, or none")
        }
        D::Database => strange(answer, element).then_some("a number that no Redis has, or in a strange form"),
        D::Parameter(_) if element.to_lowercase().starts_with("redis+socket") => {
            Some("a text where the socket needs a number")
        }
        _ => None,
    }
}

/// One broker of a URL.
pub(crate) struct Element {
    /// It alone.
    pub(crate) text: String,
    /// The URL it stands in, by its index.
    pub(crate) of: usize,
    /// Its place there.
    at: usize,
    /// Whether there are others.
    is_alone: bool,
    verdict: Result<Endpoint, Defect>,
}

/// Broker URLs, their elements, and the answers to each element behind a first one with the versions.
pub(crate) struct Asked {
    pub(crate) urls: Vec<String>,
    pub(crate) elements: Vec<Element>,
    pub(crate) answers: Vec<(&'static Pins, Vec<Value>)>,
}

/// Broker URLs, asked once, whichever test wants to know first.
pub(crate) fn brokers() -> &'static Asked {
    static ASKED: OnceLock<Asked> = OnceLock::new();
    ASKED.get_or_init(|| {
        let mut dice = Dice::new("broker URLs");
        let mut urls: Vec<String> = (0..BROKERS).map(|_| text(&mut dice, BROKER_SCHEMES)).collect();
        urls.extend(RARE.iter().map(|url| (*url).to_owned()));
        let elements: Vec<Element> =
            urls.iter().enumerate().flat_map(|(of, url)| elements(of, url)).collect();
        // Only the first of a list is read at the start, the others when their turn has come.
        let question = |element: &Element| match element.at {
            0 => json!({"broker": urls[element.of]}),
            _ => json!({"next": element.text}),
        };
        let questions: Vec<Value> = elements.iter().map(question).collect();
        let answers = super::asked(&questions);
        Asked { urls, elements, answers }
    })
}

impl Asked {
    /// For every URL whether some release takes an element of it for something else than what is written.
    pub(crate) fn astray(&self) -> Vec<bool> {
        let mut astray = vec![false; self.urls.len()];
        for answers in self.answers.iter().map(|(_, answers)| &answers[1..]) {
            for (element, answer) in self.elements.iter().zip(answers) {
                let reason = |defect| broker_reason(defect, &element.text, element.is_alone, answer);
                let defect = element.verdict.as_ref().err();
                astray[element.of] |= answer["ok"] == true && defect.and_then(reason).is_some();
            }
        }
        astray
    }
}

fn elements(of: usize, url: &str) -> Vec<Element> {
    let texts: Vec<&str> = url.split(';').collect();
    let is_alone = texts.len() == 1;
    let read = texts.iter().zip(broker_url::parse(url)).enumerate();
    read.map(|(at, (text, verdict))| Element { text: (*text).to_owned(), of, at, is_alone, verdict })
        .collect()
}

/// Whether an element of the URL is refused.
fn has_defect(asked: &Asked, url: usize) -> bool {
    asked.elements.iter().any(|element| element.of == url && element.verdict.is_err())
}

#[test]
fn broker_urls_are_read_as_kombu_reads_them() {
    let asked = brokers();
    let elements = &asked.elements;
    let good = elements.iter().filter(|element| element.verdict.is_ok()).count();
    assert!(good * 6 > elements.len() && good * 4 < elements.len() * 3, "{good} of {}", elements.len());
    for (pins, answers) in &asked.answers {
        let kombu = answers[0]["kombu"].as_u64().unwrap();
        let mut differences = Vec::new();
        for (element, answer) in elements.iter().zip(&answers[1..]) {
            let text = &element.text;
            let difference = match &element.verdict {
                // Sentinel reads the whole list at the start.
                Ok(_) if answer["ok"] == false && has_defect(asked, element.of) => None,
                Ok(endpoint) => broker_difference(endpoint, answer, kombu),
                Err(_) if answer["ok"] == false => None,
                Err(defect) => match broker_reason(defect, text, element.is_alone, answer) {
                    Some(_) => None,
                    None => Some(format!("only here: {defect:?}")),
                },
            };
            differences.extend(difference.map(|words| format!("{text:?}: {words}")));
        }
        crate::say(&format!(
            "{} {}: {} elements of {} broker URLs",
            pins.project,
            pins.version,
            elements.len(),
            asked.urls.len()
        ));
        assert_none(pins, &differences);
    }
}
