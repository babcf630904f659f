// SPDX-License-Identifier: Apache-2.0
//! What is true: from applied children to conditions. Pure; the time is an argument and appears only in transitions.

mod autoscaling;
mod beat;
mod broker;
mod fields;
mod flower;
mod news;
mod paused;
mod ready;
mod reasons;
mod rollout;
mod trouble;
mod valid;
mod workers;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::{
    Autoscaler, BeatStatus, BrokerStatus, CelerySpec, CeleryStatus, Child, Condition, EffectiveStatus,
    FindingStatus, FlowerStatus, PoolStatus, Word as _, limits,
};
use crate::build::{Applied, Capabilities, ChildKind};
use crate::celery::broker_url::masked;
use crate::effective::Effective;
use crate::labels::{self, Component};
use crate::names;
use crate::resolve::{BrokerAccess, Pool, Resolved, Storage};
use crate::rules::{Finding, Severity};

pub use autoscaling::Scalers;
pub use news::{Importance, News, of_children, of_conditions};
pub use paused::Paused;
pub use reasons::{EVENTS, REASONS, Reason};
pub use trouble::{Cause, Hindrance, MissingConfig, Trouble};
pub use valid::{REFUSED, Verdict};

/// Most warnings that a status lists.
const MAX_WARNINGS: usize = 32;
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
    /// What the cluster offers.
    pub capabilities: Capabilities,
}

/// Without what was decided, which may hold credentials.
impl std::fmt::Debug for State<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.children.iter().map(|child| (child.kind, &child.name))).finish()
    }
}

/// Why a reconcile ended early.
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
        Self { type_, status, reason: reason.into(), message: message.chars().take(MAX_MESSAGE).collect() }
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
        findings: findings(observed.findings),
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
    status.findings = findings(observed.findings);
    status.observed_generation = observed.generation;
    status
}

fn conditions(aspects: &[Aspect], observed: &Observed<'_>, now: &Time) -> Vec<Condition> {
    let before = |type_: &str| {
        observed
            .previous
            .and_then(|status| status.conditions.iter().find(|condition| condition.type_ == type_))
    };
    let condition = |aspect: &Aspect| {
        let status = if aspect.status { "True" } else { "False" };
        let unchanged = before(aspect.type_).filter(|condition| condition.status == status);
        Condition {
            type_: aspect.type_.to_owned(),
            status: status.to_owned(),
            observed_generation: observed.generation,
            last_transition_time: unchanged
                .map_or_else(|| now.clone(), |old| old.last_transition_time.clone()),
            reason: aspect.reason.clone(),
            message: aspect.message.clone(),
        }
    };
    aspects.iter().map(condition).collect()
}

fn deployment<'a>(state: State<'a>, name: &str) -> Option<&'a Applied> {
    state.children.iter().find(|child| child.kind == ChildKind::Deployment && child.name == name)
}

fn pool_status(pool: &Pool, state: State<'_>) -> PoolStatus {
    let live = deployment(state, &names::worker(&state.resolved.app, &pool.name));
    let number = |pointer: &str| live.map_or(0, |live| live.number(pointer));
    // An argument may hold a URL with a password; nobody should read it here.
    let shown = |word: &String| cut(if word.contains("://") { masked(word) } else { word.clone() });
    let command = pool.pod.command.iter().chain(&pool.args).map(shown);
    PoolStatus {
        name: pool.name.clone(),
        desired: number("/spec/replicas"),
        replicas: number("/status/replicas"),
        ready: number("/status/readyReplicas"),
        updated: number("/status/updatedReplicas"),
        autoscaler: match &pool.scaler {
            None => Autoscaler::None,
            Some(scaler) if scaler.queue.is_some() => Autoscaler::Keda,
            Some(_) => Autoscaler::Hpa,
        },
        command: command.take(limits::ITEMS).collect(),
    }
}

/// A text that the schema of the status takes: a refused status would tell nothing at all.
fn cut(text: String) -> String {
    if text.chars().nth(limits::TEXT).is_none() {
        return text;
    }
    text.chars().take(limits::TEXT - 1).chain(['…']).collect()
}

fn shown_broker(broker: &BrokerAccess) -> BrokerStatus {
    let BrokerStatus { scheme, hosts, source } = broker.shown.clone();
    BrokerStatus { scheme, hosts: hosts.into_iter().take(limits::ITEMS).map(cut).collect(), source }
}

fn ready_of(pools: &[PoolStatus]) -> String {
    let sum = |number: fn(&PoolStatus) -> i32| pools.iter().map(number).fold(0, i32::saturating_add);
    format!("{}/{}", sum(|pool| pool.ready), sum(|pool| pool.desired))
}

fn beat_status(state: State<'_>) -> Option<BeatStatus> {
    state.resolved.beat.as_ref()?;
    let live = deployment(state, &names::beat(&state.resolved.app));
    let number = |pointer: &str| live.map_or(0, |live| live.number(pointer));
    Some(BeatStatus { ready: format!("{}/{}", number("/status/readyReplicas"), number("/spec/replicas")) })
}

fn flower_status(state: State<'_>) -> Option<FlowerStatus> {
    let resolved = state.resolved;
    let flower = resolved.flower.as_ref()?;
    let name = names::flower(&resolved.app);
    let scheme = if flower.https { "https" } else { "http" };
    let prefix = flower.prefix.as_ref().is().map(|prefix| format!("/{prefix}")).unwrap_or_default();
    let live = deployment(state, &name);
    let number = |pointer: &str| live.map_or(0, |live| live.number(pointer));
    Some(FlowerStatus {
        ready: format!("{}/{}", number("/status/readyReplicas"), number("/spec/replicas")),
        url: format!("{scheme}://{name}.{}.svc:{}{prefix}", resolved.owner.namespace, flower.port),
    })
}

fn children(state: State<'_>) -> Vec<Child> {
    let child = |child: &Applied| Child {
        kind: child.kind.as_str().to_owned(),
        name: child.name.clone(),
        ready: match child.kind {
            ChildKind::Deployment => rollout::rollout(child, state).done,
            ChildKind::PersistentVolumeClaim => child.live.data["status"]["phase"] == "Bound",
            ChildKind::HorizontalPodAutoscaler | ChildKind::ScaledObject => {
                autoscaling::complaint(child).is_none()
            }
            _ => true,
        },
    };
    state.children.iter().map(child).collect()
}

fn findings(findings: &[Finding]) -> Vec<FindingStatus> {
    let of = |severity: Severity| findings.iter().filter(move |finding| finding.severity == severity);
    of(Severity::Deny)
        .chain(of(Severity::Warn).take(MAX_WARNINGS))
        .map(|finding| FindingStatus {
            rule: finding.rule.to_owned(),
            severity: finding.severity.as_str().to_owned(),
            path: finding.path.clone(),
            place: (finding.place != finding.path).then(|| finding.place.clone()),
            value: finding.value.clone(),
            message: cut(finding.text()),
        })
        .collect()
}

fn storage_file(storage: &Storage) -> String {
    cut(storage.file.clone())
}

fn effective(resolved: &Resolved) -> EffectiveStatus {
    let pool = resolved.default_pool();
    let chosen = pool.map(|pool| pool.chosen).unwrap_or_default();
    let queues = |pool: &Pool| match &pool.queues {
        Effective::Is(names) => Some(cut(names.join(","))),
        Effective::Absent => pool.default_queue.clone().is().map(cut),
        Effective::Unclear => None,
    };
    EffectiveStatus {
        app_name: resolved.app.clone(),
        image_pull_policy: resolved.pull_policy.as_str().to_owned(),
        flower_port: resolved.flower.as_ref().map(|flower| flower.port),
        flower_history: resolved.flower.as_ref().and_then(|it| it.storage.as_ref()).map(storage_file),
        beat_schedule: resolved.beat.as_ref().and_then(|it| it.storage.as_ref()).map(storage_file),
        concurrency: chosen.concurrency,
        log_level: chosen.log_level.map(str::to_owned),
        prefetch_multiplier: chosen.prefetch_multiplier,
        queues: pool.and_then(queues),
    }
}

#[cfg(test)]
mod tests;
