// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about passwords: where they stand, and what is said of those that nobody may see.

use super::*;
use crate::rules::SecretTexts;

/// Everything that is found of an object beside a Secret called `keys` that holds this text under `url`.
fn beside(text: &str, overlay: &str) -> Vec<Finding> {
    let texts = SecretTexts([("url".to_owned(), text.to_owned())].into());
    let facts = Facts { secrets: [("keys".to_owned(), texts)].into(), ..surroundings() };
    check(&shop(overlay), None, &facts).expect("a Celery")
}

/// Rule and severity of each finding.
fn judged(findings: &[Finding]) -> Vec<(&'static str, Severity)> {
    findings.iter().map(|finding| (finding.rule, finding.severity)).collect()
}

const BROKER: &str = "spec: {common: {broker: {url: null, urlSecretRef: {name: keys, key: url}}}}";
const BACKEND: &str = "spec: {common: {resultBackend: {urlSecretRef: {name: keys, key: url}}}}";

#[test]
fn a_word_before_the_host_of_a_redis_is_no_password() {
    for (url, is_told) in [
        ("redis://hush@cache/0", true),
        ("rediss://hush@cache/0?ssl_cert_reqs=none", true),
        ("sentinel://hush@cache:26379/0", true),
        ("redis://default@cache/0", false),
        ("redis://:hush@cache/0", false),
        ("redis://app:hush@cache/0", false),
        ("redis://cache/0", false),
    ] {
        let options = "transportOptions: {master_name: main}";
        for (field, overlay) in [
            ("broker.url", format!("spec: {{common: {{broker: {{url: {url:?}, {options}}}}}}}")),
            ("resultBackend.url", format!("spec: {{common: {{resultBackend: {{url: {url:?}}}}}}}")),
        ] {
            let expected = if is_told { warn(&format!("spec.common.{field}")) } else { vec![] };
            assert_eq!(of_rule("B52", &overlay), expected, "{url}");
            assert!(!lines(&overlay).iter().any(|line| line.contains("hush")), "{url}");
        }
        for overlay in [BROKER, BACKEND] {
            let found = beside(url, overlay);
            assert_eq!(found.iter().any(|finding| finding.rule == "B52"), is_told, "{url}");
            assert!(!found.iter().any(|finding| finding.to_string().contains("hush")), "{url}");
        }
    }
    assert_eq!(of_common("B52", "broker: {url: 'redis://$(HUSH)@cache'}"), warn("spec.common.broker.url"));
    assert_eq!(of_common("B52", "broker: {url: 'amqp://app@mq'}"), []);
    assert_eq!(of_common("B52", "resultBackend: {url: 'db+postgresql://app@db/t'}"), []);
}

#[test]
fn the_url_in_a_secret_gets_the_advice_that_a_written_one_gets() {
    for (text, overlay, rule, severity, advice) in [
        ("redis://:hu#sh@cache/0", BROKER, "B33", Severity::Deny, "# is %23"),
        ("redis://:hu#sh@cache/0", BACKEND, "R13", Severity::Deny, "# is %23"),
        ("db+postgresql://u:hu@sh@db/t", BACKEND, "R13", Severity::Deny, "@ is %40"),
        ("db+postgresql://u:hush@db:abc/t", BACKEND, "R13", Severity::Deny, "port"),
        ("amqp://user:p@hush/hush@mq:5672/vh", BROKER, "B33", Severity::Warn, "%2F"),
        ("redis://:p@hush?hush@cache:6379/0", BACKEND, "R13", Severity::Warn, "%3F"),
    ] {
        let found = beside(text, overlay);
        assert_eq!(judged(&found), [(rule, severity)], "{text}");
        let line = found[0].to_string();
        assert!(line.contains(advice) && !line.contains("hu"), "{line}");
    }
    for (text, overlay) in [
        ("amqp://app:x@mq/team@shop", BROKER),
        ("amqp://app:x@a;amqp://app:x@b:5672//", BROKER),
        ("mongodb://app:x@db/a@b:1", BROKER),
        ("redis://:p@cache/0", BACKEND),
    ] {
        assert_eq!(judged(&beside(text, overlay)), [], "{text}");
    }
}
