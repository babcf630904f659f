// SPDX-License-Identifier: Apache-2.0
//! `AutoscalingReady`: whether the autoscalers are there and say of themselves that they work.

use super::{Aspect, State};
use crate::build::{Applied, ChildKind};

/// Reason when a queue should be followed and KEDA is not installed.
pub(super) const KEDA_MISSING: &str = "KedaNotInstalled";

pub(super) fn ready(state: State<'_>) -> Option<Aspect> {
    let resolved = state.resolved;
    let pools = resolved.pools.iter().filter_map(|pool| pool.scaler.as_ref());
    let scalers: Vec<_> = pools
        .chain(resolved.flower.iter().filter_map(|flower| flower.scaler.as_ref()))
        .collect();
    if scalers.is_empty() {
        return None;
    }
    let no = |reason: &str, message: String| Some(Aspect::new("AutoscalingReady", false, reason, message));
    if scalers.iter().any(|scaler| scaler.queue.is_some()) {
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
    match state.children.iter().find_map(complaint) {
        Some((reason, message)) => no(&reason, message),
        None => Some(Aspect::new(
            "AutoscalingReady",
            true,
            "Active",
            "every autoscaler reports that it works",
        )),
    }
}

/// What an autoscaler says is wrong with it; `None` while it says nothing, and for other kinds.
pub(super) fn complaint(child: &Applied) -> Option<(String, String)> {
    let types: &[&str] = match child.kind {
        ChildKind::HorizontalPodAutoscaler => &["AbleToScale", "ScalingActive"],
        ChildKind::ScaledObject => &["Ready"],
        _ => return None,
    };
    let failing = types
        .iter()
        .filter_map(|type_| child.condition(type_))
        .find(|(status, ..)| *status == "False");
    failing.map(|(_, reason, message)| {
        (
            reason.to_owned(),
            format!("{} {}: {message}", child.kind.as_str(), child.name),
        )
    })
}
