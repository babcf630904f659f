// SPDX-License-Identifier: Apache-2.0
//! What a readable broker URL means: where it leads, how safely, and what it needs.

use super::parameters::is_redis;
use super::scheme::{self, Known};
use super::{Endpoint, Package, Service, Transport};

impl Endpoint {
    /// The Redis database: 0 when none is written, `None` when it is no number.
    #[must_use]
    pub fn database(&self) -> Option<u32> {
        let written = match self.transport {
            Transport::RedisSocket => self.parameter("virtual_host").unwrap_or_default(),
            _ => &self.path,
        };
        match written.strip_prefix('/').unwrap_or(written) {
            "" if written.len() < 2 => Some(0),
            number => number.parse().ok(),
        }
    }

    /// The AMQP virtual host; `/` when none is written.
    #[must_use]
    pub fn virtual_host(&self) -> &str {
        if self.path.is_empty() { "/" } else { &self.path }
    }

    /// Whether a service bus of Azure is to be asked by nobody: its transport cuts the text at the "@" and what stands
    /// before at the ":", and raises a `ValueError` where it cannot. Names of two classes of Azure's need no key.
    #[must_use]
    pub fn lacks_policy(&self) -> bool {
        let classes = ["DefaultAzureCredential", "ManagedIdentityCredential"];
        let named = self.username.as_deref().unwrap_or_default();
        self.scheme == "azureservicebus"
            && self.password.is_none()
            && !classes.iter().any(|class| named.eq_ignore_ascii_case(class))
    }

    /// The value of a query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the connection is encrypted. Any parameter about TLS switches it on for `redis://`, and any value of
    /// `ssl`, even `false`, for `amqp://`.
    #[must_use]
    pub fn tls(&self) -> bool {
        match self.transport {
            Transport::Amqp => self.scheme == "amqps" || self.parameter("ssl").is_some(),
            transport if is_redis(transport) => self.scheme == "rediss" || self.names_tls(),
            _ => false,
        }
    }

    /// Whether the certificate of the broker is checked; `None` without TLS.
    ///
    /// `rediss://` alone checks nothing, but as soon as it has any parameter about TLS the client's own default counts,
    /// which is to check. AMQP checks against the certificates of the system.
    #[must_use]
    pub fn verifies_certificates(&self) -> Option<bool> {
        if !self.tls() {
            return None;
        }
        Some(match self.parameter("ssl_cert_reqs") {
            Some(word) => !matches!(word, "none" | "CERT_NONE"),
            None => self.transport == Transport::Amqp || self.names_tls(),
        })
    }

    /// The port that is used: the written one or the default of the scheme.
    #[must_use]
    pub fn effective_port(&self) -> Option<u16> {
        self.port.or(match (self.transport, self.tls()) {
            (Transport::Redis, false) => Some(Service::REDIS.port),
            (Transport::Redis, true) => Some(Service::REDIS_TLS.port),
            (Transport::Sentinel, _) => Some(Service::SENTINEL.port),
            (Transport::Amqp, true) => Some(Service::AMQP_TLS.port),
            (Transport::Amqp, false) => Some(Service::AMQP.port),
            _ => None,
        })
    }

    /// What must be installed beside Celery.
    #[must_use]
    pub fn extra_package(&self) -> Option<Package> {
        self.known().and_then(|known| known.package)
    }

    /// Whether messages reach every worker: without that there is no remote control, so no ping, and no events.
    /// Amazon SQS has it only with the transport option `supports_fanout`, which is not looked at.
    #[must_use]
    pub fn has_remote_control(&self) -> bool {
        self.known().is_some_and(|known| known.broadcasts)
    }

    /// The first minor of kombu 5 that takes this URL: 0 for any.
    #[must_use]
    pub fn kombu_since(&self) -> u8 {
        let scheme = self.known().map_or(0, |known| known.since);
        if self.parameter("credential_provider").is_some() { scheme.max(6) } else { scheme }
    }

    fn known(&self) -> Option<&'static Known> {
        scheme::selected(&self.scheme).ok()
    }

    fn names_tls(&self) -> bool {
        self.query.iter().any(|(name, _)| name.starts_with("ssl_"))
    }
}
