// SPDX-License-Identifier: Apache-2.0
//! What users see when they apply an object: defaults, refusals, warnings.

use serde_json::{Value, json};

use crate::http::Answer;
use crate::rig::shared;
use crate::shop;
use crate::space::Space;

/// Three mistakes in three parts of the object.
const BROKEN: &str = "spec: {common: {image: My/App, broker: {url: 'rabbitmq://app:hush@mq'}}, \
                      flowerSpec: {servicePort: 70000, auth: {allowUnauthenticated: true}}}";

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_good_object_is_stored_with_its_defaults() {
    let space = Space::new(shared(), "defaults");
    let celery = shop::with("spec: {flowerSpec: {}}").to_string();
    let printed = space.succeed(&["apply", "-f", "-"], &celery);
    assert_eq!(printed, "celery.celeryproject.org/shop created\n");
    let spec = space.get("celeries", "shop").unwrap()["spec"].take();
    assert_eq!(spec["common"]["appName"], "shop");
    assert_eq!(spec["workerSpec"], json!({"numOfWorkers": 1}));
    assert_eq!(spec["flowerSpec"], json!({"replicas": 1, "serviceType": "Default"}));
    // What derives from other fields is not frozen in the object.
    assert!(spec["common"].get("imagePullPolicy").is_none());
}

#[test]
fn several_mistakes_are_printed_by_kubectl_in_one_answer() {
    let space = Space::new(shared(), "mistakes");
    let celery = shop::with(BROKEN).to_string();
    for arguments in
        [&["apply", "-f", "-"][..], &["apply", "--server-side", "-f", "-"], &["create", "-f", "-"]]
    {
        let output = space.kubectl(arguments, &celery);
        let printed = stderr(&output);
        assert!(!output.status.success());
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines[0], "The Celery \"shop\" is invalid: ", "{printed}");
        let line = |start: &str, end: &str| {
            lines[1..].iter().any(|line| line.starts_with(start) && line.ends_with(end))
        };
        assert_eq!(lines.len(), 4, "{printed}");
        assert!(line("* spec.common.image: Invalid value: \"My/App\": ", "[C04]"), "{printed}");
        assert!(
            line("* spec.common.broker.url: Invalid value: \"rabbitmq://***@mq\": ", "[B05]"),
            "{printed}"
        );
        assert!(line("* spec.flowerSpec.servicePort: Invalid value: \"70000\": ", "[F09]"), "{printed}");
        assert!(!printed.contains("hush"));
    }
    assert_eq!(space.list("celeries"), Vec::<Value>::new());
}

#[test]
fn a_program_sees_code_reason_and_causes_of_a_refusal() {
    let space = Space::new(shared(), "causes");
    let answer = space.post("celeries", "", &shop::with(BROKEN));
    assert_eq!(answer.code, 422);
    let body = answer.body();
    assert_eq!(body["reason"], "Invalid");
    let details = &body["details"];
    let head = (&details["name"], &details["group"], &details["kind"]);
    assert_eq!(head, (&json!("shop"), &json!("celeryproject.org"), &json!("Celery")));
    let mut fields: Vec<String> = answer.causes().into_iter().map(|(field, _)| field).collect();
    fields.sort();
    assert_eq!(fields, ["spec.common.broker.url", "spec.common.image", "spec.flowerSpec.servicePort"]);
    // The same object without the mistake that the schema knows: the other webhook answers, in the same form.
    let answer = space.post("celeries", "", &shop::with("spec: {common: {image: My/App}}"));
    assert_eq!((answer.code, answer.body()["details"]["name"].clone()), (422, json!("shop")));
    assert_eq!(answer.causes()[0].0, "spec.common.image");
}

#[test]
fn warnings_are_printed_beside_success() {
    let space = Space::new(shared(), "warnings");
    let url = format!("redis://:hush{}@localhost/99", "y".repeat(200));
    let mut celery = shop::plain();
    celery["spec"]["common"]["broker"]["url"] = json!(url);
    let output = space.kubectl(&["apply", "-f", "-"], &celery.to_string());
    assert!(output.status.success());
    let printed = stderr(&output);
    for rule in ["[B12]", "[B26]", "[B27]"] {
        let warning =
            printed.lines().find(|line| line.ends_with(rule)).unwrap_or_else(|| panic!("{printed}"));
        let text = warning.strip_prefix("Warning: ").unwrap();
        assert!(text.chars().count() <= 256 && !text.starts_with("Warning"), "{text}");
    }
    assert!(!printed.contains("hush"));
}

#[test]
fn a_server_side_dry_run_defaults_and_refuses_and_stores_nothing() {
    let space = Space::new(shared(), "dry-run");
    let celery = shop::with("spec: {flowerSpec: {}}").to_string();
    let arguments = ["apply", "--dry-run=server", "-o", "json", "-f", "-"];
    let dry: Value = serde_json::from_str(&space.succeed(&arguments, &celery)).unwrap();
    assert_eq!(dry["spec"]["common"]["appName"], "shop");
    assert_eq!(dry["spec"]["workerSpec"]["numOfWorkers"], 1);
    let output = space.kubectl(&arguments, &shop::with(BROKEN).to_string());
    assert!(stderr(&output).contains("[C04]"));
    assert_eq!(space.list("celeries"), Vec::<Value>::new());
    assert_eq!(space.list("deployments"), Vec::<Value>::new());
}

#[test]
fn a_written_value_is_never_changed() {
    let space = Space::new(shared(), "written");
    let spec = "spec: {workerSpec: {numOfWorkers: 0, resources: {requests: {cpu: 0.5}}}, flowerSpec: {replicas: 0, serviceType: ClusterIP}, \
                scaleTargetRef: [{kind: flower, maxReplicas: 2, metrics: [{name: memory, target: {type: Average Value, averageValue: 100Mi}}]}]}";
    let mut celery = shop::with(spec);
    celery["spec"]["workerSpec"]["resources"]["requests"]["cpu"] = json!("0.5");
    let stored = space.create("celeries", &celery)["spec"].take();
    // Everything that was written is there as it was written; fields may have been added beside it.
    let mut merged = stored.clone();
    json_patch::merge(
        &mut merged,
        &json!({"workerSpec": celery["spec"]["workerSpec"], "flowerSpec": celery["spec"]["flowerSpec"]}),
    );
    assert_eq!(merged, stored);
    assert_eq!(stored["scaleTargetRef"][0]["metrics"][0]["target"]["type"], "Average Value");
}

#[test]
fn applying_twice_changes_nothing() {
    let space = Space::new(shared(), "twice");
    let celery = shop::with("spec: {flowerSpec: {}}").to_string();
    assert!(space.succeed(&["apply", "-f", "-"], &celery).ends_with("created\n"));
    assert!(space.succeed(&["apply", "-f", "-"], &celery).ends_with("unchanged\n"));
    // kubectl cannot look into lists of custom resources, so it always sends one that the schema completed; the API
    // server finds no difference.
    let celery = shop::named("scaled", &format!("spec: {{scaleTargetRef: {}}}", shop::CPU));
    for _ in 0..2 {
        space.succeed(&["apply", "-f", "-"], &celery.to_string());
    }
    assert_eq!(space.get("celeries", "scaled").unwrap()["metadata"]["generation"], 1);
    let celery = celery.to_string();
    for _ in 0..2 {
        space.succeed(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &celery);
    }
    assert_eq!(space.get("celeries", "scaled").unwrap()["metadata"]["generation"], 1);
}

#[test]
fn two_managers_apply_the_same_manifest_without_a_conflict() {
    let space = Space::new(shared(), "managers");
    let celery = shop::with(&format!("spec: {{flowerSpec: {{}}, scaleTargetRef: {}}}", shop::QUEUE));
    for manager in ["one", "two", "one"] {
        let answer: Answer = space.apply_as(manager, "celeries", &celery);
        assert!(answer.is_success(), "{manager}: {}", answer.text);
    }
    assert_eq!(space.get("celeries", "shop").unwrap()["metadata"]["generation"], 1);
}

#[test]
fn a_generated_name_needs_a_written_app_name() {
    let space = Space::new(shared(), "generated");
    let mut celery = shop::plain();
    celery["metadata"] = json!({"generateName": "shop-"});
    let answer = space.post("celeries", "", &celery);
    assert_eq!(answer.code, 422, "{}", answer.text);
    assert_eq!(answer.causes()[0].0, "spec.common.appName");
    celery["spec"]["common"]["appName"] = json!("mall");
    let stored = space.create("celeries", &celery);
    assert!(stored["metadata"]["name"].as_str().unwrap().starts_with("shop-"));
    assert_eq!(stored["spec"]["common"]["appName"], "mall");
    space.until_there("deployments", "mall-worker");
}

#[test]
fn wrong_types_are_answered_by_the_api_server_itself_with_a_hint_where_it_helps() {
    let space = Space::new(shared(), "types");
    let output = space.kubectl(
        &["create", "-f", "-"],
        &shop::with("spec: {workerSpec: {numOfWorkers: three}}").to_string(),
    );
    assert!(!output.status.success());
    let printed = stderr(&output);
    assert!(printed.contains("spec.workerSpec.numOfWorkers: Invalid value"), "{printed}");
    let output = space
        .kubectl(&["create", "-f", "-"], &shop::with("spec: {common: {celeryVersion: 5.1}}").to_string());
    assert!(!output.status.success());
    let printed = stderr(&output);
    assert!(
        printed.contains("Warning: spec.common.celeryVersion: 5.1 is a number; quote it: \"5.1\""),
        "{printed}"
    );
    assert!(printed.contains("spec.common.celeryVersion: Invalid value"), "{printed}");
}

#[test]
fn the_app_name_never_changes() {
    let space = Space::new(shared(), "immutable");
    space.create("celeries", &shop::plain());
    let patch = json!({"spec": {"common": {"appName": "mall"}}});
    let answer = space.merge("celeries", "shop", &patch);
    assert_eq!(answer.code, 422, "{}", answer.text);
    let (field, message) = answer.causes().remove(0);
    assert_eq!(field, "spec.common.appName");
    assert!(message.contains("immutable") && message.ends_with("[C15]"), "{message}");
    // Taking the defaulted name away brings the same one back.
    let after = space.edit("celeries", "shop", "spec: {common: {appName: null}}");
    assert_eq!(after["spec"]["common"]["appName"], "shop");
}
