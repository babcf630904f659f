// SPDX-License-Identifier: Apache-2.0
//! What the spec alone tells of broker and Celery. What decides over a pod template must not come out of a Secret: one
//! that is away for a moment would roll every worker twice.

use crate::api::{Broker, CelerySpec};
use crate::celery::broker_url::{self, Transport};
use crate::celery::version::Version;

/// What carries the tasks; `None` when only a Secret knows.
pub(super) fn transport(spec: &CelerySpec) -> Option<Transport> {
    let broker = spec.common.broker.as_ref()?;
    let of_scheme = |url: &str| broker_url::parse(url).into_iter().next()?.ok().map(|first| first.transport);
    match broker {
        Broker { url: Some(url), .. } => of_scheme(url),
        Broker { redis: Some(redis), .. } if redis.sentinel.is_some() => Some(Transport::Sentinel),
        Broker { redis: Some(_), .. } => Some(Transport::Redis),
        Broker { rabbitmq: Some(_), .. } => Some(Transport::Amqp),
        Broker { sqs: Some(_), .. } => Some(Transport::Sqs),
        Broker { scheme: Some(scheme), .. } => of_scheme(&format!("{scheme}://host")),
        _ => None,
    }
}

/// Whether Celery is said to be of this version or a later one.
pub(super) fn celery_at_least(spec: &CelerySpec, major: u32, minor: u32) -> bool {
    celery(spec).is_some_and(|version| version >= (major, minor))
}

/// Major and minor version of Celery, when they are written.
pub(super) fn celery(spec: &CelerySpec) -> Option<(u32, u32)> {
    let version: Version = spec.common.celery_version.as_deref()?.parse().ok()?;
    Some((version.major, version.minor))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(common: serde_json::Value) -> CelerySpec {
        serde_json::from_value(json!({ "common": common })).expect("a spec")
    }

    #[test]
    fn every_form_but_a_secret_tells_its_transport() {
        for (broker, expected) in [
            (json!({"url": "rediss://cache"}), Some(Transport::Redis)),
            (json!({"url": "amqp://a;amqp://b"}), Some(Transport::Amqp)),
            (json!({"url": "nonsense"}), None),
            (json!({"redis": {"host": "cache"}}), Some(Transport::Redis)),
            (json!({"redis": {"sentinel": {"masterName": "m", "addresses": []}}}), Some(Transport::Sentinel)),
            (json!({"rabbitmq": {"host": "mq"}}), Some(Transport::Amqp)),
            (json!({"sqs": {"region": "eu-west-1"}}), Some(Transport::Sqs)),
            (json!({"urlSecretRef": {"name": "a", "key": "b"}}), None),
            (json!({"urlSecretRef": {"name": "a", "key": "b"}, "scheme": "amqps"}), Some(Transport::Amqp)),
        ] {
            assert_eq!(transport(&spec(json!({ "broker": broker }))), expected, "{broker}");
        }
    }

    #[test]
    fn versions_compare_as_numbers() {
        for (version, expected) in
            [(json!("5.6"), true), (json!("5.10.1"), true), (json!("5.5.3"), false), (json!(null), false)]
        {
            assert_eq!(
                celery_at_least(&spec(json!({ "celeryVersion": version })), 5, 6),
                expected,
                "{version}"
            );
        }
    }
}
