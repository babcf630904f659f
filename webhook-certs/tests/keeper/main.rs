// SPDX-License-Identifier: Apache-2.0
//! The loop against a fake API server: what it writes, what it heals, and that admission never notices.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fake;
mod files;
#[path = "../tls/mod.rs"]
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use fake::{Fake, MUTATING, SECRET, VALIDATING};
use k8s_openapi::ByteString;
use serde_json::json;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use webhook_certs::issue::{self, SystemKeys, Validity};
use webhook_certs::{
    Clock, Config, Files, Issuing, Keeper, Lifetimes, Looks, Names, Published, Resolver, SecretRef, Source,
    Target,
};

const SVC: &str = "webhook.celery.svc";
const DAY: Duration = Duration::from_hours(24);

/// A keeper that runs.
struct Running {
    fake: Fake,
    resolver: Arc<Resolver>,
    published: watch::Receiver<Option<Published>>,
    looks: watch::Receiver<Looks>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), webhook_certs::keeper::Error>>,
}

fn config() -> Config {
    let secret = SecretRef { namespace: "celery".into(), name: "certs".into() };
    let names = Names::of_service("webhook", "celery").unwrap();
    let mut config = Config::new(Issuing::new(secret, names), "webhook-certs-test");
    config.targets = vec![Target::mutating("celery"), Target::validating("celery")];
    config.check_interval = Duration::from_millis(50);
    config.propagation = Duration::from_millis(400);
    config
}

impl Running {
    fn start(fake: &Fake, config: Config) -> Self {
        let keeper = Keeper::new(fake.client(), config).unwrap();
        let (resolver, published, looks) = (keeper.resolver(), keeper.published(), keeper.looks());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(keeper.run(async move { drop(stopped.await) }));
        Self { fake: fake.clone(), resolver, published, looks, stop, task }
    }

    /// What is published once it satisfies `wish`.
    async fn until(&mut self, wish: impl FnMut(&Published) -> bool) -> Published {
        let mut wish = wish;
        let wait = self.published.wait_for(|published| published.as_ref().is_some_and(&mut wish));
        tokio::time::timeout(Duration::from_secs(5), wait)
            .await
            .expect("within 5 s")
            .unwrap()
            .clone()
            .unwrap()
    }

    /// Waits until every webhook of a configuration trusts what is served.
    async fn until_healed(&self, path: &str) {
        let end = Instant::now() + Duration::from_secs(5);
        while tls::connect(&self.resolver, &self.fake.bundle(path, 1), SVC).await.is_err() {
            assert!(Instant::now() < end, "{}", self.fake.bundle(path, 1));
            a_while(20).await;
        }
    }

    /// A handshake as an API server does it: with the bundle of the configuration.
    async fn admit(&self) -> std::io::Result<()> {
        tls::connect(&self.resolver, &self.fake.bundle(MUTATING, 0), SVC).await.map(drop)
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

async fn a_while(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test]
async fn first_issues_then_injects_then_rests() {
    let fake = Fake::with_configurations();
    let mut running = Running::start(&fake, config());
    let published = running.until(|published| published.injected).await;
    assert_eq!(published.missing, vec![]);
    running.admit().await.unwrap();
    let mut writes = fake.writes();
    writes[1..].sort();
    assert_eq!(
        writes,
        ["POST celery", "PATCH mutatingwebhookconfigurations", "PATCH validatingwebhookconfigurations"]
    );
    for (path, index) in [(MUTATING, 0), (MUTATING, 1), (VALIDATING, 0), (VALIDATING, 1)] {
        assert_eq!(fake.bundle(path, index), published.ca_bundle);
    }
    assert_eq!(fake.get(SECRET).unwrap()["type"], "kubernetes.io/tls");
    a_while(800).await;
    assert_eq!(fake.writes(), Vec::<String>::new(), "zero writes at rest");
    running.stop().await;
}

#[tokio::test]
async fn overwritten_bundles_are_put_back() {
    let fake = Fake::with_configurations();
    let mut running = Running::start(&fake, config());
    running.until(|published| published.injected).await;
    for bundle in [json!("Cg=="), json!(""), json!("bm90IGEgY2VydA=="), json!(null)] {
        let mut overwritten = fake.get(VALIDATING).unwrap();
        overwritten["webhooks"][1]["clientConfig"]["caBundle"] = bundle;
        fake.put(VALIDATING, overwritten);
        fake.writes();
        a_while(700).await;
        assert_eq!(fake.bundle(VALIDATING, 1), fake.bundle(MUTATING, 0));
        assert_eq!(fake.writes(), ["PATCH validatingwebhookconfigurations"]);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_deleted_or_corrupted_secret_is_replaced_without_a_failed_admission() {
    let fake = Fake::with_configurations();
    let mut running = Running::start(&fake, config());
    let mut last = running.until(|published| published.injected).await;
    for spoiled in [None, Some(json!({"ca.crt": "eA=="})), Some(json!({}))] {
        match spoiled {
            None => fake.delete(SECRET),
            Some(data) => {
                let mut secret = fake.get(SECRET).unwrap();
                secret["data"] = data;
                fake.put(SECRET, secret);
            }
        }
        let not_before = last.ca_bundle.clone();
        for _ in 0..60 {
            running.admit().await.unwrap();
            a_while(25).await;
        }
        last = running.until(|published| published.injected && published.ca_bundle != not_before).await;
        running.admit().await.unwrap();
    }
    running.stop().await;
}

#[tokio::test]
async fn leaves_and_cas_of_seconds_leave_no_gap() {
    let fake = Fake::with_configurations();
    let mut config = config();
    let Source::Issued(issuing) = &mut config.source else { panic!() };
    issuing.lifetimes = Lifetimes::new(Duration::from_secs(12), Duration::from_secs(4)).unwrap();
    let mut running = Running::start(&fake, config);
    running.until(|published| published.injected).await;
    let (mut ends, mut bundles) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    // An API server notices a new bundle late, by half of the time that it is given.
    let lag = Duration::from_millis(200);
    let mut noticed = std::collections::VecDeque::new();
    let end = SystemTime::now() + Duration::from_secs(18);
    while SystemTime::now() < end {
        noticed.push_back((Instant::now(), fake.bundle(MUTATING, 0)));
        while noticed.len() > 1 && noticed[0].0.elapsed() > lag {
            noticed.pop_front();
        }
        tls::connect(&running.resolver, &noticed[0].1, SVC).await.unwrap();
        running.admit().await.unwrap();
        let published = running.published.borrow().clone().unwrap();
        tls::connect(&running.resolver, &published.ca_bundle, SVC).await.unwrap();
        ends.insert(published.certificate.not_after);
        bundles.insert(published.ca_bundle);
        a_while(20).await;
    }
    assert!(ends.len() >= 5, "{} leaves", ends.len());
    assert!(bundles.len() >= 3, "{} bundles", bundles.len());
    running.stop().await;
}

#[tokio::test]
async fn what_was_served_last_is_served_while_the_api_server_is_away() {
    let fake = Fake::with_configurations();
    let mut running = Running::start(&fake, config());
    let before = running.until(|published| published.injected).await;
    fake.away(true);
    a_while(1000).await;
    running.admit().await.unwrap();
    assert_eq!(running.published.borrow().as_ref(), Some(&before));
    fake.delete(SECRET);
    fake.away(false);
    let after =
        running.until(|published| published.injected && published.ca_bundle != before.ca_bundle).await;
    assert_ne!(after.ca_bundle, before.ca_bundle);
    running.admit().await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_keeps_no_bundle_from_healing() {
    let fake = Fake::with_configurations();
    let mut running = Running::start(&fake, config());
    let before = running.until(|published| published.injected).await;
    fake.forbid(SECRET, true);
    let failing = running.looks.wait_for(|looks| looks.failed > 2).await.unwrap().clone();
    let reason = failing.failure.unwrap();
    assert!(reason.contains("Secret celery/certs") && reason.contains("let the service account"), "{reason}");
    // Whoever knows more than this replica has added a CA; what is overwritten is more than that.
    let other = issue::ca(&SystemKeys, Validity::starting(SystemTime::now(), DAY).unwrap()).unwrap();
    let other = other.certificate.pem();
    for (found, wanted) in [
        ("", vec![&before.ca_bundle]),
        ("x", vec![&before.ca_bundle]),
        (other.as_str(), vec![&before.ca_bundle, &other]),
    ] {
        let mut overwritten = fake.get(VALIDATING).unwrap();
        overwritten["webhooks"][1]["clientConfig"]["caBundle"] = json!(ByteString(found.into()));
        fake.put(VALIDATING, overwritten);
        running.until_healed(VALIDATING).await;
        for index in [0, 1] {
            let healed = fake.bundle(VALIDATING, index);
            assert!(wanted.iter().all(|ca| healed.contains(ca.as_str())), "{healed}");
        }
        running.admit().await.unwrap();
    }
    // What nobody may change is told; what was served is served on.
    fake.forbid(VALIDATING, true);
    let mut emptied = fake.get(VALIDATING).unwrap();
    emptied["webhooks"][0]["clientConfig"]["caBundle"] = json!("Cg==");
    fake.put(VALIDATING, emptied);
    fake.writes();
    let distrusting = running.until(|published| !published.carried).await;
    assert_eq!(distrusting.distrusting, [Target::validating("celery")]);
    for path in [VALIDATING, SECRET] {
        fake.forbid(path, false);
    }
    running.until(|published| published.carried && published.injected).await;
    assert_eq!(fake.bundle(VALIDATING, 1), before.ca_bundle, "what nobody needs goes again");
    let looks = running.looks.wait_for(|looks| looks.failure.is_none()).await.unwrap().clone();
    assert!(looks.failed >= failing.failed);
    running.stop().await;
}

#[tokio::test]
async fn a_missing_configuration_is_reported_and_never_created() {
    let fake = Fake::with_configurations();
    fake.delete(VALIDATING);
    let mut running = Running::start(&fake, config());
    let published = running.until(|published| !published.missing.is_empty()).await;
    assert_eq!((published.injected, published.missing), (false, vec![Target::validating("celery")]));
    running.until(|published| published.carried && !published.injected).await;
    running.admit().await.unwrap();
    assert!(fake.get(VALIDATING).is_none());
    fake.put(VALIDATING, fake::configuration());
    let published = running.until(|published| published.injected).await;
    assert_eq!(fake.bundle(VALIDATING, 1), published.ca_bundle);
    running.stop().await;
}

#[tokio::test]
async fn a_stepped_clock_and_a_secret_expired_while_nobody_ran_are_healed() {
    let fake = Fake::with_configurations();
    let days = Arc::new(AtomicI64::new(0));
    let clock = || {
        let days = Arc::clone(&days);
        Clock::from_fn(move || {
            let days = days.load(Ordering::Relaxed);
            let distance = Duration::from_hours(24) * u32::try_from(days.abs()).unwrap();
            if days < 0 { SystemTime::now() - distance } else { SystemTime::now() + distance }
        })
    };
    let with_clock = || {
        let mut config = config();
        config.clock = clock();
        config
    };
    let mut running = Running::start(&fake, with_clock());
    let mut last = running.until(|published| published.injected).await;
    for day in [61, 200, 2700, -1] {
        days.store(day, Ordering::Relaxed);
        last =
            running.until(|published| published.injected && published.certificate != last.certificate).await;
    }
    running.stop().await;
    days.store(5000, Ordering::Relaxed);
    let mut running = Running::start(&fake, with_clock());
    let now = clock().now();
    let published = running.until(|published| published.injected).await;
    let served = published.certificate;
    assert!(served.not_before <= now && now < served.not_after);
    running.stop().await;
}

#[tokio::test]
async fn five_keepers_end_with_one_ca() {
    let fake = Fake::with_configurations();
    let mut all: Vec<Running> = (0..5).map(|_| Running::start(&fake, config())).collect();
    let mut bundles = std::collections::BTreeSet::new();
    for running in &mut all {
        bundles.insert(running.until(|published| published.injected).await.ca_bundle);
    }
    assert_eq!(bundles.len(), 1);
    a_while(500).await;
    fake.writes();
    a_while(500).await;
    assert_eq!(fake.writes(), Vec::<String>::new());
    for running in &all {
        running.admit().await.unwrap();
    }
    // Deleted under five pairs of eyes: each still serves a leaf that the bundle of whoever won trusts.
    fake.delete(SECRET);
    for _ in 0..40 {
        for running in &all {
            running.admit().await.unwrap();
        }
        a_while(25).await;
    }
    for running in all {
        running.stop().await;
    }
}

#[test]
fn empty_names_are_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _guard = runtime.enter();
    let mut config = config();
    config.targets.push(Target::mutating(""));
    let error = Keeper::new(Fake::default().client(), config).unwrap_err();
    assert_eq!(error.to_string(), "the keeper's targets[].name is empty: set it");
}
