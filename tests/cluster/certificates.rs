// SPDX-License-Identifier: Apache-2.0
//! Certificates are renewed while requests come, and nobody notices.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::rig::{Rig, Setup};
use crate::shop;
use crate::space::Space;
use crate::webhook::leaf;

/// The first certificate and two renewals of it.
const LEAVES: usize = 3;
/// Longer than any machine takes for that: a leaf of 12 s is renewed after two thirds of its life.
const PATIENCE: Duration = Duration::from_mins(3);

#[test]
fn a_certificate_is_renewed_while_applies_go_on() {
    let rig = Rig::start(Setup { keda: false, arguments: &["--certificate-seconds=12"], ..Setup::default() });
    let pid = rig.operator_pid();
    let space = Space::new(&rig, "renewal");
    let mut leaves = BTreeSet::new();
    let mut applies = 0;
    let end = Instant::now() + PATIENCE;
    while leaves.len() < LEAVES {
        assert!(Instant::now() < end, "{} leaves were seen in {applies} applies", leaves.len());
        let mut celery = shop::plain();
        celery["spec"]["workerSpec"]["args"] = json!(["-Q", format!("q{applies}")]);
        let answer = space.apply_as("test", "celeries", &celery);
        assert!(answer.is_success(), "apply {applies}: {}", answer.text);
        // Defaults are there: the mutating webhook, whose failures are ignored, was reached as well.
        let created = space.post("celeries", "?dryRun=All", &shop::named("other", "{}"));
        assert_eq!(created.success()["spec"]["common"]["appName"], "other", "apply {applies}");
        leaves.insert(leaf(&rig).unwrap());
        applies += 1;
    }
    assert_eq!(rig.operator_pid(), pid);
    println!("{applies} applies over {} leaves, none failed", leaves.len());
}
