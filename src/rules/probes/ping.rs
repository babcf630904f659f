// SPDX-License-Identifier: Apache-2.0
//! Rules about the probe that asks a worker through its broker.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::{Placed, custom, of_pool};
use crate::api::amount::number;
use crate::api::{Probe, ProbeRole, ProbeType, WorkerPoolKind};
use crate::effective::{self, Effective};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Pool, Subject};

/// Seconds that an answer takes at least, the start of Python included.
const ANSWER: i32 = 5;
/// Seconds that are enough even for a slow cpu.
const SLOW_ANSWER: i32 = 15;
/// Below this many cpus the start of Python alone takes seconds.
const SLOW_CPU: f64 = 0.5;
/// Seconds between two questions that are asked for ever.
const PERIOD: i32 = 30;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "G12", severity: Severity::Deny, schema: false, since: "0.1",
        title: "solo cannot answer a ping while a task runs",
        consequence: "The probe fails during every task, and the container is restarted in the middle of it.",
        check: Check::object(g12),
        example: Example {
            bad: "spec: {workerSpec: {pool: solo, probes: {startup: {type: Ping}}}}",
            at: "spec.workerSpec.probes.startup.type",
            good: "spec: {workerSpec: {pool: solo, probes: {startup: {type: Heartbeat}}}}",
            old: None,
        },
    },
    Rule {
        id: "G13", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a ping needs a broker that reaches every worker, and a worker that listens where it is asked",
        consequence: "The probe knows the URL of the broker and no settings: with another prefix of keys, separator, exchange, form of messages or TLS nobody ever answers, and the container is restarted for ever. With amqps it trusts the authorities of the image and has no certificate of its own.",
        check: Check::object(g13).or(Severity::Warn, "for amqps with certificates that the ping does not know"),
        example: Example {
            bad: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}}}, workerSpec: {probes: {startup: {type: Ping}}}}",
            at: "spec.workerSpec.probes.startup.type",
            good: "spec: {common: {broker: {url: null, sqs: {region: eu-west-1}}}, workerSpec: {probes: {startup: {type: None}}}}",
            old: None,
        },
    },
    Rule {
        id: "G14", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a ping gets the time that it takes",
        consequence: "A ping starts Python, which takes a second of a whole cpu; the probe times out on workers that are well.",
        check: Check::object(g14),
        example: Example {
            bad: "spec: {workerSpec: {probes: {startup: {type: Ping, timeoutSeconds: 2}}}}",
            at: "spec.workerSpec.probes.startup.timeoutSeconds",
            good: "spec: {workerSpec: {probes: {startup: {type: Ping, timeoutSeconds: 15}}}}",
            old: None,
        },
    },
    Rule {
        id: "G15", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a ping decides over starts only",
        consequence: "When the broker is away for a moment, every worker is restarted.",
        check: Check::object(g15),
        example: Example {
            bad: "spec: {workerSpec: {probes: {liveness: {type: Ping}}}}",
            at: "spec.workerSpec.probes.liveness.type",
            good: "spec: {workerSpec: {probes: {startup: {type: Ping}, liveness: {type: None}}}}",
            old: None,
        },
    },
];

/// The pings of a pool.
fn pings<'a>(pool: &Pool<'a>) -> impl Iterator<Item = Placed<'a>> {
    of_pool(pool).filter(|one| one.is(ProbeType::Ping))
}

/// Whether no ping can ever be answered; other rules tell why.
fn is_in_vain(subject: &Subject<'_>, pool: &Pool<'_>) -> bool {
    pool.kind() == Some(WorkerPoolKind::Solo)
        || lacks_fanout(subject)
        || is_deaf(pool)
        || pool.effective().deafened_by().is_some()
}

/// Whether it was told not to listen to anybody.
fn is_deaf(pool: &Pool<'_>) -> bool {
    pool.effective().listens() == Effective::Is(false)
}

fn g12(subject: &Subject<'_>, report: &mut Report<'_>) {
    // Otherwise nobody would answer even between tasks, of which another rule tells.
    let is_solo = |pool: &&Pool<'_>| {
        pool.kind() == Some(WorkerPoolKind::Solo) && !is_deaf(pool) && !lacks_fanout(subject)
    };
    for Placed { path, .. } in subject.pools.iter().filter(is_solo).flat_map(pings) {
        let message = "a solo worker cannot answer while a task runs";
        report.add(Kind::Invalid, format!("{path}.type"), message, "use Heartbeat or None");
    }
}

fn g13(subject: &Subject<'_>, report: &mut Report<'_>) {
    let pings = subject.pools.iter().flat_map(|pool| pings(pool).map(move |ping| (pool, ping.path)));
    for (pool, path) in pings {
        let message = match (lacks_fanout(subject), is_deaf(pool)) {
            (true, _) => "this broker carries no remote control: nobody would answer".to_owned(),
            (false, true) => "worker_enable_remote_control is off: nobody would answer".to_owned(),
            (false, false) => match pool.effective().deafened_by() {
                Some(name) => format!("the ping does not know {name}: nobody would answer"),
                None if has_unknown_certificates(pool, subject) => {
                    let message = "the ping knows no certificates but the image's";
                    report.warn(Kind::Invalid, format!("{path}.type"), message, "use Heartbeat or None");
                    continue;
                }
                None => continue,
            },
        };
        report.add(Kind::Invalid, format!("{path}.type"), message, "use Heartbeat or None");
    }
}

/// Whether the broker may have to be trusted, or to trust, by certificates that only settings name.
fn has_unknown_certificates(pool: &Pool<'_>, subject: &Subject<'_>) -> bool {
    let is_encrypted = effective::broker::scheme(subject.common()).is().is_some_and(|it| it.name == "amqps");
    let rabbitmq = subject.broker().and_then(|broker| broker.rabbitmq.as_ref());
    let typed = rabbitmq.and_then(|rabbitmq| rabbitmq.tls.as_ref());
    let setting = subject.common().config.get("broker_use_ssl");
    let is_named = setting.is_some_and(|setting| {
        ["ca_certs", "certfile", "keyfile"].iter().any(|name| setting.0.get(name).is_some())
    });
    is_encrypted
        && !pool.effective().pings_by_variable()
        && (is_named || typed.is_some_and(|tls| tls.ca_secret_ref.is_some()))
}

pub(super) fn lacks_fanout(subject: &Subject<'_>) -> bool {
    effective::broker::has_remote_control(subject.common()) == Effective::Is(false)
}

fn g14(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let needed = if has_slow_cpu(pool) { SLOW_ANSWER } else { ANSWER };
        for Placed { role, path, probe } in asking(pool).filter(|_| !is_in_vain(subject, pool)) {
            // A period of zero is Kubernetes' own default, and so is no period.
            let is_for_ever = role == ProbeRole::Readiness;
            if too_short(probe, needed) {
                report.add(
                    Kind::Invalid,
                    format!("{path}.timeoutSeconds"),
                    "is less than a ping may take",
                    format!("use {needed} or more"),
                );
            } else if is_for_ever
                && probe.period_seconds.is_some_and(|seconds| (0..PERIOD).contains(&seconds))
            {
                report.add(
                    Kind::Invalid,
                    format!("{path}.periodSeconds"),
                    "takes a second of cpu that often",
                    format!("use {PERIOD} or more"),
                );
            }
        }
    }
}

/// The pings of a pool, those by a command of the user's own too.
fn asking<'a>(pool: &Pool<'a>) -> impl Iterator<Item = Placed<'a>> {
    of_pool(pool).filter(|one| match one.probe.type_.known() {
        Some(ProbeType::Ping) => true,
        Some(ProbeType::Custom) => custom::pings(&one.probe.command).is_some(),
        _ => false,
    })
}

/// Whether a ping is cut off: a command of the user's own has one second where nobody says more.
fn too_short(probe: &Probe, needed: i32) -> bool {
    let usual = (probe.type_.known() == Some(ProbeType::Custom)).then_some(1);
    probe.timeout_seconds.or(usual).is_some_and(|seconds| (0..needed).contains(&seconds))
}

fn has_slow_cpu(pool: &Pool<'_>) -> bool {
    let limits = pool.spec.resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let cpu = limits.and_then(|limits| limits.get("cpu")).and_then(|Quantity(text)| number(text));
    cpu.is_some_and(|cpu| cpu > 0.0 && cpu < SLOW_CPU)
}

fn g15(subject: &Subject<'_>, report: &mut Report<'_>) {
    for pool in &subject.pools {
        let decides = |one: &Placed<'_>| one.role == ProbeRole::Liveness && !is_in_vain(subject, pool);
        for Placed { path, .. } in pings(pool).filter(decides) {
            let message = "restarts every worker when the broker is away";
            report.add(Kind::Invalid, format!("{path}.type"), message, "use None");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity;
    use crate::rules::tests::findings;

    #[test]
    fn a_ping_that_looks_elsewhere_than_the_worker_is_denied() {
        let told = |common: &str, worker: &str| {
            let overlay = format!(
                "spec: {{common: {{{common}}}, workerSpec: {{probes: {{startup: {{type: Ping}}}}, {worker}}}}}"
            );
            let found = findings(&overlay).into_iter().filter(|finding| finding.rule == "G13");
            found.map(|finding| finding.message).collect::<Vec<_>>()
        };
        let options = |options: &str| format!("broker: {{transportOptions: {{{options}}}}}");
        for (common, worker, name) in [
            (options("global_keyprefix: shop"), "", "global_keyprefix"),
            (options("sep: ':'"), "", "sep"),
            (options("fanout_prefix: false"), "", "fanout_prefix"),
            (options("fanout_prefix: '/a.'"), "", "fanout_prefix"),
            (options("fanout_prefix: ''"), "", "fanout_prefix"),
            (options("fanout_prefix: 0"), "", "fanout_prefix"),
            ("broker: {url: null, redis: {host: cache, keyPrefix: a}}".to_owned(), "", "global_keyprefix"),
            ("broker: {url: null, redis: {host: cache, sep: ':'}}".to_owned(), "", "sep"),
            ("config: {control_exchange: shop}".to_owned(), "", "control_exchange"),
            ("config: {accept_content: [pickle, yaml]}".to_owned(), "", "accept_content"),
            (
                "config: {task_serializer: yaml, accept_content: [json, yaml]}".to_owned(),
                "",
                "task_serializer",
            ),
            ("config: {broker_use_ssl: {ssl_cert_reqs: required}}".to_owned(), "", "broker_use_ssl"),
            (
                "broker: {url: 'amqp://app@mq'}, config: {broker_use_ssl: true}".to_owned(),
                "",
                "broker_use_ssl",
            ),
            (
                "broker: {url: 'sentinel://cache:26379', transportOptions: {master_name: main}}".to_owned(),
                "",
                "master_name",
            ),
            (
                String::new(),
                r#"args: ['--', 'broker.transport_options=(dict){"global_keyprefix":"a"}']"#,
                "global_keyprefix",
            ),
            (String::new(), "args: ['--', control.exchange=shop]", "control_exchange"),
            (String::new(), "args: ['--', task_serializer=yaml]", "task_serializer"),
            (String::new(), r#"args: ['--', 'accept.content=(list)["yaml"]']"#, "accept_content"),
            (
                String::new(),
                r#"args: ['--', 'broker.use_ssl=(dict){"ssl_cert_reqs":"none"}']"#,
                "broker_use_ssl",
            ),
            (
                "config: {task_serializer: json}".to_owned(),
                "args: ['--', task_serializer=yaml]",
                "task_serializer",
            ),
        ] {
            let expected = format!("the ping does not know {name}: nobody would answer");
            assert_eq!(told(&common, worker), [expected], "{common} {worker}");
        }
        for (common, worker) in [
            (options("visibility_timeout: 60, fanout_patterns: false, fanout_prefix: true"), ""),
            (options("fanout_prefix: '/{db}.'"), ""),
            (options("fanout_prefix: 1"), ""),
            ("config: {control_exchange: shop}, env: [{name: CELERY_APP, value: shop.other}]".to_owned(), ""),
            ("config: {accept_content: [pickle, application/json]}".to_owned(), ""),
            ("config: {control_exchange: shop}, env: [{name: APP, value: shop.tasks}]".to_owned(), ""),
            ("config: {control_exchange: celery, broker_use_ssl: false}".to_owned(), ""),
            ("config: {control_exchange: shop}".to_owned(), "args: ['--', control.exchange=celery]"),
            ("config: {control_exchange: shop}".to_owned(), "args: ['--', control.exchange=$(NAME)]"),
            (String::new(), r#"args: ['--', 'accept.content=(list)["json","yaml"]']"#),
            ("config: {broker_use_ssl: true, task_serializer: json}".to_owned(), ""),
            ("broker: null, config: {accept_content: [pickle]}".to_owned(), ""),
            ("broker: {url: 'amqp://app@mq', transportOptions: {sep: ':'}}".to_owned(), ""),
            (String::new(), r#"args: ['--', 'broker.transport_options=(dict){"visibility_timeout":60}']"#),
        ] {
            assert_eq!(told(&common, worker), [] as [String; 0], "{common} {worker}");
        }
    }

    #[test]
    fn a_ping_of_amqps_may_not_trust_the_broker() {
        let told = |common: &str| {
            let overlay = format!(
                "spec: {{common: {{{common}}}, workerSpec: {{probes: {{startup: {{type: Ping}}}}}}}}"
            );
            let found = findings(&overlay).into_iter().find(|finding| finding.rule == "G13");
            found.map(|finding| finding.severity)
        };
        let typed = |tls: &str| format!("broker: {{url: null, rabbitmq: {{host: mq, tls: {tls}}}}}");
        let url = |options: &str| {
            format!("broker: {{url: 'amqps://app@mq'}}, config: {{broker_use_ssl: {options}}}")
        };
        for (common, expected) in [
            (typed("{caSecretRef: {name: ca, key: ca.crt}}"), Some(Severity::Warn)),
            (typed("{}"), None),
            (url("{ca_certs: /a}"), Some(Severity::Warn)),
            (url("{certfile: /a, keyfile: /b}"), Some(Severity::Warn)),
            (url("{cert_reqs: 2}"), None),
            (format!("{}, env: [{{name: APP, value: shop.tasks}}]", url("{ca_certs: /a}")), None),
        ] {
            assert_eq!(told(&common), expected, "{common}");
        }
    }
}
