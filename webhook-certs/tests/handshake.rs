// SPDX-License-Identifier: Apache-2.0
//! What is issued is served, and a real TLS client accepts it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod tls;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tls::connect;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use webhook_certs::inspect::Identity;
use webhook_certs::issue::{self, SystemKeys, Validity};
use webhook_certs::{Names, Resolver};

const SVC: &str = "webhook.celery.svc";

fn validity(lifetime: u64) -> Validity {
    Validity::starting(SystemTime::now(), Duration::from_secs(lifetime)).unwrap()
}

fn ca() -> Identity {
    issue::ca(&SystemKeys, validity(3600)).unwrap()
}

fn leaf(ca: &Identity) -> Identity {
    let names = Names::of_service("webhook", "celery").unwrap().with(["127.0.0.1".parse().unwrap()]);
    issue::leaf(&SystemKeys, ca, &names, validity(600)).unwrap()
}

#[tokio::test]
async fn a_client_that_trusts_the_ca_connects_under_every_name() {
    let ca = ca();
    let resolver = Arc::new(Resolver::new());
    assert!(connect(&resolver, &ca.certificate.pem(), SVC).await.is_err(), "nothing to serve yet");
    resolver.swap(&leaf(&ca)).unwrap();
    for name in ["webhook", "webhook.celery", SVC, "webhook.celery.svc.cluster.local", "127.0.0.1"] {
        let (client, server) = connect(&resolver, &ca.certificate.pem(), name).await.unwrap();
        assert_eq!(client.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()), "{name}");
        assert!(server.get_ref().1.peer_certificates().is_none());
    }
}

#[tokio::test]
async fn others_are_refused() {
    let (ours, theirs) = (ca(), ca());
    let resolver = Arc::new(Resolver::new());
    resolver.swap(&leaf(&ours)).unwrap();
    assert!(connect(&resolver, &theirs.certificate.pem(), SVC).await.is_err(), "foreign CA");
    assert!(connect(&resolver, &ours.certificate.pem(), "other.celery.svc").await.is_err(), "foreign name");
    let both = theirs.certificate.pem() + &ours.certificate.pem();
    assert!(connect(&resolver, &both, SVC).await.is_ok(), "a bundle of two");
}

#[tokio::test]
async fn connections_go_on_while_certificates_are_swapped() {
    let old = ca();
    let new = ca();
    let resolver = Arc::new(Resolver::new());
    resolver.swap(&leaf(&old)).unwrap();
    let bundle = old.certificate.pem() + &new.certificate.pem();
    let (mut client, mut server) = connect(&resolver, &bundle, SVC).await.unwrap();
    for round in 0..20_u8 {
        resolver.swap(&leaf(if round % 2 == 0 { &new } else { &old })).unwrap();
        // Both directions: a server that never writes would keep its session tickets to itself.
        client.write_all(&[round]).await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), round);
        server.write_all(&[round]).await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), round);
        connect(&resolver, &bundle, SVC).await.unwrap();
    }
}
