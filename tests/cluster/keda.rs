// SPDX-License-Identifier: Apache-2.0
//! A cluster without KEDA that gets it later, and an operator that looks after one namespace only.

use serde_json::Value;

use crate::http::Answer;
use crate::rig::{Rig, Setup};
use crate::shop;
use crate::space::{Space, condition};
use crate::wait::until;

/// The warning about KEDA, if there is one.
fn without_keda(answer: &Answer) -> Option<String> {
    assert!(answer.is_success(), "{}", answer.text);
    answer.warnings.iter().find(|warning| warning.ends_with("[A15]")).cloned()
}

/// The webhook answers from what the operator has seen, so it may take a moment after the start.
fn the_missing_kinds_are_told_at_apply_time(space: &Space<'_>, queue: &Value) {
    let warning = until("the webhook says that KEDA is missing", || {
        without_keda(&space.post("celeries", "?dryRun=All", queue)).ok_or_else(|| "no warning".to_owned())
    });
    assert!(warning.contains("KEDA is not installed"), "{warning}");
}

/// How often the status tells it as a finding.
fn findings_about_keda(celery: &Value) -> usize {
    let findings = celery["status"]["findings"].as_array().into_iter().flatten();
    findings.filter(|finding| finding["rule"] == "A15").count()
}

/// One story on one rig: KEDA can be missing only once, and both halves need an operator of their own.
#[test]
fn keda_may_come_later_and_other_namespaces_are_left_alone() {
    let rig =
        Rig::start(Setup { keda: false, arguments: &["--watch-namespace=watched,also"], ..Setup::default() });
    let pid = rig.operator_pid();
    let watched = Space::named(&rig, "watched");
    let also = Space::named(&rig, "also");
    let other = Space::named(&rig, "other");
    let scaled = format!("spec: {{scaleTargetRef: {}}}", shop::QUEUE);
    let (queue, again) = (shop::with(&scaled), shop::named("again", &scaled));
    other.create("celeries", &queue);
    the_missing_kinds_are_told_at_apply_time(&watched, &queue);
    watched.create("celeries", &queue);
    also.create("celeries", &shop::plain());
    watched.until_condition("shop", "AutoscalingReady", "False", "KedaNotInstalled");
    assert_eq!(findings_about_keda(&watched.get("celeries", "shop").unwrap()), 1);
    // Everything else is there, and runs; what is missing is said.
    watched.until("celeries", "shop", |it| {
        watched.make_pods_ready();
        condition(it, "WorkersAvailable")["status"] == "True"
            && condition(it, "Ready")["reason"] == "KedaNotInstalled"
    });
    also.until_there("deployments", "shop-worker");
    rig.install_keda();
    watched.until_there("scaledobjects", "shop-worker");
    assert_eq!(without_keda(&watched.post("celeries", "?dryRun=All", &again)), None);
    let healed = watched
        .until("celeries", "shop", |it| condition(it, "AutoscalingReady")["reason"] != "KedaNotInstalled");
    assert_eq!(findings_about_keda(&healed), 0);
    assert_eq!(rig.operator_pid(), pid);
    // The object that nobody looks after came first and has nothing: no children, and a status that says that nobody has
    // looked. It was judged all the same.
    assert_eq!(other.children("shop"), Vec::new());
    let left_alone = other.get("celeries", "shop").unwrap();
    assert_eq!(left_alone["status"], serde_json::json!({"observedGeneration": -1}));
    assert_eq!(left_alone["spec"]["common"]["appName"], "shop");
    let writes = crate::audit::writes_in(&rig, 0, &other.name);
    assert_eq!(writes, Vec::<String>::new());
}
