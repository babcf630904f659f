// SPDX-License-Identifier: Apache-2.0
//! Rules about the result backend: whether Celery can read what is written.

pub(super) mod address;
mod encryption;
pub(super) mod needs;
pub(super) mod variables;

use serde_json::Value;

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::secret;
use super::subject::Subject;
use crate::celery::backend_url::{self, Backend, BackendKind, Defect};
use crate::celery::broker_url::{Transport, masked};
use crate::celery::expansion::expands;
use crate::celery::url::{doubtful, line, may_hide};
use crate::rules::path::BACKEND_URL;
use crate::rules::placeholder::unfilled;

/// The field.
const URL: &str = BACKEND_URL;

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "R01", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a database has the prefix db+",
        consequence: "Celery looks for a Python module called postgresql, and the worker crashes.",
        check: Check::object(r01),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'postgresql://db/tasks'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'redis://cache/1'}}}",
            old: None,
        },
    },
    Rule {
        id: "R02", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a cache is one that Celery knows, with the prefix cache+",
        consequence: "The worker crashes: there is no module or no backend of that name.",
        check: Check::object(r02),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'memcached://cache:11211'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'redis://cache/1'}}}",
            old: None,
        },
    },
    Rule {
        id: "R03", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the result backend is one that Celery still has",
        consequence: "The worker crashes with \"Unknown result backend\".",
        check: Check::object(r03),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'amqp://app@mq'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'rpc://'}}}",
            old: None,
        },
    },
    Rule {
        id: "R06", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the result backend is one that Celery knows",
        consequence: "Celery looks for a Python module of that name, and the worker crashes.",
        check: Check::object(r06).or(Severity::Warn, "when the image may bring the backend along: for the path of a class, and for a scheme that is near no other"),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'sqs://'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'rpc://'}}}",
            old: None,
        },
    },
    Rule {
        id: "R12", severity: Severity::Deny, schema: true, since: "0.1",
        title: "the result backend has exactly one form",
        consequence: "Nobody could tell which one is meant.",
        check: Check::object(r12),
        example: Example {
            bad: "spec: {common: {resultBackend: {}}}",
            at: "spec.common.resultBackend",
            good: "spec: {common: {resultBackend: {urlSecretRef: {name: results, key: url}}}}",
            old: None,
        },
    },
    Rule {
        id: "R13", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the Secret of a result backend holds what Celery can use",
        consequence: "Whatever the same URL would do in the object: the worker crashes.",
        check: Check::of_facts(r13).or(Severity::Warn, "when the image may bring the backend along, when the application may say how certificates are checked, and where the URL can be read all the same, and its password only seems unencoded"),
        example: Example {
            bad: "spec: {common: {resultBackend: {urlSecretRef: {name: broken, key: url}}}}",
            at: "spec.common.resultBackend.urlSecretRef",
            good: "spec: {common: {resultBackend: {urlSecretRef: {name: broker, key: url}}}}",
            old: None,
        },
    },
    Rule {
        id: "R14", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a database is named as SQLAlchemy names it",
        consequence: "The worker crashes with \"Can't load plugin: sqlalchemy.dialects\".",
        check: Check::object(r14),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: 'db+postgres://db/tasks'}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'redis://cache/1'}}}",
            old: None,
        },
    },
    Rule {
        id: "R19", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a result backend is there, without white space",
        consequence: "Celery takes nothing for no answer and the backend of the application for the one meant.",
        check: Check::object(r19).or(Severity::Warn, "for a line break at the end, which Celery takes away"),
        example: Example {
            bad: "spec: {common: {resultBackend: {url: ''}}}",
            at: URL,
            good: "spec: {common: {resultBackend: {url: 'rpc://'}}}",
            old: None,
        },
    },
];

/// The result backend as Celery reads it; nothing while variables are missing in the text.
fn read(subject: &Subject<'_>) -> Option<Result<Backend, Defect>> {
    // What is to be filled in is told of by itself.
    let url = url(subject).filter(|url| unfilled(url).is_none())?;
    (!expands(url)).then(|| parsed(line(url)))
}

/// What Celery makes of a URL when something beside it says how certificates are checked.
fn parsed(url: &str) -> Result<Backend, Defect> {
    if !lacks_cert_reqs(url) {
        return backend_url::parse(url);
    }
    let sign = if url.contains('?') { '&' } else { '?' };
    backend_url::parse(&format!("{url}{sign}ssl_cert_reqs=required"))
}

/// Whether a URL asks for TLS and leaves open how certificates are checked.
fn lacks_cert_reqs(url: &str) -> bool {
    backend_url::parse(line(url)) == Err(Defect::CertReqsMissing)
}

/// What config says of TLS to a Redis, unless that leaves it to the application. The parameters of the URL win over it.
fn written_tls<'a>(subject: &Subject<'a>) -> Option<&'a Value> {
    subject.common().config.get("redis_backend_use_ssl").map(|setting| &setting.0)
}

/// Whether a Redis keeps the results.
fn is_redis(backend: &Backend) -> bool {
    matches!(backend.kind, BackendKind::Redis | BackendKind::Sentinel)
}

/// What the field says, or a variable or the setting where the field is not there.
fn url<'s>(subject: &'s Subject<'_>) -> Option<&'s str> {
    subject.backend_url()
}

/// Where that stands.
fn place<'s>(subject: &'s Subject<'_>) -> &'s str {
    subject.backend_place()
}

/// Whether results may go over the broker: not over one where each client's own queue is one to order and to pay.
fn carries_results(subject: &Subject<'_>) -> bool {
    !matches!(subject.transport(), Some(Transport::Sqs | Transport::Memory | Transport::Other))
}

/// Backends that keep results for everybody, as a part of a sentence.
fn server(subject: &Subject<'_>) -> &'static str {
    if carries_results(subject) { "redis:// or rpc://" } else { "redis:// or db+postgresql://" }
}

/// Tells of a defect that `fix` has a way out of.
fn defect(subject: &Subject<'_>, report: &mut Report<'_>, fix: impl Fn(&Defect) -> Option<String>) {
    let Some(Err(defect)) = read(subject) else { return };
    if let Some(fix) = fix(&defect) {
        let shown = masked(url(subject).unwrap_or_default());
        // Behind an unencoded "?" the name of a parameter may be a piece of a password.
        let hides = url(subject).is_some_and(may_hide);
        let told =
            if hides && !matches!(defect, Defect::Url(_)) { defect.unquoted() } else { defect.to_string() };
        report.add_shown(report.severity(), place(subject), &shown, told.replace("; ", ": "), fix);
    }
}

fn r01(subject: &Subject<'_>, report: &mut Report<'_>) {
    defect(subject, report, |defect| match defect {
        Defect::MissingPrefix { meant, .. } if meant.starts_with("db+") => Some(format!("write {meant}://")),
        _ => None,
    });
}

fn r02(subject: &Subject<'_>, report: &mut Report<'_>) {
    defect(subject, report, |defect| match defect {
        Defect::MissingPrefix { meant, .. } if !meant.starts_with("db+") => Some(format!("write {meant}://")),
        Defect::UnknownCache(_) => Some("use cache+memcached:// or cache+pymemcache://".to_owned()),
        _ => None,
    });
}

fn r03(subject: &Subject<'_>, report: &mut Report<'_>) {
    defect(subject, report, |defect| match defect {
        Defect::Removed { instead: Some("rpc"), .. } if !carries_results(subject) => {
            Some(format!("use {}", server(subject)))
        }
        Defect::Removed { instead: Some(instead), .. } => Some(format!("use {instead}://")),
        Defect::Removed { instead: None, .. } => Some("use another such as redis://".to_owned()),
        _ => None,
    });
}

/// A name that nothing resembles may be one that a package of the image registers, and so may a path of a class.
fn r06(subject: &Subject<'_>, report: &mut Report<'_>) {
    match read(subject) {
        Some(Err(Defect::Unknown { meant: None, .. })) => {
            let message = "is not a backend of Celery itself";
            report.warn(Kind::Forbidden, place(subject), message, "see that the image registers it");
        }
        Some(Ok(Backend { kind: BackendKind::Class, .. })) => {
            let message = "is the path of a class";
            report.warn(Kind::Forbidden, place(subject), message, "see that the image has it");
        }
        _ => defect(subject, report, |defect| match defect {
            Defect::Unknown { meant: Some(meant), .. } => Some(format!("did you mean {meant}://?")),
            Defect::BrokerScheme(_) if carries_results(subject) => {
                Some("use rpc:// for results over the broker".to_owned())
            }
            Defect::BrokerScheme(_) => Some(format!("use {}", server(subject))),
            Defect::NoScheme => Some("write it as redis://host:6379/1".to_owned()),
            Defect::CompoundScheme(scheme) if scheme.contains("sentinel") => {
                Some("use sentinel://".to_owned())
            }
            Defect::CompoundScheme(_) => Some("use the scheme without what follows \"+\"".to_owned()),
            _ => None,
        }),
    }
}

fn r12(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(backend) = &subject.common().result_backend else { return };
    let (kind, message) = match (&backend.url, &backend.url_secret_ref) {
        (None, None) => (Kind::Required, "neither url nor urlSecretRef is set"),
        (Some(_), Some(_)) => (Kind::Forbidden, "url and urlSecretRef exclude each other"),
        _ => return,
    };
    report.add(kind, "spec.common.resultBackend", message, "set exactly one of url, urlSecretRef");
}

fn r13(subject: &Subject<'_>, report: &mut Report<'_>) {
    let backend = subject.common().result_backend.as_ref();
    let reference = backend.and_then(|backend| backend.url_secret_ref.as_ref());
    let Some(text) = reference.and_then(|reference| secret::text(subject, reference)) else { return };
    let path = "spec.common.resultBackend.urlSecretRef";
    let says_how = written_tls(subject).is_some_and(|options| options.get("ssl_cert_reqs").is_some());
    if lacks_cert_reqs(text) && !says_how {
        report.warn(Kind::Forbidden, path, "needs ssl_cert_reqs if redis_backend_use_ssl lacks it", "add it");
    }
    match parsed(text) {
        Ok(backend) if is_redis(&backend) && !text.contains(';') && doubtful(text).is_some() => {
            report.warn(Kind::Forbidden, path, secret::UNENCODED, secret::ENCODE);
        }
        Ok(_) | Err(Defect::CertReqsMissing) => {}
        Err(Defect::Unknown { meant: None, .. }) => {
            let message = "the Secret names no backend of Celery itself";
            report.warn(Kind::Forbidden, path, message, "see that the image registers it");
        }
        Err(defect) => {
            let message = format!("the URL in the Secret {}", defect.unquoted().replace("; ", ": "));
            report.add(Kind::Forbidden, path, message, "correct the Secret");
        }
    }
}

fn r14(subject: &Subject<'_>, report: &mut Report<'_>) {
    defect(subject, report, |defect| match defect {
        Defect::Dialect { meant, .. } => Some(format!("write db+{meant}://")),
        Defect::NoDialect => Some("name it: db+postgresql:// or db+mysql://".to_owned()),
        _ => None,
    });
}

fn r19(subject: &Subject<'_>, report: &mut Report<'_>) {
    defect(subject, report, |defect| match defect {
        Defect::Empty => Some("set one such as redis://host:6379/1, or remove it".to_owned()),
        Defect::WhiteSpace => {
            Some("write it in one line without blanks, a blank of a password as %20".to_owned())
        }
        _ => None,
    });
    let text = url(subject).unwrap_or_default();
    if line(text) != text && matches!(read(subject), Some(Ok(_))) {
        let message = "ends with a line break, which Celery takes away";
        report.add_shown(
            Severity::Warn,
            place(subject),
            &masked(text),
            message,
            "write it in one line, without | or >",
        );
    }
}
