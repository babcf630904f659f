// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about Flower.

mod access;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::rules::tests::shop;
use crate::rules::{Facts, Finding, SecretTexts, Severity, check};

/// What is found in a shop with this Flower.
fn findings(flower: &str, facts: &Facts) -> Vec<Finding> {
    let object: Value = shop(&format!("spec: {{flowerSpec: {{{flower}}}}}"));
    let findings = check(&object, None, facts).expect("a Celery");
    // Where the variables of these texts are is another rule's matter.
    findings.into_iter().filter(|finding| finding.rule != "C59").collect()
}

fn found(flower: &str) -> Vec<(&'static str, Severity, String)> {
    let facts = Facts::default();
    findings(flower, &facts).into_iter().map(|it| (it.rule, it.severity, it.path)).collect()
}

/// Rules and severities of a Flower that says that everybody may look.
fn of(flower: &str) -> Vec<(&'static str, Severity)> {
    let open = format!("auth: {{allowUnauthenticated: true}}, {flower}");
    found(&open).into_iter().map(|(rule, severity, _)| (rule, severity)).collect()
}

fn ids(flower: &str) -> Vec<&'static str> {
    found(flower).into_iter().map(|(rule, ..)| rule).collect()
}

const DENY: Severity = Severity::Deny;
const WARN: Severity = Severity::Warn;

/// Flower reads neither half, and everybody may look although somebody meant to ask for a password.
#[test]
fn an_option_and_its_value_in_one_word_are_refused() {
    assert_eq!(of("args: ['--basic_auth admin:pw']"), [("F01", DENY)]);
    assert_eq!(of("args: ['--max-tasks 10']"), [("F01", DENY)]);
    assert_eq!(of("args: ['--nothing of ours']"), [("F01", WARN)]);
}

#[test]
fn what_is_known_of_envs_from_elsewhere_counts() {
    let maps = BTreeMap::from([("settings".to_owned(), BTreeSet::from(["BASIC_AUTH".to_owned()]))]);
    let facts = Facts { config_maps: maps, ..Facts::default() };
    let with = |prefix: &str| {
        format!("serviceType: NodePort, envFrom: [{{configMapRef: {{name: settings}}, prefix: '{prefix}'}}]")
    };
    assert_eq!(findings(&with("FLOWER_"), &facts), []);
    assert_eq!(findings(&with(""), &facts)[0].severity, DENY);
}

#[test]
fn a_value_in_a_map_of_the_input_is_judged_as_one_of_a_list() {
    let texts = [("MAX_TASKS".to_owned(), "5k".to_owned()), ("DEBUG".to_owned(), "true".to_owned())].into();
    let keys = BTreeSet::from(["MAX_TASKS".to_owned(), "DEBUG".to_owned()]);
    let facts = Facts {
        config_maps: [("settings".to_owned(), keys)].into(),
        config_texts: [("settings".to_owned(), texts)].into(),
        ..Facts::default()
    };
    let from =
        "auth: {allowUnauthenticated: true}, envFrom: [{configMapRef: {name: settings}, prefix: FLOWER_}]";
    let told = |rest: &str| {
        let found = findings(&format!("{from}{rest}"), &facts).into_iter().filter(|one| one.rule == "F05");
        found.map(|one| format!("{}: {}", one.path, one.message)).collect::<Vec<_>>()
    };
    let message = "has FLOWER_MAX_TASKS: is not a number, which ends Flower";
    assert_eq!(told(""), [format!("spec.flowerSpec.envFrom[0]: {message}")]);
    assert_eq!(told(", env: [{name: FLOWER_MAX_TASKS, value: '5000'}]"), [""; 0]);
}

#[test]
fn of_a_map_of_the_input_neither_the_port_counts_nor_a_level_that_an_argument_says() {
    let texts = [("PORT".to_owned(), "many".to_owned()), ("LOGGING".to_owned(), "loud".to_owned())];
    let keys = texts.iter().map(|(key, _)| key.clone()).collect();
    let facts = Facts {
        config_maps: [("settings".to_owned(), keys)].into(),
        config_texts: [("settings".to_owned(), texts.into())].into(),
        ..Facts::default()
    };
    let told = |rest: &str| {
        let from = "envFrom: [{configMapRef: {name: settings}, prefix: FLOWER_}]";
        let found = findings(&format!("{from}{rest}"), &facts).into_iter().filter(|one| one.rule == "F05");
        found.map(|one| one.message).collect::<Vec<_>>()
    };
    assert_eq!(told(""), ["has FLOWER_LOGGING: is no level of a log, which ends Flower"]);
    assert_eq!(told(", args: ['--logging=info']"), [""; 0]);
}

#[test]
fn what_flower_cannot_use_is_told_by_what_the_option_takes() {
    let variable = |name: &str, text: &str| format!("env: [{{name: FLOWER_{name}, value: '{text}'}}]");
    for (flower, expected) in [
        ("args: ['--max_tasks=many']".to_owned(), "is not a whole number; use one such as 5000"),
        ("args: ['--inspect_timeout=long']".to_owned(), "is not a number; use one such as 1000"),
        (variable("MAX_TASKS", "many"), "is not a number, which ends Flower; use one such as 5000"),
        (
            variable("TASK_RUNTIME_METRIC_BUCKETS", "1,x"),
            "is not a list of numbers, which ends Flower; use one such as 1,2.5",
        ),
        (variable("FORMAT_TASK", "shop.shown"), "cannot be set by a variable, which ends Flower; remove it"),
        (
            variable("LOGGING", "loud"),
            "is no level of a log, which ends Flower; use debug, info, warning, error or none",
        ),
        (variable("DEBUG", "maybe"), "is neither true nor false, which ends Flower; write true or false"),
        (
            format!("version: '1.2', {}", variable("DEBUG", "false")),
            "is read as true by Flower; write true, or remove it",
        ),
        ("args: ['--debug=no']".to_owned(), "is read as true by Flower; write true or false"),
    ] {
        let open = format!("auth: {{allowUnauthenticated: true}}, {flower}");
        let said: Vec<String> = findings(&open, &Facts::default())
            .into_iter()
            .map(|finding| format!("{}; {}", finding.message, finding.fix))
            .collect();
        assert_eq!(said, [expected], "{flower}");
    }
    assert_eq!(of("args: ['--max_tasks=0']"), [], "none are kept");
}

#[test]
fn ports_paths_and_ranges_have_their_variants() {
    assert_eq!(of("nodePort: 30080"), [("F09", DENY)]);
    assert_eq!(of("serviceType: NodePort, nodePort: 8080"), [("F09", WARN)]);
    assert_eq!(of("serviceType: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/33]"), [("F36", DENY)]);
    assert_eq!(of("serviceType: LoadBalancer, loadBalancerSourceRanges: [' fd00::/8']"), []);
    assert_eq!(of("sessionAffinity: Cookie, ingress: {pathType: Regex}"), [("F08", DENY), ("F08", DENY)]);
    assert_eq!(of("urlPrefix: a/b, ingress: {path: /a}"), []);
    assert_eq!(of("urlPrefix: a, ingress: {path: /}"), []);
    assert_eq!(of("ingress: {path: /a}"), [("F24", DENY)]);
    assert_eq!(of("ingress: {path: a}"), [("F24", DENY)]);
    let specific = |rest: &str| of(&format!("ingress: {{pathType: ImplementationSpecific, path: '{rest}'}}"));
    assert_eq!(specific("/flower(/|$)(.*)"), [("F24", WARN)]);
    assert_eq!(specific("/*"), []);
    let told = findings("ingress: {path: /monitor/}, auth: {allowUnauthenticated: true}", &Facts::default());
    assert_eq!(told[0].fix, "set flowerSpec.urlPrefix: monitor and leave path out");
    assert_eq!(of("urlPrefix: a, ingress: {pathType: ImplementationSpecific, path: '/a(/|$)(.*)'}"), []);
    assert_eq!(of("args: ['--url_prefix=/a/'], ingress: {path: /a}"), []);
    assert_eq!(of("args: ['--url_prefix=/a/'], ingress: {path: /b}"), [("F24", DENY)]);
    assert_eq!(of("args: ['--url_prefix=$(PREFIX)'], ingress: {path: /b}"), []);
    assert_eq!(of("envFrom: [{configMapRef: {name: settings}}], ingress: {path: /b}"), []);
    assert_eq!(of("urlPrefix: a, ingress: {path: /a, pathType: Exact}"), [("F24", DENY)]);
    assert_eq!(of("urlPrefix: a, ingress: {path: '/a(/|$)', pathType: ImplementationSpecific}"), []);
    let rewrite = "ingress: {path: /a, annotations: {nginx.ingress.kubernetes.io/rewrite-target: /}}";
    assert_eq!(of(rewrite), [("F24", WARN)]);
}

#[test]
fn what_a_variable_holds_is_never_shown() {
    for name in
        ["PORT", "DEBUG", "MAX_TASKS", "BASIC_AUTH", "BASIC_AUHT", "BROKER_API", "AUTH_PROVIDER", "AUTH"]
    {
        let flower = format!("env: [{{name: FLOWER_{name}, value: '*hunter2*'}}]");
        assert!(!of(&flower).is_empty(), "{name}");
        for finding in findings(&flower, &Facts::default()) {
            assert!(!finding.to_string().contains("hunter2"), "{finding}");
        }
    }
}

#[test]
fn histories_have_their_variants() {
    assert_eq!(of("replicas: 2, persistence: {}"), [("F21", DENY)]);
    assert_eq!(of("args: ['--persistent=True']"), [("F22", WARN)]);
    assert_eq!(of("args: ['--persistent=False', '--db=/data/flower']"), []);
    assert_eq!(
        of("env: [{name: FLOWER_PERSISTENT, value: 'on'}, {name: FLOWER_DB, value: /data/f}]"),
        [("F22", DENY)]
    );
    assert_eq!(of("persistence: {existingClaim: a, retain: false}"), [("F38", WARN)]);
    for persistence in ["path: data", "path: /", "size: 0", "existingClaim: A_b"] {
        assert_eq!(of(&format!("persistence: {{{persistence}}}")), [("F38", DENY)], "{persistence}");
    }
    assert_eq!(of("args: ['--max_tasks=200000'], resources: {limits: {memory: 256Mi}}"), [("F33", WARN)]);
    let object = shop(
        "spec: {flowerSpec: {persistence: {}, auth: {allowUnauthenticated: true}}, scaleTargetRef: [{kind: flower, \
         maxReplicas: 2, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]}",
    );
    let findings = check(&object, None, &Facts::default()).expect("a Celery");
    assert_eq!((findings[0].rule, findings[0].path.as_str()), ("F21", "spec.scaleTargetRef[0].maxReplicas"));
}

#[test]
fn options_have_their_variants() {
    for (flower, expected) in [
        ("args: ['--nosuch=1']", vec![("F01", WARN)]),
        ("args: ['-p', '5555']", vec![("F01", WARN)]),
        ("args: ['--basic_auht=a:b']", vec![("F01", DENY)]),
        ("version: '3.0', args: ['--basic_auht=a:b']", vec![("F01", WARN)]),
        ("version: '2.0', args: ['--read_only']", vec![("F01", DENY)]),
        ("version: '2.0', args: ['--inspect=true']", vec![("F01", WARN)]),
        ("args: ['--url_prefix=a --db=b']", vec![("F01", DENY)]),
        ("args: ['--define=x']", vec![("F01", DENY)]),
        ("env: [{name: FLOWER_BASIC_AUHT, value: 'a:b'}]", vec![("F01", DENY)]),
        ("env: [{name: FLOWER_OAUTH2_OKTA_BASE_URL, value: x}, {name: FLOWER_COLOUR, value: x}]", vec![]),
        ("args: ['--broker', 'redis://x']", vec![("F03", WARN)]),
        ("args: ['--result-backend=redis://x']", vec![("F03", DENY)]),
        ("args: ['-q']", vec![("F03", WARN)]),
        ("args: ['--port', '5602']", vec![("F02", DENY)]),
        ("env: [{name: FLOWER_MAX_TASKS, value: many}]", vec![("F05", DENY)]),
        ("args: ['--max_tasks=-5']", vec![("F05", DENY)]),
        ("args: ['--task_runtime_metric_buckets=5,1']", vec![("F05", DENY)]),
        ("args: ['--task_runtime_metric_buckets=1,2.5,5']", vec![]),
        ("env: [{name: FLOWER_TASK_RUNTIME_METRIC_BUCKETS, value: '5,1'}]", vec![("F05", DENY)]),
        ("env: [{name: FLOWER_Max-Tasks, value: many}]", vec![("F05", DENY)]),
        ("env: [{name: FLOWER_Max-Tasks, value: '5'}]", vec![]),
        ("env: [{name: FLOWER_LOGGING, value: loud}]", vec![("F05", DENY)]),
        ("args: ['--logging=info'], env: [{name: FLOWER_LOGGING, value: loud}]", vec![]),
        ("env: [{name: FLOWER_FORMAT_TASK, value: shop.shown}]", vec![("F05", DENY)]),
        ("env: [{name: FLOWER_TASK_RUNTIME_METRIC_BUCKETS, value: '1,x'}]", vec![("F05", DENY)]),
        ("env: [{name: FLOWER_HELP, value: 'yes'}]", vec![("F43", DENY)]),
        ("env: [{name: FLOWER_HELP, value: 'no'}]", vec![]),
        ("env: [{name: FLOWER_PORT, value: '5_555'}]", vec![]),
        ("env: [{name: FLOWER_port, value: tcp}]", vec![("F28", DENY)]),
        ("version: '1.2', env: [{name: FLOWER_DEBUG, value: 'false'}]", vec![("F06", DENY)]),
        ("version: '1.2', env: [{name: FLOWER_DEBUG, value: ''}]", vec![]),
        ("env: [{name: FLOWER_DEBUG, value: maybe}]", vec![("F06", DENY)]),
        ("env: [{name: FLOWER_DEBUG, value: 'no'}]", vec![]),
        ("args: ['--debug']", vec![]),
    ] {
        assert_eq!(of(flower), expected, "{flower}");
    }
}

#[test]
fn options_with_a_field_have_their_variants() {
    for (flower, expected) in [
        ("servicePort: 5602, args: ['--port=5602']", vec![("F04", WARN)]),
        ("args: ['--port=5602']", vec![]),
        ("args: ['--port=70000']", vec![("F04", DENY)]),
        ("args: ['--unix_socket=/tmp/f']", vec![("F04", DENY)]),
        ("args: ['--address=127.0.0.1']", vec![("F04", WARN)]),
        ("args: ['--address=0.0.0.0']", vec![]),
        ("args: ['--url_prefix=a']", vec![]),
        ("env: [{name: FLOWER_URL_PREFIX, value: a}]", vec![]),
        ("env: [{name: FLOWER_URL_PREFIX, value: $(A)}]", vec![("F04", WARN)]),
        (
            "podTemplate: {spec: {containers: [{name: flower, env: [{name: FLOWER_URL_PREFIX, value: a}]}]}}",
            vec![("F04", DENY)],
        ),
        ("urlPrefix: a, args: ['--url-prefix=/b']", vec![("F04", DENY)]),
        ("maxTasks: 10, env: [{name: FLOWER_MAX_TASKS, value: '20'}]", vec![("F04", DENY)]),
        ("args: ['--certfile=/a', '--keyfile=/b']", vec![("F25", DENY)]),
        ("tls: {secretName: a}, args: ['--certfile=/a']", vec![("F04", DENY)]),
        ("env: [{name: FLOWER_PORT, value: '8080'}]", vec![("F28", WARN)]),
        ("args: ['--port=8080'], env: [{name: FLOWER_PORT, value: '8080'}]", vec![]),
        ("args: ['--port=8080'], env: [{name: FLOWER_PORT, value: '5555'}]", vec![("F28", WARN)]),
        ("podTemplate: {spec: {enableServiceLinks: true}}", vec![("F28", DENY)]),
    ] {
        assert_eq!(of(flower), expected, "{flower}");
    }
    let shared = "spec: {common: {podTemplate: {spec: {enableServiceLinks: true}}}, flowerSpec: {auth: {allowUnauthenticated: true}";
    let ids = |rest: &str| {
        let findings = check(&shop(&format!("{shared}{rest}")), None, &Facts::default()).expect("a Celery");
        findings.iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(ids("}}"), ["F28"]);
    assert_eq!(ids(", podTemplate: {spec: {enableServiceLinks: false}}}}"), Vec::<&str>::new());
}

#[test]
fn the_broker_is_seen_through_every_form() {
    let ids = |broker: &str, flower: &str| {
        let object = shop(&format!(
            "spec: {{common: {{broker: {{{broker}}}}}, flowerSpec: {{auth: {{allowUnauthenticated: true}}{flower}}}}}"
        ));
        let findings = check(&object, None, &Facts::default()).expect("a Celery");
        findings.iter().map(|finding| finding.rule).filter(|rule| rule.starts_with('F')).collect::<Vec<_>>()
    };
    let none = Vec::<&str>::new();
    assert_eq!(ids("url: 'mongodb://db/tasks'", ""), ["F30"]);
    assert_eq!(ids("url: null, scheme: kafka, urlSecretRef: {name: a, key: b}", ""), ["F30"]);
    assert_eq!(ids("url: null, scheme: redis, urlSecretRef: {name: a, key: b}", ""), none);
    assert_eq!(ids("url: 'memory://'", ""), none);
    assert_eq!(ids("url: 'rediss://cache?ssl_cert_reqs=required'", ""), none);
    assert_eq!(ids("url: 'rediss://cache?ssl_cert_reqs=none'", ""), ["F31"]);
    assert_eq!(ids("url: 'amqps://app@mq'", ""), none);
    assert_eq!(ids("url: 'amqps://app@mq'", ", version: '2.0'"), ["F31"]);
    assert_eq!(ids("url: 'amqp://app@mq'", ", args: ['--broker_api=http://mq:15672']"), ["F26"]);
}

#[test]
fn warnings_fit_into_the_space_for_them() {
    for flower in [
        "serviceType: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8]",
        "serviceType: NodePort, envFrom: [{secretRef: {name: settings}}]",
        "",
        "unauthenticatedApi: true",
        "auth: {allowUnauthenticated: true}, serviceType: NodePort, nodePort: 8080",
        "auth: {allowUnauthenticated: true}, args: ['--persistent=True', '--nosuch=1', '-q', '--address=a', '--conf=/a']",
        "auth: {allowUnauthenticated: true}, ingress: {annotations: {nginx.ingress.kubernetes.io/rewrite-target: /}}",
        "auth: {allowUnauthenticated: true}, env: [{name: FLOWER_PORT, value: '8080'}], persistence: {saveIntervalSeconds: 0}",
        "auth: {allowUnauthenticated: true}, env: [{name: FLOWER_URL_PREFIX, valueFrom: {secretKeyRef: {name: a, key: b}}}]",
        "auth: {allowUnauthenticated: true}, maxTasks: 100000, resources: {limits: {memory: 256Mi}}",
        "auth: {allowUnauthenticated: true}, persistence: {existingClaim: a, retain: false, storageClass: b}",
    ] {
        for it in findings(flower, &Facts::default()).iter().filter(|it| it.severity == WARN) {
            let text = format!("{}: {}; {} [{}]", it.path, it.message, it.fix, it.rule);
            assert!(text.chars().count() <= 120, "{} characters: {text}", text.chars().count());
        }
    }
}
