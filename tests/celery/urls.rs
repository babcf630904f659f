// SPDX-License-Identifier: Apache-2.0
//! Broker URLs and result backends, judged by every release with the kombu of its time.

use celery_operator::celery::backend_url::{self, Backend, BackendKind};
use celery_operator::celery::broker_url::{self, Endpoint, Transport};
use celery_operator::celery::url::Fault;
use serde_json::{Value, json};

use crate::ask::{Dice, answers};
use crate::venv;

const BROKERS: usize = 2500;
const BACKENDS: usize = 1500;

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
const BACKEND_SCHEMES: &[&str] = &[
    "redis",
    "redis",
    "redis",
    "rediss",
    "rediss",
    "rediss",
    "sentinel",
    "sentinel",
    "redis+socket",
    "rpc",
    "disabled",
    "file",
    "file",
    "cache+memcached",
    "cache+pymemcache",
    "cache+memory",
    "cache",
    "cache+redis",
    "db+postgresql",
    "db+mysql",
    "db+sqlite",
    "db+postgresql+psycopg2",
    "database+sqlite",
    "db+postgres",
    "db",
    "database",
    "db+",
    "mongodb",
    "mongodb+srv",
    "elasticsearch",
    "elasticsearch+https",
    "cassandra",
    "couchbase",
    "couchdb",
    "cosmosdbsql",
    "consul",
    "dynamodb",
    "azureblockblob",
    "arangodb",
    "s3",
    "gs",
    "postgresql",
    "postgres",
    "mysql+pymysql",
    "memcached",
    "amqp",
    "riak",
    "sqs",
    "valkey",
    "nosuch",
    "Redis",
    "REDISS",
    "redsi",
    "redis+ssl",
    "redis+cluster",
    "redis+redis",
    "redis+rediss",
    "rediss+redis",
    "django-db",
    "shop.results:Backend",
    "shop.results.Backend",
    "",
    "+",
    "file+x",
    "sentinel+x",
];
const NAMES: &[&str] = &[
    "rpc",
    "disabled",
    "redis",
    "rediss",
    "file",
    "cache",
    "db",
    "django-db",
    "django-cache",
    "mongodb",
    "amqp",
    "riak",
    "nosuch",
    "localhost",
    "cache:6379",
    "redis:/cache:6379/0",
    "shop.results:Backend",
    "shop.results.Backend",
    "no.such:Backend",
    "REDIS",
    "s3",
    "gs",
    "/a/b",
    ".a",
    "a.",
    ":",
    "a:b:c",
    "",
];
const HOSTS: &[&str] = &[
    "cache",
    "mq.shop.svc",
    "10.0.0.1",
    "[::1]",
    "[fe80::1%25eth0]",
    "",
    "",
    "Cache",
    "h%C3%A4",
    "hä",
    "a_b",
    "[cache]",
    "[::1",
    "::1",
    "[10.0.0.1]",
    "x[::1]",
    "[::1]x",
    "[]",
    "[v1.a]",
    "a／b",
    "a@b",
    "a%2Fb",
    "a,b:1",
    "%",
    "%zz",
    "K",
    "[::1%]",
    "[::ffff:10.0.0.1]",
];
const PORTS: &[&str] = &[
    "",
    "",
    "",
    "",
    ":6379",
    ":5672",
    ":1",
    ":65535",
    ":",
    ":0",
    ":65536",
    ":99999",
    ":port",
    ":-1",
    ":+1",
    ":6379x",
    ":0080",
    ":６",
    ":1:2",
    ":999999999999999999999",
];
const USERS: &[&str] = &[
    "",
    "",
    "",
    "app:secret@",
    ":secret@",
    "app@",
    "app:p%40ss@",
    "app:p@ss@",
    ":@",
    "@",
    ":p:q@",
    "a%3Ab:c@",
    ":p/w@",
    ":p#w@",
    ":p?w@",
    ":p;w@",
    ":p[w@",
    ":p]w@",
    ":p[::1]w@",
    ":p%w@",
    ":p%ffw@",
    "%20:%20@",
    "ä:ß@",
    "AKIA:sec%2Fret@",
    "AKIA:sec/ret@",
];
const PATHS: &[&str] = &[
    "",
    "",
    "",
    "/",
    "/0",
    "/1",
    "/15",
    "//",
    "/%2F",
    "/shop",
    "/%2Fshop",
    "/a/b",
    "/abc",
    "/-1",
    "/+1",
    "/1_0",
    "/007",
    "/99999999999",
    "///",
    "//1",
    "/1/",
    "/ä",
    "/%C3%A4",
    "/0,redis://b/0",
    "/v@x",
    "/x@y/z",
    "/x@y:1",
    "/%31",
    "/٣",
    "/0%20",
    "/1.0",
];
const QUERIES: &[&str] = &[
    "",
    "",
    "",
    "",
    "",
    "?",
    "?ssl_cert_reqs=required",
    "?ssl_cert_reqs=CERT_NONE",
    "?ssl_cert_reqs=none",
    "?ssl_cert_reqs=bogus",
    "?ssl_cert_reqs=",
    "?ssl_cert_reqs=none&ssl_cert_reqs=optional",
    "?ssl_ca_certs=/ca.pem",
    "?ssl_ca_certs=/ca.pem&ssl_cert_reqs=optional",
    "?ssl_check_hostname=false",
    "?ssl_nosuch=1",
    "?ssl_version=1",
    "?ssl=true",
    "?ssl=false",
    "?ssl=1&ssl_cert_reqs=none",
    "?ssl_cert_reqs=none&ssl=1",
    "?visibility_timeout=60",
    "?health_check_interval=5",
    "?master_name=m",
    "?virtual_host=1",
    "?virtual_host=a",
    "?heartbeat=10",
    "?heartbeat=1_0.5",
    "?heartbeat=often",
    "?connect_timeout=5",
    "?login_method=PLAIN",
    "?login_method=EXTERNAL",
    "?login_method=plain",
    "?insist=1",
    "?transport=x",
    "?hostname=x",
    "?userid=x",
    "?password=x",
    "?username=x",
    "?port=1",
    "?uri_prefix=a",
    "?failover_strategy=shuffle",
    "?foo",
    "?foo=",
    "?foo=1",
    "?f%6Fo=1",
    "?a+b=1",
    "?db=2",
    "?db=x",
    "?socket_timeout=5",
    "?socket_timeout=soon",
    "?socket_connect_timeout=1",
    "?socket_keepalive=true",
    "?retry_on_timeout=1",
    "?max_connections=5",
    "?max_connections=x",
    "?client_name=a+b",
    "?encoding=utf-8",
    "?protocol=3",
    "?protocol=x",
    "#frag",
    "?insist=1#a@b",
    "?insist=1;heartbeat=2",
    "?&&=&insist=2",
    "?ssl_keyfile=/k&ssl_certfile=/c&ssl_cert_reqs=required",
    "?health_check_interval=x&ssl_cert_reqs=none",
];

/// Something like a URL: mostly good parts in the right order.
fn url(dice: &mut Dice, schemes: &[&str]) -> String {
    let scheme = dice.of(schemes);
    // Most of the time no more than one part of a URL is out of the ordinary.
    let odd = dice.below(6);
    let mut pick = |index: usize, all: &[&'static str]| -> &'static str {
        if odd == index || odd == 5 { dice.of(all) } else { dice.of(&all[..4]) }
    };
    let (login, host) = (pick(0, USERS), pick(1, HOSTS));
    let (port, path, query) = (pick(2, PORTS), pick(3, PATHS), pick(4, QUERIES));
    let mut text = format!("{scheme}://{login}{host}{port}{path}{query}");
    if dice.one_in(12) {
        let at = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect::<Vec<_>>();
        text.insert_str(at[dice.below(at.len())], &dice.garbage(3));
    }
    if dice.one_in(25) {
        text = text.replacen("://", dice.of(&[":/", "//", ":", "", ":///"]), 1);
    }
    if dice.one_in(40) {
        let blank = dice.of(&[" ", "\n", "\t", "\u{a0}", "\0"]);
        let at = [0, text.len()][dice.below(2)];
        text.insert_str(at, blank);
    }
    text
}

fn text(dice: &mut Dice, schemes: &[&str]) -> String {
    match dice.below(40) {
        0 => dice.garbage(30),
        1 => format!("{}://{}", dice.of(schemes), dice.garbage(12)),
        2 => format!("{}://cache/{}", dice.of(schemes), "9".repeat(dice.below(3000))),
        3..=7 => {
            let list: Vec<String> = (0..2 + dice.below(2)).map(|_| url(dice, schemes)).collect();
            list.join(dice.of(&[";", ";", ";", ";;", ","])) + dice.of(&["", "", "", ";"])
        }
        _ => url(dice, schemes),
    }
}

/// An optional text of an answer; empty counts as absent, as everywhere in kombu.
fn said<'a>(answer: &'a Value, part: &str) -> Option<&'a str> {
    answer[part].as_str().filter(|text| !text.is_empty())
}

fn port(answer: &Value) -> Option<u64> {
    answer["port"].as_u64().filter(|port| *port != 0)
}

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

fn difference(parts: Vec<(&str, Value, Value)>) -> Option<String> {
    let differing = parts.into_iter().find(|(_, here, there)| here != there);
    differing.map(|(part, here, there)| format!("{part}: {here} here, {there} there"))
}

/// kombu writes 127.0.0.1 for localhost.
fn local(host: &Value) -> Value {
    if host == "127.0.0.1" { json!("localhost") } else { host.clone() }
}

fn port_of(answer: &Value) -> Option<u64> {
    answer["port"].as_u64()
}

/// Whether a database is one that only Python's reading of numbers could make of the text, or none that Redis has.
fn strange(answer: &Value, text: &str) -> bool {
    let usual = answer["db"].as_u64().is_some_and(|number| u32::try_from(number).is_ok());
    !usual || text.contains(['_', '%']) || !text.is_ascii()
}

/// Why an element is refused that kombu takes: where it would lead. `None` is a difference.
fn broker_reason(
    defect: &broker_url::Defect,
    element: &str,
    alone: bool,
    answer: &Value,
) -> Option<&'static str> {
    use broker_url::Defect as D;
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

#[test]
fn broker_urls_are_read_as_kombu_reads_them() {
    let Some(clients) = venv::site(&venv::CLIENTS) else { return };
    let mut dice = Dice::new("broker URLs");
    let texts: Vec<String> = (0..BROKERS).map(|_| text(&mut dice, BROKER_SCHEMES)).collect();
    let mut questions = Vec::new();
    let mut verdicts = Vec::new();
    for text in &texts {
        let elements: Vec<&str> = text.split(';').collect();
        for (index, (element, verdict)) in elements.iter().zip(broker_url::parse(text)).enumerate() {
            // Only the first of a list is read at the start, the others when their turn has come.
            questions.push(json!({"broker": element, "alone": index == 0}));
            verdicts.push((*element, elements.len() == 1, verdict));
        }
    }
    let good = verdicts.iter().filter(|(_, _, verdict)| verdict.is_ok()).count();
    assert!(good * 6 > verdicts.len() && good * 4 < verdicts.len() * 3, "{good} of {}", verdicts.len());
    for pins in venv::RELEASES {
        let Some(site) = venv::site(pins) else { continue };
        let answers = answers(venv::python_beside(&site, &clients), "urls.py", &questions);
        let kombu = answers[0]["kombu"].as_u64().unwrap();
        let mut differences = Vec::new();
        for ((element, alone, verdict), answer) in verdicts.iter().zip(&answers[1..]) {
            let difference = match verdict {
                Ok(endpoint) => broker_difference(endpoint, answer, kombu),
                Err(_) if answer["ok"] == false => None,
                Err(defect) => match broker_reason(defect, element, *alone, answer) {
                    Some(_) => None,
                    None => Some(format!("only here: {defect:?}")),
                },
            };
            differences.extend(difference.map(|words| format!("{element:?}: {words}")));
        }
        crate::say(&format!(
            "{} {}: {} elements of {} broker URLs",
            pins.project,
            pins.version,
            verdicts.len(),
            texts.len()
        ));
        assert!(
            differences.is_empty(),
            "{}: {}\n{}",
            pins.version,
            differences.len(),
            differences.join("\n")
        );
    }
}

fn backend_difference(backend: &Backend, answer: &Value, celery: u64) -> Option<String> {
    if u64::from(backend.celery_since()) > celery {
        return (answer["ok"] == true).then(|| "taken by an older Celery".to_owned());
    }
    if answer["ok"] == false {
        // Whether a class or the dialect of a database is in the image, nobody can say here.
        let absent = match backend.kind {
            BackendKind::Class => {
                !["shop.results.Backend", "shop.results:Backend"].contains(&backend.name.as_str())
            }
            BackendKind::Database => answer["why"].as_str().unwrap().starts_with("NoSuchModuleError"),
            _ => false,
        };
        return (!absent).then(|| format!("refused: {}", answer["why"]));
    }
    let location = backend.locations.first()?;
    let host = |host: &str| json!(if host.is_empty() { "localhost" } else { host });
    match backend.kind {
        BackendKind::File => difference(vec![("path", json!(location.path), answer["path"].clone())]),
        BackendKind::Sentinel => {
            let hosts: Vec<Value> = backend
                .locations
                .iter()
                .map(|location| json!([host(&location.host), location.port.unwrap_or(6379)]))
                .collect();
            difference(vec![
                ("hosts", json!(hosts), answer["hosts"].clone()),
                ("db", json!(location.database), answer["db"].clone()),
                ("password", json!(location.password), json!(said(answer, "password"))),
            ])
        }
        BackendKind::Redis => {
            let mut parts = vec![
                ("user", json!(location.username), json!(said(answer, "user"))),
                ("password", json!(location.password), json!(said(answer, "password"))),
                ("db", json!(location.database), answer["db"].clone()),
                ("tls", json!(backend.tls()), answer["tls"].clone()),
                (
                    "verifies",
                    json!(backend.verifies_certificates().unwrap_or(false)),
                    answer["verifies"].clone(),
                ),
            ];
            if location.path.is_empty() {
                parts.push(("host", host(&location.host), answer["host"].clone()));
                parts.push(("port", json!(location.port.unwrap_or(6379)), answer["port"].clone()));
            } else {
                parts.push(("path", json!(format!("/{}", location.path)), answer["path"].clone()));
            }
            difference(parts)
        }
        _ => None,
    }
}

/// Why a backend is refused that Celery takes.
fn backend_reason(defect: &backend_url::Defect, text: &str, answer: &Value) -> Option<&'static str> {
    use backend_url::Defect as D;
    match defect {
        D::Empty if text.is_empty() => Some("no answer at all: the application decides"),
        D::Empty => Some("a Sentinel on localhost that nobody meant"),
        D::WhiteSpace => Some("a blank in a value is a mistake even where Python strips it"),
        D::CompoundScheme(_) => Some("plain Redis, whatever the scheme asks for"),
        D::List => Some("the second URL is cut off"),
        D::Url(Fault::Port) => text.contains(":0").then_some("port 0 counts as none"),
        D::Url(Fault::Brackets | Fault::Unencoded('[' | ']')) => Some("newer releases of Python refuse it"),
        D::Url(Fault::Unencoded(_)) => Some("a part of the password as the host"),
        D::NoScheme if text.starts_with("://") || text.starts_with('+') => Some("no results at all"),
        D::NoScheme if text.starts_with("sentinel") => Some("a Sentinel with a cut name"),
        D::Database => strange(answer, text).then_some("a number that no Redis has, or in a strange form"),
        D::NoPath => Some("the root folder"),
        D::ParameterValue(name) if name == "protocol" => Some("newer releases of redis-py refuse it"),
        D::Parameter(name) if name == "password" || name == "port" => Some("the address has a place for it"),
        _ => None,
    }
}

#[test]
fn result_backends_are_read_as_celery_reads_them() {
    let Some(clients) = venv::site(&venv::CLIENTS) else { return };
    let mut dice = Dice::new("result backends");
    let mut texts: Vec<String> = (0..BACKENDS).map(|_| text(&mut dice, BACKEND_SCHEMES)).collect();
    texts.extend(NAMES.iter().map(|name| (*name).to_owned()));
    let questions: Vec<Value> = texts.iter().map(|text| json!({ "backend": text })).collect();
    let verdicts: Vec<_> = texts.iter().map(|text| backend_url::parse(text)).collect();
    let good = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
    assert!(good * 6 > texts.len() && good * 4 < texts.len() * 3, "{good} of {}", texts.len());
    for pins in venv::RELEASES {
        let Some(site) = venv::site(pins) else { continue };
        let answers = answers(venv::python_beside(&site, &clients), "urls.py", &questions);
        let celery = answers[0]["celery"].as_u64().unwrap();
        let mut differences = Vec::new();
        for ((text, verdict), answer) in texts.iter().zip(&verdicts).zip(&answers[1..]) {
            let difference = match verdict {
                Ok(backend) => backend_difference(backend, answer, celery),
                Err(_) if answer["ok"] == false => None,
                Err(defect) => match backend_reason(defect, text, answer) {
                    Some(_) => None,
                    None => Some(format!("only here: {defect:?}")),
                },
            };
            differences.extend(difference.map(|words| format!("{text:?}: {words}")));
        }
        crate::say(&format!("{} {}: {} result backends", pins.project, pins.version, texts.len()));
        assert!(
            differences.is_empty(),
            "{}: {}\n{}",
            pins.version,
            differences.len(),
            differences.join("\n")
        );
    }
}
