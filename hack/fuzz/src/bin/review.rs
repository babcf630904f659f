// SPDX-License-Identifier: Apache-2.0
//! Anything may come through the admission door: the bytes as they are, or as the object of a review that is well
//! formed. The answer is an HTTP response, never a panic; a patch only adds.
#![no_main]

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use celery_operator::admission;
use celery_operator::manifests::{MUTATE_PATH, VALIDATE_PATH};
use k8s_openapi::ByteString;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tower::ServiceExt as _;

fuzz_target!(|bytes: &[u8]| {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    for path in [MUTATE_PATH, VALIDATE_PATH] {
        runtime.block_on(answer(path, bytes.to_vec()));
        if let Ok(object) = serde_json::from_slice::<Value>(bytes) {
            for (operation, old) in [("CREATE", Value::Null), ("UPDATE", object.clone())] {
                let (status, body) = runtime.block_on(answer(path, review(operation, &object, &old)));
                assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
                only_adds(&body);
            }
        }
    }
});

fn review(operation: &str, object: &Value, old: &Value) -> Vec<u8> {
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "7", "operation": operation, "name": "shop", "namespace": "default", "userInfo": {}, "dryRun": false,
        "kind": {"group": "celeryproject.org", "version": "v1alpha1", "kind": "Celery"},
        "resource": {"group": "celeryproject.org", "version": "v1alpha1", "resource": "celeries"},
        "object": object, "oldObject": old,
    }});
    review.to_string().into_bytes()
}

async fn answer(path: &str, body: Vec<u8>) -> (StatusCode, Vec<u8>) {
    let request = Request::post(path).header("content-type", "application/json").body(Body::from(body)).unwrap();
    let response = admission::router(Default::default()).oneshot(request).await.unwrap();
    let status = response.status();
    (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
}

fn only_adds(body: &[u8]) {
    let Ok(review) = serde_json::from_slice::<Value>(body) else { return };
    // Nothing at all would be read as no bytes.
    let Some(patch) = review["response"].get("patch") else { return };
    let patch: ByteString = serde_json::from_value(patch.clone()).unwrap();
    let patch: Vec<Value> = serde_json::from_slice(&patch.0).unwrap();
    assert!(patch.iter().all(|operation| operation["op"] == "add"), "{patch:?}");
}
