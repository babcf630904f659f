// SPDX-License-Identifier: Apache-2.0
//! `AutoscalingReady`: whether the autoscalers are there and say of themselves that they work.

use std::collections::BTreeMap;

use super::{Aspect, State, obstacle};
use crate::build::{Applied, ChildKind};
use crate::names;
use crate::resolve::Scaler;
use crate::rules::overheard;

/// Reason when a queue should be followed and KEDA is not installed.
pub(super) const KEDA_MISSING: &str = "KedaNotInstalled";
/// Reason when an autoscaler could not be applied.
pub(super) const MISSING: &str = "Missing";

/// Reason when an autoscaler waits for the one of the other kind that was there before it.
pub(super) const AWAITING_PREDECESSOR: &str = "AwaitingPredecessor";

/// Reason when somebody else's autoscaler scales one of our Deployments.
const FOREIGN: &str = "ForeignAutoscaler";
/// Reason when somebody else's autoscaler scales beat.
pub(super) const BEAT_SCALED: &str = "BeatAutoscaled";
/// What a HorizontalPodAutoscaler says of a Deployment that has no pods: KEDA has scaled it to zero.
const AT_ZERO: &str = "ScalingDisabled";
/// What KEDA says of a ScaledObject none of whose triggers can be asked, as soon as it has tried to scale by them.
const TRIGGERS_FAIL: &str = "TriggerError";
/// What becomes of the pods meanwhile.
const HELD: &str = "the queues cannot be measured, and the number of pods stays as it is";

/// Autoscalers that are no children, or no longer.
#[derive(Clone, Debug, Default)]
pub struct Scalers {
    /// Those of others, `HorizontalPodAutoscaler web`, by the name of the Deployment that they scale.
    pub foreign: BTreeMap<String, Vec<String>>,
    /// Those that KEDA has made of our `ScaledObject`s, which may go on saying that all is well when the broker is lost.
    pub of_keda: Vec<Applied>,
    /// Ours that are still on their way out, and what KEDA has made of them.
    pub leaving: Vec<(ChildKind, String)>,
}

pub(super) fn ready(state: State<'_>) -> Option<Aspect> {
    let resolved = state.resolved;
    let pools = resolved
        .pools
        .iter()
        .filter_map(|pool| Some((names::worker(&resolved.app, &pool.name), pool.scaler.as_ref()?)));
    let flower = resolved
        .flower
        .iter()
        .filter_map(|flower| Some((names::flower(&resolved.app), flower.scaler.as_ref()?)));
    let scalers: Vec<(String, &Scaler)> = pools.chain(flower).collect();
    let lingering = lingering(state, &scalers);
    if scalers.is_empty() && state.scalers.foreign.is_empty() && lingering.is_none() {
        return None;
    }
    let no = |reason: &str, message: String| Some(Aspect::new("AutoscalingReady", false, reason, message));
    if scalers.iter().any(|(_, scaler)| scaler.queue.is_some()) {
        if !state.capabilities.keda {
            return no(
                KEDA_MISSING,
                "task_queue_length needs KEDA; install it, or use cpu or memory".to_owned(),
            );
        }
        if let Some(Err(unresolved)) = resolved.broker.as_ref().map(|broker| &broker.queues) {
            return no(unresolved.reason, unresolved.message.clone());
        }
    }
    if let Some((reason, message)) = foreign(state, &scalers) {
        return no(reason, message);
    }
    if let Some((kind, name)) = lingering {
        let waits =
            format!("Deployment {name} keeps its number of pods until {} {name} is gone", kind.as_str());
        return no(AWAITING_PREDECESSOR, hinted(waits, kind));
    }
    for (name, scaler) in &scalers {
        let kind =
            if scaler.queue.is_some() { ChildKind::ScaledObject } else { ChildKind::HorizontalPodAutoscaler };
        if let Some(failure) = obstacle(state, kind, name) {
            return no(failure.reason, failure.message.clone());
        }
        let is_it = |child: &Applied| child.kind == kind && child.name == *name;
        if !state.children.iter().any(is_it) {
            let mut leaving = state.scalers.leaving.iter().filter(|(other, _)| *other != kind);
            if let Some((leaving, _)) = leaving.find(|(_, leaving)| leaving == name) {
                return no(AWAITING_PREDECESSOR, awaited(kind, *leaving, name));
            }
            return no(MISSING, format!("{} {name} is not there yet", kind.as_str()));
        }
    }
    match state
        .children
        .iter()
        .find_map(complaint)
        .or_else(|| state.scalers.of_keda.iter().find_map(unmeasured))
    {
        Some((reason, message)) => no(&reason, message),
        None => {
            Some(Aspect::new("AutoscalingReady", true, "Active", "every autoscaler reports that it works"))
        }
    }
}

/// What is wrong with autoscalers of others.
fn foreign(state: State<'_>, scalers: &[(String, &Scaler)]) -> Option<(&'static str, String)> {
    let told =
        |deployment: &str, theirs: &[String]| format!("{} scales Deployment {deployment}", theirs.join(", "));
    let beat = names::beat(&state.resolved.app);
    if let Some(theirs) = state.scalers.foreign.get(&beat).filter(|_| state.resolved.beat.is_some()) {
        let why = "two beats send every periodic task twice, so that its number is undone again and again";
        return Some((BEAT_SCALED, format!("{}; {why}; delete it", told(&beat, theirs))));
    }
    let (deployment, theirs) = state.scalers.foreign.first_key_value()?;
    let why = if scalers.iter().any(|(name, _)| name == deployment) {
        " too, and each undoes what the other does; delete it and write scaleTargetRef instead"
    } else {
        " instead of the spec, whose number does not count while it is there; delete it, and write scaleTargetRef"
    };
    Some((FOREIGN, told(deployment, theirs) + why))
}

/// An autoscaler that is no longer asked for and is still there, with nothing to come after it.
fn lingering<'s>(state: State<'s>, scalers: &[(String, &Scaler)]) -> Option<(ChildKind, &'s str)> {
    let leaving = state.scalers.leaving.iter().map(|(kind, name)| (*kind, name.as_str()));
    let is_child = |name: &str| {
        state.children.iter().any(|child| child.kind == ChildKind::Deployment && child.name == name)
    };
    let mut lingering =
        leaving.filter(|(_, name)| is_child(name) && !scalers.iter().any(|(scaled, _)| scaled == name));
    lingering.next()
}

/// Why an autoscaler is not there yet although everything is done for it.
fn awaited(kind: ChildKind, leaving: ChildKind, name: &str) -> String {
    hinted(format!("{} {name} waits until {} {name} is gone", kind.as_str(), leaving.as_str()), leaving)
}

fn hinted(waits: String, leaving: ChildKind) -> String {
    match leaving {
        ChildKind::ScaledObject => format!("{waits}, which KEDA has to run for"),
        _ => waits,
    }
}

/// What KEDA's own autoscaler says is wrong: often it alone tells that the broker cannot be asked.
fn unmeasured(hpa: &Applied) -> Option<(String, String)> {
    let (status, reason, message) = hpa.condition("ScalingActive")?;
    let is_lost = status == "False" && reason != AT_ZERO;
    is_lost.then(|| {
        (reason.to_owned(), format!("HorizontalPodAutoscaler {}: {HELD}: {}", hpa.name, told(message)))
    })
}

/// What an autoscaler says is wrong with it; `None` while it says nothing, and for other kinds.
pub(super) fn complaint(child: &Applied) -> Option<(String, String)> {
    let types: &[&str] = match child.kind {
        ChildKind::HorizontalPodAutoscaler => &["AbleToScale", "ScalingActive"],
        ChildKind::ScaledObject => &["Ready"],
        _ => return None,
    };
    let name = || format!("{} {}", child.kind.as_str(), child.name);
    let reported: Vec<_> = types.iter().filter_map(|type_| child.condition(type_)).collect();
    if reported.is_empty() {
        return Some(("Waiting".to_owned(), format!("{} has not reported yet", name())));
    }
    let failing = reported.into_iter().find(|(status, ..)| *status == "False");
    failing.map(|(_, reason, message)| {
        let held = if reason == TRIGGERS_FAIL { format!(" {HELD}:") } else { String::new() };
        (reason.to_owned(), format!("{}:{held} {}", name(), told(message)))
    })
}

/// What an autoscaler says, as it may be passed on: it knows the address of the broker.
fn told(message: &str) -> String {
    overheard(message, &serde_json::Value::Null)
}
