// SPDX-License-Identifier: Apache-2.0
//! Clients that a server should rather not have.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use testbed::until;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;
use webhook_certs::state::Pair;

use crate::Error;
use crate::published::NAMES;
use crate::stage::{PATIENCE, Stage};

/// Before a connection that was cut is opened again.
const PAUSE: Duration = Duration::from_millis(100);
/// Between two bytes of a slow request.
const SLOWLY: Duration = Duration::from_millis(500);
/// A request that says how much is coming.
const HEAD: &str =
    "POST /validate/celeries HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
/// Length of a slow body, in bytes: a common one of a review.
const SLOW: usize = 8 * 1024;
/// Length of a large body, in MiB.
const LARGE: usize = 20;
/// The begin of a handshake that announces 512 bytes and brings some of them.
const HALF: [u8; 9] = [22, 3, 1, 2, 0, 1, 0, 1, 252];

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Connects and says nothing.
    Idle,
    /// Begins a handshake and does not go on.
    HalfOpen,
    /// Sends the head of a request byte by byte.
    SlowHead,
    /// Sends the body of a request byte by byte.
    SlowBody,
    /// Sends a body that is too large.
    Large,
}

impl Kind {
    /// In words.
    pub(crate) fn title(self, connections: usize) -> String {
        match self {
            Self::Idle => format!("{connections} idle connections"),
            Self::HalfOpen => format!("{connections} handshakes that do not go on"),
            Self::SlowHead => format!("{connections} requests whose head comes byte by byte"),
            Self::SlowBody => format!("{connections} requests whose body comes byte by byte"),
            Self::Large => format!("{connections} clients with bodies of {LARGE} MiB"),
        }
    }
}

/// Clients that go on until they are told to end.
pub(crate) struct Attack {
    kind: Kind,
    wanted: usize,
    count: Arc<Count>,
    stop: watch::Sender<bool>,
    clients: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Count {
    /// Connections that have got as far as their kind gets.
    there: AtomicUsize,
    /// Those that were made in all.
    made: AtomicUsize,
}

/// What each client knows.
#[derive(Clone)]
struct Client {
    kind: Kind,
    port: u16,
    tls: TlsConnector,
    count: Arc<Count>,
}

impl Attack {
    /// Begins with so many clients of a port that shows a leaf of this pair.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn begin(
        stage: &Stage,
        kind: Kind,
        wanted: usize,
        port: u16,
        pair: &Pair,
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(pair.ca.certificate.der().to_vec()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let count = Arc::new(Count::default());
        let client = Client { kind, port, tls: TlsConnector::from(Arc::new(config)), count: count.clone() };
        let (stop, stopped) = watch::channel(false);
        let mut clients = JoinSet::new();
        for _ in 0..wanted {
            let (client, mut stopped) = (client.clone(), stopped.clone());
            let going_on = async move {
                tokio::select! {
                    _ = stopped.wait_for(|stopped| *stopped) => {}
                    () = client.go_on() => {}
                }
            };
            clients.spawn_on(going_on, stage.runtime.handle());
        }
        Ok(Self { kind, wanted, count, stop, clients })
    }

    /// Waits until all are connected. Those with large bodies come and go.
    ///
    /// # Errors
    /// When they do not get through.
    pub(crate) fn until_all_are_there(&self) -> Result<(), Error> {
        let all = until(&self.kind.title(self.wanted), PATIENCE, || {
            let seen = match self.kind {
                Kind::Large => self.count.made.load(Ordering::Relaxed),
                _ => self.count.there.load(Ordering::Relaxed),
            };
            if seen >= self.wanted { Ok(()) } else { Err(format!("{seen} are there")) }
        });
        Ok(all?)
    }

    /// Ends, and tells how many connections were made.
    ///
    /// # Errors
    /// When a client has failed in a way that none should.
    pub(crate) fn end(mut self, stage: &Stage) -> Result<String, Error> {
        self.stop.send_replace(true);
        stage.runtime.block_on(async {
            while let Some(ended) = self.clients.join_next().await {
                ended?;
            }
            Ok::<(), Error>(())
        })?;
        Ok(format!("{} connections made", self.count.made.load(Ordering::Relaxed)))
    }
}

impl Client {
    /// Does what it does again and again: being cut off is what it expects.
    async fn go_on(self) {
        loop {
            let _ = self.once().await;
            sleep(PAUSE).await;
        }
    }

    async fn once(&self) -> io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        match self.kind {
            Kind::Idle => {
                let _there = self.there();
                stream.read_u8().await?;
            }
            Kind::HalfOpen => {
                stream.write_all(&HALF).await?;
                let _there = self.there();
                stream.read_u8().await?;
            }
            Kind::SlowHead => {
                let mut stream = self.tls.connect(name()?, stream).await?;
                let _there = self.there();
                drip(&mut stream, HEAD.bytes().cycle()).await?;
            }
            Kind::SlowBody => {
                let mut stream = self.tls.connect(name()?, stream).await?;
                let head = format!("{HEAD}Content-Length: {SLOW}\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                let _there = self.there();
                drip(&mut stream, std::iter::repeat_n(b' ', SLOW)).await?;
            }
            Kind::Large => {
                let mut stream = self.tls.connect(name()?, stream).await?;
                let head = format!("{HEAD}Content-Length: {}\r\n\r\n", LARGE << 20);
                stream.write_all(head.as_bytes()).await?;
                let _there = self.there();
                let part = vec![b' '; 1 << 20];
                for _ in 0..LARGE {
                    stream.write_all(&part).await?;
                }
                stream.read_u8().await?;
            }
        }
        Ok(())
    }

    fn there(&self) -> There<'_> {
        self.count.made.fetch_add(1, Ordering::Relaxed);
        self.count.there.fetch_add(1, Ordering::Relaxed);
        There(&self.count)
    }
}

/// A connection that is there, until this is dropped.
struct There<'c>(&'c Count);

impl Drop for There<'_> {
    fn drop(&mut self) {
        self.0.there.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends these bytes, one at a time, until it is cut off.
async fn drip(to: &mut (impl AsyncWrite + Unpin), bytes: impl Iterator<Item = u8>) -> io::Result<()> {
    for byte in bytes {
        to.write_u8(byte).await?;
        to.flush().await?;
        sleep(SLOWLY).await;
    }
    Ok(())
}

fn name() -> io::Result<ServerName<'static>> {
    ServerName::try_from(NAMES[1]).map_err(io::Error::other)
}
