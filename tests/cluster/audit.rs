// SPDX-License-Identifier: Apache-2.0
//! What the operator asked of the API server, from the API server's own log.

use std::collections::BTreeSet;

use testbed::audit::{self, Event};

use crate::rig::Rig;

/// How much has been logged so far.
pub(crate) fn length(rig: &Rig) -> u64 {
    audit::length(&rig.audit_log).unwrap()
}

fn events(rig: &Rig, from: u64) -> Vec<Event> {
    audit::requests(&rig.audit_log, from).unwrap()
}

/// The mutating requests of the operator that were logged after `from`, as `verb resource[/sub] namespace/name code`.
/// The Lease is left out: it is written for as long as somebody holds it.
pub(crate) fn writes(rig: &Rig, from: u64) -> Vec<String> {
    events(rig, from).iter().filter(|event| event.is_mutating()).map(Event::sentence).collect()
}

/// The replicas that wrote anything after `from`, by what their requests say of them.
pub(crate) fn writers(rig: &Rig, from: u64) -> BTreeSet<String> {
    events(rig, from).into_iter().filter(Event::is_mutating).map(|event| event.user_agent).collect()
}

/// The requests for one object of a namespace.
pub(crate) fn reads_in(rig: &Rig, from: u64, namespace: &str) -> Vec<String> {
    let events = events(rig, from);
    let reads = events.iter().filter(|event| event.verb == "get" && event.is_in(namespace));
    reads.map(Event::sentence).collect()
}

/// The mutating requests in a namespace.
pub(crate) fn writes_in(rig: &Rig, from: u64, namespace: &str) -> Vec<String> {
    let events = events(rig, from);
    let writes = events.iter().filter(|event| event.is_mutating() && event.is_in(namespace));
    writes.map(Event::sentence).collect()
}
