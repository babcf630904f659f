// SPDX-License-Identifier: Apache-2.0
//! Free TCP ports on the loopback address.
//!
//! A port is free only at the moment of asking; whoever uses one must be ready to try again with another.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// A port of 127.0.0.1 that nobody listens on at this moment.
///
/// # Errors
/// When the kernel has none to give.
pub fn free_port() -> io::Result<u16> {
    free_ports().map(|[port]| port)
}

/// `N` different free ports: all are held until the last one is known.
pub(crate) fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
