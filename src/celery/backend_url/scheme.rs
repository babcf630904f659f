// SPDX-License-Identifier: Apache-2.0
//! Which names select which result backend of Celery, and what people write instead.

use super::{BackendKind, Defect};
use crate::celery::broker_url::{self, Package};
use crate::celery::closest;

/// A name of Celery's table.
#[derive(Debug)]
pub(super) struct Known {
    name: &'static str,
    pub(super) kind: BackendKind,
    /// The first minor of Celery 5 that has it.
    pub(super) since: u8,
    pub(super) package: Option<Package>,
}

const fn known(name: &'static str, kind: BackendKind, package: Option<Package>) -> Known {
    Known { name, kind, since: 0, package }
}

const fn package(name: &'static str, extra: &'static str) -> Package {
    Package { name, extra: Some(extra) }
}

/// What comes with django-celery-results, which Celery has no extra for.
const DJANGO: Option<Package> = Some(Package { name: "django-celery-results", extra: None });

/// The backends Celery knows, and the two that a package of the Celery project registers.
#[rustfmt::skip] // A table: one name, one line.
const BACKENDS: &[Known] = &[
    known("disabled", BackendKind::Disabled, None),
    known("rpc", BackendKind::Rpc, None),
    known("redis", BackendKind::Redis, Some(package("redis", "redis"))),
    known("rediss", BackendKind::Redis, Some(package("redis", "redis"))),
    known("sentinel", BackendKind::Sentinel, Some(package("redis", "redis"))),
    known("cache", BackendKind::Cache, Some(package("pymemcache", "pymemcache"))),
    known("db", BackendKind::Database, Some(package("sqlalchemy", "sqlalchemy"))),
    known("database", BackendKind::Database, Some(package("sqlalchemy", "sqlalchemy"))),
    known("file", BackendKind::File, None),
    known("mongodb", BackendKind::Mongo, Some(package("pymongo", "mongodb"))),
    known("elasticsearch", BackendKind::Elasticsearch, Some(package("elasticsearch", "elasticsearch"))),
    known("cassandra", BackendKind::Cassandra, Some(package("cassandra-driver", "cassandra"))),
    known("couchbase", BackendKind::Couchbase, Some(package("couchbase", "couchbase"))),
    known("couchdb", BackendKind::CouchDb, Some(package("pycouchdb", "couchdb"))),
    known("cosmosdbsql", BackendKind::CosmosDb, Some(package("pydocumentdb", "cosmosdbsql"))),
    known("consul", BackendKind::Consul, Some(package("python-consul2", "consul"))),
    known("dynamodb", BackendKind::DynamoDb, Some(package("boto3", "dynamodb"))),
    known("azureblockblob", BackendKind::AzureBlob, Some(package("azure-storage-blob", "azureblockblob"))),
    known("arangodb", BackendKind::ArangoDb, Some(package("pyArango", "arangodb"))),
    known("s3", BackendKind::S3, Some(package("boto3", "s3"))),
    Known { name: "gs", kind: BackendKind::GoogleStorage, since: 4, package: Some(package("google-cloud-storage", "gcs")) },
    known("django-db", BackendKind::Django, DJANGO),
    known("django-cache", BackendKind::Django, DJANGO),
];

/// Databases that people name without the prefix, and how `SQLAlchemy` calls them.
const DATABASES: &[(&str, &str)] = &[
    ("postgresql", "postgresql"),
    ("postgres", "postgresql"),
    ("mysql", "mysql"),
    ("mariadb", "mariadb"),
    ("sqlite", "sqlite"),
    ("oracle", "oracle"),
    ("mssql", "mssql"),
    ("cockroachdb", "cockroachdb"),
];

/// Other names that people write, and what they mean.
const MEANT: &[(&str, &str)] = &[
    ("valkey", "redis"),
    ("valkeys", "rediss"),
    ("keydb", "redis"),
    ("mongo", "mongodb"),
    ("elastic", "elasticsearch"),
    ("gcs", "gs"),
    ("dynamo", "dynamodb"),
    ("filesystem", "file"),
    ("none", "disabled"),
    ("redis-sentinel", "sentinel"),
];

pub(super) fn by_name(name: &str) -> Option<&'static Known> {
    BACKENDS.iter().find(|known| known.name == name)
}

/// The name `SQLAlchemy` has for a database that it does not know under the written one any more.
pub(super) fn dialect(written: &str) -> Option<&'static str> {
    (written == "postgres").then_some("postgresql")
}

/// Why a name that is in no table and is no path to a class cannot work.
pub(super) fn unknown(written: &str, driver: Option<&str>) -> Defect {
    let name = written.to_ascii_lowercase();
    let suffix = driver.map(|driver| format!("+{driver}")).unwrap_or_default();
    if let Some((_, database)) = DATABASES.iter().find(|(alias, _)| *alias == name) {
        return Defect::MissingPrefix { scheme: written.to_owned(), meant: format!("db+{database}{suffix}") };
    }
    if ["memcached", "memcache", "pylibmc", "pymemcache", "memory"].contains(&name.as_str()) {
        return Defect::MissingPrefix { scheme: written.to_owned(), meant: format!("cache+{name}") };
    }
    if ["amqp", "amqps", "pyamqp"].contains(&name.as_str()) {
        return Defect::Removed { scheme: written.to_owned(), instead: Some("rpc") };
    }
    if name == "riak" {
        return Defect::Removed { scheme: written.to_owned(), instead: None };
    }
    let meant = MEANT.iter().find(|(alias, _)| *alias == name).map(|(_, meant)| (*meant).to_owned());
    let meant = meant.or_else(|| by_name(&name).map(|_| name.clone()));
    if meant.is_none() && broker_url::parse(&format!("{name}://")).iter().all(Result::is_ok) {
        return Defect::BrokerScheme(written.to_owned());
    }
    let near = || closest::of(&name, BACKENDS.iter().map(|known| known.name)).map(str::to_owned);
    Defect::Unknown { name: written.to_owned(), meant: meant.or_else(near) }
}
