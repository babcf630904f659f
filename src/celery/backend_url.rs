// SPDX-License-Identifier: Apache-2.0
//! Result backends as Celery reads them: a URL, a name, or the path of a class.
//!
//! Unlike kombu, Celery looks a name up as it is written: `Redis://` is no backend. What is in no table is imported as
//! a Python module, so a typo ends in `No module named …` as soon as the first result is stored or asked for.

mod redis;
mod scheme;

use std::fmt;

use thiserror::Error;

use super::app::AppPath;
use super::broker_url::{Package, is_driver};
use super::url::{self, Fault};
use redis::Wire;
use scheme::{Known, by_name, dialect, unknown};

/// What keeps the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
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
    pub kind: Kind,
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

/// Why Celery cannot use a result backend, or uses another one than was meant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Defect {
    /// Nothing; Celery takes it for no answer and looks into the application.
    #[error("is empty")]
    Empty,
    /// Blank, tab or line break inside or around it.
    #[error("contains white space")]
    WhiteSpace,
    /// An address without `scheme://`: Celery imports it as a module.
    #[error("has no \"scheme://\"; Celery would look for a Python module of that name")]
    NoScheme,
    /// A name of no table: Celery imports it as a module. A package of the image may register one.
    #[error("names the backend {name:?}, which Celery does not know")]
    Unknown {
        /// The name as written.
        name: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// The name of a database or of a cache, without `db+` or `cache+` before it.
    #[error("names the backend {scheme:?}, which Celery knows only with a prefix")]
    MissingPrefix {
        /// The scheme as written.
        scheme: String,
        /// With its prefix.
        meant: String,
    },
    /// A backend of Celery 4.
    #[error("names the backend {scheme:?}, which Celery 5 does not have any more")]
    Removed {
        /// The scheme as written.
        scheme: String,
        /// What replaces it.
        instead: Option<&'static str>,
    },
    /// The form of a broker.
    #[error("has the form of a broker ({0:?})")]
    BrokerScheme(String),
    /// `redis+x://`: Celery speaks plain Redis to the host, whatever `x` says.
    #[error("has the scheme {0:?}; Celery would take it for plain redis")]
    CompoundScheme(String),
    /// A database that `SQLAlchemy` does not know under this name.
    #[error("names the database {written:?}, which SQLAlchemy calls {meant:?}")]
    Dialect {
        /// The dialect as written.
        written: String,
        /// Its name.
        meant: &'static str,
    },
    /// `db://`: which database is not said, or not in letters that the name of one may have.
    #[error("does not say which database it is")]
    NoDialect,
    /// `cache+x://` with a cache that Celery does not know.
    #[error("names the cache {0:?}, which Celery does not know")]
    UnknownCache(String),
    /// A folder or a socket is needed.
    #[error("names no path")]
    NoPath,
    /// The port is not the number of a port.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// Brackets without an IPv6 address in them, or with something beside them.
    #[error("has brackets in its host part that do not hold an IPv6 address")]
    Brackets,
    /// A character that Python refuses in front of a path, because its normal form would end it.
    #[error("has {0:?} in its host part, which looks like a separator")]
    Confusable(char),
    /// The password has a character with a meaning in a URL.
    #[error("has a password with {0:?} in it, which ends the host part of a URL")]
    PasswordNotEncoded(char),
    /// The Redis database is not a number.
    #[error("has a database that is not a number")]
    Database,
    /// Several URLs where only Sentinel may have several.
    #[error("is a list of URLs, which only sentinel:// may be")]
    List,
    /// `rediss://` without `ssl_cert_reqs`: Celery raises a `ValueError`.
    #[error("does not say whether the certificate is checked (ssl_cert_reqs)")]
    CertReqsMissing,
    /// `ssl_cert_reqs` with a word that Celery does not know.
    #[error("has the ssl_cert_reqs {0:?}, which Celery does not know")]
    CertReqs(String),
    /// A TLS parameter on `redis://`: Celery raises a `ValueError`.
    #[error("has the parameter {0:?}, which only rediss:// may have")]
    TlsOnPlain(String),
    /// A query parameter that is no argument of a Redis connection, or one that no text can express.
    #[error("has the parameter {0:?}, which a Redis connection does not take in a URL")]
    Parameter(String),
    /// A query parameter whose value is no number.
    #[error("has a value of the parameter {0:?} that Celery cannot use")]
    ParameterValue(String),
}

impl Defect {
    /// The same, without a word of the value: where that comes from a Secret, even its scheme may be a password.
    #[must_use]
    pub fn unquoted(&self) -> String {
        match self {
            Self::Unknown { .. }
            | Self::MissingPrefix { .. }
            | Self::Removed { .. }
            | Self::BrokerScheme(_) => "names a backend that Celery does not know".to_owned(),
            Self::CompoundScheme(_) | Self::Dialect { .. } | Self::UnknownCache(_) => {
                "has a scheme that Celery does not know".to_owned()
            }
            Self::TlsOnPlain(_) | Self::Parameter(_) => {
                "has a parameter that a Redis connection does not take in a URL".to_owned()
            }
            Self::ParameterValue(_) => "has a parameter with a value that Celery cannot use".to_owned(),
            Self::CertReqs(_) => "has an ssl_cert_reqs that Celery does not know".to_owned(),
            Self::PasswordNotEncoded(_) => "has a password that is not percent-encoded".to_owned(),
            Self::Confusable(_) => "has a character in its host part that looks like a separator".to_owned(),
            defect => defect.to_string(),
        }
    }
}

impl From<Fault> for Defect {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Port => Self::Port,
            Fault::Brackets => Self::Brackets,
            Fault::Confusable(letter) => Self::Confusable(letter),
            Fault::Unencoded(letter) => Self::PasswordNotEncoded(letter),
        }
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
        Some(Known { kind: Kind::Redis, .. }) => redis_backend(name, driver, rest),
        Some(Known { kind: Kind::Sentinel, .. }) => sentinel(name, driver, rest),
        Some(Known { kind: Kind::Cache, .. }) => cache(name, driver, rest),
        Some(Known { kind: Kind::Database, .. }) => database(name, driver, rest),
        Some(Known { kind: Kind::File, .. }) => file(name, driver, rest),
        _ => named(name, text, driver, vec![unread(rest)]),
    }
}

/// A backend by a name of the table, or by the path of a class.
fn named(name: &str, text: &str, driver: Option<&str>, locations: Vec<Location>) -> Result<Backend, Defect> {
    let kind = match by_name(name) {
        Some(Known { kind: Kind::File, .. }) => return Err(Defect::NoPath),
        Some(known) => known.kind,
        None if name.contains(['.', ':']) && name.parse::<AppPath>().is_ok() => Kind::Class,
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
    Ok(Backend { kind: Kind::Redis, name: name.to_owned(), driver, locations, tls: wire == Wire::Tls })
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
                return Err(Defect::PasswordNotEncoded(';'));
            }
            None => return Err(Defect::NoScheme),
        };
        locations.push(redis::location(rest, Wire::Sentinel)?);
    }
    Ok(Backend { kind: Kind::Sentinel, name: name.to_owned(), driver: None, locations, tls: false })
}

fn cache(name: &str, driver: Option<&str>, rest: &str) -> Result<Backend, Defect> {
    let driver = driver.unwrap_or(name);
    if !["memcache", "memcached", "pylibmc", "pymemcache", "memory"].contains(&driver) {
        return Err(Defect::UnknownCache(driver.to_owned()));
    }
    named(name, "", Some(driver), vec![unread(rest)])
}

fn database(name: &str, driver: Option<&str>, rest: &str) -> Result<Backend, Defect> {
    let driver = driver.filter(|driver| is_driver(driver)).ok_or(Defect::NoDialect)?;
    let written = driver.split('+').next().unwrap_or_default();
    if let Some(meant) = dialect(written) {
        return Err(Defect::Dialect { written: written.to_owned(), meant });
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
        kind: Kind::File,
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
            Some("pymemcache") if self.kind == Kind::Cache => 7,
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
        self.kind == Kind::Cache && self.driver.as_deref() == Some("memory")
    }

    /// Settings without which the application cannot use this backend; the value alone does not say enough.
    #[must_use]
    pub fn needed_settings(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::S3 => &["s3_bucket"],
            Kind::GoogleStorage if self.locations.is_empty() => &["gcs_bucket", "gcs_project"],
            Kind::Cassandra => &["cassandra_servers", "cassandra_keyspace", "cassandra_table"],
            Kind::Sentinel => &["result_backend_transport_options"],
            Kind::Database if self.locations.is_empty() => &["database_url"],
            Kind::Cache if self.locations.is_empty() => &["cache_backend"],
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
