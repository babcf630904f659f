// SPDX-License-Identifier: Apache-2.0
//! What may follow the `?` of a broker URL.
//!
//! kombu gives every parameter to its `Connection` as an argument. It has few, the parts of the URL are taken already,
//! and each value is a text even where a number is needed.

use super::{Defect, Endpoint, Transport};
use crate::celery::number;

/// What `ssl_cert_reqs` may be.
pub const CERT_REQS: [&str; 6] =
    ["required", "optional", "none", "CERT_REQUIRED", "CERT_OPTIONAL", "CERT_NONE"];

/// What redis-py can be told about TLS; each release of it knows a part of these, the first four are in all of them.
const REDIS_TLS: [&str; 16] = [
    "ssl_keyfile",
    "ssl_certfile",
    "ssl_cert_reqs",
    "ssl_ca_certs",
    "ssl_check_hostname",
    "ssl_ca_path",
    "ssl_ca_data",
    "ssl_password",
    "ssl_ciphers",
    "ssl_min_version",
    "ssl_validate_ocsp",
    "ssl_validate_ocsp_stapled",
    "ssl_ocsp_context",
    "ssl_ocsp_expected_cert",
    "ssl_include_verify_flags",
    "ssl_exclude_verify_flags",
];

/// What a connection to a Unix socket can be told in a text. User and password of the URL replace those given here.
const SOCKET: [&str; 8] = [
    "virtual_host",
    "username",
    "password",
    "client_name",
    "encoding",
    "encoding_errors",
    "db",
    "credential_provider",
];

/// What py-amqp can log in with.
const LOGIN_METHODS: [&str; 4] = ["PLAIN", "AMQPLAIN", "EXTERNAL", "GSSAPI"];

/// The first parameter that ends in a crash.
pub(super) fn defect(endpoint: &Endpoint) -> Option<Defect> {
    endpoint.query.iter().find_map(|(name, value)| {
        if endpoint.transport == Transport::RedisSocket {
            return (!SOCKET.contains(&name.as_str())).then(|| Defect::Parameter(name.clone()));
        }
        if name.starts_with("ssl_") {
            return about_tls(endpoint, name, value);
        }
        let works = match (name.as_str(), endpoint.transport) {
            ("ssl", transport) => {
                !is_redis(transport) && !endpoint.query.iter().any(|(name, _)| is_tls(name))
            }
            ("heartbeat", _) => {
                return number::float(value).is_none().then(|| Defect::ParameterValue(name.clone()));
            }
            ("login_method", Transport::Amqp) => {
                let known = LOGIN_METHODS.contains(&value.as_str());
                return (!known).then(|| Defect::ParameterValue(name.clone()));
            }
            ("insist" | "credential_provider" | "login_method", _) => true,
            _ => false,
        };
        (!works).then(|| Defect::Parameter(name.clone()))
    })
}

fn about_tls(endpoint: &Endpoint, name: &str, value: &str) -> Option<Defect> {
    if name == "ssl_cert_reqs" && !CERT_REQS.contains(&value) {
        return Some(Defect::CertReqs(value.to_owned()));
    }
    match endpoint.transport {
        Transport::Amqp => Some(Defect::TlsParameter(name.to_owned())),
        transport if is_redis(transport) && !REDIS_TLS.contains(&name) => {
            Some(Defect::Parameter(name.to_owned()))
        }
        _ => None,
    }
}

pub(super) fn is_redis(transport: Transport) -> bool {
    matches!(transport, Transport::Redis | Transport::Sentinel)
}

fn is_tls(name: &str) -> bool {
    name.starts_with("ssl_")
}
