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
        consequence: "Without the addresses of the Sentinels beat ends with a ValueError: \"Redis URL must specify one of the following schemes\". With names in redbeat_redis_use_ssl that redis-py does not know it ends with a TypeError.",
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
    if url.starts_with("sentinel://") || url.starts_with("redis-sentinel://") {
        // Without options of its own it takes those of the broker.
        let broker =
            subject.broker().and_then(|broker| broker.transport_options.as_ref()).map(|options| &options.0);
        let places = [config("redbeat_redis_options"), config("broker_transport_options"), broker];
        if !places.into_iter().flatten().any(|options| options.get("sentinels").is_some()) {
            let message = "needs redbeat_redis_options.sentinels";
            report.add(Kind::Forbidden, "spec.common.config.redbeat_redis_url", message, "add it");
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
        let sentinel = "redbeat_redis_url: 'sentinel://cache:26379/1'";
        assert_eq!(told(sentinel, redbeat), at(Severity::Warn, "redbeat_redis_url"));
        assert_eq!(told(sentinel, "shop.Scheduler"), None);
        let options = format!("{sentinel}, redbeat_redis_options: {{sentinels: [[cache, 26379]]}}");
        assert_eq!(told(&options, redbeat), None);
        let options = format!("{sentinel}, broker_transport_options: {{sentinels: [[cache, 26379]]}}");
        assert_eq!(told(&options, redbeat), None);
        let tls = |url: &str, options: &str| {
            format!("redbeat_redis_url: '{url}://cache/1', redbeat_redis_use_ssl: {{{options}}}")
        };
        let denied = at(Severity::Deny, "redbeat_redis_use_ssl.cert_reqs");
        assert_eq!(told(&tls("rediss", "cert_reqs: required"), redbeat), denied);
        assert_eq!(told(&tls("rediss", "ssl_cert_reqs: required"), redbeat), None);
        assert_eq!(told(&tls("redis", "cert_reqs: required"), redbeat), None);
    }
}
