// SPDX-License-Identifier: Apache-2.0
//! How far a Deployment is.

use super::State;
use crate::build::{Applied, ChildKind};

/// How far a Deployment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rollout {
    /// Every pod is of the newest spec and available, none is left of an older one.
    pub(super) done: bool,
    /// One word for programs.
    pub(super) reason: String,
    /// One sentence for people.
    pub(super) message: String,
    /// Whether Kubernetes gave up waiting.
    pub(super) stalled: bool,
}

pub(super) fn rollout(deployment: &Applied) -> Rollout {
    let desired = deployment.number("/spec/replicas");
    let updated = deployment.number("/status/updatedReplicas");
    let available = deployment.number("/status/availableReplicas");
    let replicas = deployment.number("/status/replicas");
    let name = &deployment.name;
    let failed = |type_: &str, failing: &str| {
        deployment
            .condition(type_)
            .filter(|(status, ..)| *status == failing)
            .map(|(_, reason, message)| (reason, message))
    };
    let rollout = |done, reason: &str, message: String, stalled| Rollout {
        done,
        reason: reason.to_owned(),
        message,
        stalled,
    };
    if !deployment.observed() {
        return rollout(false, "Progressing", format!("Deployment {name} is not yet observed"), false);
    }
    if let Some((reason, message)) = failed("ReplicaFailure", "True") {
        return rollout(false, reason, format!("Deployment {name}: {message}"), true);
    }
    if updated >= desired && replicas <= updated && available >= desired {
        return rollout(
            true,
            "Available",
            format!("{available}/{desired} pods of {name} are available"),
            false,
        );
    }
    let stalled = failed("Progressing", "False");
    let reason = stalled.map_or("Progressing", |(reason, _)| reason);
    let message = format!("{available}/{desired} pods of {name} are available, {updated} of them updated");
    rollout(false, reason, message, stalled.is_some())
}

/// The rollouts that Kubernetes gave up on.
pub(super) fn stalls(state: State<'_>) -> Vec<Rollout> {
    let deployments = state.children.iter().filter(|child| child.kind == ChildKind::Deployment);
    deployments.map(rollout).filter(|rollout| rollout.stalled).collect()
}
