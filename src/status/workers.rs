// SPDX-License-Identifier: Apache-2.0
//! `WorkersAvailable`: whether every pool has the pods it should have.

use super::{Aspect, State, deployment, rollout};
use crate::names;

pub(super) fn available(state: State<'_>) -> Option<Aspect> {
    let names = state.resolved.pools.iter().map(|pool| names::worker(&state.resolved.app, &pool.name));
    of("WorkersAvailable", state, &names.collect::<Vec<String>>())
}

/// Whether the Deployments of these names are rolled out; `None` for no names.
pub(super) fn of(type_: &'static str, state: State<'_>, names: &[String]) -> Option<Aspect> {
    let mut messages = Vec::new();
    for name in names {
        let Some(live) = deployment(state, name) else {
            return Some(Aspect::new(type_, false, "Missing", format!("Deployment {name} is not there yet")));
        };
        let rollout = rollout::rollout(live, state);
        if !rollout.done {
            return Some(Aspect::new(type_, false, rollout.reason, rollout.message));
        }
        messages.push(rollout.message);
    }
    (!messages.is_empty()).then(|| Aspect::new(type_, true, "Available", messages.join(", ")))
}
