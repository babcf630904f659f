// SPDX-License-Identifier: Apache-2.0
//! What the tables of pods do not allow in an object. It is found by one walk for all rules about pods, so that the
//! subject keeps it.

use super::finding::Kind;

/// A breach of a table.
#[derive(Clone, Debug)]
pub(super) struct Breach {
    pub(super) topic: Topic,
    pub(super) kind: Kind,
    pub(super) path: String,
    pub(super) message: String,
    pub(super) fix: String,
}

/// What a breach is about: each has a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// Variables and their sources.
    Variables,
    /// Volumes.
    Volumes,
    /// Where volumes appear.
    Mounts,
    /// Taints.
    Tolerations,
    /// Nodes and neighbours.
    Affinity,
    /// Zones.
    Spread,
    /// Labels and annotations.
    Labels,
    /// Names of other objects, and words of the pod.
    Names,
    /// Containers and their ports.
    Containers,
    /// Users, groups, profiles.
    Security,
    /// Probes and hooks.
    Handlers,
    /// Name servers.
    Dns,
    /// Texts that no program can be given.
    Words,
    /// What a container starts.
    Programs,
}
