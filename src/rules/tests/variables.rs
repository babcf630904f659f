// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about variables and the credentials in them.

use super::*;

#[test]
fn variables_that_say_otherwise() {
    let at = |id: &str, rest: &str, name: &str| {
        of_common(id, &format!("{rest}env: [{{name: {name}, value: x}}]"))
            .first()
            .map(|(severity, _)| *severity)
    };
    for name in ["CELERY_BROKER_URL", "BROKER_URL", "CELERY_BROKER", "CELERY_BROKER_READ_URL"] {
        assert_eq!(at("B34", "", name), Some(Severity::Deny), "{name}");
    }
    assert_eq!(at("B34", "celeryVersion: '6.0', ", "BROKER_URL"), Some(Severity::Warn));
    assert_eq!(at("B34", "celeryVersion: '4.4', ", "BROKER_URL"), None);
    assert_eq!(at("B34", "broker: null, ", "BROKER_URL"), None);
    let same = "env: [{name: CELERY_BROKER_URL, value: 'redis://cache:6379/0'}]";
    assert_eq!(of_common("B34", same), []);
    let env = "env: [{name: CELERY_WORKER_CONCURRENCY, value: '2'}]";
    let path = "spec.common.env[0].name";
    assert_eq!(
        of_rule("B36", &format!("spec: {{common: {{{env}}}, workerSpec: {{concurrency: 2}}}}")),
        warn(path)
    );
    assert_eq!(
        of_rule(
            "B36",
            &format!("spec: {{workerSpec: {{{env}}}, workerPools: [{{name: a, concurrency: 2}}]}}")
        ),
        warn("spec.workerSpec.env[0].name")
    );
    assert_eq!(of_rule("B36", &format!("spec: {{flowerSpec: {{{env}}}}}")), []);
    assert_eq!(at("B36", "celeryVersion: '4.4', ", "CELERY_WORKER_CONCURRENCY"), None);
    for (name, told) in [("CELERY_APP", true), ("APP", false), ("CONFIG_MODULE", true), ("C_FAKEFORK", true)]
    {
        assert_eq!(at("B37", "", name).is_some(), told, "{name}");
    }
    // Before its options had variables Celery asked for this one by itself.
    assert_eq!(at("B37", "celeryVersion: '4.4', ", "CELERY_LOADER"), Some(Severity::Warn));
    let said = |rest: &str, name: &str| {
        let found = findings(&format!("spec: {{common: {{{rest}env: [{{name: {name}, value: x}}]}}}}"));
        found.into_iter().find(|finding| finding.rule == "B37").map(|finding| finding.message)
    };
    let instead = "names the application in the place of celeryApp";
    for (rest, name, expected) in [
        ("", "CELERY_APP", "names an application beside celeryApp, which wins"),
        ("celeryApp: null, ", "CELERY_APP", instead),
        ("celeryApp: null, ", "APP", instead),
    ] {
        assert_eq!(said(rest, name), Some(format!("{name} {expected}")), "{rest}");
    }
    assert_eq!(at("R11", "resultBackend: {url: 'rpc://'}, ", "RESULT_BACKEND"), Some(Severity::Deny));
    assert_eq!(at("R11", "", "RESULT_BACKEND"), None);
    assert_eq!(at("R11", "resultBackend: {url: x}, ", "RESULT_BACKEND"), None, "it says the same");
}

#[test]
fn a_config_map_is_told_of_only_where_it_wins() {
    let told = |key: &str, prefix: &str| {
        let overlay =
            format!("spec: {{common: {{envFrom: [{{configMapRef: {{name: a}}, prefix: {prefix:?}}}]}}}}");
        let config_maps = [("a".to_owned(), BTreeSet::from([key.to_owned()]))].into();
        let facts = Facts { config_maps, ..surroundings() };
        check(&shop(&overlay), None, &facts).expect("a Celery").iter().any(|finding| finding.rule == "B35")
    };
    assert!(told("BROKER_URL", ""));
    assert!(told("BROKER", "CELERY_"));
    assert!(!told("BROKER_URL", "MY_"));
    // The operator's own variable wins over it.
    assert!(!told("CELERY_BROKER_URL", ""));
}

#[test]
fn credentials_are_found_wherever_they_stand_and_never_shown() {
    for (overlay, path, severity) in [
        (
            "{common: {env: [{name: DB_PASSWORD, value: hunter2}]}}",
            "spec.common.env[0].value",
            Severity::Warn,
        ),
        (
            "{beatSpec: {env: [{name: A, value: 'x://u:hunter2@h'}]}}",
            "spec.beatSpec.env[0].value",
            Severity::Warn,
        ),
        (
            "{flowerSpec: {env: [{name: FLOWER_BASIC_AUTH, value: 'ann:hunter2'}]}}",
            "spec.flowerSpec.env[0].value",
            Severity::Warn,
        ),
        (
            "{common: {config: {redis_password: hunter2}}}",
            "spec.common.config.redis_password",
            Severity::Deny,
        ),
        (
            "{common: {broker: {transportOptions: {a: [{api_token: hunter2}]}}}}",
            "spec.common.broker.transportOptions.a[0].api_token",
            Severity::Deny,
        ),
        (
            "{workerSpec: {args: ['--', 'broker.url=x://u:hunter2@h']}}",
            "spec.workerSpec.args[1]",
            Severity::Deny,
        ),
    ] {
        let findings = check(&shop(&format!("spec: {overlay}")), None, &surroundings()).expect("a Celery");
        let found = findings.iter().find(|finding| finding.rule == "B40").expect(overlay);
        assert_eq!((found.path.as_str(), found.severity), (path, severity), "{overlay}");
        assert!(findings.iter().all(|finding| !finding.to_string().contains("hunter2")), "{findings:?}");
    }
    for harmless in [
        "env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: a, key: b}}}]",
        "env: [{name: DB_PASSWORD_FILE, value: /run/secret}, {name: TOKEN_REQUIRED, value: 'true'}]",
        "env: [{name: FLOWER_BASIC_AUTH, value: 'ann:$(PW)'}]",
        "env: [{name: DB, value: 'postgres://u:$(PW)@db'}, {name: PASSWORD, value: $(PW)}]",
        "env: [{name: SITE, value: 'https://example.com/@x:y'}]",
        "config: {redis_password: $(PW)}",
    ] {
        assert_eq!(of_common("B40", harmless), [], "{harmless}");
    }
}

#[test]
fn a_config_map_is_told_of_for_the_result_backend_too() {
    let told = |key: &str| {
        let overlay =
            "spec: {common: {resultBackend: {url: 'rpc://'}, envFrom: [{configMapRef: {name: a}}]}}";
        let config_maps = [("a".to_owned(), BTreeSet::from([key.to_owned()]))].into();
        let facts = Facts { config_maps, ..surroundings() };
        let found = check(&shop(overlay), None, &facts).expect("a Celery");
        found.into_iter().find(|finding| finding.rule == "B35").map(|finding| finding.message)
    };
    let message = told("RESULT_BACKEND").expect("a finding");
    assert!(message.contains("spec.common.resultBackend"), "{message}");
    assert_eq!(told("LOG_LEVEL"), None);
}
