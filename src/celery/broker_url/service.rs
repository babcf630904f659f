// SPDX-License-Identifier: Apache-2.0
//! The brokers that have a usual port, each by the scheme that names it.

/// How a broker is reached where nobody says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// The scheme of its URL.
    pub scheme: &'static str,
    /// The port it listens on.
    pub port: u16,
}

impl Service {
    /// Redis.
    pub const REDIS: Self = Self { scheme: "redis", port: 6379 };
    /// Redis with TLS, which kombu looks for on the same port.
    pub const REDIS_TLS: Self = Self { scheme: "rediss", port: 6379 };
    /// Sentinel, which knows where a Redis is; with TLS too.
    pub const SENTINEL: Self = Self { scheme: "sentinel", port: 26379 };
    /// RabbitMQ.
    pub const AMQP: Self = Self { scheme: "amqp", port: 5672 };
    /// RabbitMQ with TLS.
    pub const AMQP_TLS: Self = Self { scheme: "amqps", port: 5671 };
}

/// Who listens on a port by default, where that is not the broker itself or is another one than the scheme says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// The broker of this scheme.
    Broker(Service),
    /// The management API of RabbitMQ, which speaks HTTP.
    Management,
}

impl Listener {
    /// The one of a port; of other ports nothing is known.
    #[must_use]
    pub fn of(port: u16) -> Option<Self> {
        let brokers = [Service::REDIS, Service::SENTINEL, Service::AMQP, Service::AMQP_TLS];
        match port {
            15671 | 15672 => Some(Self::Management),
            _ => brokers.into_iter().find(|service| service.port == port).map(Self::Broker),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::celery::broker_url::parse;

    #[test]
    fn a_url_of_the_scheme_leads_to_the_port() {
        assert_eq!(Listener::of(26379), Some(Listener::Broker(Service::SENTINEL)));
        assert_eq!(Listener::of(15672), Some(Listener::Management));
        assert_eq!(Listener::of(6380), None);
        for service in
            [Service::REDIS, Service::REDIS_TLS, Service::SENTINEL, Service::AMQP, Service::AMQP_TLS]
        {
            let endpoint = parse(&format!("{}://host", service.scheme)).remove(0).expect("a URL");
            assert_eq!(endpoint.effective_port(), Some(service.port), "{}", service.scheme);
        }
    }
}
