// SPDX-License-Identifier: Apache-2.0
//! Rules about the form of a broker URL: what kombu would read otherwise, or not at all.

mod parameters;
mod placeholders;
mod ports;
pub(super) mod schemes;

use super::good;
use crate::celery::broker_url::{Defect, Endpoint, Transport, masked};
use crate::celery::url::{Fault, doubtful, line, may_hide};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path::BROKER_URL;
use crate::rules::placeholder::unfilled;
use crate::rules::quoting::quoted;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;
use parameters::{b13, b14, b16};
use placeholders::b59;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B04", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a broker URL has a scheme",
        consequence: "Celery takes the text for the name of an AMQP host and retries for ever; the pod looks healthy.",
        check: Check::object(b04),
        example: Example { bad: "spec: {common: {broker: {url: 'cache:6379'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://cache:6379'}}}", old: None },
    },
    Rule {
        id: "B09", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the port is a port",
        consequence: "The worker crashes with \"Port could not be cast to integer\" or \"Port out of range\".",
        check: Check::field(
            &["spec.common.broker.redis.port", "spec.common.broker.rabbitmq.port"],
            "use a port from 1 to 65535",
        ).and(b09),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://cache:99999/0'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://cache:6380/0'}}}", old: None },
    },
    Rule {
        id: "B10", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a password in a URL is percent-encoded",
        consequence: "The password ends the host part; the worker crashes with an error about the port, or asks a wrong host for ever.",
        check: Check::object(b10).or(Severity::Warn, "where the URL can be read all the same, and its password only seems unencoded"),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://:p#ss@cache'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: null, redis: {host: cache, passwordSecretRef: {name: cache, key: password}}}}}", old: None },
    },
    Rule {
        id: "B11", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a Redis database is a number, and ';' separates failover URLs",
        consequence: "The worker crashes with \"Database is int between 0 and limit - 1\".",
        check: Check::field(&["spec.common.broker.redis.db"], "use 0 or more").and(b11),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://cache/tasks'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://cache/2'}}}", old: None },
    },
    Rule {
        id: "B13", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a broker URL has no parameters but those of a connection",
        consequence: "The worker crashes with \"got an unexpected keyword argument\".",
        check: Check::object(b13),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://cache?visibility_timeout=7200'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://cache', transportOptions: {visibility_timeout: 7200}}}}", old: None },
    },
    Rule {
        id: "B14", severity: Severity::Deny, schema: false, since: "0.1",
        title: "ssl_cert_reqs is a word that Celery knows",
        consequence: "The worker crashes with a KeyError.",
        check: Check::object(b14),
        example: Example { bad: "spec: {common: {broker: {url: 'rediss://cache:6380?ssl_cert_reqs=bogus'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'rediss://cache:6380?ssl_cert_reqs=required'}}}", old: None },
    },
    Rule {
        id: "B16", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the URL of an AMQP broker says nothing about certificates",
        consequence: "The worker crashes: the client of AMQP has other names for these parameters.",
        check: Check::object(b16),
        example: Example { bad: "spec: {common: {broker: {url: 'amqps://app@mq?ssl_ca_certs=/ca.pem'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'amqps://app@mq'}}}", old: None },
    },
    Rule {
        id: "B25", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a URL has no white space",
        consequence: "The worker crashes, or works while the autoscaler refuses the same URL.",
        check: Check::object(b25).or(Severity::Warn, "for a line break at the end, which Celery takes away, unless an autoscaler follows the queues"),
        example: Example { bad: "spec: {common: {broker: {url: ' redis://cache'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://cache'}}}", old: None },
    },
    Rule {
        id: "B28", severity: Severity::Deny, schema: false, since: "0.1",
        title: "every element of a failover list is a URL, and one that may stand in a list",
        consequence: "Accepted at start; breaks at the first failover.",
        check: Check::object(b28),
        example: Example { bad: "spec: {common: {broker: {url: 'amqp://app@a;b:5672'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'amqp://app@a;amqp://app@b'}}}", old: None },
    },
    Rule {
        id: "B42", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the host part of a URL holds a host",
        consequence: "The worker crashes with \"Invalid IPv6 URL\" or \"contains invalid characters under NFKC normalization\".",
        check: Check::object(b42),
        example: Example { bad: "spec: {common: {broker: {url: 'redis://[cache]:6379/0'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis://[fd00::1]:6379/0'}}}", old: None },
    },
    Rule {
        id: "B43", severity: Severity::Deny, schema: false, since: "0.1",
        title: "redis+socket:// names a socket",
        consequence: "The worker asks for a socket without a name and retries for ever.",
        check: Check::object(b43),
        example: Example { bad: "spec: {common: {broker: {url: 'redis+socket://'}}}", at: BROKER_URL, good: "spec: {common: {broker: {url: 'redis+socket:///run/redis.sock'}}}", old: None },
    },
    Rule {
        id: "B59", severity: Severity::Deny, schema: false, since: "0.1",
        title: "nothing in a URL waits to be filled in",
        consequence: "Kubernetes fills in $(NAME) alone. Celery asks for a host of that name, or takes the text for the password or the virtual host, and retries for ever.",
        check: Check::object(b59).or(Severity::Warn, "for a user or a path with no brackets around the name, which may be meant as it is"),
        example: Example {
            bad: "spec: {common: {broker: {url: 'redis://${REDIS_HOST}:6379/0'}}}",
            at: BROKER_URL,
            good: "spec: {common: {broker: {url: 'redis://$(REDIS_HOST):6379/0'}, env: [{name: REDIS_HOST, value: cache}]}}",
            old: None,
        },
    },
];

/// Tells about every element of the URL with a defect that `words` has words for: what is wrong, what to write.
fn defects(subject: &Subject<'_>, report: &mut Report<'_>, words: impl Fn(&Defect, usize) -> Option<String>) {
    // What is to be filled in is told of by itself; all else follows from it.
    let Some(url) = subject.broker_url().filter(|url| unfilled(url).is_none()) else {
        return;
    };
    for (index, element) in subject.urls.iter().enumerate() {
        let Err(defect) = element else { continue };
        if let Some(fix) = words(defect, index) {
            // Behind an unencoded "?" the name of a parameter may be a piece of a password.
            let told = if may_hide(url) && !matches!(defect, Defect::Url(_)) {
                defect.unquoted()
            } else {
                defect.to_string()
            };
            let message =
                if subject.urls.len() == 1 { told } else { format!("failover URL {} {told}", index + 1) };
            report.add_shown(report.severity(), subject.broker_place(), &masked(url), message, fix);
        }
    }
}

fn b04(subject: &Subject<'_>, report: &mut Report<'_>) {
    let is_text = |element: &Result<_, Defect>| matches!(element, Err(Defect::NoScheme | Defect::Empty));
    if !subject.urls.iter().all(is_text) {
        return; // B28 tells about elements of a list.
    }
    let url = subject.broker_url().unwrap_or_default();
    let variable = shell_variable(url);
    defects(subject, report, |defect, index| match defect {
        Defect::NoScheme if let Some(name) = variable => {
            Some(format!("write $({name}), with {name} among spec.common.env"))
        }
        Defect::NoScheme => {
            let host = host(url).unwrap_or("host");
            Some(format!("write redis://{host}:6379/0 or amqp://user@{host}:5672//"))
        }
        Defect::Empty if index == 0 => Some("set a URL such as redis://host:6379/0".to_owned()),
        _ => None,
    });
}

/// The host in a text that is no more than a host, with a port or without.
fn host(text: &str) -> Option<&str> {
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    let is_name = (1..=40).contains(&host.len())
        && host
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte));
    // What may be a password is not repeated.
    (is_name && port.bytes().all(|byte| byte.is_ascii_digit()) && quoted(text) == text).then_some(host)
}

/// The name of the variable that is the whole of a text, as a shell or compose would write it.
fn shell_variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let is_name = !name.is_empty() && name.len() <= 64 && name.chars().all(is_letter);
    (is_name && !name.starts_with(|first: char| first.is_ascii_digit())).then_some(name)
}

fn b09(subject: &Subject<'_>, report: &mut Report<'_>) {
    let url = subject.broker_url().unwrap_or_default();
    let elements: Vec<&str> = url.split(';').collect();
    defects(subject, report, |defect, index| {
        let element = elements.get(index).copied().unwrap_or_default();
        matches!(defect, Defect::Url(Fault::Port)).then(|| ports::instead(element))
    });
}

fn b10(subject: &Subject<'_>, report: &mut Report<'_>) {
    let url = subject.broker_url().unwrap_or_default();
    let is_sqs = url.to_lowercase().starts_with("sqs://");
    let form = match url.split_once("://").map(|(scheme, _)| scheme.to_lowercase()).as_deref() {
        Some("redis" | "rediss") => Some("redis"),
        Some("amqp" | "amqps" | "pyamqp") => Some("rabbitmq"),
        _ => None,
    };
    defects(subject, report, |defect, _| match defect {
        Defect::Url(Fault::Unencoded(_)) if is_sqs => {
            Some("set broker.sqs, and the keys as AWS variables from a Secret".to_owned())
        }
        Defect::Url(Fault::Unencoded(letter)) => {
            let write = format!("write %{:02X}", u32::from(*letter));
            Some(match form {
                Some(form) => format!("{write}, or set broker.{form} with passwordSecretRef"),
                None => write,
            })
        }
        _ => None,
    });
    let [Ok(Endpoint { transport: Transport::Amqp | Transport::Redis | Transport::Sentinel, .. })] =
        subject.urls.as_slice()
    else {
        return;
    };
    if let Some(letter) = doubtful(url) {
        let fix = format!("write %{:02X}", u32::from(letter));
        let message = format!("seems to have {letter:?} in its password");
        report.warn(Kind::Forbidden, subject.broker_place(), message, fix);
    }
}

/// Whether the database is a number, but one that no Redis has.
fn negative(url: &str) -> bool {
    let last = url.rsplit('/').next().and_then(|path| path.split(['?', '#']).next());
    last.is_some_and(|path| path.starts_with('-') && path.parse::<i64>().is_ok())
}

fn b11(subject: &Subject<'_>, report: &mut Report<'_>) {
    let url = subject.broker_url().unwrap_or_default();
    defects(subject, report, |defect, _| match defect {
        Defect::Database if negative(url) => Some("use 0 or more".to_owned()),
        Defect::Database => Some("end the URL with a number: redis://host:6379/0".to_owned()),
        Defect::CommaList => Some("separate failover URLs by \";\"".to_owned()),
        _ => None,
    });
}

fn b25(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| {
        matches!(defect, Defect::WhiteSpace)
            .then(|| "write it in one line without blanks, a blank of a password as %20".to_owned())
    });
    let url = subject.broker_url().unwrap_or_default();
    if line(url) != url && subject.urls.iter().all(Result::is_ok) {
        let (severity, message) = if subject.follows_queues() {
            (report.severity(), "ends with a line break, which the autoscaler does not take")
        } else {
            (Severity::Warn, "ends with a line break, which Celery takes away")
        };
        report.add_shown(
            severity,
            subject.broker_place(),
            &masked(url),
            message,
            "write it in one line, without | or >",
        );
    }
}

fn b28(subject: &Subject<'_>, report: &mut Report<'_>) {
    // B04 tells about a text that is no URL at all.
    let is_text = |element: &Result<_, Defect>| matches!(element, Err(Defect::NoScheme | Defect::Empty));
    if subject.urls.iter().all(is_text) {
        return;
    }
    defects(subject, report, |defect, _| match defect {
        Defect::NoScheme => Some("give every failover URL its scheme".to_owned()),
        Defect::Empty => Some("remove the extra \";\"".to_owned()),
        Defect::NotInList(_) => Some("name one broker only".to_owned()),
        _ => None,
    });
}

fn b42(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| match defect {
        Defect::Url(Fault::Brackets) => {
            Some("use a name without brackets, or [fd00::1] for an address".to_owned())
        }
        Defect::Url(Fault::Confusable(_)) => Some("write the host part in plain letters".to_owned()),
        _ => None,
    });
}

fn b43(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| {
        matches!(defect, Defect::NoSocket).then(|| "use redis+socket:///path/of/the.sock".to_owned())
    });
}
