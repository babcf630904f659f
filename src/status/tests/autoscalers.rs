// SPDX-License-Identifier: Apache-2.0
//! What autoscalers say, and what is said while they cannot be made.

use std::sync::Arc;

use serde_json::{Value, json};

use super::scene::{Scene, child_ready, condition, summary, word};
use crate::api::Autoscaler;
use crate::build::{Applied, ChildKind};

fn by_cpu() -> Value {
    json!({"workerSpec": {"resources": {"requests": {"cpu": "1"}}}, "scaleTargetRef": [{"kind": "worker", "maxReplicas": 5,
           "metrics": [{"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}]}]})
}

fn by_queue() -> Value {
    json!({"workerSpec": {}, "scaleTargetRef": [{"kind": "worker", "maxReplicas": 5,
           "metrics": [{"name": "task_queue_length", "target": {"type": "AverageValue", "averageValue": "10"}}]}]})
}

fn saying(type_: &str, status: &str, reason: &str) -> Value {
    json!({"status": {"conditions": [{"type": type_, "status": status, "reason": reason, "message": "its own words"}]}})
}

#[test]
fn autoscalers_that_work_are_told_with_their_kind() {
    for (spec, kind, autoscaler) in [
        (by_cpu(), ChildKind::HorizontalPodAutoscaler, Autoscaler::Hpa),
        (by_queue(), ChildKind::ScaledObject, Autoscaler::Keda),
    ] {
        let status = Scene::new(&spec).status();
        assert_eq!(word(&status, "AutoscalingReady"), Some(("True", "Active")));
        assert_eq!(summary(&status), ("Ready", "Ready"));
        assert_eq!(status.pools[0].autoscaler, autoscaler);
        assert_eq!(child_ready(&status, kind, "shop-worker"), Some(true));
    }
}

#[test]
fn an_autoscaler_that_waits_for_metrics_leaves_the_pods_ready() {
    let hpa = ChildKind::HorizontalPodAutoscaler;
    for (spec, kind, type_) in [
        (by_cpu(), hpa, "ScalingActive"),
        (by_cpu(), hpa, "AbleToScale"),
        (by_queue(), ChildKind::ScaledObject, "Ready"),
    ] {
        let complaint = saying(type_, "False", "FailedGetResourceMetric");
        let status = Scene::new(&spec).with(kind, "shop-worker", &complaint).status();
        assert_eq!(word(&status, "AutoscalingReady"), Some(("False", "FailedGetResourceMetric")));
        let message = &condition(&status, "AutoscalingReady").message;
        assert_eq!(*message, format!("{} shop-worker: its own words", kind.as_str()));
        assert_eq!(summary(&status), ("Ready", "Ready"));
        assert_eq!(child_ready(&status, kind, "shop-worker"), Some(false));
        assert_eq!(child_ready(&status, ChildKind::Deployment, "shop-worker"), Some(true));
    }
}

#[test]
fn somebody_elses_autoscaler_is_told_whether_or_not_there_is_one_of_ours() {
    for (spec, deployment, consequence) in [
        (by_cpu(), "shop-worker", "too, and each undoes what the other does; "),
        (by_queue(), "shop-worker", "too, and each undoes what the other does; "),
        (json!({"workerSpec": {}}), "shop-worker", "instead of the spec, "),
    ] {
        let mut scene = Scene::new(&spec);
        let name = "HorizontalPodAutoscaler theirs".to_owned();
        scene.scalers.foreign.insert(deployment.to_owned(), vec![name]);
        let status = scene.status();
        assert_eq!(word(&status, "AutoscalingReady"), Some(("False", "ForeignAutoscaler")));
        let message = &condition(&status, "AutoscalingReady").message;
        let expected = format!("HorizontalPodAutoscaler theirs scales Deployment {deployment} {consequence}");
        assert!(message.starts_with(&expected), "{message}");
        assert_eq!(summary(&status), ("Ready", "Ready"), "the pods run");
    }
}

#[test]
fn a_broker_that_keda_cannot_ask_is_told_by_its_own_autoscaler() {
    let with = |conditions: Value| {
        let mut scene = Scene::new(&by_queue());
        let live = json!({"metadata": {"name": "shop-worker"}, "status": {"conditions": conditions}});
        scene.scalers.of_keda.push(Applied {
            kind: ChildKind::HorizontalPodAutoscaler,
            name: "shop-worker".to_owned(),
            live: Arc::new(serde_json::from_value(live).expect("an object")),
        });
        scene.status()
    };
    let active = |status: &str, reason: &str| json!([{"type": "ScalingActive", "status": status, "reason": reason, "message": "its own words"}]);
    let lost = with(active("False", "FailedGetExternalMetric"));
    assert_eq!(word(&lost, "AutoscalingReady"), Some(("False", "FailedGetExternalMetric")));
    assert!(condition(&lost, "AutoscalingReady").message.ends_with("stays as it is: its own words"));
    assert_eq!(summary(&lost), ("Ready", "Ready"));
    for fine in [active("True", "ValidMetricFound"), active("False", "ScalingDisabled"), json!([])] {
        assert_eq!(word(&with(fine), "AutoscalingReady"), Some(("True", "Active")));
    }
}

/// KEDA says so itself only once it has tried to scale.
#[test]
fn triggers_that_cannot_ask_leave_the_pods_as_they_are() {
    let message = |reason: &str| {
        let scene = Scene::new(&by_queue());
        let status =
            scene.with(ChildKind::ScaledObject, "shop-worker", &saying("Ready", "False", reason)).status();
        assert_eq!(word(&status, "AutoscalingReady"), Some(("False", reason)));
        condition(&status, "AutoscalingReady").message.clone()
    };
    assert!(message("TriggerError").starts_with(
        "ScaledObject shop-worker: the queues cannot be measured, and the number of pods stays as it is: "
    ));
    assert!(!message("ScaledObjectCheckFailed").contains("stays as it is"));
}

#[test]
fn what_an_autoscaler_says_of_other_things_is_no_complaint() {
    for (spec, kind, type_) in [
        (by_cpu(), ChildKind::HorizontalPodAutoscaler, "ScalingLimited"),
        (by_queue(), ChildKind::ScaledObject, "Active"),
        (by_queue(), ChildKind::ScaledObject, "Fallback"),
    ] {
        let said = saying(type_, "False", "ScalerNotActive");
        let status = Scene::new(&spec).with(kind, "shop-worker", &said).status();
        // It has said nothing yet of whether it works; the other things do not count either way.
        assert_eq!(word(&status, "AutoscalingReady"), Some(("False", "Waiting")), "{type_}");
        assert_eq!(summary(&status), ("Ready", "Ready"));
    }
}

#[test]
fn without_keda_a_queue_cannot_be_followed() {
    let status = Scene::without_keda(&by_queue()).status();
    assert_eq!(word(&status, "AutoscalingReady"), Some(("False", "KedaNotInstalled")));
    assert_eq!(summary(&status), ("Reconciling", "KedaNotInstalled"));
    assert_eq!(word(&status, "WorkersAvailable"), Some(("True", "Available")));
    assert_eq!(child_ready(&status, ChildKind::ScaledObject, "shop-worker"), None);
    assert_eq!(summary(&Scene::without_keda(&by_cpu()).status()), ("Ready", "Ready"));
}

#[test]
fn an_autoscaler_that_is_not_there_does_not_work() {
    for (spec, kind) in
        [(by_cpu(), ChildKind::HorizontalPodAutoscaler), (by_queue(), ChildKind::ScaledObject)]
    {
        let status = Scene::new(&spec).without(kind, "shop-worker").status();
        assert_eq!(word(&status, "AutoscalingReady"), Some(("False", "Missing")), "{kind:?}");
        assert_eq!(summary(&status), ("Reconciling", "Missing"), "{kind:?}");
    }
}

#[test]
fn an_autoscaler_that_waits_for_its_predecessor_says_so() {
    const KEDA: ChildKind = ChildKind::ScaledObject;
    const HPA: ChildKind = ChildKind::HorizontalPodAutoscaler;
    for (spec, kind, leaving, hint) in
        [(by_cpu(), HPA, KEDA, ", which KEDA has to run for"), (by_queue(), KEDA, HPA, "")]
    {
        let mut scene = Scene::new(&spec).without(kind, "shop-worker");
        scene.scalers.leaving.push((leaving, "shop-worker".to_owned()));
        let status = scene.status();
        assert_eq!(word(&status, "AutoscalingReady"), Some(("False", "AwaitingPredecessor")));
        assert_eq!(summary(&status), ("Reconciling", "AwaitingPredecessor"));
        let (kind, leaving) = (kind.as_str(), leaving.as_str());
        assert_eq!(
            condition(&status, "AutoscalingReady").message,
            format!("{kind} shop-worker waits until {leaving} shop-worker is gone{hint}")
        );
    }
}

#[test]
fn a_queue_that_nobody_can_measure_is_not_ready() {
    let mut spec = by_queue();
    spec["common"] = json!({"broker": {"url": "kafka://broker"}});
    let status = Scene::new(&spec).status();
    assert_eq!(word(&status, "BrokerResolved"), Some(("True", "Resolved")));
    assert_eq!(word(&status, "AutoscalingReady"), Some(("False", "BrokerNotMeasurable")));
    assert_eq!(summary(&status), ("Reconciling", "BrokerNotMeasurable"));
}

#[test]
fn a_broker_that_nobody_measures_needs_not_be_measurable() {
    let mut spec = by_cpu();
    spec["common"] = json!({"broker": {"url": "kafka://broker"}});
    assert_eq!(summary(&Scene::new(&spec).status()), ("Ready", "Ready"));
}

#[test]
fn flower_is_scaled_like_workers() {
    let mut spec = by_cpu();
    spec["flowerSpec"] = json!({});
    spec["scaleTargetRef"][0]["kind"] = json!("flower");
    let complaint = saying("ScalingActive", "False", "FailedGetResourceMetric");
    let status =
        Scene::new(&spec).with(ChildKind::HorizontalPodAutoscaler, "shop-flower", &complaint).status();
    assert_eq!(word(&status, "AutoscalingReady"), Some(("False", "FailedGetResourceMetric")));
    assert_eq!(status.pools[0].autoscaler, Autoscaler::None);
}

#[test]
fn an_autoscaler_that_starts_a_second_beat_keeps_the_whole_from_being_ready() {
    let mut scene = Scene::new(&json!({"workerSpec": {}, "beatSpec": {}}));
    scene.scalers.foreign.insert("shop-beat".to_owned(), vec!["HorizontalPodAutoscaler theirs".to_owned()]);
    let status = scene.status();
    assert_eq!(word(&status, "AutoscalingReady"), Some(("False", "BeatAutoscaled")));
    let message = &condition(&status, "AutoscalingReady").message;
    assert!(message.starts_with("HorizontalPodAutoscaler theirs scales Deployment shop-beat; "), "{message}");
    assert_eq!(summary(&status), ("Reconciling", "BeatAutoscaled"));
}

#[test]
fn an_autoscaler_that_goes_without_a_successor_is_waited_for() {
    let mut scene = Scene::new(&json!({"workerSpec": {"numOfWorkers": 2}}));
    scene.scalers.leaving.push((ChildKind::ScaledObject, "shop-worker".to_owned()));
    let status = scene.status();
    assert_eq!(summary(&status), ("Reconciling", "AwaitingPredecessor"));
    assert_eq!(
        condition(&status, "AutoscalingReady").message,
        "Deployment shop-worker keeps its number of pods until ScaledObject shop-worker is gone, which KEDA has to run for"
    );
    // With the pool its Deployment has gone as well.
    scene.scalers.leaving[0].1 = "shop-worker-mail".to_owned();
    assert_eq!(word(&scene.status(), "AutoscalingReady"), None);
    // A Deployment that is not there keeps no number of pods, whatever else of its name is.
    scene.scalers.leaving[0].1 = "shop-worker".to_owned();
    let scene = scene.without(ChildKind::Deployment, "shop-worker");
    assert_eq!(word(&scene.status(), "AutoscalingReady"), None);
}
