// SPDX-License-Identifier: Apache-2.0
//! Which certificates the keeper is asked for, and when the gate of the webhooks opens.

use std::future::Future as _;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use clap::Parser;
use webhook_certs::inspect::Identity;
use webhook_certs::issue::{self, SystemKeys, Validity};
use webhook_certs::{Resolver, server_config};

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    run: Run,
}

fn options(arguments: &[&str]) -> Run {
    Line::parse_from([&["run"], arguments].concat()).run
}

fn names(arguments: &[&str]) -> Vec<String> {
    Port::new(&options(arguments)).expect("names").names
}

#[test]
fn the_port_is_verified_under_the_names_that_callers_use() {
    assert_eq!(names(&[]), ["celery-operator-webhook.celery-system.svc"]);
    assert_eq!(names(&["--namespace=n", "--webhook-service=w"]), ["w.n.svc"]);
    assert_eq!(names(&["--namespace=n", "--name=x"]), ["x-webhook.n.svc"]);
    assert_eq!(names(&["--webhook-name=[::1],*.example.org"]), ["webhook.example.org", "::1"]);
}

#[test]
fn several_operators_of_a_cluster_share_no_object() {
    let kept = |arguments: &[&str]| {
        let config = certificates(&options(arguments)).expect("a configuration");
        let targets: Vec<String> = config.targets.iter().map(ToString::to_string).collect();
        let Source::Issued(issuing) = config.source else { unreachable!("no folder was given") };
        (issuing.secret.name, targets.join(", "))
    };
    let wanted = "MutatingWebhookConfiguration/x-mutating, ValidatingWebhookConfiguration/x-validating";
    assert_eq!(kept(&["--name=x"]), ("x-webhook-cert".to_owned(), wanted.to_owned()));
    let wanted = "MutatingWebhookConfiguration/x.n-mutating, ValidatingWebhookConfiguration/x.n-validating";
    assert_eq!(
        kept(&["--name=x", "--cluster-wide-name=x.n"]),
        ("x-webhook-cert".to_owned(), wanted.to_owned())
    );
}

#[test]
fn files_take_the_place_of_a_secret() {
    let source = |arguments: &[&str]| certificates(&options(arguments)).expect("a configuration").source;
    assert!(matches!(source(&[]), Source::Issued(_)));
    let Source::Files(files) = source(&["--certificate-files=/certificates"]) else {
        unreachable!("a folder was given")
    };
    assert_eq!(files.folder.to_str(), Some("/certificates"));
    let names = files.names.map(|names| names.to_string());
    assert_eq!(names.as_deref(), Some("celery-operator-webhook.celery-system.svc"));
}

/// A CA and a leaf of it.
fn pair() -> (Identity, Identity) {
    let validity = Validity::starting(SystemTime::now(), Duration::from_hours(1)).expect("a validity");
    let ca = issue::ca(&SystemKeys, validity).expect("a CA");
    let names = Names::parse(["127.0.0.1"]).expect("a name");
    let leaf = issue::leaf(&SystemKeys, &ca, &names, validity).expect("a leaf");
    (ca, leaf)
}

fn published(ca: &Identity, leaf: &Identity) -> Published {
    Published {
        certificate: leaf.certificate.clone(),
        ca_bundle: ca.certificate.pem(),
        injected: true,
        carried: true,
        missing: Vec::new(),
        distrusting: Vec::new(),
    }
}

fn port(address: SocketAddr) -> Port {
    Port { address, names: vec!["127.0.0.1".to_owned()], every: Duration::from_millis(50) }
}

/// Waits until the certificate's gate is like that.
async fn until(gates: &watch::Sender<Gates>, wish: impl Fn(&Certificate) -> bool) -> Certificate {
    let mut gates = gates.subscribe();
    let like = |gates: &Gates| gates.webhooks.as_ref().is_some_and(|webhooks| wish(&webhooks.certificate));
    let found = tokio::time::timeout(Duration::from_secs(20), gates.wait_for(like)).await;
    let found = found.expect("in time").expect("a sender").webhooks.clone();
    found.expect("webhooks are served").certificate
}

#[tokio::test]
async fn the_gate_is_open_while_what_is_published_verifies_what_is_shown() {
    let (ca, leaf) = pair();
    let (other, strange) = pair();
    let resolver = Arc::new(Resolver::new());
    let handle = Handle::new();
    let tls = RustlsConfig::from_config(Arc::new(server_config(resolver.clone()).expect("a configuration")));
    let address: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let server = axum_server::bind_rustls(address, tls).handle(handle.clone());
    let server = tokio::spawn(server.serve(Router::new().into_make_service()));
    let address = handle.listening().await.expect("it listens");
    let port = port(address);
    let (tell, told) = watch::channel(None);
    let gates = watch::Sender::new(Gates::default());
    let metrics = Metrics::default();
    let story = async {
        resolver.swap(&leaf).expect("it can be served");
        tell.send_replace(Some(published(&ca, &leaf)));
        until(&gates, |seen| *seen == Certificate::Verified).await;
        // Something else is shown than what was published: found by looking every now and then.
        resolver.swap(&strange).expect("it can be served");
        let seen = until(&gates, |seen| *seen != Certificate::Verified).await;
        assert!(matches!(&seen, Certificate::Refused(why) if why.contains("UnknownIssuer")), "{seen:?}");
        tell.send_replace(Some(published(&other, &strange)));
        until(&gates, |seen| *seen == Certificate::Verified).await;
        // Nobody knows its CA.
        tell.send_replace(Some(Published { ca_bundle: String::new(), ..published(&ca, &leaf) }));
        let seen = until(&gates, |seen| *seen != Certificate::Verified).await;
        assert!(
            matches!(&seen, Certificate::Refused(why) if why.contains("another certificate")),
            "{seen:?}"
        );
        resolver.swap(&leaf).expect("it can be served");
        until(&gates, |seen| *seen == Certificate::Verified).await;
        server.abort();
        until(&gates, |seen| matches!(seen, Certificate::Refused(_))).await;
        drop(tell);
    };
    tokio::join!(story, follow(told, &port, &gates, &metrics));
}

#[tokio::test]
async fn nothing_is_said_of_a_renewed_certificate_before_it_was_seen() {
    let (ca, leaf) = pair();
    // Where nobody answers for the moment.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = port(silent.local_addr().expect("an address"));
    let webhooks = WebhookGates { certificate: Certificate::Verified, ..WebhookGates::default() };
    let gates = watch::Sender::new(Gates { webhooks: Some(webhooks), ..Gates::default() });
    let (_tell, told) = watch::channel(Some(published(&ca, &leaf)));
    let metrics = Metrics::default();
    let mut following = std::pin::pin!(follow(told, &port, &gates, &metrics));
    std::future::poll_fn(|context| {
        assert!(following.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    let webhooks = gates.borrow().webhooks.clone().expect("webhooks are served");
    assert_eq!((webhooks.certificate, webhooks.published), (Certificate::Verified, true));
}

#[tokio::test]
async fn looks_that_fail_are_counted_and_told_until_one_succeeds() {
    let gates = watch::Sender::new(Gates::default());
    let metrics = Metrics::default();
    let (tell, told) = watch::channel(Looks::default());
    let seen = |failure: Option<&str>| {
        let failure = failure.map(str::to_owned);
        let mut gates = gates.subscribe();
        async move {
            let is_told =
                |gates: &Gates| gates.webhooks.as_ref().is_some_and(|it| it.look_failure == failure);
            drop(gates.wait_for(is_told).await.expect("a sender"));
        }
    };
    let story = async {
        for failure in ["no Secret", "no API server"] {
            tell.send_modify(|looks| {
                looks.failed += 2;
                looks.failure = Some(failure.to_owned());
            });
            seen(Some(failure)).await;
        }
        tell.send_modify(|looks| looks.failure = None);
        seen(None).await;
        drop(tell);
    };
    tokio::join!(story, follow_looks(told, &gates, &metrics));
    let text = metrics.text();
    assert!(text.contains("celery_operator_certificate_looks_failed_total 4"), "{text}");
}
