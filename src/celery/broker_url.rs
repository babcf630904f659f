// SPDX-License-Identifier: Apache-2.0
//! Broker URLs as kombu reads them.
//!
//! kombu cuts the scheme off and reads the rest with the rules of `http://`: the authority ends at the first `/`, `?`
//! or `#`, the user information at its last `@`, the port is an integer. What does not fit ends in a crash of the
//! worker or, worse, in a worker that asks the wrong host for ever. [`parse`] keeps apart what each text becomes.

mod masked;
mod scheme;

use std::fmt;

use percent_encoding::percent_decode_str;
use thiserror::Error;

pub use masked::masked;
pub use scheme::Transport;
use scheme::{is_scheme, reads_urls_itself, transport};

/// One broker.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme in lower case; kombu does not mind the case.
    pub scheme: String,
    /// What the scheme selects.
    pub transport: Transport,
    /// Host; empty where the URL names none.
    pub host: String,
    /// Port, when written.
    pub port: Option<u16>,
    /// User, percent-decoded.
    pub username: Option<String>,
    /// Password, percent-decoded.
    pub password: Option<String>,
    /// What follows the host's slash, percent-decoded: database or virtual host.
    pub path: String,
    /// Query parameters in their order.
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
    #[error("has no \"scheme://\", so that Celery takes it for the name of an AMQP host")]
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
    #[error("has the scheme {scheme:?}, with which Celery asks a host of a wrong name for ever")]
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
    #[error("has the form of a result backend")]
    BackendScheme,
    /// The port is not a number of a port.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// The same crash as [`Defect::Port`], but because the password has a character that ends the host part.
    #[error("has a password with {0:?} in it, which ends the host part of a URL")]
    PasswordNotEncoded(char),
    /// The Redis database is not a number.
    #[error("has a database that is not a number")]
    Database,
    /// Two URLs separated by a comma: one URL with a strange database for kombu.
    #[error("separates URLs by a comma")]
    CommaList,
}

/// The elements of a failover list, each read or refused; one element for an ordinary URL.
#[must_use]
pub fn parse(text: &str) -> Vec<Result<Endpoint, Defect>> {
    text.split(';').map(endpoint).collect()
}

/// One element of a failover list.
fn endpoint(text: &str) -> Result<Endpoint, Defect> {
    if text.is_empty() {
        return Err(Defect::Empty);
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Defect::WhiteSpace);
    }
    let (scheme, rest) =
        text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)).ok_or(Defect::NoScheme)?;
    let transport = transport(scheme)?;
    if reads_urls_itself(scheme) || transport == Transport::RedisSocket {
        return Ok(unread(scheme, transport, rest));
    }
    let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(cut);
    let (user_info, location) = match authority.rsplit_once('@') {
        Some((user_info, location)) => (Some(user_info), location),
        None => (None, authority),
    };
    let (host, port) = host_and_port(location).map_err(|defect| unencoded(tail).unwrap_or(defect))?;
    // What was meant as a password goes on behind the "#", and a part of it has become the host.
    if tail.split_once('#').is_some_and(|(_, fragment)| fragment.contains('@')) {
        return Err(Defect::PasswordNotEncoded('#'));
    }
    // Without a user in front of it, an "@host" further on means that the host part ended too early.
    let first = tail.chars().next();
    if let Some(first) = first.filter(|_| user_info.is_none() && names_a_host(path_of(tail))) {
        return Err(Defect::PasswordNotEncoded(first));
    }
    let tail = tail.split('#').next().unwrap_or_default();
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let (username, password) = credentials(user_info);
    let endpoint = Endpoint {
        scheme: scheme.to_ascii_lowercase(),
        transport,
        host,
        port,
        username,
        password,
        path: decoded(path.strip_prefix('/').unwrap_or(path)),
        query: pairs(query),
    };
    checked_database(endpoint)
}

/// A URL whose transport does not let kombu read it: only what may be told of it for sure.
fn unread(scheme: &str, transport: Transport, rest: &str) -> Endpoint {
    let (user_info, location) = match rest.rsplit_once('@') {
        Some((user_info, location)) if transport != Transport::RedisSocket => (Some(user_info), location),
        _ => (None, rest),
    };
    let (username, password) = credentials(user_info);
    Endpoint {
        scheme: scheme.to_ascii_lowercase(),
        transport,
        host: decoded(location.split([':', ',', '/', '?']).next().unwrap_or_default()),
        port: None,
        username,
        password,
        path: String::new(),
        query: Vec::new(),
    }
}

/// Whether a path goes on with `@host:port` or `@host/`; a virtual host may hold an "@" of its own.
fn names_a_host(path: &str) -> bool {
    path.rsplit_once('@').is_some_and(|(_, after)| after.contains([':', '/']))
}

/// What stands before the query.
fn path_of(tail: &str) -> &str {
    tail.split('?').next().unwrap_or_default()
}

fn host_and_port(location: &str) -> Result<(String, Option<u16>), Defect> {
    let (host, port) = if let Some(bracketed) = location.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']').ok_or(Defect::Port)?;
        (host, after.strip_prefix(':').unwrap_or(after))
    } else {
        location.split_once(':').unwrap_or((location, ""))
    };
    let port = match port {
        "" => None,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.parse::<u16>().ok().filter(|port| *port > 0).ok_or(Defect::Port)?)
        }
        _ => return Err(Defect::Port),
    };
    Ok((decoded(host), port))
}

/// Whether the port is wrong only because an unencoded character of the password ended the host part: then an `@`
/// still follows.
fn unencoded(tail: &str) -> Option<Defect> {
    let first = tail.chars().next()?;
    tail.contains('@').then_some(Defect::PasswordNotEncoded(first))
}

fn credentials(user_info: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(user_info) = user_info else {
        return (None, None);
    };
    let (user, password) = match user_info.split_once(':') {
        Some((user, password)) => (user, Some(decoded(password))),
        None => (user_info, None),
    };
    (Some(decoded(user)).filter(|user| !user.is_empty()), password.filter(|password| !password.is_empty()))
}

fn checked_database(endpoint: Endpoint) -> Result<Endpoint, Defect> {
    let numbered = matches!(endpoint.transport, Transport::Redis | Transport::Sentinel);
    if !numbered || endpoint.path.is_empty() || endpoint.database().is_some() {
        return Ok(endpoint);
    }
    match &endpoint.path {
        path if path.contains("://") => Err(Defect::CommaList),
        path if path.contains('@') => Err(Defect::PasswordNotEncoded('/')),
        _ => Err(Defect::Database),
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        })
        .collect()
}

impl Endpoint {
    /// The Redis database: 0 when none is written, `None` when it is no number.
    #[must_use]
    pub fn database(&self) -> Option<u32> {
        let path = self.path.strip_prefix('/').unwrap_or(&self.path);
        if path.is_empty() { Some(0) } else { path.parse().ok() }
    }

    /// The AMQP virtual host; `/` when none is written.
    #[must_use]
    pub fn virtual_host(&self) -> &str {
        if self.path.is_empty() { "/" } else { &self.path }
    }

    /// The value of a query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn tls(&self) -> bool {
        matches!(self.scheme.as_str(), "rediss" | "amqps")
    }

    /// The port that is used: the written one or the default of the scheme.
    #[must_use]
    pub fn effective_port(&self) -> Option<u16> {
        self.port.or(match (self.transport, self.tls()) {
            (Transport::Redis, _) => Some(6379),
            (Transport::Sentinel, _) => Some(26379),
            (Transport::Amqp, false) => Some(5672),
            (Transport::Amqp, true) => Some(5671),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
