// SPDX-License-Identifier: Apache-2.0
//! What `redis_backend_use_ssl` says of TLS to a Redis that keeps the results.

use serde_json::{Map, Value};

use super::{place, read, url, written_tls};
use crate::celery::backend_url::BackendKind;
use crate::celery::broker_url::{CERT_REQS, masked};
use crate::celery::expansion::expands;
use crate::celery::version::Release;
use crate::rules::finding::{Kind, Report};
use crate::rules::release::lacks;
use crate::rules::subject::Subject;

/// What AMQP calls the options that have `ssl_` before them with Redis.
const OF_AMQP: [&str; 5] = ["ca_certs", "cert_reqs", "certfile", "check_hostname", "keyfile"];
/// Names that neither has, and what to do.
const OF_NOBODY: [(&str, &str); 2] = [("ssl_ca_cert", "write ssl_ca_certs"), ("ssl", "remove it")];
/// Where it stands.
const PATH: &str = "spec.common.config.redis_backend_use_ssl";

/// Tells of the table, and whether it did: then nothing else is told of it.
pub(super) fn judged(subject: &Subject<'_>, report: &mut Report<'_>) -> bool {
    let options = written_tls(subject).and_then(Value::as_object).filter(|options| !options.is_empty());
    let is_redis = matches!(read(subject), Some(Ok(backend)) if backend.kind == BackendKind::Redis);
    let Some(options) = options.filter(|_| is_redis) else { return false };
    let mut told = false;
    for name in OF_AMQP.into_iter().filter(|name| options.contains_key(*name)) {
        let message = "is no option of a connection to Redis";
        report.add(Kind::Forbidden, format!("{PATH}.{name}"), message, format!("write ssl_{name}"));
        told = true;
    }
    for (name, fix) in OF_NOBODY.into_iter().filter(|(name, _)| options.contains_key(*name)) {
        report.add(Kind::Forbidden, format!("{PATH}.{name}"), "is no option of a connection to Redis", fix);
        told = true;
    }
    told || word(subject, options, report) || plain(subject, options, report)
}

/// How certificates are checked, in a word that Celery does not know. A parameter of the URL wins over it.
fn word(subject: &Subject<'_>, options: &Map<String, Value>, report: &mut Report<'_>) -> bool {
    let is_settled = url(subject).is_some_and(|url| url.contains("ssl_cert_reqs="));
    let written = options.get("ssl_cert_reqs").and_then(Value::as_str).filter(|_| !is_settled);
    let is_wrong = written.is_some_and(|word| !CERT_REQS.contains(&word) && !expands(word));
    if is_wrong {
        let fix = format!("use one of {}", CERT_REQS[..3].join(", "));
        report.add(Kind::Invalid, format!("{PATH}.ssl_cert_reqs"), "is no check of certificates", fix);
    }
    is_wrong
}

/// The table beside `redis://`, which no release takes without `ssl_cert_reqs`, and the newest takes with it.
fn plain(subject: &Subject<'_>, options: &Map<String, Value>, report: &mut Report<'_>) -> bool {
    let Some(url) = url(subject).filter(|url| url.starts_with("redis://")) else { return false };
    let (severity, message) = if options.contains_key("ssl_cert_reqs") {
        let Some(severity) = lacks(subject, Release::V5_7) else { return false };
        (severity, "goes with redis_backend_use_ssl since Celery 5.7")
    } else {
        (report.severity(), "has a redis_backend_use_ssl beside it that lacks ssl_cert_reqs")
    };
    report.add_shown(
        severity,
        place(subject),
        &masked(url),
        message,
        "use rediss://host/1?ssl_cert_reqs=required",
    );
    true
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity;
    use crate::rules::tests::findings;

    #[test]
    fn a_table_about_tls_is_one_that_the_backend_takes() {
        let told = |url: &str, options: &str, more: &str| {
            let overlay = format!(
                "spec: {{common: {{resultBackend: {{url: '{url}'}}, config: {{redis_backend_use_ssl: {{{options}}}}}, {more}}}}}"
            );
            let found = findings(&overlay).into_iter().filter(|finding| finding.rule == "R04");
            found.map(|finding| (finding.severity, finding.path)).collect::<Vec<_>>()
        };
        let at = |path: &str| vec![(Severity::Deny, path.to_owned())];
        let (url, table) = ("spec.common.resultBackend.url", "spec.common.config.redis_backend_use_ssl");
        let (plain, tls) = ("redis://cache/1", "rediss://cache/1");
        let old = "celeryVersion: '5.6'";
        assert_eq!(told(plain, "ssl_cert_reqs: required", old), at(url));
        assert_eq!(told(plain, "ssl_cert_reqs: required", "celeryVersion: '5.7'"), []);
        assert_eq!(told(plain, "ssl_cert_reqs: required", ""), []);
        assert_eq!(told(plain, "ssl_ca_certs: /etc/ca.pem", ""), at(url));
        assert_eq!(told(tls, "ssl_cert_reqs: verify", ""), at(&format!("{table}.ssl_cert_reqs")));
        assert_eq!(told(tls, "ca_certs: /etc/ca.pem", ""), at(&format!("{table}.ca_certs")));
        for name in ["ssl_ca_cert", "ssl"] {
            let options = format!("ssl_cert_reqs: required, {name}: /a");
            assert_eq!(told(tls, &options, ""), at(&format!("{table}.{name}")), "{name}");
        }
        assert_eq!(told(tls, "ssl_cert_reqs: CERT_NONE", old), []);
        assert_eq!(told(tls, "ssl_cert_reqs: $(CHECK)", old), []);
        assert_eq!(told("rediss://cache/1?ssl_cert_reqs=none", "ssl_cert_reqs: verify", old), []);
        assert_eq!(told("rpc://", "ca_certs: /etc/ca.pem", old), []);
    }
}
