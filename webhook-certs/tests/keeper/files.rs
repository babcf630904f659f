// SPDX-License-Identifier: Apache-2.0
//! The loop with certificates that somebody else writes.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use webhook_certs::inspect::Identity;
use webhook_certs::issue::{self, SystemKeys, Validity};

use super::*;

/// What somebody else issues.
struct Theirs {
    ca: Identity,
    leaf: Identity,
}

fn theirs() -> Theirs {
    let validity = |seconds| Validity::starting(SystemTime::now(), Duration::from_secs(seconds)).unwrap();
    let ca = issue::ca(&SystemKeys, validity(3600)).unwrap();
    let names = Names::of_service("webhook", "celery").unwrap();
    let leaf = issue::leaf(&SystemKeys, &ca, &names, validity(600)).unwrap();
    Theirs { ca, leaf }
}

/// Replaces all three files; not in one step, so that what lies there in between is of no use.
fn write(folder: &Path, theirs: &Theirs) {
    fs::write(folder.join("tls.crt"), theirs.leaf.certificate.pem()).unwrap();
    fs::write(folder.join("tls.key"), theirs.leaf.key.pem()).unwrap();
    fs::write(folder.join("ca.crt"), theirs.ca.certificate.pem()).unwrap();
}

fn reading(folder: &Path) -> Config {
    let mut config = Config::new(Files::new(folder), "webhook-certs-test");
    config.targets = super::config().targets;
    config.propagation = Duration::from_millis(400);
    // Only the files and the handover wake it.
    config.check_interval = Duration::from_mins(10);
    config
}

/// Admits until each of `all` serves `leaf`.
async fn admit_until(all: &[&Running], leaf: &Identity) {
    let serves = |running: &Running| {
        running.published.borrow().as_ref().is_some_and(|it| it.certificate == leaf.certificate)
    };
    let end = SystemTime::now() + Duration::from_secs(20);
    while !all.iter().all(|running| serves(running)) {
        assert!(SystemTime::now() < end, "the new certificate is not served");
        for running in all {
            running.admit().await.unwrap();
        }
        a_while(20).await;
    }
}

#[tokio::test]
async fn files_are_served_injected_and_followed_by_one_replica_after_the_other() {
    let fake = Fake::with_configurations();
    let (ahead, behind) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (old, new) = (theirs(), theirs());
    write(ahead.path(), &old);
    write(behind.path(), &old);
    let mut checked_often = reading(behind.path());
    // This one looks at configurations all the time and finds CAs that are not its own.
    checked_often.check_interval = Duration::from_millis(50);
    let mut first = Running::start(&fake, reading(ahead.path()));
    let mut second = Running::start(&fake, checked_often);
    for running in [&mut first, &mut second] {
        let published = running.until(|published| published.injected).await;
        assert_eq!(published.ca_bundle, old.ca.certificate.pem());
        running.admit().await.unwrap();
    }
    fake.writes();
    write(ahead.path(), &new);
    admit_until(&[&first], &new.leaf).await;
    assert_eq!(fake.writes().len(), 2, "one for each configuration");
    for _ in 0..20 {
        second.admit().await.unwrap();
        first.admit().await.unwrap();
        a_while(25).await;
    }
    assert_eq!(fake.writes(), Vec::<String>::new(), "neither takes the other's CA out");
    write(behind.path(), &new);
    admit_until(&[&first, &second], &new.leaf).await;
    assert_eq!(fake.writes(), Vec::<String>::new());
    assert!(fake.get(SECRET).is_none(), "there is no Secret");
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn without_a_ca_configurations_are_left_alone() {
    let fake = Fake::with_configurations();
    fake.away(true);
    let folder = TempDir::new().unwrap();
    let mut often = reading(folder.path());
    often.check_interval = Duration::from_millis(50);
    let mut running = Running::start(&fake, often);
    a_while(300).await;
    assert!(running.published.borrow().is_none(), "there is nothing yet");
    let theirs = theirs();
    write(folder.path(), &theirs);
    fs::remove_file(folder.path().join("ca.crt")).unwrap();
    let published = running.until(|_| true).await;
    assert_eq!((published.ca_bundle.as_str(), published.certificate), ("", theirs.leaf.certificate));
    tls::connect(&running.resolver, &theirs.ca.certificate.pem(), SVC).await.unwrap();
    // Nobody has published its CA yet; a bundle of somebody else's is not enough.
    let bundle = |path: &str, ca: &str| {
        let mut configuration = fake.get(path).unwrap();
        for index in [0, 1] {
            configuration["webhooks"][index]["clientConfig"]["caBundle"] = json!(ByteString(ca.into()));
        }
        fake.put(path, configuration);
    };
    bundle(MUTATING, &theirs.ca.certificate.pem());
    bundle(VALIDATING, &self::theirs().ca.certificate.pem());
    fake.away(false);
    let seen = running.until(|published| published.distrusting.len() == 1).await;
    assert_eq!((seen.carried, seen.distrusting), (false, vec![Target::validating("celery")]));
    bundle(VALIDATING, &theirs.ca.certificate.pem());
    running.until(|published| published.carried && published.injected).await;
    assert_eq!(fake.writes(), Vec::<String>::new());
    running.stop().await;
}

#[tokio::test]
async fn files_are_served_while_the_api_server_is_away() {
    let fake = Fake::with_configurations();
    fake.away(true);
    let folder = TempDir::new().unwrap();
    let theirs = theirs();
    write(folder.path(), &theirs);
    let mut running = Running::start(&fake, reading(folder.path()));
    let published = running.until(|_| true).await;
    assert!(!published.carried);
    fake.away(false);
    running.until(|published| published.injected).await;
    running.admit().await.unwrap();
    running.stop().await;
}
