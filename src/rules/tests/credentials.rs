// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about passwords: where they stand, and what is said of those that nobody may see.

use super::*;
use crate::rules::{SecretKeys, SecretTexts};

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

const BROKER: &str =
    "spec: {common: {broker: {url: null, urlSecretRef: {name: keys, key: url}, scheme: redis}}}";
const BACKEND: &str = "spec: {common: {resultBackend: {urlSecretRef: {name: keys, key: url}}}}";

#[test]
fn a_scheme_is_taken_from_a_secret_that_is_known_and_asked_for_otherwise() {
    let spec = |rest: &str| {
        format!(
            "spec: {{common: {{broker: {{url: null, urlSecretRef: {{name: keys, key: url}}{rest}}}}}, workerSpec: {{timeLimit: 3601, gracefulShutdown: {{timeoutSeconds: 3601}}}}}}"
        )
    };
    let fix = |found: &[Finding]| {
        found.iter().find(|finding| finding.rule == "B56").map(|finding| finding.fix.clone())
    };
    // What a Redis does to a long task is told as soon as somebody knows that it is one.
    let redis = beside("redis://:hush@cache\n", &spec(""));
    assert_eq!(judged(&redis), [("B56", Severity::Warn), ("G10", Severity::Warn)]);
    assert_eq!(fix(&redis).as_deref(), Some("write redis"));
    assert_eq!(judged(&beside("redis://cache", &spec(", scheme: redis"))), [("G10", Severity::Warn)]);
    // What is written counts, and of a URL that is none another rule tells.
    assert_eq!(judged(&beside("redis://cache", &spec(", scheme: amqp"))), [("G11", Severity::Warn)]);
    assert_eq!(judged(&beside("redis://cache", &spec(", scheme: nosuch"))), []);
    assert_eq!(judged(&beside("hush", &spec(""))), [("B33", Severity::Deny)]);
    let unknown = of_rule("B56", &spec(""));
    assert_eq!(unknown, warn("spec.common.broker.scheme"));
    assert_eq!(of_rule("B56", &spec(", scheme: redis")), []);
    assert_eq!(of_rule("B56", &spec(", redis: {host: cache}")), []);
}

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

#[test]
fn credentials_in_containers_and_commands_are_found_once_each_and_never_shown() {
    let env = "env: [{name: A, value: b}, {name: DB_PASSWORD, value: hush}]";
    let image = "name: log, image: 'log:1'";
    for (overlay, path, severity) in [
        (
            format!("{{workerSpec: {{sidecars: [{{{image}, {env}}}]}}}}"),
            "spec.workerSpec.sidecars[0].env[1].value",
            Severity::Warn,
        ),
        (
            format!("{{common: {{initContainers: [{{{image}, args: [x, 'redis://:hush@cache']}}]}}}}"),
            "spec.common.initContainers[0].args[1]",
            Severity::Warn,
        ),
        (
            format!("{{common: {{initContainers: [{{{image}, command: [x, --password, hush]}}]}}}}"),
            "spec.common.initContainers[0].command[2]",
            Severity::Warn,
        ),
        (
            format!("{{beatSpec: {{podTemplate: {{spec: {{containers: [{{name: beat, {env}}}]}}}}}}}}"),
            "spec.beatSpec.podTemplate.spec.containers[0].env[1].value",
            Severity::Warn,
        ),
        (
            format!("{{common: {{podTemplate: {{spec: {{initContainers: [{{{image}, {env}}}]}}}}}}}}"),
            "spec.common.podTemplate.spec.initContainers[0].env[1].value",
            Severity::Warn,
        ),
        (
            format!(
                "{{workerSpec: {{sidecars: [{{{image}, livenessProbe: {{exec: {{command: [redis-cli, --password=hush]}}}}}}]}}}}"
            ),
            "spec.workerSpec.sidecars[0].livenessProbe.exec.command[1]",
            Severity::Warn,
        ),
        (
            "{workerSpec: {probes: {liveness: {type: Exec, command: [check, 'http://u:hush@mq']}}}}"
                .to_owned(),
            "spec.workerSpec.probes.liveness.command[1]",
            Severity::Warn,
        ),
        (
            "{common: {command: [sh, -c, 'curl http://u:hush@mq; exec celery \"$@\"', celery]}}".to_owned(),
            "spec.common.command[2]",
            Severity::Deny,
        ),
        (
            "{common: {command: [env, DB_PASSWORD=hush, celery]}}".to_owned(),
            "spec.common.command[1]",
            Severity::Warn,
        ),
        (
            "{workerSpec: {args: [--db-password=hush], userOptions: [--db-password]}}".to_owned(),
            "spec.workerSpec.args[0]",
            Severity::Warn,
        ),
        (
            "{workerSpec: {args: [--db-password, hush], userOptions: [--db-password]}}".to_owned(),
            "spec.workerSpec.args[1]",
            Severity::Warn,
        ),
    ] {
        let overlay = format!("spec: {overlay}");
        assert_eq!(of_rule("B40", &overlay), [(severity, path.to_owned())], "{overlay}");
        let findings = check(&shop(&overlay), None, &surroundings()).expect("a Celery");
        assert!(findings.iter().all(|finding| !finding.to_string().contains("hush")), "{findings:?}");
    }
    for harmless in [
        "{common: {command: [sh, -c, 'PGPASSWORD=$(cat /run/pw) ./wait; exec celery \"$@\"', celery]}}",
        "{workerSpec: {sidecars: [{name: log, image: 'log:1', args: [--password=$(PW), 'redis://:$(PW)@cache']}]}}",
        "{workerSpec: {sidecars: [{name: log, image: 'log:1', env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: a, key: b}}}]}]}}",
    ] {
        assert_eq!(of_rule("B40", &format!("spec: {harmless}")), [], "{harmless}");
    }
}

#[test]
fn warnings_about_containers_are_not_cut() {
    let env = "env: [{name: DB_PASSWORD, value: hush}], command: [--password=hush]";
    let pool =
        format!("{{name: a, podTemplate: {{spec: {{initContainers: [{{name: b, image: b, {env}}}]}}}}}}");
    let lines = lines(&format!("spec: {{workerPools: [{pool}]}}"));
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.len() <= 120), "{lines:?}");
}

#[test]
fn a_variable_of_a_template_overrides_the_broker_like_any_other() {
    let template = |container: &str, variable: &str| {
        let list = format!("containers: [{{name: {container}, image: x, env: [{{name: {variable}}}]}}]");
        format!("spec: {{beatSpec: {{}}, workerSpec: {{podTemplate: {{spec: {{{list}}}}}}}}}")
    };
    let path = "spec.workerSpec.podTemplate.spec.containers[0].env[0].name";
    for name in ["CELERY_BROKER_URL, value: 'redis://other'", "BROKER_URL, value: 'redis://other'"] {
        assert_eq!(of_rule("B34", &template("celery", name)), deny(path), "{name}");
        assert_eq!(of_rule("B34", &template("log", name)), [], "{name}");
    }
    assert_eq!(of_rule("B34", &template("celery", "BROKER_URL, value: 'redis://cache:6379/0'")), []);
    assert_eq!(of_rule("B37", &template("celery", "CELERY_LOADER, value: x")), warn(path));
}

#[test]
fn a_broker_among_the_arguments_is_told_of_once() {
    for (args, at) in [
        ("['--result-backend=redis://:hush@cache']", 0),
        ("[--result-backend, 'redis://:hush@cache']", 0),
        ("[-b, 'redis://:hush@cache']", 0),
        ("['--broker=redis://:hush@cache']", 0),
    ] {
        for (component, id) in [("workerSpec", "W04"), ("beatSpec", "T12")] {
            let object = shop(&format!("spec: {{{component}: {{args: {args}}}}}"));
            let expected = [(id, format!("spec.{component}.args[{at}]"))];
            assert_eq!(found(&object, None), expected, "{args}");
        }
    }
}

#[test]
fn every_reference_to_a_known_secret_is_followed() {
    let keys = |names: &[&str]| SecretKeys {
        there: names.iter().map(|name| (*name).to_owned()).collect(),
        ..SecretKeys::default()
    };
    let secret_keys = [("keys".to_owned(), keys(&["url"])), ("empty".to_owned(), keys(&[]))];
    let facts = Facts { secret_keys: secret_keys.into(), ..surroundings() };
    let found = |overlay: &str| {
        let findings = check(&shop(&format!("spec: {overlay}")), None, &facts).expect("a Celery");
        let of_keys = findings.into_iter().filter(|finding| finding.rule == "S05");
        of_keys.map(|finding| (finding.severity, finding.path)).collect::<Vec<_>>()
    };
    let env = |more: &str| format!("env: [{{name: A, valueFrom: {{secretKeyRef: {{{more}}}}}}}]");
    let missing = env("name: keys, key: token");
    for (overlay, expected) in [
        (format!("{{common: {{{missing}}}}}"), deny("spec.common.env[0].valueFrom.secretKeyRef.key")),
        (
            format!(
                "{{workerSpec: {{podTemplate: {{spec: {{containers: [{{name: celery, {missing}}}]}}}}}}}}"
            ),
            deny("spec.workerSpec.podTemplate.spec.containers[0].env[0].valueFrom.secretKeyRef.key"),
        ),
        (
            "{flowerSpec: {auth: {basic: {secretRef: {name: keys, key: users}}}}}".to_owned(),
            deny("spec.flowerSpec.auth.basic.secretRef.key"),
        ),
        (
            format!("{{common: {{{}}}}}", env("name: empty, key: url")),
            warn("spec.common.env[0].valueFrom.secretKeyRef.key"),
        ),
        (format!("{{common: {{{}}}}}", env("name: keys, key: token, optional: true")), vec![]),
        (format!("{{common: {{{}}}}}", env("name: keys, key: url")), vec![]),
        (format!("{{common: {{{}}}}}", env("name: elsewhere, key: url")), vec![]),
        ("{common: {config: {secretRef: {name: keys, key: token}}}}".to_owned(), vec![]),
        // A ConfigMap may have the name of a Secret, and what is no key may be a password.
        (
            "{common: {env: [{name: A, valueFrom: {configMapKeyRef: {name: keys, key: token}}}]}}".to_owned(),
            vec![],
        ),
        (format!("{{common: {{{}}}}}", env("name: keys, key: 'to ken'")), vec![]),
        (format!("{{common: {{{}}}}}", env("name: keys, key: ''")), vec![]),
    ] {
        assert_eq!(found(&overlay), expected, "{overlay}");
    }
}

#[test]
fn a_credential_is_shown_in_no_place_whatever() {
    let azure =
        "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=hush==;EndpointSuffix=core.windows.net";
    let bus = "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=all;SharedAccessKey=/hush=";
    for overlay in [
        format!("spec: {{common: {{broker: {{url: '{azure}'}}}}}}"),
        format!("spec: {{common: {{broker: {{url: '{bus}'}}}}}}"),
        format!("spec: {{common: {{resultBackend: {{url: '{azure}'}}}}}}"),
        "spec: {common: {broker: {'redis://:hush@x/0': 1}}}".to_owned(),
        "spec: {common: {env: [{PASSWORD=hush: null}]}}".to_owned(),
        "spec: {common: {config: {'redis://:hush@x/0': a}}}".to_owned(),
        "spec: {workerSpec: {podAnnotations: {'PASSWORD=hush': a}}}".to_owned(),
        "metadata: {name: 'u:hush@h'}".to_owned(),
        "spec: {common: {celeryApp: 'app --password hush'}}".to_owned(),
        "spec: {workerSpec: {queues: ['PASSWORD: hush,b']}}".to_owned(),
        "spec: {common: {command: ['env API_KEY=hush celery']}}".to_owned(),
    ] {
        let object = shop(&overlay);
        let reading = schema::reading(&object, &|_| None);
        let mut found = check(&reading.object, None, &surroundings()).unwrap_or_default();
        found.extend(reading.findings);
        assert!(!found.is_empty() || overlay.contains("name:"), "{overlay}");
        for finding in found {
            let seen = format!("{finding} {} {}", finding.shown_path(), finding.shown_place());
            assert!(!seen.contains("hush"), "{seen}");
        }
    }
}
