// SPDX-License-Identifier: Apache-2.0
//! What went wrong in one reconcile: each child has an error of its own, and none hides another.

use std::collections::BTreeMap;
use std::fmt;

use crate::build::ChildKind;
use crate::cluster;
use crate::status::{ChildRef, Failure};

/// What went wrong in one reconcile, and with which child.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<(Option<ChildRef>, cluster::Error)>);

impl Failures {
    /// Notes an error about a child.
    pub(super) fn of_child(&mut self, kind: ChildKind, name: &str, error: cluster::Error) {
        self.0.push((Some((kind, name.to_owned())), error));
    }

    /// Whether nothing went wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every error.
    pub(super) fn errors(&self) -> impl Iterator<Item = &cluster::Error> {
        self.0.iter().map(|(_, error)| error)
    }

    /// The one that is told first: what only somebody else can mend, before what passes by itself.
    pub(super) fn first(&self) -> Option<&cluster::Error> {
        self.errors().find(|error| error.is_stalled()).or_else(|| self.errors().next())
    }

    /// Whether there is no use in trying any of it again soon.
    pub(super) fn are_settled(&self) -> bool {
        self.errors().all(cluster::Error::is_settled)
    }

    /// Whether the object of a child's name is known to be somebody else's.
    pub(super) fn name_is_taken(&self, child: &ChildRef) -> bool {
        let of_child = self.0.iter().filter(|(of, _)| of.as_ref() == Some(child));
        of_child.map(|(_, error)| error).any(cluster::Error::says_taken)
    }

    /// What keeps each child from being as it should.
    pub(super) fn obstacles(&self) -> BTreeMap<ChildRef, Failure> {
        let mut obstacles = BTreeMap::new();
        for (child, error) in &self.0 {
            if let Some(child) = child {
                obstacles.entry(child.clone()).or_insert_with(|| failure(error));
            }
        }
        obstacles
    }
}

/// An error that is about no child.
impl From<cluster::Error> for Failures {
    fn from(error: cluster::Error) -> Self {
        Self(vec![(None, error)])
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first().map_or(Ok(()), |error| error.fmt(f))
    }
}

/// An error as a status tells it.
pub(super) fn failure(error: &cluster::Error) -> Failure {
    Failure { reason: error.reason(), message: error.to_string(), stalled: error.is_stalled() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_somebody_can_mend_is_told_first_and_what_passes_is_tried_again() {
        let taken = |name: &str| cluster::Error::NameTaken {
            kind: "Deployment",
            name: name.to_owned(),
            adoptable: false,
        };
        let claim = || cluster::Error::ClaimRefused {
            name: "shop-beat".to_owned(),
            field: "size".to_owned(),
            message: "no".to_owned(),
        };
        let mut failures = Failures::default();
        assert!(failures.is_empty());
        failures.of_child(ChildKind::PersistentVolumeClaim, "shop-beat", claim());
        assert!(failures.are_settled());
        failures.of_child(ChildKind::Deployment, "shop-worker", cluster::Error::Timeout);
        failures.of_child(ChildKind::Deployment, "shop-beat", taken("shop-beat"));
        assert!(!failures.are_settled());
        assert_eq!(failures.first().map(cluster::Error::reason), Some("ClaimRefused"));
        assert_eq!(failures.to_string(), claim().to_string());
        let obstacles = failures.obstacles();
        let reason = |name: &str| obstacles[&(ChildKind::Deployment, name.to_owned())].reason;
        assert_eq!((reason("shop-worker"), reason("shop-beat")), ("ApiTimeout", "NameTaken"));
        let is_taken = |name: &str| failures.name_is_taken(&(ChildKind::Deployment, name.to_owned()));
        assert!(is_taken("shop-beat") && !is_taken("shop-worker") && !is_taken("shop-flower"));
        let passing = Failures::from(cluster::Error::Timeout);
        assert_eq!(passing.first().map(cluster::Error::reason), Some("ApiTimeout"));
        assert!(passing.obstacles().is_empty());
    }
}
