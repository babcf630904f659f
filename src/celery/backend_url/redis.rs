// SPDX-License-Identifier: Apache-2.0
//! Result backends on Redis: here, unlike for a broker, a parameter is an argument of redis-py.

use super::{Defect, Location};
use crate::celery::broker_url::CERT_REQS;
use crate::celery::number;
use crate::celery::url::{self, Fault, Parts};

/// Parameters about TLS that Celery itself looks for; `redis://` must have none of them.
const TLS: [&str; 4] = ["ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs"];

/// Parameters about TLS that redis-py takes besides.
const MORE_TLS: [&str; 5] =
    ["ssl_check_hostname", "ssl_ca_path", "ssl_ca_data", "ssl_password", "ssl_ciphers"];

/// How a Redis is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Plain,
    Tls,
    Socket,
    /// One of several Sentinels; most parameters are read and then forgotten.
    Sentinel,
}

/// What stands behind `scheme://`.
pub(super) fn location(rest: &str, wire: Wire) -> Result<Location, Defect> {
    let mut parts = url::parts(rest)?;
    if let Some(letter) = url::swallowing(rest).filter(|_| wire != Wire::Socket) {
        return Err(Defect::Url(Fault::Unencoded(letter)));
    }
    let database = if wire == Wire::Socket {
        if parts.path.is_empty() {
            return Err(Defect::NoPath);
        }
        number(parameter(&parts, "virtual_host").unwrap_or_default())
    } else {
        number(&parts.path)
    };
    let database = match database {
        None if parts.path.contains("://") => return Err(Defect::List),
        None if parts.path.contains('@') => return Err(Defect::Url(Fault::Unencoded('/'))),
        None => return Err(Defect::Database),
        Some(database) => database,
    };
    check(&parts, wire)?;
    // What the query says last is what counts.
    let last = |name: &str| parameter(&parts, name).map(str::to_owned);
    let database = match last("db") {
        Some(written) => written.parse().map_err(|_| Defect::Database)?,
        None => database,
    };
    let (username, password) = (last("username"), last("password"));
    parts.username = username.or(parts.username);
    parts.password = password.or(parts.password);
    Ok(Location {
        host: parts.host,
        port: parts.port,
        username: parts.username,
        password: parts.password,
        path: if wire == Wire::Socket { parts.path } else { String::new() },
        database: Some(database),
        query: parts.query,
    })
}

fn parameter<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The database: slashes around it do not count, but a slash alone is no number.
fn number(written: &str) -> Option<u32> {
    if written.is_empty() { Some(0) } else { written.trim_matches('/').parse().ok() }
}

fn check(parts: &Parts, wire: Wire) -> Result<(), Defect> {
    if wire == Wire::Tls {
        match parameter(parts, "ssl_cert_reqs").map(url::decoded) {
            None => return Err(Defect::CertReqsMissing),
            Some(word) if !CERT_REQS.contains(&word.as_str()) => return Err(Defect::CertReqs(word)),
            Some(_) => {}
        }
    }
    for (name, value) in &parts.query {
        let tls = TLS.contains(&name.as_str());
        if wire == Wire::Plain && tls {
            return Err(Defect::TlsOnPlain(name.clone()));
        }
        let good = match name.as_str() {
            "db" | "health_check_interval" | "max_connections" => number::int(value).is_some(),
            "socket_timeout" | "socket_connect_timeout" => number::float(value).is_some(),
            "protocol" => matches!(value.as_str(), "2" | "3"),
            _ => true,
        };
        if !good {
            return Err(Defect::ParameterValue(name.clone()));
        }
        let takes = match name.as_str() {
            // Of these, only the address of the first Sentinel would be left.
            "host" | "port" => false,
            _ if wire == Wire::Sentinel => true,
            "db"
            | "health_check_interval"
            | "max_connections"
            | "socket_timeout"
            | "protocol"
            | "retry_on_timeout"
            | "client_name"
            | "encoding"
            | "encoding_errors"
            | "username"
            | "password"
            | "virtual_host"
            | "credential_provider"
            | "decode_responses"
            | "retry_on_error"
            | "lib_name"
            | "lib_version" => true,
            "socket_connect_timeout" | "socket_keepalive" => wire != Wire::Socket,
            more => wire == Wire::Tls && (tls || MORE_TLS.contains(&more)),
        };
        if !takes {
            return Err(Defect::Parameter(name.clone()));
        }
    }
    Ok(())
}
