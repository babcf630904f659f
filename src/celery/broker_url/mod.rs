// SPDX-License-Identifier: Apache-2.0
//! Broker URLs as kombu reads them.
//!
//! kombu cuts the scheme off and reads the rest with the rules of `http://`. What does not fit ends in a crash of the
//! worker or, worse, in a worker that asks the wrong host for ever. [`parse`] keeps apart what each text becomes; what
//! kombu reads well but a pod cannot use is no [`Defect`], the facts about an [`Endpoint`] tell it.

mod facts;
mod masked;
mod parameters;
mod redacted;
mod scheme;
mod service;

use std::fmt;

use thiserror::Error;

use super::url::{self, Fault};
pub use masked::{credentials, masked, shown, veiled};
pub use parameters::CERT_REQS;
pub use redacted::{REDACTED, redacted};
pub(super) use scheme::is_driver;
use scheme::{Known, selected};
pub use scheme::{Package, Scheme, Transport};
pub use service::{Listener, Service};

/// One broker.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme in lower case; kombu does not mind the case.
    pub scheme: String,
    /// What the scheme selects.
    pub transport: Transport,
    /// Host in lower case, without brackets; empty where the URL names none.
    pub host: String,
    /// Port, when written.
    pub port: Option<u16>,
    /// User, percent-decoded.
    pub username: Option<String>,
    /// Password, percent-decoded.
    pub password: Option<String>,
    /// What follows the host's slash, percent-decoded: database, virtual host, or the place of a Unix socket without
    /// its first slash.
    pub path: String,
    /// Query parameters in their order, each name once; those without a value do not exist for kombu.
    pub query: Vec<(String, String)>,
}

/// Never with its password: an endpoint ends up in logs and test output.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{:?}/{}", self.scheme, self.host, self.port, self.path)
    }
}

/// Why kombu cannot use a URL, or uses something else than what was meant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Defect {
    /// Blank, tab or line break inside or around the URL.
    #[error("contains white space")]
    WhiteSpace,
    /// Nothing between two separators.
    #[error("is empty")]
    Empty,
    /// No `scheme://`: kombu takes the whole text for the name of an AMQP host.
    #[error("has no \"scheme://\": Celery takes it for an AMQP host and retries for ever")]
    NoScheme,
    /// A scheme that kombu refuses with `KeyError: No such transport`.
    #[error("has the scheme {scheme:?}, which Celery does not know")]
    UnknownScheme {
        /// The scheme as written.
        scheme: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// `x+y://`: kombu takes `y` for part of the host.
    #[error("has the scheme {scheme:?}: Celery would look for a host of a wrong name for ever")]
    CompoundScheme {
        /// The scheme as written.
        scheme: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// `redis+cluster://`: kombu has no transport for it and connects to localhost.
    #[error("asks for Redis Cluster, which Celery cannot use as a broker")]
    RedisCluster,
    /// `db+…://`: the form of a result backend.
    #[error("is written as a result backend")]
    BackendScheme,
    /// The parts of the URL cannot be told apart, or are others than meant.
    #[error(transparent)]
    Url(#[from] Fault),
    /// The Redis database is not a number.
    #[error("has a database that is not a number")]
    Database,
    /// Two URLs separated by a comma: one URL with a strange database for kombu.
    #[error("separates URLs by a comma")]
    CommaList,
    /// `redis+socket://` without a path.
    #[error("names no socket")]
    NoSocket,
    /// A query parameter that is no argument of a connection: the worker crashes with a `TypeError`.
    #[error("has the parameter {0:?}, which Celery does not take in a URL")]
    Parameter(String),
    /// A query parameter whose value ends in a crash.
    #[error("has a value of the parameter {0:?} that Celery cannot use")]
    ParameterValue(String),
    /// `ssl_cert_reqs` with a word that kombu does not know: the worker crashes with a `KeyError`.
    #[error("has the ssl_cert_reqs {0:?}, which Celery does not know")]
    CertReqs(String),
    /// A TLS parameter on AMQP, whose client has other names for them: the worker crashes with a `TypeError`.
    #[error("has the parameter {0:?}, which an AMQP connection does not take")]
    TlsParameter(String),
    /// Within a failover list kombu reads every URL by the common rules, which do not fit this scheme.
    #[error("has the scheme {0:?}, which Celery cannot use in a list of URLs")]
    NotInList(String),
}

impl Defect {
    /// The same, without a word of the URL: where that comes from a Secret, even its scheme may be a password.
    #[must_use]
    pub fn unquoted(&self) -> String {
        match self {
            Self::UnknownScheme { .. } | Self::CompoundScheme { .. } => {
                "has a scheme that Celery does not know".to_owned()
            }
            Self::Parameter(_) | Self::TlsParameter(_) => {
                "has a parameter that Celery does not take in a URL".to_owned()
            }
            Self::ParameterValue(_) => "has a parameter with a value that Celery cannot use".to_owned(),
            Self::CertReqs(_) => "has an ssl_cert_reqs that Celery does not know".to_owned(),
            Self::Url(fault) => fault.unquoted(),
            defect => defect.to_string(),
        }
    }
}

/// The elements of a failover list, each read or refused; one element for an ordinary URL.
#[must_use]
pub fn parse(text: &str) -> Vec<Result<Endpoint, Defect>> {
    let elements: Vec<&str> = text.split(';').collect();
    let alone = elements.len() == 1;
    let read = |(index, element): (usize, &&str)| {
        let next = elements.get(index + 1).copied().unwrap_or_default();
        endpoint(element, alone).map_err(|defect| match defect {
            // "redis://:pa;ss@host": what follows is no URL, but ends one.
            Defect::Url(Fault::Port) if next.contains('@') && !next.contains("://") => {
                Defect::Url(Fault::Unencoded(';'))
            }
            Defect::Url(Fault::Port | Fault::Unencoded(_)) if is_comma_list(element) => Defect::CommaList,
            defect => defect,
        })
    };
    elements.iter().enumerate().map(read).collect()
}

/// Whether a whole URL follows a comma: `amqp://a:5672,amqp://b:5672`.
fn is_comma_list(text: &str) -> bool {
    let schemes = text.split(',').skip(1).filter_map(|part| Some(part.trim_start().split_once("://")?.0));
    let is_scheme = |scheme: &str| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
    schemes.into_iter().any(|scheme| !scheme.is_empty() && is_scheme(scheme))
}

/// One element of a failover list, or the only one.
fn endpoint(text: &str, alone: bool) -> Result<Endpoint, Defect> {
    if text.is_empty() {
        return Err(Defect::Empty);
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Defect::WhiteSpace);
    }
    let (written, rest) = text.split_once("://").ok_or(Defect::NoScheme)?;
    let known = selected(written)?;
    if !alone && (known.whole || written.contains('+')) {
        return Err(Defect::NotInList(written.to_owned()));
    }
    if known.whole {
        match written.split_once('+') {
            // SQLAlchemy would understand more, but the worker shows its broker at the start and reads it for that.
            Some(("sqla" | "sqlalchemy", _)) => drop(url::parts(rest)?),
            None if known.scheme.starts_with("sqla") => drop(url::parts(rest)?),
            None => drop(url::authority(rest)?),
            Some(_) => {}
        }
        return Ok(unread(written, known, rest));
    }
    let socket = known.transport == Transport::RedisSocket;
    let parts = url::parts(rest)?;
    if let Some(letter) = url::swallowing(rest).filter(|_| !socket) {
        return Err(Defect::Url(Fault::Unencoded(letter)));
    }
    let endpoint = Endpoint {
        scheme: written.to_ascii_lowercase(),
        transport: known.transport,
        host: parts.host,
        port: parts.port,
        username: parts.username,
        password: parts.password,
        path: parts.path,
        query: parts.query,
    };
    if socket && endpoint.path.is_empty() {
        return Err(Defect::NoSocket);
    }
    let endpoint = checked_database(endpoint)?;
    match parameters::defect(&endpoint) {
        Some(defect) => Err(defect),
        None => Ok(endpoint),
    }
}

/// A URL whose transport does not let kombu read it: only what may be told of it for sure.
fn unread(written: &str, known: &Known, rest: &str) -> Endpoint {
    let (user_info, location) = match rest.rsplit_once('@') {
        Some((user_info, location)) => (Some(user_info), location),
        None => (None, rest),
    };
    let (username, password) = url::credentials(user_info);
    Endpoint {
        scheme: written.to_ascii_lowercase(),
        transport: known.transport,
        host: url::decoded(location.split([':', ',', '/', '?']).next().unwrap_or_default()),
        port: None,
        username,
        password,
        path: String::new(),
        query: Vec::new(),
    }
}

fn checked_database(endpoint: Endpoint) -> Result<Endpoint, Defect> {
    let numbered =
        matches!(endpoint.transport, Transport::Redis | Transport::Sentinel | Transport::RedisSocket);
    if !numbered || endpoint.database().is_some() {
        return Ok(endpoint);
    }
    match &endpoint.path {
        _ if endpoint.transport == Transport::RedisSocket => Err(Defect::Database),
        path if path.contains("://") => Err(Defect::CommaList),
        path if path.contains('@') => Err(Defect::Url(Fault::Unencoded('/'))),
        _ => Err(Defect::Database),
    }
}

#[cfg(test)]
mod tests;
