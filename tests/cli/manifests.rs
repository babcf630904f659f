// SPDX-License-Identifier: Apache-2.0
//! What installs the operator.

use serde_json::Value;

use crate::call::call;

fn printed(arguments: &[&str]) -> Vec<Value> {
    let answer = call(&[&["manifests"], arguments].concat());
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    serde_saphyr::from_multiple(&answer.out).unwrap()
}

fn kinds(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["kind"].as_str().unwrap()).collect()
}

#[test]
fn everything_comes_in_an_order_in_which_it_can_be_applied() {
    let objects = printed(&["all"]);
    let kinds = kinds(&objects);
    assert_eq!(kinds[..3], ["Namespace", "CustomResourceDefinition", "ServiceAccount"]);
    assert_eq!(kinds[kinds.len() - 2..], ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]);
    for part in ["namespace", "rbac", "manager", "webhooks"] {
        for object in printed(&[part]) {
            assert!(objects.contains(&object), "{object}");
        }
    }
}

#[test]
fn an_operator_outside_the_cluster_needs_no_pods() {
    let objects = printed(&["all", "--url", "https://192.0.2.7:9443"]);
    assert!(!kinds(&objects).contains(&"Deployment") && !kinds(&objects).contains(&"Namespace"));
    let webhook = &objects.last().unwrap()["webhooks"][0]["clientConfig"];
    assert_eq!(webhook["url"], "https://192.0.2.7:9443/validate/celeries");
}

#[test]
fn an_image_and_a_name_of_ones_own_are_used_everywhere() {
    let arguments = [
        "all",
        "--namespace=team",
        "--name=second",
        "--image=registry.example.com/operator:1",
        "--watch-namespace=web",
    ];
    let text = serde_json::to_string(&printed(&arguments)).unwrap();
    assert!(!text.contains("celery-system") && !text.contains("\"name\":\"celery-operator-"), "{text}");
    assert!(text.contains("\"image\":\"registry.example.com/operator:1\""));
}

#[test]
fn a_name_that_no_service_could_have_is_refused() {
    let answer = call(&["manifests", "all", "--name", "Second"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("use at most 50 lower-case letters"), "{}", answer.err);
}
