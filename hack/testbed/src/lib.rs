// SPDX-License-Identifier: Apache-2.0
//! A real Kubernetes control plane on this machine, as host processes.
//!
//! Owns the programs (found or built once per machine), their certificates and flags, and their end: whatever
//! happens to the owner, no etcd or kube-apiserver outlives it. It exists because a fake API server proves
//! little: defaulting, admission, server-side apply, garbage collection and autoscaling are tried against the
//! real thing, and no container registry or cluster is needed for it.
//!
//! Where pods have to run, a [`Node`] joins: kubelet, containerd and the others, in namespaces of their own. It needs root,
//! and nobody else does.
//!
//! Linux only: it relies on process groups, `/bin/sh`, `/dev/urandom` and signals as Linux has them.
//!
//! ```no_run
//! let plane = testbed::ControlPlane::start(testbed::Options::default())?;
//! let version = plane.kubectl().arg("version").status();
//! # Ok::<(), testbed::Error>(())
//! ```

pub mod audit;
mod balancer;
mod binaries;
mod companion;
mod control_plane;
mod error;
#[cfg(feature = "client")]
pub mod exchange;
mod flags;
pub mod gitops;
pub mod image;
pub mod keda;
mod launch;
mod layout;
pub mod machine;
pub mod metrics_server;
pub mod node;
mod objects;
pub mod olm;
pub mod operator;
mod pki;
mod ports;
mod process;
pub mod prometheus;
mod scratch;
pub mod stack;
mod toolchain;
pub mod tools;
mod wait;

pub use balancer::Balancer;
pub use binaries::{Binaries, user_cache};
pub use control_plane::{Component, ControlPlane, Options};
pub use error::Error;
pub use node::{Node, NodePrograms};
pub use operator::Operator;
pub use ports::free_port;
pub use process::Process;
pub use wait::until;
