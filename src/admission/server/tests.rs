// SPDX-License-Identifier: Apache-2.0
//! What the webhooks answer, asked as an API server asks them: with a review over HTTP.

mod bounded;

use http_body_util::BodyExt as _;
use k8s_openapi::ByteString;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::build::ChildKind;
use crate::index::{CeleryFeed, CeleryIndex, ChildIndex};

fn shop(spec: Value) -> Value {
    let mut object = json!({
        "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {"common": {"image": "shop:1", "celeryApp": "shop.tasks", "broker": {"url": "redis://cache"}},
                 "workerSpec": {}},
    });
    json_patch::merge(&mut object["spec"], &spec);
    object
}

fn review(operation: &str, object: &Value, old: &Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "7", "operation": operation, "name": "shop", "namespace": "default", "userInfo": {},
        "kind": {"group": "celeryproject.org", "version": "v1alpha1", "kind": "Celery"},
        "resource": {"group": "celeryproject.org", "version": "v1alpha1", "resource": "celeries"},
        "object": object, "oldObject": old, "dryRun": false,
    }})
}

async fn send(path: &str, body: impl Into<Body>) -> (StatusCode, String) {
    send_knowing(Surroundings::default(), path, body).await
}

async fn send_knowing(surroundings: Surroundings, path: &str, body: impl Into<Body>) -> (StatusCode, String) {
    let request = HttpRequest::post(path).header("content-type", "application/json").body(body.into());
    let response = router(surroundings).oneshot(request.expect("a request")).await.expect("an answer");
    let status = response.status();
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8(bytes.to_vec()).expect("text"))
}

/// The response to a review that is well formed.
async fn ask(path: &str, review: &Value) -> Value {
    let (status, text) = send(path, review.to_string()).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&answer["kind"], &answer["response"]["uid"]), (&json!("AdmissionReview"), &json!("7")));
    answer["response"].clone()
}

/// The patch of a response.
fn patch(response: &Value) -> Vec<Value> {
    let bytes: ByteString = serde_json::from_value(response["patch"].clone()).expect("base64");
    serde_json::from_slice(&bytes.0).expect("a patch")
}

fn ids(response: &Value) -> Vec<String> {
    let causes = response["status"]["details"]["causes"].as_array().cloned().unwrap_or_default();
    let id =
        |cause: &Value| Some(cause["message"].as_str()?.rsplit_once('[')?.1.trim_end_matches(']').to_owned());
    causes.iter().filter_map(id).collect()
}

#[tokio::test]
async fn a_good_object_gets_what_is_absent_and_nothing_else() {
    let flower = json!({"serviceType": "NodePort", "auth": {"allowUnauthenticated": true}});
    let object = shop(json!({"flowerSpec": flower}));
    let response = ask(MUTATE_PATH, &review("CREATE", &object, &Value::Null)).await;
    assert_eq!(response["allowed"], true);
    assert_eq!(response["patchType"], "JSONPatch");
    let added: Vec<(Value, Value)> =
        patch(&response).into_iter().map(|entry| (entry["op"].clone(), entry["path"].clone())).collect();
    let paths = ["/spec/common/appName", "/spec/workerSpec/numOfWorkers", "/spec/flowerSpec/replicas"];
    assert_eq!(added, paths.map(|path| (json!("add"), json!(path))));
    assert_eq!(response["auditAnnotations"]["defaulted"], "3");
    let validated = ask(VALIDATE_PATH, &review("CREATE", &object, &Value::Null)).await;
    assert_eq!((&validated["allowed"], &validated["warnings"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn a_complete_object_gets_no_patch() {
    let complete = shop(json!({"common": {"appName": "shop"}, "workerSpec": {"numOfWorkers": 2}}));
    let response = ask(MUTATE_PATH, &review("CREATE", &complete, &Value::Null)).await;
    assert!(response.get("patch").is_none() && response.get("patchType").is_none(), "{response}");
}

#[tokio::test]
async fn a_refusal_has_every_cause_in_the_form_of_the_api_server() {
    let object = shop(json!({"common": {"image": "My/App", "broker": {"url": "cache:6379"}}}));
    let response = ask(VALIDATE_PATH, &review("CREATE", &object, &Value::Null)).await;
    let status = &response["status"];
    assert_eq!(response["allowed"], false);
    assert_eq!(
        (&status["code"], &status["reason"], &status["status"]),
        (&json!(422), &json!("Invalid"), &json!("Failure"))
    );
    let details = &status["details"];
    assert_eq!(
        (&details["name"], &details["kind"], &details["group"]),
        (&json!("shop"), &json!("Celery"), &json!("celeryproject.org"))
    );
    assert_eq!(details["causes"][0]["field"], "spec.common.broker.url");
    assert_eq!(details["causes"][0]["reason"], "FieldValueInvalid");
    assert_eq!(ids(&response), ["B04", "C04"]);
    assert_eq!(response["auditAnnotations"]["rules"], "B04,C04");
}

#[tokio::test]
async fn what_the_schema_would_refuse_is_denied_before_it_with_everything_else() {
    let both = shop(json!({"workerSpec": {"numOfWorkers": -1}, "common": {"image": "My/App"}}));
    assert_eq!(ids(&ask(MUTATE_PATH, &review("CREATE", &both, &Value::Null)).await), ["C04", "K01"]);
    // The schema has nothing against this one: the validating webhook will judge the final object.
    let image = shop(json!({"common": {"image": "My/App"}}));
    assert_eq!(ask(MUTATE_PATH, &review("CREATE", &image, &Value::Null)).await["allowed"], true);
}

#[tokio::test]
async fn warnings_are_short_lines_that_end_with_the_rule() {
    let long = format!("redis://:hunter2@{}:6379/99", "cache.".repeat(30));
    let object = shop(json!({"common": {"broker": {"url": long}, "celeryApp": "tasks.py"}}));
    let response = ask(VALIDATE_PATH, &review("CREATE", &object, &Value::Null)).await;
    let warnings: Vec<&str> =
        response["warnings"].as_array().expect("warnings").iter().filter_map(Value::as_str).collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for warning in warnings {
        assert!(
            warning.chars().count() <= 256 && warning.ends_with(']') && !warning.contains('\n'),
            "{warning}"
        );
        assert!(!warning.contains("hunter2"), "{warning}");
    }
}

#[tokio::test]
async fn a_known_mistake_is_a_warning_on_update_and_a_denial_at_creation() {
    let wrong = shop(json!({"common": {"image": "My/App"}}));
    let mut relabelled = wrong.clone();
    relabelled["metadata"]["labels"] = json!({"team": "a"});
    let response = ask(VALIDATE_PATH, &review("UPDATE", &relabelled, &wrong)).await;
    assert_eq!(
        (&response["allowed"], response["warnings"].as_array().map(Vec::len)),
        (&json!(true), Some(1))
    );
    assert_eq!(ask(VALIDATE_PATH, &review("CREATE", &relabelled, &Value::Null)).await["allowed"], false);
}

#[tokio::test]
async fn wrong_types_are_left_to_the_api_server_with_a_hint_where_it_helps() {
    let number = shop(json!({"common": {"celeryVersion": 5.1}}));
    let response = ask(MUTATE_PATH, &review("CREATE", &number, &Value::Null)).await;
    assert_eq!((&response["allowed"], response.get("patch")), (&json!(true), None));
    assert_eq!(
        response["warnings"][0],
        "spec.common.celeryVersion: 5.1 is a number; quote it: \"5.1\" [C10]"
    );
    let text = shop(json!({"workerSpec": {"numOfWorkers": "three"}}));
    for path in [MUTATE_PATH, VALIDATE_PATH] {
        assert_eq!(ask(path, &review("CREATE", &text, &Value::Null)).await["allowed"], true);
    }
}

#[tokio::test]
async fn what_is_on_its_way_out_is_not_judged() {
    let mut object = shop(json!({"common": {"image": "My/App"}}));
    assert_eq!(ask(VALIDATE_PATH, &review("DELETE", &Value::Null, &object)).await["allowed"], true);
    object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(ask(VALIDATE_PATH, &review("UPDATE", &object, &object)).await["allowed"], true);
}

#[tokio::test]
async fn what_is_no_review_gets_an_error_that_says_so() {
    let mut other = review("CREATE", &shop(json!({})), &Value::Null);
    other["request"]["resource"]["resource"] = json!("widgets");
    let mut status = review("CREATE", &shop(json!({})), &Value::Null);
    status["request"]["subResource"] = json!("status");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (body, says) in [
        (String::new(), "not an AdmissionReview"),
        ("hello".to_owned(), "not an AdmissionReview"),
        ("{}".to_owned(), "not an AdmissionReview"),
        ("[1, 2]".to_owned(), "not an AdmissionReview"),
        (r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}"#.to_owned(), "no request"),
        (r#"{"apiVersion":"v1","kind":"Pod"}"#.to_owned(), "Pod of v1, not AdmissionReview"),
        (other.to_string(), "not widgets.celeryproject.org"),
        (status.to_string(), "not celeries.celeryproject.org/status"),
        (deep, "not an AdmissionReview"),
    ] {
        for path in [MUTATE_PATH, VALIDATE_PATH] {
            let (status, text) = send(path, body.clone()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
            assert!(text.contains(says), "{text}");
        }
    }
    assert_eq!(send(VALIDATE_PATH, vec![b' '; MAX_BODY + 1]).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(send("/elsewhere", "").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_object_of_any_shape_is_answered() {
    for object in [
        json!({"metadata": {}}),
        json!({"metadata": {}, "spec": null}),
        json!({"metadata": {}, "spec": [[]]}),
    ] {
        for path in [MUTATE_PATH, VALIDATE_PATH] {
            let response = ask(path, &review("CREATE", &object, &Value::Null)).await;
            assert!(response["allowed"].is_boolean());
        }
    }
}

/// The answer to a request that scales an object the operator has seen.
async fn scaled(object: &Value) -> Value {
    let mut feed = CeleryFeed::default();
    let surroundings = Surroundings::new(feed.index(), Vec::new());
    feed.observe(&Event::Apply(serde_json::from_value(object.clone()).expect("an object")));
    let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "shop"}, "spec": {"replicas": 3}});
    let mut review = review("UPDATE", &scale, &scale);
    review["request"]["subResource"] = json!("scale");
    let (status, text) = send_knowing(surroundings, VALIDATE_PATH, review.to_string()).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str::<Value>(&text).expect("JSON")["response"].clone()
}

#[tokio::test]
async fn an_object_is_scaled_only_where_nobody_else_does() {
    assert_eq!(scaled(&shop(json!({}))).await["allowed"], true);
    let cpu = json!([{"kind": "worker", "maxReplicas": 3, "metrics": [
        {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}]}]);
    assert_eq!(ids(&scaled(&shop(json!({"scaleTargetRef": cpu}))).await), ["A28"]);
    assert_eq!(ids(&scaled(&shop(json!({"workerSpec": null, "flowerSpec": {}}))).await), ["A28"]);
    // An object that was not seen yet is let through, and that is said.
    let mut other = shop(json!({"scaleTargetRef": cpu}));
    other["metadata"]["name"] = json!("other");
    let unseen = scaled(&other).await;
    assert_eq!((&unseen["allowed"], unseen["warnings"].as_array().map(Vec::len)), (&json!(true), Some(1)));
}

#[tokio::test]
async fn what_other_objects_of_the_namespace_have_is_known() {
    for (namespace, warned) in [("default", true), ("elsewhere", false)] {
        let mut feed = CeleryFeed::default();
        let celeries = feed.index();
        let mut other = shop(json!({"common": {"appName": "shop"}}));
        other["metadata"] = json!({"name": "other", "namespace": namespace});
        feed.observe(&Event::Apply(serde_json::from_value(other).expect("an object")));
        let review = review("CREATE", &shop(json!({})), &Value::Null);
        let (_, text) =
            send_knowing(Surroundings::new(celeries, Vec::new()), VALIDATE_PATH, review.to_string()).await;
        let response = serde_json::from_str::<Value>(&text).expect("JSON")["response"].clone();
        assert_eq!((&response["allowed"], text.contains("[C16]")), (&json!(true), warned), "{text}");
    }
}

#[tokio::test]
async fn what_the_stores_know_of_keda_is_told_and_nothing_before_they_know() {
    let metric = json!({"name": "task_queue_length", "target": {"type": "AverageValue", "averageValue": 5}});
    let scaler = json!([{"kind": "worker", "maxReplicas": 3, "metrics": [metric]}]);
    let object = shop(json!({"workerSpec": {"queues": ["mail"]}, "scaleTargetRef": scaler}));
    let children = Arc::new(ChildIndex::default());
    let surroundings = Surroundings::new(CeleryIndex::default(), vec![children.clone()]);
    let said = async |operation: &str, old: &Value| {
        let review = review(operation, &object, old).to_string();
        let (_, text) = send_knowing(surroundings.clone(), VALIDATE_PATH, review).await;
        let response = serde_json::from_str::<Value>(&text).expect("JSON")["response"].take();
        (response["allowed"].clone(), response["warnings"].clone())
    };
    assert_eq!(said("CREATE", &Value::Null).await, (json!(true), Value::Null));
    children.forget_kind(ChildKind::ScaledObject);
    let warning = "spec.scaleTargetRef[0].metrics[0].name: KEDA is not installed; install it, or use cpu or memory [A15]";
    assert_eq!(said("CREATE", &Value::Null).await, (json!(true), json!([warning])));
    assert_eq!(said("UPDATE", &object).await, (json!(true), json!([warning])));
    children.observe(ChildKind::ScaledObject, Event::InitDone);
    assert_eq!(said("CREATE", &Value::Null).await, (json!(true), Value::Null));
}

#[tokio::test]
async fn a_large_object_is_judged_as_a_small_one() {
    let note = "x".repeat(2 * JUDGED_AT_ONCE);
    let mut object = shop(json!({"common": {"image": "My/App"}}));
    object["metadata"]["annotations"] = json!({"note": note});
    assert_eq!(ids(&ask(VALIDATE_PATH, &review("CREATE", &object, &Value::Null)).await), ["C04"]);
}

#[tokio::test]
async fn an_object_of_too_many_values_is_refused_unless_it_is_there_already() {
    let huge = shop(json!({"common": {"config": {"x": vec![0; 60_000]}}}));
    for path in [MUTATE_PATH, VALIDATE_PATH] {
        let response = ask(path, &review("CREATE", &huge, &Value::Null)).await;
        assert_eq!((&response["allowed"], &response["status"]["code"]), (&json!(false), &json!(413)));
        let message = response["status"]["message"].as_str().expect("a message");
        assert!(message.contains("at most 50000 are judged: split its worker pools"), "{message}");
        assert_eq!(ask(path, &review("DELETE", &Value::Null, &huge)).await["allowed"], true);
        // It is there already: whoever makes it smaller, or changes a label, is not kept from it.
        for new in [&shop(json!({})), &huge] {
            let response = ask(path, &review("UPDATE", new, &huge)).await;
            assert_eq!(response["allowed"], true);
            assert!(response["warnings"][0].as_str().is_some_and(|text| text.contains("is not judged")));
        }
    }
}

#[tokio::test]
async fn lists_the_schema_refuses_are_left_to_it() {
    let many = shop(json!({"common": {"volumes": vec![json!({}); 9_000]}}));
    let response = ask(VALIDATE_PATH, &review("CREATE", &many, &Value::Null)).await;
    assert_eq!((&response["allowed"], &response["status"]), (&json!(true), &Value::Null));
    assert_eq!(ask(MUTATE_PATH, &review("CREATE", &many, &Value::Null)).await["allowed"], true);
}
