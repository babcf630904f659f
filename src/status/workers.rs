// SPDX-License-Identifier: Apache-2.0
//! `WorkersAvailable`: whether every pool has the pods it should have.

use super::{Aspect, State, deployment, obstacle, rollout};
use crate::build::ChildKind;
use crate::names;

pub(super) fn available(state: State<'_>) -> Option<Aspect> {
    let names = state.resolved.pools.iter().map(|pool| names::worker(&state.resolved.app, &pool.name));
    of("WorkersAvailable", state, &names.collect::<Vec<String>>())
}

/// Whether the Deployments of these names are rolled out; `None` for no names.
pub(super) fn of(type_: &'static str, state: State<'_>, names: &[String]) -> Option<Aspect> {
    if names.is_empty() {
        return None;
    }
    let no = |reason: &str, message: String| Some(Aspect::new(type_, false, reason, message));
    let mut rollouts = Vec::new();
    let obstacles: Vec<_> =
        names.iter().filter_map(|name| obstacle(state, ChildKind::Deployment, name)).collect();
    // What nobody but the user can mend is told before what passes by itself.
    if let Some(failure) = obstacles.iter().find(|failure| failure.stalled).or(obstacles.first()) {
        return no(failure.reason, failure.message.clone());
    }
    for name in names {
        let Some(live) = deployment(state, name) else {
            return no("Missing", format!("Deployment {name} is not there yet"));
        };
        rollouts.push(rollout::rollout(live, state));
    }
    // What nobody but the user can finish is told before what only takes a while.
    let unfinished = || rollouts.iter().filter(|rollout| !rollout.done);
    if let Some(rollout) = unfinished().find(|rollout| rollout.stalled).or_else(|| unfinished().next()) {
        return no(&rollout.reason, rollout.message.clone());
    }
    let messages: Vec<String> = rollouts.into_iter().map(|rollout| rollout.message).collect();
    Some(Aspect::new(type_, true, "Available", messages.join(", ")))
}
