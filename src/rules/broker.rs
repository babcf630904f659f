// SPDX-License-Identifier: Apache-2.0
//! Rules about the broker.

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::subject::Subject;
use crate::celery::broker_url::{Defect, Endpoint, Transport, masked};

const URL: &str = "spec.common.broker.url";

/// What `ssl_cert_reqs` may be in a broker URL.
const CERT_REQS: &[&str] = &["required", "optional", "none", "CERT_REQUIRED", "CERT_OPTIONAL", "CERT_NONE"];

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "B02", severity: Severity::Deny, schema: false, since: "0.1",
        title: "task_queue_length needs a broker to look into",
        consequence: "No trigger can be made, and the pool never scales.",
        check: Check::object(b02),
        example: Example {
            bad: "spec: {common: {broker: null}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.common.broker",
            good: "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "B03", severity: Severity::Deny, schema: true, since: "0.1",
        title: "the broker has exactly one form",
        consequence: "Nobody could tell which broker is meant.",
        check: Check::object(b03),
        example: Example { bad: "spec: {common: {broker: {urlSecretRef: {name: broker, key: url}}}}", at: "spec.common.broker", good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}}}}", old: None },
    },
    Rule {
        id: "B04", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a broker URL has a scheme",
        consequence: "Celery takes the text for the name of an AMQP host and retries for ever; the pod looks healthy.",
        check: Check::object(b04),
        example: Example { bad: "spec: {common: {broker: {url: 'cache:6379'}}}", at: URL, good: "spec: {common: {broker: {url: 'redis://cache:6379'}}}", old: None },
    },
    Rule {
        id: "B05", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the scheme is one that Celery knows",
        consequence: "The worker crashes with \"No such transport\".",
        check: Check::object(b05),
        example: Example { bad: "spec: {common: {broker: {url: 'rabbitmq://mq'}}}", at: URL, good: "spec: {common: {broker: {url: 'amqp://app@mq'}}}", old: None },
    },
    Rule {
        id: "B06", severity: Severity::Deny, schema: false, since: "0.1",
        title: "Redis Cluster cannot be a broker",
        consequence: "Celery reads it as plain Redis and connects to localhost.",
        check: Check::object(b06),
        example: Example { bad: "spec: {common: {broker: {url: 'redis+cluster://cache'}}}", at: URL, good: "spec: {common: {broker: {url: 'redis://cache'}}}", old: None },
    },
    Rule {
        id: "B07", severity: Severity::Deny, schema: false, since: "0.1",
        title: "no compound scheme that Celery takes for a host",
        consequence: "Celery looks for a host of a wrong name and retries for ever.",
        check: Check::object(b07),
        example: Example { bad: "spec: {common: {broker: {url: 'amqp+ssl://mq'}}}", at: URL, good: "spec: {common: {broker: {url: 'amqps://app@mq'}}}", old: None },
    },
    Rule {
        id: "B08", severity: Severity::Deny, schema: false, since: "0.1",
        title: "db+ is the form of a result backend",
        consequence: "The worker crashes with \"No such transport: db\".",
        check: Check::object(b08),
        example: Example { bad: "spec: {common: {broker: {url: 'db+postgresql://db/tasks'}}}", at: URL, good: "spec: {common: {broker: {url: 'sqla+postgresql://db/tasks'}}}", old: None },
    },
    Rule {
        id: "B09", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the port is a port",
        consequence: "The worker crashes with \"Port could not be cast to integer\" or \"Port out of range\".",
        check: Check::field(
            &["spec.common.broker.redis.port", "spec.common.broker.rabbitmq.port"],
            "use a port from 1 to 65535",
        ).and(b09),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://cache:99999/0'}}}", at: URL, good: "spec: {common: {broker: {url: 'redis://cache:6380/0'}}}", old: None },
    },
    Rule {
        id: "B10", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a password in a URL is percent-encoded",
        consequence: "The password ends the host part; the worker crashes with an error about the port.",
        check: Check::object(b10),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://:p#ss@cache'}}}", at: URL, good: "spec: {common: {broker: {url: null, redis: {host: cache, passwordSecretRef: {name: cache, key: password}}}}}", old: None },
    },
    Rule {
        id: "B11", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a Redis database is a number, and ';' separates failover URLs",
        consequence: "The worker crashes with \"Database is int between 0 and limit - 1\".",
        check: Check::field(&["spec.common.broker.redis.db"], "use 0 or more").and(b11),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://cache/tasks'}}}", at: URL, good: "spec: {common: {broker: {url: 'redis://cache/2'}}}", old: None },
    },
    Rule {
        id: "B12", severity: Severity::Warn, schema: false, since: "0.1",
        title: "Redis has 16 databases by default",
        consequence: "Redis answers \"DB index is out of range\", and the worker retries for ever.",
        check: Check::object(b12),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://cache/99'}}}", at: URL, good: "spec: {common: {broker: {url: 'redis://cache/15'}}}", old: None },
    },
    Rule {
        id: "B14", severity: Severity::Deny, schema: false, since: "0.1",
        title: "ssl_cert_reqs is a word that Celery knows",
        consequence: "The worker crashes with a KeyError.",
        check: Check::object(b14),
        example: Example { bad: "spec: {common: {broker: {url: 'rediss://cache?ssl_cert_reqs=bogus'}}}", at: URL, good: "spec: {common: {broker: {url: 'rediss://cache?ssl_cert_reqs=required'}}}", old: None },
    },
    Rule {
        id: "B20", severity: Severity::Deny, schema: false, since: "0.1",
        title: "memory:// is private to one process",
        consequence: "The worker starts and never sees a task of another pod.",
        check: Check::object(b20),
        example: Example { bad: "spec: {common: {broker: {url: 'memory://'}}}", at: URL, good: "spec: {common: {broker: {url: 'redis://cache'}}}", old: None },
    },
    Rule {
        id: "B25", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a URL has no white space",
        consequence: "The worker crashes, or works while the autoscaler refuses the same URL.",
        check: Check::object(b25),
        example: Example { bad: "spec: {common: {broker: {url: ' redis://cache'}}}", at: URL, good: "spec: {common: {broker: {url: 'redis://cache'}}}", old: None },
    },
    Rule {
        id: "B26", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a password in the object is readable",
        consequence: "Whoever may read the object, the repository or a backup of etcd reads the password.",
        check: Check::object(b26),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://:hush@cache'}}}", at: URL, good: "spec: {common: {broker: {url: null, urlSecretRef: {name: broker, key: url}}}}", old: None },
    },
    Rule {
        id: "B27", severity: Severity::Warn, schema: false, since: "0.1",
        title: "localhost is the pod itself",
        consequence: "The worker asks its own pod for a broker and retries for ever.",
        check: Check::object(b27),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://localhost:6379/0'}}}", at: URL, good: "spec: {common: {broker: {url: 'redis://cache.shop.svc:6379/0'}}}", old: None },
    },
    Rule {
        id: "B28", severity: Severity::Deny, schema: false, since: "0.1",
        title: "every element of a failover list is a URL",
        consequence: "Accepted at start; breaks at the first failover.",
        check: Check::object(b28),
        example: Example { bad: "spec: {common: {broker: {url: 'amqp://app@a;b:5672'}}}", at: URL, good: "spec: {common: {broker: {url: 'amqp://app@a;amqp://app@b'}}}", old: None },
    },
    Rule {
        id: "B29", severity: Severity::Warn, schema: false, since: "0.1",
        title: "failover URLs have one scheme",
        consequence: "Works until a failover; no autoscaler can follow.",
        check: Check::object(b29),
        example: Example { bad: "spec: {common: {broker: {url: 'amqp://app@a;redis://b'}}}", at: URL, good: "spec: {common: {broker: {url: 'amqp://app@a;amqp://app@b'}}}", old: None },
    },
];

/// Tells about every element of the URL with a defect that `words` has words for: what is wrong, what to write.
fn defects(subject: &Subject<'_>, report: &mut Report<'_>, words: impl Fn(&Defect, usize) -> Option<String>) {
    let Some(url) = subject.broker().and_then(|broker| broker.url.as_deref()) else {
        return;
    };
    for (index, element) in subject.urls.iter().enumerate() {
        let Err(defect) = element else { continue };
        if let Some(fix) = words(defect, index) {
            let message = if subject.urls.len() == 1 {
                defect.to_string()
            } else {
                format!("failover URL {} {defect}", index + 1)
            };
            report.add_shown(report.severity(), URL, &masked(url), message, fix);
        }
    }
}

fn b02(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.broker().is_none() && subject.queue_metric().is_some() {
        report.add(
            Kind::Required,
            "spec.common.broker",
            "task_queue_length needs to know the broker",
            "set one of url, urlSecretRef, redis, rabbitmq, sqs",
        );
    }
}

fn b03(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(broker) = subject.broker() else { return };
    let forms = broker.forms();
    let (kind, what) = match forms.len() {
        1 => return,
        0 => (Kind::Required, "no form of the broker is set".to_owned()),
        _ => (Kind::Forbidden, format!("{} are set together", forms.join(" and "))),
    };
    report.add(
        kind,
        "spec.common.broker",
        what,
        "set exactly one of url, urlSecretRef, redis, rabbitmq, sqs",
    );
}

fn b04(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.urls.len() > 1 && subject.urls.iter().any(Result::is_ok) {
        return; // B28 tells about elements of a list.
    }
    defects(subject, report, |defect, index| match defect {
        Defect::NoScheme => Some("write it as redis://host:6379/0 or amqp://user@host:5672//".to_owned()),
        Defect::Empty if index == 0 => Some("set a URL such as redis://host:6379/0".to_owned()),
        _ => None,
    });
}

fn b05(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| match defect {
        Defect::UnknownScheme { meant: Some(meant), .. } => Some(format!("did you mean {meant}://?")),
        Defect::UnknownScheme { meant: None, .. } => {
            Some("use redis://, rediss://, sentinel://, amqp://, amqps:// or sqs://".to_owned())
        }
        _ => None,
    });
}

fn b06(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| {
        matches!(defect, Defect::RedisCluster)
            .then(|| "use a Redis without cluster mode, or RabbitMQ".to_owned())
    });
}

fn b07(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| match defect {
        Defect::CompoundScheme { meant: Some(meant), .. } => Some(format!("use {meant}://")),
        Defect::CompoundScheme { meant: None, .. } => {
            Some("use the scheme without what follows \"+\"".to_owned())
        }
        _ => None,
    });
}

fn b08(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| {
        matches!(defect, Defect::BackendScheme)
            .then(|| "a broker in a database is written sqla+…://".to_owned())
    });
}

fn b09(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| {
        matches!(defect, Defect::Port).then(|| "use a port from 1 to 65535".to_owned())
    });
}

fn b10(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| match defect {
        Defect::PasswordNotEncoded(letter) => Some(format!(
            "write it as %{:02X}, or use redis or rabbitmq with passwordSecretRef",
            u32::from(*letter)
        )),
        _ => None,
    });
}

fn b11(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| match defect {
        Defect::Database => Some("end the URL with a number: redis://host:6379/0".to_owned()),
        Defect::CommaList => Some("separate failover URLs by \";\"".to_owned()),
        _ => None,
    });
}

fn b12(subject: &Subject<'_>, report: &mut Report<'_>) {
    let message = "Redis has the databases 0 to 15 unless it is configured otherwise";
    let too_high = |db: u32| db > 15;
    for endpoint in redis(subject).filter(|endpoint| endpoint.database().is_some_and(too_high)) {
        report.add_shown(report.severity(), URL, &endpoint.path, message, "use a database from 0 to 15");
    }
    let typed = subject.broker().and_then(|broker| broker.redis.as_ref()).and_then(|redis| redis.db);
    if typed.and_then(|db| u32::try_from(db).ok()).is_some_and(too_high) {
        report.add(Kind::Invalid, "spec.common.broker.redis.db", message, "use a database from 0 to 15");
    }
}

fn b14(subject: &Subject<'_>, report: &mut Report<'_>) {
    for endpoint in redis(subject) {
        let written = endpoint.parameter("ssl_cert_reqs");
        if let Some(written) = written.filter(|written| !CERT_REQS.contains(written)) {
            report.add_shown(
                report.severity(),
                URL,
                written,
                "ssl_cert_reqs has a value that Celery does not know",
                "use one of required, optional, none",
            );
        }
    }
}

fn b20(subject: &Subject<'_>, report: &mut Report<'_>) {
    if good(subject).any(|endpoint| endpoint.transport == Transport::Memory) {
        let message = "memory:// cannot carry tasks between pods";
        report.add(Kind::Invalid, URL, message, "use a broker such as redis:// or amqp://");
    }
}

fn b25(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| {
        matches!(defect, Defect::WhiteSpace).then(|| "remove the white space".to_owned())
    });
}

fn b26(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(url) = subject.broker().and_then(|broker| broker.url.as_deref()) else {
        return;
    };
    let readable = |password: &Option<String>| password.as_ref().is_some_and(|text| !text.contains("$("));
    if good(subject).any(|endpoint| readable(&endpoint.password)) {
        report.add_shown(
            report.severity(),
            URL,
            &masked(url),
            "holds a readable password",
            "use urlSecretRef",
        );
    }
}

fn b27(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_local = |host: &str| matches!(host, "localhost" | "::1") || host.starts_with("127.");
    let (message, fix) = ("is the worker's own pod", "use the name of the broker's Service");
    for endpoint in good(subject).filter(|endpoint| is_local(&endpoint.host)) {
        report.add_shown(report.severity(), URL, &endpoint.host, message, fix);
    }
    let Some(broker) = subject.broker() else { return };
    for (host, path) in [
        (broker.redis.as_ref().map(|redis| redis.host.as_str()), "spec.common.broker.redis.host"),
        (broker.rabbitmq.as_ref().map(|rabbitmq| rabbitmq.host.as_str()), "spec.common.broker.rabbitmq.host"),
    ] {
        if host.is_some_and(is_local) {
            report.add(Kind::Invalid, path, message, fix);
        }
    }
}

fn b28(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.urls.len() < 2 || subject.urls.iter().all(Result::is_err) {
        return; // B04 tells about a text that is no URL at all.
    }
    defects(subject, report, |defect, _| match defect {
        Defect::NoScheme => Some("give every failover URL its scheme".to_owned()),
        Defect::Empty => Some("remove the \";\" too many".to_owned()),
        _ => None,
    });
}

fn b29(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(url) = subject.broker().and_then(|broker| broker.url.as_deref()) else {
        return;
    };
    let mut schemes: Vec<&str> = good(subject).map(|endpoint| endpoint.scheme.as_str()).collect();
    schemes.dedup();
    if schemes.len() > 1 {
        // An autoscaler looks at one broker: with one, the list cannot work at all.
        let severity = if subject.queue_metric().is_some() { Severity::Deny } else { report.severity() };
        report.add_shown(
            severity,
            URL,
            &masked(url),
            format!("failover URLs have the schemes {}", schemes.join(" and ")),
            "use one scheme for all",
        );
    }
}

/// The elements of the URL that could be read.
fn good<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = &'s Endpoint> {
    subject.urls.iter().filter_map(|element| element.as_ref().ok())
}

fn redis<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = &'s Endpoint> {
    good(subject).filter(|endpoint| matches!(endpoint.transport, Transport::Redis | Transport::Sentinel))
}
