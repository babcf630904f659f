// SPDX-License-Identifier: Apache-2.0
//! Certificates are renewed while requests come, and nobody notices, whoever renews them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use tempfile::TempDir;
use webhook_certs::Names;
use webhook_certs::issue::{self, SystemKeys, Validity};

use crate::http::JSON;
use crate::rig::{Rig, Setup};
use crate::shop;
use crate::space::Space;
use crate::wait::until;
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
        apply(&space, applies);
        leaves.insert(leaf(&rig).unwrap());
        applies += 1;
    }
    assert_eq!(rig.operator_pid(), pid);
    println!("{applies} applies over {} leaves, none failed", leaves.len());
}

/// Both webhooks are called, and answer.
fn apply(space: &Space<'_>, round: usize) {
    let mut celery = shop::plain();
    celery["spec"]["workerSpec"]["args"] = json!(["-Q", format!("q{round}")]);
    let answer = space.apply_as("test", "celeries", &celery);
    assert!(answer.is_success(), "apply {round}: {}", answer.text);
    // Defaults are there: the mutating webhook, whose failures are ignored, was reached as well.
    let created = space.post("celeries", "?dryRun=All", &shop::named("other", "{}"));
    assert_eq!(created.success()["spec"]["common"]["appName"], "other", "apply {round}");
}

/// The names under which the port is called.
const NAMES: &[&str] = &["127.0.0.1", "localhost"];

/// A new CA and a leaf of it, put into `folder` as the kubelet does: links through `..data`, replaced in one step.
/// Returns the leaf.
fn issue_into(folder: &Path, generation: &str, names: &[&str]) -> Vec<u8> {
    let validity = Validity::starting(SystemTime::now(), Duration::from_hours(1)).unwrap();
    let ca = issue::ca(&SystemKeys, validity).unwrap();
    let names = Names::parse(names).unwrap();
    let leaf = issue::leaf(&SystemKeys, &ca, &names, validity).unwrap();
    fs::create_dir(folder.join(generation)).unwrap();
    let (shown, key) = (leaf.certificate.pem(), leaf.key.pem().to_owned());
    for (name, text) in [("tls.crt", shown), ("tls.key", key), ("ca.crt", ca.certificate.pem())] {
        fs::write(folder.join(generation).join(name), text).unwrap();
        if !folder.join(name).is_symlink() {
            symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
        }
    }
    symlink(generation, folder.join("..next")).unwrap();
    fs::rename(folder.join("..next"), folder.join("..data")).unwrap();
    leaf.certificate.der().to_vec()
}

#[test]
fn certificates_of_others_are_published_and_followed_without_a_failed_apply() {
    let folder = TempDir::new().unwrap();
    let first = issue_into(folder.path(), "..1", NAMES);
    let mut rig = Rig::start(Setup { keda: false, operator: false, ..Setup::default() });
    rig.launch.arguments = vec![format!("--certificate-files={}", folder.path().display())];
    rig.install_webhooks();
    rig.start_operator();
    rig.await_webhooks();
    let space = Space::new(&rig, "files");
    assert_eq!(leaf(&rig).unwrap(), first);
    let second = issue_into(folder.path(), "..2", NAMES);
    let end = Instant::now() + PATIENCE;
    let mut applies = 0;
    while leaf(&rig).unwrap() != second {
        assert!(Instant::now() < end, "the new certificate is not served after {applies} applies");
        apply(&space, applies);
        applies += 1;
    }
    apply(&space, applies);
    let secret = "/api/v1/namespaces/celery-system/secrets/celery-operator-webhook-cert";
    assert_eq!(rig.send("GET", secret, JSON, None).code, 404, "nothing is issued here");
    // Nobody could call the webhooks with this one: the former goes on.
    issue_into(folder.path(), "..3", &["elsewhere"]);
    let log = rig.operator().as_ref().unwrap().log().to_owned();
    until("the log says what is wrong", || {
        let said = fs::read_to_string(&log).unwrap();
        let told = said.contains("lacks names: localhost") && said.contains("the former one is served on");
        if told { Ok(()) } else { Err(said) }
    });
    assert_eq!(leaf(&rig).unwrap(), second);
    assert!(rig.launch.ask("/readyz").unwrap().starts_with("HTTP/1.1 200"));
    apply(&space, applies);
    let last = issue_into(folder.path(), "..4", NAMES);
    until("the next one is served", || match leaf(&rig) {
        Ok(leaf) if leaf == last => Ok(()),
        other => Err(format!("{other:?}")),
    });
    println!("{applies} applies until the new certificate was served, none failed");
}
