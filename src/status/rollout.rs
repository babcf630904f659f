// SPDX-License-Identifier: Apache-2.0
//! How far a Deployment is.

use super::{State, fields};
use crate::build::{Applied, ChildKind};
use crate::rules::overheard;

/// What a Deployment says of itself while somebody has paused its rollout.
const PAUSED: &str = "DeploymentPaused";

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

pub(super) fn rollout(deployment: &Applied, state: State<'_>) -> Rollout {
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
    let parts = fields::parts(state.resolved, state.spec);
    let part = parts.iter().find(|part| part.deployment == *name);
    let title = part.map(|part| format!("{}: ", part.title)).unwrap_or_default();
    if let Some((reason, message)) = failed("ReplicaFailure", "True") {
        // Whoever refuses pods may quote the variables of their containers.
        let told = overheard(message, &serde_json::to_value(state.spec).unwrap_or_default());
        let hint = part.and_then(|part| part.refused(message)).unwrap_or_default();
        return rollout(false, reason, format!("{title}Deployment {name}: {told}{hint}"), true);
    }
    if updated >= desired && replicas <= updated && available >= desired {
        return rollout(
            true,
            "Available",
            format!("{available}/{desired} pods of {name} are available"),
            false,
        );
    }
    if let Some((PAUSED, _)) = failed("Progressing", "Unknown") {
        let left = format!("Deployment {name} is paused, so that its pods are not replaced");
        let message = format!("{title}{left}; kubectl rollout resume deployment/{name}");
        return rollout(false, PAUSED, message, true);
    }
    if let (Some(trouble), Some(part)) = (state.troubles.get(name), part) {
        let stalled = !trouble.may_pass() || failed("Progressing", "False").is_some();
        return rollout(false, trouble.reason(), part.told(trouble), stalled);
    }
    let stalled = failed("Progressing", "False");
    let reason = stalled.map_or("Progressing", |(reason, _)| reason);
    let message = format!("{available}/{desired} pods of {name} are available, {updated} of them updated");
    let message = if stalled.is_some() { format!("{title}{message}") } else { message };
    rollout(false, reason, message, stalled.is_some())
}

/// The rollouts that nothing but a change will finish.
pub(super) fn stalls(state: State<'_>) -> Vec<Rollout> {
    let deployments = state.children.iter().filter(|child| child.kind == ChildKind::Deployment);
    deployments.map(|child| rollout(child, state)).filter(|rollout| rollout.stalled).collect()
}
