// SPDX-License-Identifier: Apache-2.0
//! Rules about the address of a result backend: host, port, password, database and parameters.

use super::{URL, defect, encryption, is_redis, lacks_cert_reqs, place, read, url, written_tls};
use crate::celery::backend_url::Defect;
use crate::celery::broker_url::{CERT_REQS, masked};
use crate::celery::expansion::expands;
use crate::celery::url::{Fault, doubtful};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "R04", severity: Severity::Deny, schema: false, since: "0.1",
        title: "rediss:// says whether the certificate is checked, and redis_backend_use_ssl says it as Celery does",
        consequence: "The worker crashes with \"A rediss:// URL must have parameter ssl_cert_reqs\", or with a TypeError over a name that redis-py does not know. Before Celery 5.7 redis:// takes no redis_backend_use_ssl at all.",
        check: Check::object(r04).or(Severity::Warn, "for Celery 4, and when neither the URL nor config says it, since the application may in redis_backend_use_ssl"),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'rediss://cache/1'}, config: {redis_backend_use_ssl: {ssl_ca_certs: /etc/ca.pem}}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'rediss://cache/1'}, config: {redis_backend_use_ssl: {ssl_cert_reqs: required, ssl_ca_certs: /etc/ca.pem}}}}",
            old: None,
        },
    },
    Rule {
        id: "R05", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a Redis database is a number",
        consequence: "The worker crashes with \"invalid literal for int()\".",
        check: Check::object(r05),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'redis://cache/results'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'redis://cache/1'}}}",
            old: None,
        },
    },
    Rule {
        id: "R15", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the address of a result backend is one",
        consequence: "The worker crashes, or looks for a path without a name.",
        check: Check::object(r15),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'redis://cache:99999/1'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'redis://cache:6379/1'}}}",
            old: None,
        },
    },
    Rule {
        id: "R16", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a password in a URL is percent-encoded",
        consequence: "The password ends the host part; the worker crashes or asks a wrong host.",
        check: Check::object(r16).or(Severity::Warn, "where the URL can be read all the same, and its password only seems unencoded"),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'redis://:p#ss@cache/1'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {urlSecretRef: {name: results, key: url}}}}",
            old: None,
        },
    },
    Rule {
        id: "R17", severity: Severity::Deny, schema: false, since: "0.1",
        title: "only sentinel:// may be a list",
        consequence: "Celery takes the list for one URL, and the worker crashes.",
        check: Check::object(r17),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'redis://a/1;redis://b/1'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'redis://a/1'}}}",
            old: None,
        },
    },
    Rule {
        id: "R18", severity: Severity::Deny, schema: false, since: "0.1",
        title: "parameters are those of a Redis connection",
        consequence: "The worker crashes with \"got an unexpected keyword argument\" or a ValueError.",
        check: Check::object(r18),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'redis://cache/1?visibility_timeout=9'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'redis://cache/1?socket_timeout=9'}}}",
            old: None,
        },
    },
];

fn r04(subject: &Subject<'_>, report: &mut Report<'_>) {
    if encryption::judged(subject, report) {
        return;
    }
    let url = url(subject).filter(|url| !expands(url)).unwrap_or_default();
    if lacks_cert_reqs(url) {
        let fix = "add ?ssl_cert_reqs=required";
        match written_tls(subject) {
            Some(options) if options.get("ssl_cert_reqs").is_some() => {}
            Some(_) => {
                let told = Defect::CertReqsMissing.to_string();
                report.add_shown(report.severity(), place(subject), &masked(url), told, fix);
            }
            None => {
                let message = "needs ssl_cert_reqs if redis_backend_use_ssl lacks it";
                report.warn(Kind::Forbidden, place(subject), message, fix);
            }
        }
    }
    defect(subject, report, |defect| match defect {
        Defect::CertReqs(_) => Some(format!("use one of {}", CERT_REQS.join(", "))),
        _ => None,
    });
}

fn r05(subject: &Subject<'_>, report: &mut Report<'_>) {
    defect(subject, report, |defect| {
        matches!(defect, Defect::Database)
            .then(|| "end the URL with a number: redis://host:6379/1".to_owned())
    });
}

fn r15(subject: &Subject<'_>, report: &mut Report<'_>) {
    defect(subject, report, |defect| match defect {
        Defect::Url(Fault::Port) => Some("use a port from 1 to 65535".to_owned()),
        Defect::Url(Fault::Brackets) => {
            Some("use a name without brackets, or [fd00::1] for an address".to_owned())
        }
        Defect::Url(Fault::Confusable(_)) => Some("write the host part in plain letters".to_owned()),
        Defect::NoPath => Some("end it with a path such as file:///results".to_owned()),
        _ => None,
    });
}

fn r16(subject: &Subject<'_>, report: &mut Report<'_>) {
    defect(subject, report, |defect| match defect {
        Defect::Url(Fault::Unencoded(letter)) => Some(format!("write %{:02X}", u32::from(*letter))),
        _ => None,
    });
    let is_redis = matches!(read(subject), Some(Ok(backend)) if is_redis(&backend));
    let text = url(subject).unwrap_or_default();
    if let Some(letter) = doubtful(text).filter(|_| is_redis && !text.contains(';')) {
        let fix = format!("write %{:02X}", u32::from(letter));
        let message = format!("seems to have {letter:?} in its password");
        report.warn(Kind::Forbidden, place(subject), message, fix);
    }
}

fn r17(subject: &Subject<'_>, report: &mut Report<'_>) {
    defect(subject, report, |defect| matches!(defect, Defect::List).then(|| "name one server".to_owned()));
}

fn r18(subject: &Subject<'_>, report: &mut Report<'_>) {
    defect(subject, report, |defect| match defect {
        Defect::TlsOnPlain(_) => Some("use rediss://, or remove it".to_owned()),
        Defect::Parameter(_) => Some("remove it".to_owned()),
        Defect::ParameterValue(name) if name == "protocol" => Some("use 2 or 3".to_owned()),
        Defect::ParameterValue(_) => Some("use a number".to_owned()),
        _ => None,
    });
}
