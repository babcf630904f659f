// SPDX-License-Identifier: Apache-2.0
//! Whether it is known which broker the pods use, without telling more than that.

use serde_json::{Value, json};

use super::scene::{PASSWORD, Scene, child_ready, condition, summary, word};
use crate::build::ChildKind;

fn spec(broker: &Value) -> Value {
    json!({"common": {"broker": broker}, "workerSpec": {}})
}

fn url_of_a_secret() -> Value {
    json!({"url": null, "urlSecretRef": {"name": "broker", "key": "url"}})
}

#[test]
fn a_broker_is_shown_by_scheme_hosts_and_source() {
    let list = format!("amqp://u:{PASSWORD}@a//;amqp://u:{PASSWORD}@b//");
    let literal = format!("redis://:{PASSWORD}@cache:6380/1");
    let parts =
        json!({"url": null, "redis": {"host": "cache", "passwordSecretRef": {"name": "cache", "key": "pw"}}});
    for (broker, secret, scheme, hosts, source) in [
        (url_of_a_secret(), ("broker", "url", list.as_str()), "amqp", &["a", "b"][..], "urlSecretRef"),
        (json!({"url": literal}), ("none", "", ""), "redis", &["cache"], "url"),
        (parts, ("cache", "pw", PASSWORD), "redis", &["cache"], "redis"),
    ] {
        let status = Scene::with_secrets(&spec(&broker), &[secret]).status();
        assert_eq!(word(&status, "BrokerResolved"), Some(("True", "Resolved")));
        assert_eq!(condition(&status, "BrokerResolved").message, format!("{scheme} from {source}"));
        assert_eq!(summary(&status), ("Ready", "Ready"));
        let shown = status.broker.expect("a broker");
        assert_eq!((shown.scheme.as_str(), shown.source.as_str()), (scheme, source));
        assert_eq!(shown.hosts, hosts);
    }
}

#[test]
fn a_secret_that_is_not_there_is_waited_for() {
    for (secrets, reason) in
        [(&[][..], "SecretNotFound"), (&[("broker", "other", PASSWORD)], "SecretKeyNotFound")]
    {
        let status = Scene::with_secrets(&spec(&url_of_a_secret()), secrets).status();
        assert_eq!(word(&status, "BrokerResolved"), Some(("False", reason)));
        assert_eq!(summary(&status), ("Reconciling", reason));
        let message = &condition(&status, "Ready").message;
        assert!(message.contains("\"broker\""), "{message}");
        // What does not depend on it is there.
        assert_eq!(child_ready(&status, ChildKind::Deployment, "shop-worker"), Some(true));
        assert_eq!(status.broker.expect("a broker").source, "urlSecretRef");
    }
}

#[test]
fn without_the_secret_there_is_no_autoscaler_to_speak_of() {
    let mut spec = spec(&url_of_a_secret());
    spec["scaleTargetRef"] = json!([{"kind": "worker", "maxReplicas": 5, "metrics":
        [{"name": "task_queue_length", "target": {"type": "AverageValue", "averageValue": "10"}}]}]);
    let status = Scene::new(&spec).status();
    assert_eq!(word(&status, "AutoscalingReady"), Some(("False", "SecretNotFound")));
    assert_eq!(summary(&status), ("Reconciling", "SecretNotFound"));
}

#[test]
fn a_wrong_url_in_a_secret_is_explained_without_being_told() {
    for url in [
        format!("rabbitmq://u:{PASSWORD}@mq"),
        format!("redis://:{PASSWORD}#x@cache"),
        format!("redis://:{PASSWORD}@cache/first"),
        format!("redis://:{PASSWORD}@cache:port"),
        format!("{PASSWORD}@cache:6379"),
        format!("redis://:{PASSWORD}@a,redis://:{PASSWORD}@b"),
        format!("redis://:{PASSWORD}@a;"),
        format!(" redis://:{PASSWORD}@a"),
        format!("redis+cluster://:{PASSWORD}@a"),
        format!("db+postgresql://u:{PASSWORD}@pg/x"),
        PASSWORD.to_owned(),
    ] {
        let status = Scene::with_secrets(&spec(&url_of_a_secret()), &[("broker", "url", &url)]).status();
        assert_eq!(word(&status, "BrokerResolved"), Some(("False", "BrokerUrlInvalid")), "{url}");
        assert_eq!(summary(&status), ("Reconciling", "BrokerUrlInvalid"), "{url}");
        let message = &condition(&status, "BrokerResolved").message;
        assert!(message.contains("key \"url\" of Secret \"broker\""), "{message}");
    }
}

#[test]
fn without_a_broker_nothing_is_said_of_one() {
    let status = Scene::new(&json!({"common": {"broker": null}, "workerSpec": {}})).status();
    assert_eq!((word(&status, "BrokerResolved"), &status.broker), (None, &None));
    assert_eq!(summary(&status), ("Ready", "Ready"));
}
