// SPDX-License-Identifier: Apache-2.0
//! The rules as a whole: what an answer looks like. What holds for every rule, and the further cases of each area, stand
//! below.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

mod args;
mod backend;
mod broker;
mod broker_url;
mod command;
mod common;
mod credentials;
mod every_rule;
mod nodes;
mod pods;
mod replicas;
mod settings;
mod shutdown;
mod sqs;
mod unlike_flower;
mod variables;
mod worker;

/// The small correct Celery with this YAML laid over it.
pub(super) fn shop(overlay: &str) -> Value {
    example::object(overlay).unwrap_or_else(|error| panic!("{overlay}: {error}"))
}

/// What surrounds the examples: two Celery objects of the same namespace.
fn surroundings() -> Facts {
    let neighbours =
        example::NEIGHBOURS.iter().map(|(name, prefix)| ((*name).to_owned(), (*prefix).to_owned()));
    Facts { neighbours: neighbours.collect(), ..Facts::default() }
}

#[test]
fn what_the_rules_are_prepared_with_is_judged() {
    let example = shop(PREPARED);
    assert_eq!(example["spec"]["workerSpec"]["podTemplate"]["spec"]["nodeSelector"]["disk"], "ssd");
    assert_eq!(found(&example, None), []);
}

fn found(object: &Value, old: Option<&Value>) -> Vec<(&'static str, String)> {
    located(check(object, old, &surroundings()).expect("has the form of a Celery"))
}

/// What is found of one rule: how severe, and where.
fn of_rule(id: &str, overlay: &str) -> Vec<(Severity, String)> {
    let findings = check(&shop(overlay), None, &surroundings()).expect("has the form of a Celery");
    let of_rule = findings.into_iter().filter(|finding| finding.rule == id);
    of_rule.map(|finding| (finding.severity, finding.path)).collect()
}

/// The same of an object with this in `spec.common`.
fn of_common(id: &str, common: &str) -> Vec<(Severity, String)> {
    of_rule(id, &format!("spec: {{common: {{{common}}}}}"))
}

/// What is found in an overlay.
pub(super) fn findings(overlay: &str) -> Vec<Finding> {
    check(&shop(overlay), None, &Facts::default()).expect("has the form of a Celery")
}

/// Every line that is printed about an object, warnings as clients cut them.
fn lines(overlay: &str) -> Vec<String> {
    let findings = check(&shop(overlay), None, &surroundings()).expect("a Celery");
    let line = |finding: &Finding| {
        format!("{}: {}; {} [{}]", finding.path, finding.message, finding.fix, finding.rule)
    };
    findings.iter().filter(|finding| finding.severity == Severity::Warn).map(line).collect()
}

/// One denial.
fn deny(path: &str) -> Vec<(Severity, String)> {
    vec![(Severity::Deny, path.to_owned())]
}

/// One warning.
fn warn(path: &str) -> Vec<(Severity, String)> {
    vec![(Severity::Warn, path.to_owned())]
}

fn located(findings: Vec<Finding>) -> Vec<(&'static str, String)> {
    findings.into_iter().map(|finding| (finding.rule, finding.path)).collect()
}

#[test]
fn all_mistakes_come_in_one_answer() {
    let object = shop(
        "spec: {common: {image: My/App, celeryApp: shop/tasks, broker: {url: 'cache:6379'}},
                flowerSpec: {servicePort: 0, serviceType: Foo, auth: {allowUnauthenticated: true}},
                scaleTargetRef: [{kind: queue, minReplicas: 4, maxReplicas: 2, metrics: [{name: tasks, target: {}}]}]}",
    );
    let ids: BTreeSet<&str> = found(&object, None).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, BTreeSet::from(["A01", "A02", "A05", "A07", "B04", "C02", "C04", "F08", "F09"]));
}

#[test]
fn duplicates_are_found_by_key() {
    let metric = "{name: cpu, target: {type: AverageValue, averageValue: 500m}}";
    let twice = shop(&format!(
        "spec: {{scaleTargetRef: [{{kind: worker, maxReplicas: 3, metrics: [{metric}, {metric}]}},
                                  {{kind: worker, pool: default, maxReplicas: 3, metrics: [{metric}]}}]}}"
    ));
    let expected = [
        ("A01", "spec.scaleTargetRef[1]".to_owned()),
        ("A04", "spec.scaleTargetRef[0].metrics[1].name".to_owned()),
    ];
    let mut findings = found(&twice, None);
    findings.sort();
    assert_eq!(findings, expected);
}

#[test]
fn what_was_already_wrong_is_a_warning_on_update() {
    let old = shop("spec: {common: {broker: {url: 'cache:6379'}}}");
    let same = shop("{metadata: {labels: {team: a}}, spec: {common: {broker: {url: 'cache:6379'}}}}");
    let worse = shop("spec: {common: {broker: {url: 'other:6379'}}}");
    let severity = |new: &Value| check(new, Some(&old), &Facts::default()).expect("a Celery")[0].severity;
    assert_eq!(severity(&same), Severity::Warn);
    assert_eq!(severity(&worse), Severity::Deny);
}

#[test]
fn a_moved_item_keeps_its_place() {
    let target = |kind: &str, max: u32| {
        format!(
            "{{kind: {kind}, maxReplicas: {max}, metrics: [{{name: cpu, target: {{type: Utilization}}}}]}}"
        )
    };
    let spec = |a: &str, b: &str| shop(&format!("spec: {{flowerSpec: {{}}, scaleTargetRef: [{a}, {b}]}}"));
    let old = spec(&target("worker", 3), &target("flower", 3));
    let moved = spec(&target("flower", 3), &target("worker", 3));
    assert!(
        check(&moved, Some(&old), &Facts::default())
            .expect("a Celery")
            .iter()
            .all(|finding| finding.severity == Severity::Warn)
    );
}

#[test]
fn a_secret_is_never_quoted() {
    for url in [
        "redis://:hunter2@cache",
        "redis://:hunter2#@cache",
        "redis://:hunter2/@cache/abc",
        "rabbitmq://app:hunter2@mq",
        "amqp://app:hunter2@a;b:5672",
        "amqp://app:hunter2@a;redis://b",
        "app:hunter2@mq",
        " redis://:hunter2@cache",
        "redis://app:hunter2",
        "rediss://:hunter2@cache?ssl_cert_reqs=x",
        "memory://app:hunter2@x",
        "memory://;amqp://app:hunter2@mq",
    ] {
        let object = shop(&format!("spec: {{common: {{broker: {{url: {url:?}}}}}}}"));
        let findings = check(&object, None, &Facts::default()).expect("a Celery");
        assert!(!findings.is_empty(), "{url}");
        for finding in findings {
            assert!(!finding.to_string().contains("hunter2"), "{finding}");
        }
    }
}

#[test]
fn messages_say_what_to_write_instead() {
    let object = shop("spec: {common: {broker: {url: 'rabbitmq://app@mq'}, image: My/App}}");
    let texts: Vec<String> =
        check(&object, None, &Facts::default()).expect("a Celery").iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "spec.common.broker.url: Invalid value: \"rabbitmq://***@mq\": has the scheme \"rabbitmq\", which Celery \
             does not know; did you mean amqp://? [B05]",
            "spec.common.image: Invalid value: \"My/App\": has capital letters in the repository name; use \
             registry/name:tag in lower-case letters [C04]",
        ]
    );
}

#[test]
fn long_values_are_cut_and_control_characters_are_escaped() {
    let mut object = shop("{}");
    object["spec"]["common"]["image"] = json!(format!("A\u{7}{}", "x".repeat(200)));
    let text = check(&object, None, &Facts::default()).expect("a Celery")[0].text();
    assert!(text.starts_with(&format!("Invalid value: \"A\\u{{7}}{}…\":", "x".repeat(62))), "{text}");
}

#[test]
fn wrong_types_are_left_to_the_schema() {
    for overlay in
        ["spec: {workerSpec: {numOfWorkers: three}}", "spec: [1]", "spec: {common: {celeryVersion: 5.1}}"]
    {
        assert!(check(&shop(overlay), None, &Facts::default()).is_err(), "{overlay}");
    }
    for object in
        [json!(null), json!({}), json!({"spec": {}}), json!({"metadata": {}, "spec": {"common": {}}})]
    {
        let _ = check(&object, Some(&object), &Facts::default());
    }
}

#[test]
fn lists_that_the_schema_refuses_are_not_typed() {
    // Typed, a number would be an error.
    let mut object = shop("{}");
    object["spec"]["common"]["volumes"] = json!(vec![7; crate::api::limits::ITEMS + 1]);
    assert_eq!(check(&object, None, &Facts::default()).expect("is not typed"), []);
    assert!(!is_refused_by_schema(&object, None).expect("is not typed"));
    object["spec"]["common"]["volumes"] = json!([7]);
    assert!(check(&object, None, &Facts::default()).is_err());
    assert!(is_refused_by_schema(&object, None).is_err());
}
