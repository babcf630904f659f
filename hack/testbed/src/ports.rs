// SPDX-License-Identifier: Apache-2.0
//! Free TCP ports on the loopback address.
//!
//! A port is free only at the moment of asking; whoever uses one must be ready to try again with another. So that a
//! program can be restarted on its port, ports are taken from below the range out of which the kernel serves outgoing
//! connections: one of those would otherwise sit on it while the program is away.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below 32768, where Linux begins with outgoing connections, and above the ports that services like to have.
const FIRST: u32 = 12_000;
const COUNT: u32 = 20_000;

/// A port of 127.0.0.1 that nobody listens on at this moment.
///
/// # Errors
/// When every port of the range is taken.
pub fn free_port() -> io::Result<u16> {
    // Processes begin at different places; within one, no port comes twice before all have come once.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(7919);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(step) % COUNT;
        let Ok(port) = u16::try_from(port) else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, format!("all ports from {FIRST} on are taken")))
}

/// `N` different free ports.
pub(crate) fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut ports = [0; N];
    for port in &mut ports {
        *port = free_port()?;
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ports_differ_and_stay_clear_of_outgoing_connections() {
        let ports: BTreeSet<u16> = (0..100).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 100);
        assert!(ports.iter().all(|port| (12_000..32_000).contains(port)), "{ports:?}");
    }
}
