// SPDX-License-Identifier: Apache-2.0
//! Result backends as Celery reads them: a URL, a name, or the path of a class.
//!
//! Unlike kombu, Celery looks a name up as it is written: `Redis://` is no backend. What is in no table is imported as
//! a Python module, so a typo ends in `No module named …` as soon as the first result is stored or asked for.

mod database;
mod defect;
mod redis;
mod scheme;

use std::fmt;

use super::app::AppPath;
use super::broker_url::Package;
use super::url::{self, Fault};
use database::database;
pub use defect::Defect;
use redis::Wire;
use scheme::{Known, by_name, unknown};

/// What keeps the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// Nothing: results are thrown away.
    Disabled,
    /// Messages to the caller over the broker.
    Rpc,
    /// Redis, over TCP or a Unix socket.
    Redis,
    /// Redis behind Sentinel.
    Sentinel,
    /// Memcached, or the memory of one process.
    Cache,
    /// A database by way of `SQLAlchemy`.
    Database,
    /// A folder.
    File,
    /// `MongoDB`.
    Mongo,
    /// Elasticsearch.
    Elasticsearch,
    /// Cassandra.
    Cassandra,
    /// Couchbase.
    Couchbase,
    /// `CouchDB`.
    CouchDb,
    /// Azure Cosmos DB.
    CosmosDb,
    /// Consul.
    Consul,
    /// Amazon `DynamoDB`.
    DynamoDb,
    /// Azure Blob Storage.
    AzureBlob,
    /// `ArangoDB`.
    ArangoDb,
    /// Amazon S3.
    S3,
    /// Google Cloud Storage.
    GoogleStorage,
    /// What django-celery-results registers: the database or the cache of Django.
    Django,
    /// A class of the image, by its path.
    Class,
}

/// Where results are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// What keeps them.
    pub kind: BackendKind,
    /// The name that selects it, as written: `redis`, `db`, `my.module:Class`.
    pub name: String,
    /// What follows the `+` of the scheme: the driver of a database or cache, `socket`, `srv`.
    pub driver: Option<String>,
    /// Where it is; several for Sentinel, none for a bare name.
    pub locations: Vec<Location>,
    tls: bool,
}

/// One address of a backend.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// Host; in lower case for Redis, as written otherwise. Empty where none is named.
    pub host: String,
    /// Port, when written and the backend is Redis.
    pub port: Option<u16>,
    /// User, percent-decoded.
    pub username: Option<String>,
    /// Password, percent-decoded.
    pub password: Option<String>,
    /// The folder or the socket, without its first slash for the latter.
    pub path: String,
    /// The database of a Redis.
    pub database: Option<u32>,
    /// Query parameters of a Redis, each name once.
    pub query: Vec<(String, String)>,
}

/// Never with its password: a location ends up in logs and test output.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}/{}{:?}", self.host, self.port, self.path, self.database)
    }
}

/// What Celery makes of the value of `result_backend`.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Backend, Defect> {
    if text.is_empty() {
        return Err(Defect::Empty);
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Defect::WhiteSpace);
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return named(text, text, None, Vec::new());
    };
    let (name, driver) = match scheme.split_once('+') {
        Some((name, driver)) => (name, Some(driver)),
        None => (scheme, None),
    };
    match by_name(name) {
        Some(Known { kind: BackendKind::Redis, .. }) => redis_backend(name, driver, rest),
        Some(Known { kind: BackendKind::Sentinel, .. }) => sentinel(name, driver, rest),
        Some(Known { kind: BackendKind::Cache, .. }) => cache(name, driver, rest),
        Some(Known { kind: BackendKind::Database, .. }) => database(name, driver, rest),
        Some(Known { kind: BackendKind::File, .. }) => file(name, driver, rest),
        _ => named(name, text, driver, vec![unread(rest)]),
    }
}

/// A backend by a name of the table, or by the path of a class.
fn named(name: &str, text: &str, driver: Option<&str>, locations: Vec<Location>) -> Result<Backend, Defect> {
    let kind = match by_name(name) {
        Some(Known { kind: BackendKind::File, .. }) => return Err(Defect::NoPath),
        Some(known) => known.kind,
        None if name.contains(['.', ':']) && name.parse::<AppPath>().is_ok() => BackendKind::Class,
        None if name.contains([':', '/', '@', '.']) || name.is_empty() => return Err(Defect::NoScheme),
        None => return Err(unknown(name, driver.filter(|_| text != name))),
    };
    let driver = driver.map(str::to_owned);
    Ok(Backend { kind, name: name.to_owned(), driver, locations, tls: false })
}

fn redis_backend(name: &str, driver: Option<&str>, rest: &str) -> Result<Backend, Defect> {
    // What follows a "+" is the scheme that counts, and the name before it does not: "redis+rediss" has TLS.
    let scheme = driver.unwrap_or(name).to_ascii_lowercase();
    let wire = match scheme.as_str() {
        "redis" => Wire::Plain,
        "rediss" => Wire::Tls,
        "socket" => Wire::Socket,
        _ => return Err(Defect::CompoundScheme(format!("{name}+{scheme}"))),
    };
    let locations = vec![redis::location(without_params(rest, wire)?, wire)?];
    let driver = driver.map(str::to_owned);
    Ok(Backend { kind: BackendKind::Redis, name: name.to_owned(), driver, locations, tls: wire == Wire::Tls })
}

/// A `;` behind the host begins what old RFCs call parameters: Python cuts it off, and a second URL with it.
fn without_params(rest: &str, wire: Wire) -> Result<&str, Defect> {
    let path = rest.find(['/', '?', '#']).map_or("", |at| &rest[at..]);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if path.contains(';') && wire != Wire::Sentinel { Err(Defect::List) } else { Ok(rest) }
}

fn sentinel(name: &str, driver: Option<&str>, rest: &str) -> Result<Backend, Defect> {
    if let Some(driver) = driver {
        return Err(Defect::CompoundScheme(format!("{name}+{driver}")));
    }
    let mut elements = rest.split(';');
    let first = elements.next().unwrap_or_default();
    let mut locations = vec![redis::location(first, Wire::Sentinel)?];
    for element in elements {
        let rest = match element.split_once("://") {
            Some(("sentinel", rest)) => rest,
            Some((scheme, _)) => return Err(Defect::CompoundScheme(scheme.to_owned())),
            None if element.is_empty() => return Err(Defect::Empty),
            None if element.contains('@') && !first.contains('@') => {
                return Err(Defect::Url(Fault::Unencoded(';')));
            }
            None => return Err(Defect::NoScheme),
        };
        locations.push(redis::location(rest, Wire::Sentinel)?);
    }
    Ok(Backend { kind: BackendKind::Sentinel, name: name.to_owned(), driver: None, locations, tls: false })
}

fn cache(name: &str, driver: Option<&str>, rest: &str) -> Result<Backend, Defect> {
    let driver = driver.unwrap_or(name);
    if !["memcache", "memcached", "pylibmc", "pymemcache", "memory"].contains(&driver) {
        return Err(Defect::UnknownCache(driver.to_owned()));
    }
    named(name, "", Some(driver), vec![unread(rest)])
}

fn file(name: &str, driver: Option<&str>, rest: &str) -> Result<Backend, Defect> {
    if let Some(driver) = driver {
        return Err(Defect::CompoundScheme(format!("{name}+{driver}")));
    }
    // "localhost" may stand before the path; any other host would be a folder of that name.
    let path = rest.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(rest);
    if path.is_empty() {
        return Err(Defect::NoPath);
    }
    let location = Location { path: path.to_owned(), ..Location::default() };
    Ok(Backend {
        kind: BackendKind::File,
        name: name.to_owned(),
        driver: None,
        locations: vec![location],
        tls: false,
    })
}

/// An address that the backend's own client reads: only what may be told of it for sure.
fn unread(rest: &str) -> Location {
    let (user_info, location) = match rest.rsplit_once('@') {
        Some((user_info, location)) => (Some(user_info), location),
        None => (None, rest),
    };
    let (username, password) = url::credentials(user_info);
    let host = url::decoded(location.split([':', ',', '/', '?', ';']).next().unwrap_or_default());
    Location { host, username, password, ..Location::default() }
}

impl Backend {
    /// What must be installed beside Celery.
    #[must_use]
    pub fn package(&self) -> Option<Package> {
        if self.is_private() {
            return None;
        }
        by_name(&self.name).and_then(|known| known.package)
    }

    /// The first minor of Celery 5 that has this backend: 0 for any.
    #[must_use]
    pub fn celery_since(&self) -> u8 {
        match self.driver.as_deref() {
            Some("pymemcache") if self.kind == BackendKind::Cache => 7,
            _ => by_name(&self.name).map_or(0, |known| known.since),
        }
    }

    /// Whether the connection to a Redis is encrypted.
    #[must_use]
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// Whether the certificate of a Redis is checked; `None` without TLS.
    #[must_use]
    pub fn verifies_certificates(&self) -> Option<bool> {
        let written = self.locations.first().and_then(|location| location.parameter("ssl_cert_reqs"));
        self.tls.then(|| !matches!(written.map(url::decoded).as_deref(), Some("none" | "CERT_NONE")))
    }

    /// Whether each process keeps its own results: nobody else ever sees one.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.kind == BackendKind::Cache && self.driver.as_deref() == Some("memory")
    }

    /// Settings without which the application cannot use this backend; the value alone does not say enough.
    #[must_use]
    pub fn needed_settings(&self) -> &'static [&'static str] {
        match self.kind {
            BackendKind::S3 => &["s3_bucket"],
            BackendKind::GoogleStorage if self.locations.is_empty() => &["gcs_bucket", "gcs_project"],
            BackendKind::Cassandra => &["cassandra_servers", "cassandra_keyspace", "cassandra_table"],
            BackendKind::Sentinel => &["result_backend_transport_options"],
            BackendKind::Database if self.locations.is_empty() => &["database_url"],
            BackendKind::Cache if self.locations.is_empty() => &["cache_backend"],
            _ => &[],
        }
    }

    /// Whether a password can be read in the value.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.locations.iter().any(|location| location.password.is_some())
    }
}

impl Location {
    /// The value of a query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests;
