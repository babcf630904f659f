// SPDX-License-Identifier: Apache-2.0
//! Addresses of the one node, and the link between it and this machine.
//!
//! The node has a network of its own and a cable to this machine: two ends of a pair of virtual Ethernet devices. This
//! machine gets routes to pods and Services, and nothing else: neither forwarding nor filter rules, which all live on
//! the node's side and go away with it.

use std::path::Path;
use std::process::Command;

use super::space::Space;
use crate::Error;

/// This machine as the node sees it.
pub(crate) const HOST: &str = "10.85.255.1";
/// The node as this machine sees it. What runs in its network listens here.
pub const NODE: &str = "10.85.255.2";
/// Addresses of pods.
pub(crate) const PODS: &str = "10.85.0.0/24";
/// Addresses of Services, as the API server has them.
pub(crate) const SERVICES: &str = "10.96.0.0/16";
/// The Service of the cluster's DNS.
pub(crate) const DNS: &str = "10.96.0.10";

/// This machine's end.
const DEVICE: &str = "celery-node";
/// The node's end.
const PEER: &str = "eth0";
/// Two addresses and those of the network itself.
const PREFIX: &str = "30";

/// The cable. It ends with the node's network, or when this is dropped.
#[derive(Debug)]
pub(crate) struct Link {
    _private: (),
}

impl Link {
    /// Lays the cable, after taking away one that an earlier node has left.
    pub(crate) fn connect(space: &Space) -> Result<Self, Error> {
        remove();
        let peer = space.pid().to_string();
        ip(&["link", "add", DEVICE, "type", "veth", "peer", "name", PEER, "netns", &peer])?;
        let link = Self { _private: () };
        ip(&["address", "add", &format!("{HOST}/{PREFIX}"), "dev", DEVICE])?;
        ip(&["link", "set", DEVICE, "up"])?;
        for arguments in [
            &["address", "add", &format!("{NODE}/{PREFIX}"), "dev", PEER][..],
            &["link", "set", PEER, "up"],
            &["route", "add", "default", "via", HOST],
        ] {
            succeed(space.command(Path::new("ip")).args(arguments))?;
        }
        for destination in [PODS, SERVICES] {
            ip(&["route", "add", destination, "via", NODE])?;
        }
        Ok(link)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        remove();
    }
}

/// Nothing happens when it is not there.
fn remove() {
    let _ = Command::new("ip").args(["link", "delete", DEVICE]).output();
}

fn ip(arguments: &[&str]) -> Result<(), Error> {
    succeed(Command::new("ip").args(arguments))
}

/// Runs a command that has to succeed.
pub(crate) fn succeed(command: &mut Command) -> Result<(), Error> {
    let program = Path::new(command.get_program()).to_owned();
    let output = command.output().map_err(Error::io("run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    Err(Error::Command {
        command: format!("{} {}", program.display(), words.join(" ")),
        said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
