// SPDX-License-Identifier: Apache-2.0
//! Result backends, judged by every release.

use std::sync::OnceLock;

use celery_operator::celery::backend_url::{self, Backend, BackendKind, Defect};
use celery_operator::celery::url::Fault;
use serde_json::{Value, json};

use super::{assert_none, difference, said, strange, text};
use crate::dice::Dice;
use crate::venv::Pins;

const BACKENDS: usize = 1500;

/// Schemes of result backends.
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
/// Result backends that chance finds too rarely, and those that are no URL.
const NAMES: &[&str] = &[
    "redis://p#w@cache",
    "sentinel://cache?protocol=x",
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
fn backend_reason(defect: &Defect, text: &str, answer: &Value) -> Option<&'static str> {
    use Defect as D;
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

/// Result backends and the answers to each, behind a first one with the versions.
pub(crate) struct Asked {
    pub(crate) texts: Vec<String>,
    pub(crate) answers: Vec<(&'static Pins, Vec<Value>)>,
}

/// Result backends, asked once, whichever test wants to know first.
pub(crate) fn backends() -> &'static Asked {
    static ASKED: OnceLock<Asked> = OnceLock::new();
    ASKED.get_or_init(|| {
        let mut dice = Dice::new("result backends");
        let mut texts: Vec<String> = (0..BACKENDS).map(|_| text(&mut dice, BACKEND_SCHEMES)).collect();
        texts.extend(NAMES.iter().map(|name| (*name).to_owned()));
        let questions: Vec<Value> = texts.iter().map(|text| json!({ "backend": text })).collect();
        let answers = super::asked(&questions);
        Asked { texts, answers }
    })
}

impl Asked {
    /// For every text whether some release takes it for something else than what is written.
    pub(crate) fn astray(&self) -> Vec<bool> {
        let astray = |(index, text): (usize, &String)| {
            let Err(defect) = backend_url::parse(text) else { return false };
            let mut answers = self.answers.iter().map(|(_, answers)| &answers[index + 1]);
            answers.any(|answer| answer["ok"] == true && backend_reason(&defect, text, answer).is_some())
        };
        self.texts.iter().enumerate().map(astray).collect()
    }
}

#[test]
fn result_backends_are_read_as_celery_reads_them() {
    let asked = backends();
    let texts = &asked.texts;
    let verdicts: Vec<_> = texts.iter().map(|text| backend_url::parse(text)).collect();
    let good = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
    assert!(good * 6 > texts.len() && good * 4 < texts.len() * 3, "{good} of {}", texts.len());
    for (pins, answers) in &asked.answers {
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
        assert_none(pins, &differences);
    }
}
