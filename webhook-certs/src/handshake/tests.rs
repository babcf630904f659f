// SPDX-License-Identifier: Apache-2.0
//! Handshakes with real servers: which are accepted, and which reason is told of the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::time::SystemTime;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::fixtures::{DAY, leaf, pair};
use crate::serve::{Resolver, server_config};
use crate::state::Pair;

const SVC: &str = "webhook.celery.svc";

/// A server that makes handshakes and nothing else; ends with its handle.
struct Server {
    address: SocketAddr,
    resolver: Arc<Resolver>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn server(bind: &str) -> Server {
    let listener = TcpListener::bind(bind).await.unwrap();
    let address = listener.local_addr().unwrap();
    let resolver = Arc::new(Resolver::new());
    let acceptor = TlsAcceptor::from(Arc::new(server_config(Arc::clone(&resolver)).unwrap()));
    let task = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            drop(acceptor.accept(stream).await);
        }
    });
    Server { address, resolver, task }
}

fn now() -> Pair {
    pair(SystemTime::now())
}

/// What is said when the bundle does not fit, and when the certificate is not the one expected.
async fn said(server: &Server, name: &str, pair: &Pair) -> [String; 2] {
    let by_bundle = verify(server.address, name, &pair.bundle()).await;
    let by_itself = verify_shown(server.address, name, &pair.leaf.certificate).await;
    [by_bundle, by_itself].map(|outcome| outcome.err().map(|error| error.to_string()).unwrap_or_default())
}

#[tokio::test]
async fn what_callers_accept_is_accepted_wherever_the_server_listens() {
    let pair = now();
    for bind in ["127.0.0.1:0", "0.0.0.0:0"] {
        let server = server(bind).await;
        server.resolver.swap(&pair.leaf).unwrap();
        // A Service's name is none that could be resolved here.
        for name in [SVC, "127.0.0.1"] {
            assert_eq!(said(&server, name, &pair).await, ["", ""], "{bind} {name}");
        }
    }
    let six = "[::]:443".parse().unwrap();
    assert_eq!(reachable(six), "[::1]:443".parse().unwrap());
    let real = "10.0.0.7:443".parse().unwrap();
    assert_eq!(reachable(real), real);
}

#[tokio::test]
async fn what_callers_refuse_is_refused_with_the_reason() {
    let (ours, theirs) = (now(), now());
    let server = server("127.0.0.1:0").await;
    for said in said(&server, SVC, &ours).await {
        assert!(said.ends_with("as webhook.celery.svc: received fatal alert: AccessDenied"), "{said}");
    }
    server.resolver.swap(&ours.leaf).unwrap();
    let [by_bundle, by_itself] = said(&server, SVC, &theirs).await;
    assert!(by_bundle.ends_with("invalid peer certificate: UnknownIssuer"), "{by_bundle}");
    assert!(by_itself.contains("another certificate is shown"), "{by_itself}");
    for said in said(&server, "other.celery.svc", &ours).await {
        assert!(said.contains("not valid for name \"other.celery.svc\""), "{said}");
    }
    let at = |from| Pair { leaf: leaf(&ours.ca, from, DAY / 2), ..ours.clone() };
    for (from, word) in [(SystemTime::now() - DAY, "expired"), (SystemTime::now() + DAY, "not valid yet")] {
        let pair = at(from);
        server.resolver.swap(&pair.leaf).unwrap();
        for said in said(&server, SVC, &pair).await {
            assert!(said.contains(word), "{said}");
        }
    }
}

#[tokio::test]
async fn nobody_and_nonsense_are_told() {
    let pair = now();
    let error = verify(([127, 0, 0, 1], 9).into(), "a b", &pair.bundle()).await.unwrap_err();
    assert!(matches!(error, Error::Name(_)), "{error}");
    let error = verify(([127, 0, 0, 1], 9).into(), SVC, "").await.unwrap_err();
    assert!(matches!(error, Error::Bundle(_)), "{error}");
    let gone = server("127.0.0.1:0").await.address;
    // Until the server's task has let go of its port.
    let error = loop {
        match verify(gone, SVC, &pair.bundle()).await.unwrap_err() {
            Error::Refused { .. } => {}
            error => break error,
        }
    };
    assert!(matches!(error, Error::Unreachable(..)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let begin = tokio::time::Instant::now();
    let error = verify(address, SVC, &now().bundle()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert_eq!(begin.elapsed().as_secs(), DEADLINE.as_secs());
}
