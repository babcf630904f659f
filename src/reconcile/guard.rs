// SPDX-License-Identifier: Apache-2.0
//! The rules once more, for what slipped past the webhook.

use kube::core::DynamicObject;

use crate::api::{Celery, CeleryStatus};
use crate::defaults::{self, Moment};
use crate::rules::{self, Facts, Finding, NotACelery, Severity};
use crate::status::{REFUSED, Verdict, tolerates};

/// A stored object, defaulted and judged.
pub(super) struct Judged {
    /// With the absent fields filled in.
    pub(super) celery: Celery,
    /// What the rules found.
    pub(super) findings: Vec<Finding>,
    /// Whether it is followed.
    pub(super) verdict: Verdict,
}

/// Defaults and judges a stored object, with what is known beside it.
///
/// # Errors
/// [`NotACelery`] for an object that an older or foreign schema let through.
pub(super) fn judge(object: &DynamicObject, facts: &Facts) -> Result<Judged, NotACelery> {
    let mut raw = serde_json::to_value(object)?;
    // Read by itself: a status of another release must not keep its object from being read.
    let status: Option<CeleryStatus> = serde_json::from_value(raw["status"].take()).unwrap_or_default();
    let additions = defaults::absent(&raw, Moment::Later);
    let raw = defaults::defaulted(raw, &additions);
    let findings = rules::check(&raw, None, facts)?;
    let mut celery: Celery = serde_json::from_value(raw)?;
    let verdict = verdict(celery.metadata.generation, status.as_ref(), &findings);
    celery.status = status;
    Ok(Judged { celery, findings, verdict })
}

/// A spec that was followed once is followed on, whatever rule an upgrade brings. A new spec is refused for a denial
/// that the last spec which was followed did not already have.
fn verdict(generation: Option<i64>, status: Option<&CeleryStatus>, findings: &[Finding]) -> Verdict {
    let mut denials = findings.iter().filter(|finding| finding.severity == Severity::Deny).peekable();
    if denials.peek().is_none() {
        return Verdict::Accepted;
    }
    let Some(status) = status else {
        return Verdict::Refused;
    };
    let mut conditions = status.conditions.iter();
    let was_followed = conditions.any(|condition| condition.type_ == "Valid" && condition.reason != REFUSED)
        && status.observed_generation == generation;
    if was_followed || denials.all(|denial| tolerates(status, denial)) {
        Verdict::Tolerated
    } else {
        Verdict::Refused
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::status::{self, Observed};

    fn judged(broker: &str, generation: i64, status: Value) -> Verdict {
        let object = serde_json::from_value(json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
            "metadata": {"name": "shop", "namespace": "default", "generation": generation},
            "spec": {"common": {"image": "shop:1", "celeryApp": "shop", "broker": {"url": broker}}, "workerSpec": {}},
            "status": status,
        }))
        .expect("an object");
        judge(&object, &Facts::default()).expect("a Celery").verdict
    }

    #[test]
    fn a_status_of_another_release_does_not_hide_its_object() {
        let strange = json!({"conditions": [{"type": "Valid"}], "observedGeneration": "one"});
        assert_eq!(judged("redis://cache", 1, strange), Verdict::Accepted);
    }

    #[test]
    fn what_is_known_beside_the_object_is_judged_too() {
        let object = serde_json::from_value(json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
            "metadata": {"name": "shop", "namespace": "default", "generation": 1},
            "spec": {
                "common": {"image": "shop:1", "celeryApp": "shop", "broker": {"url": "redis://cache"}},
                "workerSpec": {"queues": ["mail"]},
                "scaleTargetRef": [{"kind": "worker", "maxReplicas": 3, "metrics": [
                    {"name": "task_queue_length", "target": {"type": "AverageValue", "averageValue": 5}}]}],
            },
        }))
        .expect("an object");
        let rules = |keda: Option<bool>| -> Vec<&str> {
            let judged = judge(&object, &Facts { keda, ..Facts::default() }).expect("a Celery");
            assert_eq!(judged.verdict, Verdict::Accepted);
            judged.findings.iter().map(|finding| finding.rule).collect()
        };
        assert_eq!(rules(Some(false)), ["A15"]);
        assert_eq!(rules(Some(true)), [""; 0]);
        assert_eq!(rules(None), [""; 0]);
    }

    fn seen(generation: i64, reason: &str, rules: &[&str]) -> Value {
        let findings = rules.iter().map(|rule| {
            json!({"rule": rule, "severity": "deny", "path": "spec.common.broker.url", "value": "cache",
                    "message": "other words"})
        });
        json!({"observedGeneration": generation, "findings": findings.collect::<Vec<Value>>(), "conditions": [
            {"type": "Valid", "status": "False", "reason": reason, "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        ]})
    }

    #[test]
    fn what_slipped_past_is_parked_and_healed_when_corrected() {
        assert_eq!(judged("cache", 1, json!(null)), Verdict::Refused);
        assert_eq!(judged("cache", 1, seen(1, "Refused", &["B04"])), Verdict::Refused);
        assert_eq!(judged("cache", 2, seen(1, "Refused", &["B04"])), Verdict::Refused);
        assert_eq!(judged("redis://cache", 2, seen(1, "Refused", &["B04"])), Verdict::Accepted);
    }

    /// Pools in another order, words of another release, and no denial but the one that was there.
    #[test]
    fn a_denial_is_known_again_wherever_its_item_stands() {
        let object = |pools: Value, status: Value| {
            serde_json::from_value(json!({
                "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
                "metadata": {"name": "shop", "namespace": "default", "generation": 2},
                "spec": {
                    "common": {"image": "shop:1", "celeryApp": "shop", "broker": {"url": "redis://cache"}},
                    "workerPools": pools,
                },
                "status": status,
            }))
            .expect("an object")
        };
        let (bad, good) =
            (json!({"name": "bad", "queues": ["a,b"]}), json!({"name": "good", "queues": ["b"]}));
        let judged =
            |pools: Value, status: Value| judge(&object(pools, status), &Facts::default()).expect("a Celery");
        let before = judged(json!([bad, good]), json!(null));
        assert_eq!(before.verdict, Verdict::Refused);
        let known: Vec<Value> = before
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "rule": finding.rule, "severity": finding.severity.as_str(), "path": finding.path,
                    "place": finding.place, "value": finding.value, "message": "other words",
                })
            })
            .collect();
        let mut status = seen(1, "Tolerated", &[]);
        status["findings"] = json!(known);
        assert_eq!(judged(json!([good, bad]), status.clone()).verdict, Verdict::Tolerated);
        // The same mistake in another pool is another one.
        let other = json!({"name": "other", "queues": ["a,b"]});
        assert_eq!(judged(json!([good, other]), status).verdict, Verdict::Refused);
    }

    #[test]
    fn what_runs_is_not_stopped_by_a_new_rule() {
        assert_eq!(judged("cache", 3, seen(3, "Accepted", &[])), Verdict::Tolerated);
        assert_eq!(judged("cache", 3, seen(3, "Tolerated", &["B04"])), Verdict::Tolerated);
        // Another field changed, the old denial is still there.
        assert_eq!(judged("cache", 4, seen(3, "Tolerated", &["B04"])), Verdict::Tolerated);
        // Another value is another mistake.
        assert_eq!(judged("other", 4, seen(3, "Tolerated", &["B04"])), Verdict::Refused);
        // A denial of its own.
        assert_eq!(judged("rabbitmq://mq", 4, seen(3, "Tolerated", &["B04"])), Verdict::Refused);
        assert_eq!(judged("cache", 4, seen(3, "Accepted", &[])), Verdict::Refused);
    }

    /// One look at a spec, and what is written of it.
    fn looked(broker: &str, image: &str, generation: i64, before: &CeleryStatus) -> (Verdict, CeleryStatus) {
        let object = serde_json::from_value(json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
            "metadata": {"name": "shop", "namespace": "default", "generation": generation},
            "spec": {"common": {"image": image, "celeryApp": "shop", "broker": {"url": broker}}, "workerSpec": {}},
            "status": before,
        }))
        .expect("an object");
        let judged = judge(&object, &Facts::default()).expect("a Celery");
        (judged.verdict, told(judged.verdict, &judged.findings, generation, before))
    }

    fn told(verdict: Verdict, findings: &[Finding], generation: i64, before: &CeleryStatus) -> CeleryStatus {
        let observed = Observed {
            generation: Some(generation),
            verdict,
            findings,
            paused: None,
            applied: None,
            failure: None,
            previous: Some(before),
        };
        status::status(&observed, &Time(Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn a_mistake_that_is_taken_back_leaves_what_was_tolerated_before_it() {
        let (bad, good) = ("My/App", "shop:1");
        let followed = serde_json::from_value(seen(1, "Accepted", &[])).expect("a status");
        let (verdict, first) = looked("cache", good, 1, &followed);
        assert_eq!(verdict, Verdict::Tolerated);
        let (verdict, parked) = looked("cache", bad, 2, &first);
        assert_eq!(verdict, Verdict::Refused);
        let (verdict, again) = looked("cache", bad, 2, &parked);
        assert_eq!((verdict, &again), (Verdict::Refused, &parked));
        assert_eq!(looked("cache", good, 3, &parked).0, Verdict::Tolerated);
        // The mistake itself is never tolerated, and another value is another one.
        assert_eq!(looked("redis://cache", bad, 3, &parked).0, Verdict::Refused);
        assert_eq!(looked("other", good, 3, &parked).0, Verdict::Refused);
        // What was corrected meanwhile is a mistake when it comes back.
        let (_, corrected) = looked("redis://cache", bad, 3, &parked);
        assert_eq!(looked("cache", good, 4, &corrected).0, Verdict::Refused);
        // Of a spec that cannot be read nothing is known.
        let unreadable = told(Verdict::Refused, &[], 2, &first);
        assert_eq!(looked("cache", good, 3, &unreadable).0, Verdict::Tolerated);
        // A release before this one marked nothing.
        let mut older = parked;
        for finding in &mut older.findings {
            finding.tolerated = None;
        }
        assert_eq!(looked("cache", good, 3, &older).0, Verdict::Refused);
    }
}
