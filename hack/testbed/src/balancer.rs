// SPDX-License-Identifier: Apache-2.0
//! What a Service is in a cluster: one address before several replicas of the operator.
//!
//! It does what kubelet, endpoints and kube-proxy do together. Every replica is asked for its readiness again and
//! again; a new connection goes to a ready one in turn; a connection that is open stays, whatever its replica says of
//! itself later, since nobody cuts connections in a cluster either. No connection is tried with a second replica: who
//! meets one that has just died hears so.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::operator::Operator;
use crate::ports::free_port;

/// How long a replica may take to say whether it is ready: a kubelet's default.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// How long a connection to a replica may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// A listener that hands connections on to ready replicas, until it is dropped.
#[derive(Debug)]
pub struct Balancer {
    port: u16,
    look_every: Duration,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    backends: Mutex<Vec<Backend>>,
    turn: AtomicUsize,
    stopped: AtomicBool,
}

#[derive(Debug)]
struct Backend {
    webhook_port: u16,
    ready: Arc<AtomicBool>,
    /// Connections that were handed on.
    taken: usize,
    /// Its looks end when this is dropped.
    _followed: Sender<()>,
}

impl Balancer {
    /// Listens on a free port of this host. Every replica is looked at this often: it is how late a change of its
    /// readiness shows.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(look_every: Duration) -> io::Result<Self> {
        let port = free_port()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let shared = Arc::new(Shared::default());
        let accepting = shared.clone();
        thread::spawn(move || accepting.accept(&listener));
        Ok(Self { port, look_every, shared })
    }

    /// The port that stands for all replicas.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Follows a replica from now on. It gets connections once it was seen to be ready.
    pub fn add(&self, replica: &Operator) {
        let (followed, end) = mpsc::channel();
        let ready = Arc::new(AtomicBool::new(false));
        let webhook_port = replica.webhook_port;
        self.shared.backends().push(Backend {
            webhook_port,
            ready: ready.clone(),
            taken: 0,
            _followed: followed,
        });
        let (replica, every) = (replica.clone(), self.look_every);
        // One thread each: one that does not answer must not keep the others from being looked at.
        thread::spawn(move || {
            loop {
                let answer = replica.ask_within("/readyz", ANSWER_WITHIN);
                let is_ready = answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"));
                ready.store(is_ready, Ordering::SeqCst);
                if end.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
    }

    /// Forgets a replica; connections to it stay.
    pub fn remove(&self, replica: &Operator) {
        self.shared.backends().retain(|backend| backend.webhook_port != replica.webhook_port);
    }

    /// Whether a replica would get connections.
    #[must_use]
    pub fn is_ready(&self, replica: &Operator) -> bool {
        self.of(replica, |backend| backend.ready.load(Ordering::SeqCst)).unwrap_or_default()
    }

    /// How many connections a replica has got.
    #[must_use]
    pub fn taken(&self, replica: &Operator) -> usize {
        self.of(replica, |backend| backend.taken).unwrap_or_default()
    }

    fn of<T>(&self, replica: &Operator, look: impl Fn(&Backend) -> T) -> Option<T> {
        self.shared.backends().iter().find(|backend| backend.webhook_port == replica.webhook_port).map(look)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.shared.backends().clear();
        // Wakes the listener, which then sees it.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn backends(&self) -> MutexGuard<'_, Vec<Backend>> {
        self.backends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            // Nobody ready: the connection is closed, as one to a Service without endpoints is refused.
            if let (Ok(client), Some(port)) = (client, self.next()) {
                thread::spawn(move || hand_on(&client, port));
            }
        }
    }

    /// The ready replica whose turn it is.
    fn next(&self) -> Option<u16> {
        let mut backends = self.backends();
        let ready = backends.iter_mut().filter(|backend| backend.ready.load(Ordering::SeqCst));
        let mut ready: Vec<&mut Backend> = ready.collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(ready.len())?;
        let backend = ready.get_mut(turn)?;
        backend.taken += 1;
        Some(backend.webhook_port)
    }
}

/// Carries bytes both ways until both sides have ended.
fn hand_on(client: &TcpStream, port: u16) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(backend) = TcpStream::connect_timeout(&address, CONNECT_WITHIN) else { return };
    // A packet is handed on as it came: nothing here waits for more.
    let _ = (client.set_nodelay(true), backend.set_nodelay(true));
    thread::scope(|scope| {
        scope.spawn(|| carry(client, &backend));
        carry(&backend, client);
    });
}

fn carry(mut from: &TcpStream, mut to: &TcpStream) {
    let ended = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    if ended.is_err() {
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::io::{Read as _, Write as _};
    use std::time::Instant;

    use super::*;

    /// A replica that says whether it is ready as it is told, and its name to whoever connects, twice.
    struct Fake {
        operator: Operator,
        ready: Arc<AtomicBool>,
        again: Sender<()>,
    }

    fn fake(name: &'static str) -> Fake {
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (webhooks, admin) = (listen(), listen());
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let operator = Operator::at(port(&webhooks), port(&admin));
        let ready = Arc::new(AtomicBool::new(true));
        let said = ready.clone();
        thread::spawn(move || {
            for stream in admin.incoming() {
                let code = if said.load(Ordering::SeqCst) { 200 } else { 503 };
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 1024]);
                let _ = write!(stream, "HTTP/1.1 {code} word\r\n\r\n");
            }
        });
        let (again, wait) = mpsc::channel();
        thread::spawn(move || {
            let mut open = Vec::new();
            for stream in webhooks.incoming() {
                let mut stream = stream.unwrap();
                stream.write_all(name.as_bytes()).unwrap();
                open.push(stream);
                if open.len() == 1 {
                    wait.recv().unwrap();
                    open[0].write_all(name.as_bytes()).unwrap();
                }
            }
        });
        Fake { operator, ready, again }
    }

    fn connect(balancer: &Balancer) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, balancer.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    /// One letter; nothing when the connection was closed.
    fn heard(mut stream: &TcpStream) -> Option<char> {
        let mut letter = [0];
        stream.read_exact(&mut letter).ok().map(|()| char::from(letter[0]))
    }

    fn until(what: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !what() {
            assert!(Instant::now() < end, "it never comes");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn new_connections_go_to_ready_replicas_and_open_ones_stay() {
        let balancer = Balancer::start(Duration::from_millis(10)).unwrap();
        assert_eq!(heard(&connect(&balancer)), None, "nobody is there");
        let (one, other) = (fake("a"), fake("b"));
        balancer.add(&one.operator);
        until(|| balancer.is_ready(&one.operator));
        let first = connect(&balancer);
        assert_eq!(heard(&first), Some('a'));
        one.ready.store(false, Ordering::SeqCst);
        balancer.add(&other.operator);
        until(|| !balancer.is_ready(&one.operator) && balancer.is_ready(&other.operator));
        other.again.send(()).unwrap();
        for _ in 0..4 {
            assert_eq!(heard(&connect(&balancer)), Some('b'));
        }
        one.again.send(()).unwrap();
        assert_eq!(heard(&first), Some('a'), "it was open");
        assert_eq!((balancer.taken(&one.operator), balancer.taken(&other.operator)), (1, 4));
        balancer.remove(&other.operator);
        assert_eq!(heard(&connect(&balancer)), None, "nobody is ready");
    }
}
