// SPDX-License-Identifier: Apache-2.0
//! Parts of URLs that somebody meant to have filled in.

use crate::celery::broker_url::masked;
use crate::rules::finding::{Report, Severity};
use crate::rules::placeholder::{Placeholder, placeholder, unfilled};
use crate::rules::secret;
use crate::rules::subject::Subject;

/// The virtual host among the parts of a broker.
const VHOST: &str = "spec.common.broker.rabbitmq.vhost";

pub(super) fn b59(subject: &Subject<'_>, report: &mut Report<'_>) {
    let urls = [
        subject.broker_url().map(|url| (url, subject.broker_place())),
        subject.backend_url().map(|url| (url, subject.backend_place())),
    ];
    for (url, place) in urls.into_iter().flatten() {
        if let Some((part, found)) = unfilled(url) {
            let severity = severity(part, found, report);
            let message = format!("has a placeholder in its {part}, which nothing fills in");
            report.add_shown(severity, place, &masked(url), message, found.instead());
        }
    }
    let common = subject.common();
    let broker = common.broker.as_ref();
    let broker_key = broker.and_then(|broker| broker.url_secret_ref.as_ref());
    let backend_key = common.result_backend.as_ref().and_then(|backend| backend.url_secret_ref.as_ref());
    for (key, path) in [
        (broker_key, "spec.common.broker.urlSecretRef"),
        (backend_key, "spec.common.resultBackend.urlSecretRef"),
    ] {
        let found = key.and_then(|key| unfilled(secret::text(subject, key)?));
        if let Some((part, found)) = found {
            let severity = severity(part, found, report);
            let message = format!("the URL in the Secret has a placeholder in its {part}");
            report.add_hidden(severity, path, message, "write what it stands for there");
        }
    }
    let vhost = broker.and_then(|broker| broker.rabbitmq.as_ref()?.vhost.as_deref()).unwrap_or_default();
    if let Some(found) = placeholder(vhost).filter(|found| found.is_whole) {
        let severity = severity("path", found, report);
        let message = "is a placeholder, which nothing fills in";
        report.add_shown(severity, VHOST, vhost, message, found.instead());
    }
}

/// No host has such signs in its name. Anything else could, and without brackets it may be meant so.
fn severity(part: &str, found: Placeholder<'_>, report: &Report<'_>) -> Severity {
    if found.is_bare && !["host", "port"].contains(&part) { Severity::Warn } else { report.severity() }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity;
    use crate::rules::tests::findings;

    #[test]
    fn a_placeholder_is_told_once_with_what_to_write() {
        let told = |common: &str| {
            let found = findings(&format!("spec: {{common: {{{common}}}}}"));
            let told = found.into_iter().map(|one| (one.rule, one.severity, one.path, one.fix));
            told.collect::<Vec<_>>()
        };
        let one = |path: &str, fix: &str| vec![("B59", Severity::Deny, path.to_owned(), fix.to_owned())];
        let broker = "spec.common.broker.url";
        for (url, fix) in [
            ("redis://${HOST}:${PORT}/0", "write $(HOST), with HOST among spec.common.env"),
            ("redis://cache:${PORT}/0", "write $(PORT), with PORT among spec.common.env"),
            ("redis://cache/${DB}", "write $(DB), with DB among spec.common.env"),
            ("redis://:${PW}@cache/0", "write $(PW), with PW among spec.common.env"),
            ("redis://{{ .Values.host }}/0", "write what it stands for"),
        ] {
            assert_eq!(told(&format!("broker: {{url: '{url}'}}")), one(broker, fix), "{url}");
        }
        let backend = told("resultBackend: {url: 'redis://:${PW}@cache/1'}");
        assert_eq!(
            backend,
            one("spec.common.resultBackend.url", "write $(PW), with PW among spec.common.env")
        );
        let parts = |vhost: &str| {
            let reference = "{name: mq, key: user}";
            told(&format!(
                "broker: {{url: null, rabbitmq: {{host: mq, usernameSecretRef: {reference}, vhost: '{vhost}'}}}}"
            ))
        };
        let vhost =
            one("spec.common.broker.rabbitmq.vhost", "write $(VHOST), with VHOST among spec.common.env");
        assert_eq!(parts("${VHOST}"), vhost);
        assert_eq!(parts("shop"), []);
    }
}
