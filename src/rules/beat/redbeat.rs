// SPDX-License-Identifier: Apache-2.0
//! Rules about what `RedBeat` is told of its Redis.

use serde_json::Value;

use crate::celery::settings::Extension;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// What AMQP calls the options that have `ssl_` before them with Redis.
const OF_AMQP: [&str; 5] = ["ca_certs", "cert_reqs", "certfile", "check_hostname", "keyfile"];

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C120", severity: Severity::Warn, schema: false, since: "0.1",
        title: "RedBeat can reach the Redis that redbeat_redis_url names",
        consequence: "RedBeat knows redis-sentinel:// and no sentinel://. Without the addresses of the Sentinels, in redbeat_redis_options or without those among the transport options, beat ends with a ValueError: \"Redis URL must specify one of the following schemes\". With names in redbeat_redis_use_ssl that redis-py does not know it ends with a TypeError.",
        check: Check::object(c120).or(Severity::Deny, "for a name in redbeat_redis_use_ssl that redis-py does not know"),
        example: Example {
            bad: "spec: {common: {config: {redbeat_redis_url: 'redis-sentinel://cache:26379/1'}}, beatSpec: {scheduler: redbeat.RedBeatScheduler}}",
            at: "spec.common.config.redbeat_redis_url",
            good: "spec: {common: {config: {redbeat_redis_url: 'redis-sentinel://cache:26379/1', redbeat_redis_options: {sentinels: [[cache, 26379]], service_name: main}}}, beatSpec: {scheduler: redbeat.RedBeatScheduler}}",
            old: None,
        },
    },
];

fn c120(subject: &Subject<'_>, report: &mut Report<'_>) {
    let scheduler = subject.beat.as_ref().and_then(|beat| beat.effective().scheduler().is());
    if !scheduler.is_some_and(|scheduler| Extension::RedBeat.has_scheduler(scheduler)) {
        return;
    }
    let config = |name: &str| subject.common().config.get(name).map(|setting| &setting.0);
    let url = config("redbeat_redis_url").and_then(Value::as_str).unwrap_or_default();
    let at = "spec.common.config.redbeat_redis_url";
    if url.starts_with("sentinel://") {
        let message = "has a scheme that RedBeat does not know";
        report.add(Kind::Invalid, at, message, "write redis-sentinel://");
    } else if url.starts_with("redis-sentinel://") {
        // Without options of its own it takes those of the broker, and with some none of them.
        let broker = || subject.broker()?.transport_options.as_ref().map(|options| &options.0);
        let brokers = || config("broker_transport_options").or_else(broker);
        let options = config("redbeat_redis_options").or_else(brokers);
        if options.is_none_or(|options| options.get("sentinels").is_none()) {
            let message = "redis-sentinel:// needs redbeat_redis_options.sentinels";
            report.add(Kind::Forbidden, at, message, "add it");
        }
    }
    let options = config("redbeat_redis_use_ssl").filter(|_| url.starts_with("rediss://"));
    for name in OF_AMQP {
        if options.is_some_and(|options| options.get(name).is_some()) {
            let path = format!("spec.common.config.redbeat_redis_use_ssl.{name}");
            let message = "is no option of a connection to Redis";
            report.graded(Severity::Deny, Kind::Forbidden, path, message, format!("write ssl_{name}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity;
    use crate::rules::tests::findings;

    #[test]
    fn redbeat_is_told_of_sentinels_and_of_tls_in_its_own_words() {
        let told = |config: &str, scheduler: &str| {
            let overlay =
                format!("spec: {{common: {{config: {{{config}}}}}, beatSpec: {{scheduler: {scheduler}}}}}");
            let found = findings(&overlay).into_iter().find(|finding| finding.rule == "C120");
            found.map(|finding| (finding.severity, finding.path))
        };
        let redbeat = "redbeat.RedBeatScheduler";
        let at = |severity, name: &str| Some((severity, format!("spec.common.config.{name}")));
        let sentinel = "redbeat_redis_url: 'redis-sentinel://cache:26379/1'";
        let warned = at(Severity::Warn, "redbeat_redis_url");
        assert_eq!(told(sentinel, redbeat), warned);
        let old = "redbeat_redis_url: 'sentinel://cache:26379/1', redbeat_redis_options: {sentinels: [[cache, 26379]]}";
        assert_eq!(told(old, redbeat), warned, "no such scheme");
        assert_eq!(told(sentinel, "shop.Scheduler"), None);
        let options = format!("{sentinel}, redbeat_redis_options: {{sentinels: [[cache, 26379]]}}");
        assert_eq!(told(&options, redbeat), None);
        let options = format!("{sentinel}, broker_transport_options: {{sentinels: [[cache, 26379]]}}");
        assert_eq!(told(&options, redbeat), None);
        let options = format!("{options}, redbeat_redis_options: {{service_name: main}}");
        assert_eq!(told(&options, redbeat), warned, "those of the broker are not looked at");
        let tls = |url: &str, options: &str| {
            format!("redbeat_redis_url: '{url}://cache/1', redbeat_redis_use_ssl: {{{options}}}")
        };
        let denied = at(Severity::Deny, "redbeat_redis_use_ssl.cert_reqs");
        assert_eq!(told(&tls("rediss", "cert_reqs: required"), redbeat), denied);
        assert_eq!(told(&tls("rediss", "ssl_cert_reqs: required"), redbeat), None);
        assert_eq!(told(&tls("redis", "cert_reqs: required"), redbeat), None);
    }
}
