// SPDX-License-Identifier: Apache-2.0
//! The Go toolchain and the versions that the `go.mod` files of this crate pin.
//!
//! Those files are the only place where a version is written, so that a bump is one edit that ordinary Go tools
//! and dependency bots can make.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use crate::Error;

const KUBERNETES: &str = include_str!("../kubernetes/go.mod");
const ETCD: &str = include_str!("../etcd/go.mod");
const CONTAINERD: &str = include_str!("../containerd/go.mod");
const COREDNS: &str = include_str!("../coredns/go.mod");

/// The versions of what is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Versions {
    /// Such as `v1.36.3`.
    pub(crate) kubernetes: &'static str,
    /// Such as `v3.6.16`.
    pub(crate) etcd: &'static str,
}

/// The versions of what a node has besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeVersions {
    /// Such as `v2.3.7`.
    pub(crate) containerd: &'static str,
    /// Such as `v1.14.7`.
    pub(crate) coredns: &'static str,
}

impl NodeVersions {
    pub(crate) fn pinned() -> Result<Self, Error> {
        Ok(Self {
            containerd: pin(
                "hack/testbed/containerd/go.mod",
                CONTAINERD,
                "github.com/containerd/containerd/v2",
            )?,
            coredns: pin("hack/testbed/coredns/go.mod", COREDNS, "github.com/coredns/coredns")?,
        })
    }
}

fn pin(go_mod: &'static str, text: &'static str, module: &'static str) -> Result<&'static str, Error> {
    required_version(text, module).ok_or(Error::NotPinned { go_mod, module })
}

impl Versions {
    pub(crate) fn pinned() -> Result<Self, Error> {
        Ok(Self {
            kubernetes: pin("hack/testbed/kubernetes/go.mod", KUBERNETES, "k8s.io/kubernetes")?,
            etcd: pin("hack/testbed/etcd/go.mod", ETCD, "go.etcd.io/etcd/server/v3")?,
        })
    }
}

/// A `go` command that does the same on every machine: without the user's flags, workspace and target platform.
///
/// # Errors
/// When there is no Go toolchain; `needed_for` says in the message what it is wanted for.
pub(crate) fn go(needed_for: &str) -> Result<Command, Error> {
    let probe = Command::new("go").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if matches!(probe, Err(error) if error.kind() == ErrorKind::NotFound) {
        return Err(Error::GoMissing { needed_for: needed_for.to_owned(), version: go_version(KUBERNETES) });
    }
    let mut command = Command::new("go");
    command.env("GOFLAGS", "").env("GOWORK", "off").env("CGO_ENABLED", "0");
    command.env_remove("GOOS").env_remove("GOARCH");
    Ok(command)
}

/// The version at which `go_mod` requires `module`, in a line of its own or in a block.
fn required_version<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let line = line.trim();
        let mut words = line.strip_prefix("require ").unwrap_or(line).split_whitespace();
        (words.next() == Some(module)).then(|| words.next()).flatten().filter(|word| word.starts_with('v'))
    })
}

/// The Go version that `go_mod` asks for.
fn go_version(go_mod: &'static str) -> &'static str {
    go_mod.lines().find_map(|line| line.strip_prefix("go ")).unwrap_or("1.26")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{KUBERNETES, NodeVersions, Versions, go_version, required_version};

    #[test]
    fn versions_are_read_from_single_lines_and_blocks() {
        let go_mod = "module x\n\ngo 1.26.0\n\nrequire a.b/c v1.2.3\n\nrequire (\n\ta.b/d v4.5.6 // indirect\n)\n\
                      replace a.b/e => a.b/e v9.9.9\n";
        assert_eq!(required_version(go_mod, "a.b/c"), Some("v1.2.3"));
        assert_eq!(required_version(go_mod, "a.b/d"), Some("v4.5.6"));
        assert_eq!(required_version(go_mod, "a.b/e"), None);
        assert_eq!(required_version(go_mod, "a.b"), None);
        assert_eq!(go_version(go_mod), "1.26.0");
    }

    #[test]
    fn every_module_pins_its_program() {
        let node = NodeVersions::pinned().unwrap();
        assert!(node.containerd.starts_with("v2."));
        assert!(node.coredns.starts_with("v1."));
        let versions = Versions::pinned().unwrap();
        assert!(versions.kubernetes.starts_with("v1."));
        assert!(versions.etcd.starts_with("v3."));
        assert!(go_version(KUBERNETES).starts_with("1."));
    }
}
