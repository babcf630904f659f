// SPDX-License-Identifier: Apache-2.0
//! What carries the tasks, as far as the object tells. A Secret is not read: what decides over a pod template must not
//! come out of one that may be away for a moment.

use serde_json::{Map, Value, json};

use super::Effective;
use crate::api::{Broker, Common, RabbitMqBroker, RedisBroker, SqsBroker};
use crate::celery::broker_url::{self, Scheme, Service, Transport};
use crate::celery::expansion::expands;
use crate::celery::sqs::{self, queue_name};
use crate::celery::url;

/// What kombu puts in front of the keys of messages that go to every worker.
const FANOUT: &str = "/{db}.";
/// The setting that holds transport options.
pub const OPTIONS: &str = "broker_transport_options";

/// The scheme of the broker's URL: written, declared beside a Secret, or that of the URL which is made from the parts.
/// Of a failover list the first element counts, from which Celery takes its transport.
#[must_use]
pub fn scheme(common: &Common) -> Effective<Scheme> {
    let read = |name: &str| name.parse().map_or(Effective::Unclear, Effective::Is);
    match &common.broker {
        Some(Broker { url: Some(url), .. }) => of_url(url),
        Some(Broker { url_secret_ref: Some(_), scheme, .. }) => {
            scheme.as_deref().map_or(Effective::Unclear, read)
        }
        Some(Broker { redis: Some(parts), .. }) => read(redis(parts).scheme),
        Some(Broker { rabbitmq: Some(parts), .. }) => read(rabbitmq(parts).scheme),
        Some(Broker { sqs: Some(_), .. }) => read(sqs::SCHEME),
        Some(_) | None => Effective::Absent,
    }
}

/// What a Redis that is described by its parts is reached as: its sentinels, where it has some.
#[must_use]
pub fn redis(parts: &RedisBroker) -> Service {
    match (&parts.sentinel, &parts.tls) {
        (Some(_), _) => Service::SENTINEL,
        (None, Some(_)) => Service::REDIS_TLS,
        (None, None) => Service::REDIS,
    }
}

/// What a RabbitMQ that is described by its parts is reached as.
#[must_use]
pub fn rabbitmq(parts: &RabbitMqBroker) -> Service {
    if parts.tls.is_some() { Service::AMQP_TLS } else { Service::AMQP }
}

/// What carries the tasks.
#[must_use]
pub fn transport(common: &Common) -> Effective<Transport> {
    scheme(common).map(|scheme| scheme.transport)
}

/// Whether messages reach every worker: without that there is no remote control, so no ping.
#[must_use]
pub fn has_remote_control(common: &Common) -> Effective<bool> {
    scheme(common).map(|scheme| {
        scheme.broadcasts || (scheme.transport == Transport::Sqs && has_option(common, "supports_fanout"))
    })
}

/// The scheme of a URL. One that Celery cannot use selects nothing; where variables are missing in it, its scheme alone
/// is final.
#[must_use]
pub fn of_url(url: &str) -> Effective<Scheme> {
    let url = url::line(url);
    let is_usable = || matches!(broker_url::parse(url).first(), Some(Ok(_)));
    let written = url.split_once("://").map(|(written, _)| written);
    let scheme = written.and_then(|written| written.parse().ok());
    scheme.filter(|_| expands(url) || is_usable()).map_or(Effective::Unclear, Effective::Is)
}

/// The transport options of workers and beat, as far as the object tells; unclear where they are no map.
///
/// On the command line `config` comes after what the broker's own fields say, and of two settings of a name Celery keeps
/// the later one whole: the maps are not merged.
#[must_use]
pub fn transport_options(common: &Common) -> Effective<Map<String, Value>> {
    let map = |options: &Value| options.as_object().cloned().map_or(Effective::Unclear, Effective::Is);
    if let Some(setting) = common.config.get(OPTIONS) {
        return map(&setting.0);
    }
    let field = common.broker.as_ref().and_then(|broker| broker.transport_options.as_ref());
    if field.is_some_and(|field| !field.0.is_object()) {
        return Effective::Unclear;
    }
    let said = said_options(common);
    if said.is_empty() && field.is_none() { Effective::Absent } else { Effective::Is(said) }
}

/// The transport options that the broker's own fields say: what its typed parts need, under what the user wrote.
#[must_use]
pub fn said_options(common: &Common) -> Map<String, Value> {
    let Some(broker) = &common.broker else { return Map::new() };
    let mut options = match broker {
        // Of several forms the first counts, in the order in which the URL is taken from them.
        Broker { url: None, url_secret_ref: None, redis: Some(redis), .. } => of_redis(redis),
        Broker { url: None, url_secret_ref: None, rabbitmq: None, sqs: Some(sqs), .. } => of_sqs(sqs),
        _ => Map::new(),
    };
    let written = broker.transport_options.as_ref().and_then(|written| written.0.as_object());
    options.extend(written.cloned().unwrap_or_default());
    options
}

/// The priorities that have a list of their own in Redis, where the object says so.
#[must_use]
pub fn priority_steps(common: &Common) -> Option<Vec<i64>> {
    let options = transport_options(common).is()?;
    let steps = options.get("priority_steps")?.as_array()?.iter().map(Value::as_i64);
    steps.collect::<Option<Vec<i64>>>().filter(|steps| !steps.is_empty())
}

fn of_redis(redis: &RedisBroker) -> Map<String, Value> {
    let steps = (!redis.priority_steps.is_empty()).then(|| json!(redis.priority_steps));
    let options = [
        ("global_keyprefix", redis.key_prefix.as_ref().map(|prefix| json!(prefix))),
        ("master_name", redis.sentinel.as_ref().map(|sentinel| json!(sentinel.master_name))),
        ("priority_steps", steps),
        ("sep", redis.sep.as_ref().map(|separator| json!(separator))),
    ];
    options.into_iter().filter_map(|(name, option)| Some((name.to_owned(), option?))).collect()
}

fn of_sqs(sqs: &SqsBroker) -> Map<String, Value> {
    let mut options = Map::from_iter([("region".to_owned(), json!(sqs.region))]);
    if let Some(prefix) = &sqs.queue_name_prefix {
        options.insert("queue_name_prefix".to_owned(), json!(prefix));
    }
    if !sqs.queue_urls.is_empty() {
        // kombu looks a queue up under either name: the one of Celery when it receives, the one of SQS when it sends.
        let prefix = sqs.queue_name_prefix.as_deref().unwrap_or_default();
        let queues = sqs.queue_urls.iter().flat_map(|(name, url)| {
            [name.clone(), queue_name(prefix, name)].map(|name| (name, json!({ "url": url })))
        });
        options.insert("predefined_queues".to_owned(), queues.collect::<Map<_, _>>().into());
    }
    options
}

/// Whether a transport option is set to something that Python takes for true.
fn has_option(common: &Common, name: &str) -> bool {
    transport_options(common).is().is_some_and(|options| options.get(name).is_some_and(is_true))
}

/// Whether kombu takes a `fanout_prefix` for its usual one, as it does with all that is true and no text.
#[must_use]
pub fn is_usual(fanout_prefix: &Value) -> bool {
    fanout_prefix.as_str().map_or_else(|| is_true(fanout_prefix), |text| text == FANOUT || expands(text))
}

/// Whether Python takes a value for true.
#[must_use]
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_on) => *is_on,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn common(broker: Value) -> Common {
        serde_json::from_value(json!({ "broker": broker })).expect("a common part")
    }

    #[test]
    fn every_form_but_a_secret_tells_its_scheme() {
        let secret = |scheme: &str| json!({"urlSecretRef": {"name": "a", "key": "b"}, "scheme": scheme});
        for (broker, name, transport) in [
            (json!({"url": "Redis://cache"}), "redis", Transport::Redis),
            (json!({"url": "rediss://cache"}), "rediss", Transport::Redis),
            (json!({"url": "redis+socket:///run/redis.sock"}), "redis+socket", Transport::RedisSocket),
            (json!({"url": "amqp://a;amqp://b"}), "amqp", Transport::Amqp),
            (json!({"url": "amqp://a;redis://b"}), "amqp", Transport::Amqp),
            (json!({"url": "sqla+postgresql://db/x"}), "sqla+postgresql", Transport::Other),
            (json!({"redis": {"host": "cache"}}), "redis", Transport::Redis),
            (json!({"redis": {"host": "cache", "tls": {}}}), "rediss", Transport::Redis),
            (
                json!({"redis": {"sentinel": {"masterName": "m", "addresses": []}, "tls": {}}}),
                "sentinel",
                Transport::Sentinel,
            ),
            (json!({"rabbitmq": {"host": "mq"}}), "amqp", Transport::Amqp),
            (json!({"rabbitmq": {"host": "mq", "tls": {}}}), "amqps", Transport::Amqp),
            (json!({"sqs": {"region": "eu-west-1"}}), "sqs", Transport::Sqs),
            (secret("AMQPS"), "amqps", Transport::Amqp),
            (secret("redis+socket"), "redis+socket", Transport::RedisSocket),
        ] {
            let found = scheme(&common(broker.clone())).map(|scheme| (scheme.name, scheme.transport));
            assert_eq!(found, Effective::Is((name.to_owned(), transport)), "{broker}");
        }
    }

    #[test]
    fn variables_leave_the_scheme_as_it_is() {
        for (url, expected) in [
            ("redis://$(HOST):$(PORT)/0", Effective::Is(Transport::Redis)),
            ("sentinel://$(HOSTS)", Effective::Is(Transport::Sentinel)),
            ("amqp://$(USER):$(PASSWORD)@mq;$(OTHER)", Effective::Is(Transport::Amqp)),
            ("$(URL)", Effective::Unclear),
            ("$(SCHEME)://cache", Effective::Unclear),
            ("redis+$(FORM)://cache", Effective::Unclear),
            // `$$` is one dollar, so that nothing is left open.
            ("redis://cache:$$(PORT)/0", Effective::Unclear),
        ] {
            assert_eq!(transport(&common(json!({ "url": url }))), expected, "{url}");
        }
    }

    #[test]
    fn what_selects_nothing_is_not_guessed() {
        for broker in [
            json!({"url": "nonsense"}),
            json!({"url": "redis://cache:port"}),
            json!({"url": "redis+tls://cache"}),
            json!({"urlSecretRef": {"name": "a", "key": "b"}}),
            json!({"urlSecretRef": {"name": "a", "key": "b"}, "scheme": "rabbit"}),
        ] {
            assert_eq!(scheme(&common(broker.clone())), Effective::Unclear, "{broker}");
        }
        for broker in [json!(null), json!({}), json!({"scheme": "redis"})] {
            assert_eq!(scheme(&common(broker.clone())), Effective::Absent, "{broker}");
        }
    }

    #[test]
    fn only_some_brokers_reach_every_worker() {
        let fanout = |value: Value| json!({"supports_fanout": value});
        for (broker, expected) in [
            (json!({"url": "redis://cache"}), Effective::Is(true)),
            (json!({"url": "mongodb://db/x"}), Effective::Is(true)),
            (json!({"url": "pyro://ns"}), Effective::Is(false)),
            (json!({"url": "kafka://mq"}), Effective::Is(false)),
            (json!({"url": "sqs://"}), Effective::Is(false)),
            (json!({"sqs": {"region": "a"}, "transportOptions": fanout(json!(false))}), Effective::Is(false)),
            (json!({"sqs": {"region": "a"}, "transportOptions": fanout(json!(true))}), Effective::Is(true)),
            (json!({"sqs": {"region": "a"}, "transportOptions": fanout(json!(1))}), Effective::Is(true)),
            // No other transport looks at it.
            (json!({"url": "kafka://mq", "transportOptions": fanout(json!(true))}), Effective::Is(false)),
            (json!({"url": "$(URL)"}), Effective::Unclear),
            (json!(null), Effective::Absent),
        ] {
            assert_eq!(has_remote_control(&common(broker.clone())), expected, "{broker}");
        }
        let by_setting: Common = serde_json::from_value(
            json!({"broker": {"url": "sqs://"}, "config": {OPTIONS: {"supports_fanout": true}}}),
        )
        .expect("a common part");
        assert_eq!(has_remote_control(&by_setting), Effective::Is(true));
    }

    #[test]
    fn of_transport_options_a_setting_replaces_the_rest() {
        for (common, expected) in [
            (json!({}), Effective::Absent),
            (json!({"broker": {"redis": {"host": "cache"}}}), Effective::Absent),
            (json!({"broker": {"transportOptions": {}}}), Effective::Is(json!({}))),
            (
                json!({"broker": {"redis": {"keyPrefix": "a", "sep": ":"}, "transportOptions": {"sep": "/"}}}),
                Effective::Is(json!({"global_keyprefix": "a", "sep": "/"})),
            ),
            (
                json!({"broker": {"redis": {"keyPrefix": "a"}}, "config": {OPTIONS: {"sep": "/"}}}),
                Effective::Is(json!({"sep": "/"})),
            ),
            (
                json!({"broker": {"sqs": {"region": "a", "queueUrls": {"mail": "https://a/b"}}}}),
                Effective::Is(json!({"region": "a", "predefined_queues": {"mail": {"url": "https://a/b"}}})),
            ),
            // A URL counts before the parts.
            (json!({"broker": {"url": "redis://cache", "redis": {"sep": ":"}}}), Effective::Absent),
            (json!({"broker": {"transportOptions": "fast"}}), Effective::Unclear),
            (
                json!({"broker": {"transportOptions": "fast"}, "config": {OPTIONS: {}}}),
                Effective::Is(json!({})),
            ),
            (json!({"config": {OPTIONS: [1]}}), Effective::Unclear),
        ] {
            let read: Common = serde_json::from_value(common.clone()).expect("a common part");
            assert_eq!(transport_options(&read).map(Value::Object), expected, "{common}");
        }
    }
}
