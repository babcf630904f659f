// SPDX-License-Identifier: Apache-2.0
//! What the schema refuses, told in the words of the rules, and what is left for those. Names that are not known, and
//! values that do not fit, stand below.

use serde_json::json;

use super::*;
use crate::rules::{Facts, example};

mod elsewhere;
mod names;
mod values;

/// What the schema finds in an example: rule, path, message and fix.
fn found(overlay: &str) -> Vec<String> {
    let object = example::object(overlay).expect("is YAML");
    reading(&object, &|_| None).findings.iter().map(ToString::to_string).collect()
}

/// What lint says of an object, schema and rules together.
fn all_of(overlay: &str) -> Vec<String> {
    let object = example::object(overlay).expect("is YAML");
    let reading = reading(&object, &|_| None);
    let rules = crate::rules::check(&reading.object, None, &Facts::default()).expect("a Celery");
    reading.with(rules).iter().map(ToString::to_string).collect()
}

#[test]
fn its_examples_are_found_under_their_ids() {
    for rule in RULES.iter().filter(|rule| !rule.is_about_facts()) {
        let object = example::object(rule.example.bad).expect("is YAML");
        let findings = reading(&object, &|_| None).findings;
        let found: Vec<(&str, &str)> =
            findings.iter().map(|finding| (finding.rule, finding.path.as_str())).collect();
        assert_eq!(found, [(rule.id, rule.example.at)]);
        assert_eq!(self::found(rule.example.good), [""; 0], "{}", rule.id);
    }
}

#[test]
fn a_setting_that_is_null_is_told_and_dropped() {
    let text = |setting: &str, fix: &str| {
        format!("spec.common.config.{setting}: the API server drops a null; {fix} [C80]")
    };
    let celery = json!({"spec": {"common": {"image": "a", "config": {
        "result_expires": null, "timezone": null, "broker_transport_options": {"a": null}, "broker_pool_limit": null,
        "worker_soft_shutdown_timeout": null,
    }}}});
    let read = reading(&celery, &|_| None);
    let told: Vec<String> = read.findings.iter().map(ToString::to_string).collect();
    for (setting, fix) in [
        ("broker_pool_limit", "write \"--\", \"broker.pool_limit=(json)null\" in args"),
        ("result_expires", "write \"--\", \"result.expires=(json)null\" in args"),
        ("timezone", "set it in the application"),
        ("worker_soft_shutdown_timeout", "write \"--\", \"worker.soft_shutdown_timeout=(json)null\" in args"),
    ] {
        assert!(told.contains(&text(setting, fix)), "{setting}: {told:#?}");
    }
    let kept = json!({"broker_transport_options": {"a": null}});
    assert_eq!(read.object["spec"]["common"]["config"], kept);
}

#[test]
fn no_example_of_a_rule_is_against_the_schema_in_another_place() {
    for rule in crate::rules::catalogue::rules() {
        assert_eq!(found(rule.example.good), [""; 0], "{}", rule.id);
    }
}

#[test]
fn messages_say_what_was_meant() {
    for (overlay, text) in [
        ("spec: {commom: {}}", "spec.commom: Forbidden: there is no such field; did you mean common? [S01]"),
        (
            "spec: {image: a}",
            "spec.image: Forbidden: there is no such field; did you mean spec.common.image? [S01]",
        ),
        (
            "spec: {flowerSpec: {qqqq: 1}}",
            "spec.flowerSpec.qqqq: Forbidden: there is no such field; remove it; there are ",
        ),
        (
            "spec: {common: {volumes: [{name: a, emptydir: {}}]}}",
            "spec.common.volumes[0].emptydir: Forbidden: there is no such field; did you mean emptyDir? [S01]",
        ),
        (
            "metadata: {annotations: {a.b/c: true}}",
            "metadata.annotations[a.b/c]: Invalid value: \"true\": is a truth value, the field takes a string; quote it: \"true\" [S02]",
        ),
        (
            "spec: {workerSpec: {args: -c 4}}",
            "spec.workerSpec.args: Invalid value: \"-c 4\": is a string, the field takes a list; write a list of words: [\"-c\", \"4\"] [S02]",
        ),
        (
            "spec: {workerSpec: [1]}",
            "spec.workerSpec: Forbidden: is a list, the field takes a mapping; use workerPools for several [S02]",
        ),
        (
            "spec: {workerSpec: {numOfWorkers: 1.5}}",
            "spec.workerSpec.numOfWorkers: Invalid value: \"1.5\": is a number with a fraction, the field takes a whole number; write a whole number [S02]",
        ),
        (
            "spec: {workerSpec: {resources: {limits: {cpu: 0.5}}}}",
            "spec.workerSpec.resources.limits[cpu]: Invalid value: \"0.5\": is a number with a fraction, the field takes a whole number or a string; write 500m, or put it in quotes: \"0.5\" [S02]",
        ),
        (
            "spec: {workerSpec: {resources: {limits: {memory: 1.5}}}}",
            "spec.workerSpec.resources.limits[memory]: Invalid value: \"1.5\": is a number with a fraction, the field takes a whole number or a string; put it in quotes: \"1.5\" [S02]",
        ),
        (
            "spec: {workerSpec: {numOfWorkers: 3000000000}}",
            "spec.workerSpec.numOfWorkers: Invalid value: \"3000000000\": is out of bounds; use 0 to 2147483647 [S03]",
        ),
        (
            "spec: {flowerSpec: {serviceType: Foo}}",
            "spec.flowerSpec.serviceType: Unsupported value: \"Foo\": is not a valid value; use one of Default, ClusterIP, NodePort, LoadBalancer [S03]",
        ),
        (
            "spec: {celeryVersion: '5.5'}",
            "spec.celeryVersion: Forbidden: there is no such field; did you mean spec.common.celeryVersion? [S01]",
        ),
        (
            "metadata: {name: Shop}",
            "metadata.name: Invalid value: \"Shop\": does not have the form of the field; write what fits ",
        ),
        ("metadata: {name: null}", "metadata.name: Required value: the object has no name; set name [S03]"),
        (
            "spec: {common: {image: null}}",
            "spec.common.image: Required value: the field is required and missing; set image [S03]",
        ),
        (
            "spec: {common: {appName: A}}",
            "spec.common.appName: Invalid value: \"A\": does not have the form of the field; write what fits ^[a-z]([a-z0-9-]*[a-z0-9])?$ [S03]",
        ),
    ] {
        let found = found(overlay);
        assert!(found.len() == 1 && found[0].starts_with(text), "{overlay}: {found:#?}");
    }
}

#[test]
fn a_worker_that_is_null_is_told_as_such() {
    let mut object = example::object("spec: {beatSpec: {}}").expect("is YAML");
    object["spec"]["workerSpec"] = json!(null);
    let reading = reading(&object, &|_| None);
    let rules =
        crate::rules::check(&reading.object, None, &Facts::default()).expect("has the form of a Celery");
    let all: Vec<String> = reading.with(rules).iter().map(ToString::to_string).collect();
    assert_eq!(all, ["spec.workerSpec: Forbidden: is null; write workerSpec: {} [S02]"]);
    object["spec"]["workerPools"] = json!([{"name": "fast"}]);
    assert_eq!(super::reading(&object, &|_| None).findings, []);
}

#[test]
fn the_text_of_the_source_is_quoted() {
    let object = example::object("spec: {common: {celeryVersion: 5.1}}").expect("is YAML");
    let findings = reading(&object, &|_| Some("5.10".to_owned())).findings;
    assert_eq!(
        findings[0].to_string(),
        "spec.common.celeryVersion: Invalid value: \"5.10\": is the number 5.1 to YAML, the field takes a string; quote it: \"5.10\" [S02]"
    );
}

#[test]
fn what_is_left_can_be_judged() {
    let object = example::object(
        "spec: {status: 1, workerSpec: {numOfWorkers: three, args: [1]},
                common: {image: My/App, celeryApp: {}}, flowerSpec: null,
                scaleTargetRef: [{kind: worker, maxReplicas: '3', metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
    )
    .expect("is YAML");
    let reading = reading(&object, &|_| None);
    assert_eq!(
        reading.object["spec"],
        json!({"workerSpec": {}, "common": {"image": "My/App", "broker": {"url": "redis://cache:6379/0"}}, "scaleTargetRef": [{"kind": "worker", "pool": "default",
               "minReplicas": 1, "metrics": [{"name": "cpu", "target": {"type": "AverageValue", "averageValue": "500m"}}]}]})
    );
    let rules =
        crate::rules::check(&reading.object, None, &Facts::default()).expect("has the form of a Celery");
    let mut all: Vec<(&str, String)> =
        reading.with(rules).into_iter().map(|finding| (finding.rule, finding.path)).collect();
    all.sort();
    let expected = [
        ("C04", "spec.common.image"),
        ("S01", "spec.status"),
        ("S02", "spec.common.celeryApp"),
        ("S02", "spec.scaleTargetRef[0].maxReplicas"),
        ("S02", "spec.workerSpec.args[0]"),
        ("S02", "spec.workerSpec.numOfWorkers"),
    ];
    assert_eq!(all, expected.map(|(rule, path)| (rule, path.to_owned())));
}

#[test]
fn a_pool_of_a_wrong_type_is_no_missing_pool() {
    let object = example::object("spec: {workerSpec: 3}").expect("is YAML");
    let reading = reading(&object, &|_| None);
    let rules =
        crate::rules::check(&reading.object, None, &Facts::default()).expect("has the form of a Celery");
    assert!(rules.iter().any(|finding| finding.rule == "C22"), "{rules:?}");
    let all = reading.with(rules);
    assert_eq!(all.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [TYPE], "{all:?}");
}

#[test]
fn any_json_is_survived() {
    for object in [
        json!(null),
        json!([]),
        json!("x"),
        json!({}),
        json!({"metadata": [], "spec": 3}),
        json!({"spec": {"common": {"volumes": [null, 3, {"": {"": []}}]}}}),
    ] {
        let reading = reading(&object, &|_| None);
        let rules = crate::rules::check(&reading.object, None, &Facts::default()).unwrap_or_default();
        assert!(!reading.with(rules).is_empty(), "{object}");
    }
}
