// SPDX-License-Identifier: Apache-2.0
//! What is true: from applied children to conditions. Pure; the time is an argument and appears only in transitions.

mod autoscaling;
mod beat;
mod broker;
mod fields;
mod flower;
mod news;
mod parts;
mod paused;
mod ready;
mod reasons;
mod repeats;
mod rollout;
mod trouble;
mod valid;
mod workers;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::{CelerySpec, CeleryStatus, Condition, PoolStatus};
use crate::build::{Applied, Capabilities, ChildKind};
use crate::labels::{self, Component};
use crate::names;
use crate::resolve::Resolved;
use crate::rules::Finding;
use parts::{
    beat_status, children, cut, effective, findings, flower_status, pool_status, ready_of, shown_broker,
};

pub use autoscaling::Scalers;
pub use news::{Importance, News, of_children, of_conditions};
pub use paused::Paused;
pub use ready::PAUSED;
pub use reasons::{EVENTS, REASONS, Reason};
pub use trouble::{Cause, Hindrance, MissingConfig, Trouble};
pub use valid::{REFUSED, Verdict, tolerates};

/// Reason of an object that is being deleted.
const LEAVING: &str = "Terminating";
/// Longest message of a condition.
const MAX_MESSAGE: usize = 1024;

/// What a reconcile has seen.
#[derive(Debug)]
pub struct Observed<'a> {
    /// The generation it looked at.
    pub generation: Option<i64>,
    /// What the guard said.
    pub verdict: Verdict,
    /// What the rules found.
    pub findings: &'a [Finding],
    /// Whether the children are left alone because somebody asked for it.
    pub paused: Option<Paused>,
    /// What was decided and applied; `None` for an object that is parked.
    pub applied: Option<State<'a>>,
    /// Why it ended early.
    pub failure: Option<Failure>,
    /// The status so far.
    pub previous: Option<&'a CeleryStatus>,
}

/// What was decided and applied.
#[derive(Clone, Copy)]
pub struct State<'a> {
    /// What is asked for.
    pub spec: &'a CelerySpec,
    /// What was decided.
    pub resolved: &'a Resolved,
    /// What keeps the newest pods of a Deployment from running, by the name of the Deployment.
    pub troubles: &'a BTreeMap<String, Trouble>,
    /// Autoscalers beside the children.
    pub scalers: &'a Scalers,
    /// The children that are there.
    pub children: &'a [Applied],
    /// What keeps children from being as they should.
    pub obstacles: &'a BTreeMap<ChildRef, Failure>,
    /// What the cluster offers.
    pub capabilities: Capabilities,
}

/// Without what was decided, which may hold credentials.
impl std::fmt::Debug for State<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.children.iter().map(|child| (child.kind, &child.name))).finish()
    }
}

/// Kind and name of a child.
pub type ChildRef = (ChildKind, String);

/// Why a reconcile ended early, or what keeps a child from being as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One word for programs.
    pub reason: &'static str,
    /// One sentence for people.
    pub message: String,
    /// Whether only a change by somebody else helps.
    pub stalled: bool,
}

/// One aspect before it has a time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Aspect {
    type_: &'static str,
    status: bool,
    reason: String,
    message: String,
}

impl Aspect {
    fn new(type_: &'static str, status: bool, reason: impl Into<String>, message: impl Into<String>) -> Self {
        let message: String = message.into();
        // Autoscalers bring reasons of their own.
        let reason = cut(reason.into());
        Self { type_, status, reason, message: message.chars().take(MAX_MESSAGE).collect() }
    }
}

/// The status of what was seen. Equal observations give an equal status, whenever they are made.
#[must_use]
pub fn status(observed: &Observed<'_>, now: &Time) -> CeleryStatus {
    let Some(state) = observed.applied else {
        return parked(observed, now);
    };
    let resolved = state.resolved;
    let mut aspects = vec![valid::valid(observed)];
    aspects.extend(observed.paused.as_ref().map(paused::paused));
    aspects.extend(broker::resolved(resolved));
    aspects.extend(workers::available(state));
    aspects.extend(beat::available(state));
    aspects.extend(flower::available(state));
    aspects.extend(autoscaling::ready(state));
    let summary = ready::summary(&aspects, observed.failure.as_ref(), &rollout::stalls(state));
    aspects.splice(0..0, summary);
    let pools: Vec<PoolStatus> = resolved.pools.iter().map(|pool| pool_status(pool, state)).collect();
    let default = pools.iter().find(|pool| pool.name == names::DEFAULT_POOL);
    CeleryStatus {
        observed_generation: observed.generation,
        conditions: conditions(&aspects, observed, now),
        replicas: default.map(|pool| pool.replicas),
        selector: resolved.default_pool().map(|pool| {
            let labels = labels::selector(&resolved.owner.name, Component::Worker, Some(&pool.name));
            labels::selector_text(&labels)
        }),
        workers: (!pools.is_empty()).then(|| ready_of(&pools)),
        beat: beat_status(state),
        flower: flower_status(state),
        broker: resolved.broker.as_ref().map(shown_broker),
        children: children(state),
        findings: findings(observed),
        effective: Some(effective(resolved)),
        pools,
    }
}

/// A parked object: its children and what is known of them stay, only the verdict is new.
fn parked(observed: &Observed<'_>, now: &Time) -> CeleryStatus {
    let mut aspects = vec![valid::valid(observed)];
    aspects.extend(observed.paused.as_ref().map(paused::paused));
    let summary = ready::summary(&aspects, observed.failure.as_ref(), &[]);
    aspects.splice(0..0, summary);
    let mut status = observed.previous.cloned().unwrap_or_default();
    let fresh = conditions(&aspects, observed, now);
    status
        .conditions
        .retain(|old| old.type_ != paused::TYPE && !fresh.iter().any(|new| new.type_ == old.type_));
    status.conditions.splice(0..0, fresh);
    status.findings = findings(observed);
    status.observed_generation = observed.generation;
    status
}

/// The status of an object that is being deleted: what is known of it stays, and it is neither ready nor stalled.
#[must_use]
pub fn leaving(generation: Option<i64>, previous: Option<&CeleryStatus>, now: &Time) -> CeleryStatus {
    let message = "the object is being deleted";
    let aspects = [
        Aspect::new("Ready", false, LEAVING, message),
        Aspect::new("Reconciling", true, LEAVING, message),
        Aspect::new("Stalled", false, "Settled", ""),
    ];
    let mut status = previous.cloned().unwrap_or_default();
    let before = status.conditions.clone();
    let fresh = timed(&aspects, generation, &before, now);
    status.conditions.retain(|old| !fresh.iter().any(|new| new.type_ == old.type_));
    status.conditions.splice(0..0, fresh);
    status.observed_generation = generation;
    status
}

fn conditions(aspects: &[Aspect], observed: &Observed<'_>, now: &Time) -> Vec<Condition> {
    let before = observed.previous.map(|status| status.conditions.as_slice()).unwrap_or_default();
    timed(aspects, observed.generation, before, now)
}

/// Aspects with the times at which they turned, and with the words that said the same before.
fn timed(aspects: &[Aspect], generation: Option<i64>, before: &[Condition], now: &Time) -> Vec<Condition> {
    let condition = |aspect: &Aspect| {
        let status = if aspect.status { "True" } else { "False" };
        let before = before.iter().find(|condition| condition.type_ == aspect.type_);
        let unchanged = before.filter(|condition| condition.status == status);
        let said = unchanged
            .filter(|old| old.reason == aspect.reason && old.observed_generation == generation)
            .filter(|old| repeats::says_the_same(&old.message, &aspect.message));
        Condition {
            type_: aspect.type_.to_owned(),
            status: status.to_owned(),
            observed_generation: generation,
            last_transition_time: unchanged
                .map_or_else(|| now.clone(), |old| old.last_transition_time.clone()),
            reason: aspect.reason.clone(),
            message: said.map_or_else(|| aspect.message.clone(), |old| old.message.clone()),
        }
    };
    aspects.iter().map(condition).collect()
}

/// What keeps a child from being as it should.
fn obstacle<'a>(state: State<'a>, kind: ChildKind, name: &str) -> Option<&'a Failure> {
    state.obstacles.get(&(kind, name.to_owned()))
}

fn deployment<'a>(state: State<'a>, name: &str) -> Option<&'a Applied> {
    state.children.iter().find(|child| child.kind == ChildKind::Deployment && child.name == name)
}

#[cfg(test)]
mod tests;
