// SPDX-License-Identifier: Apache-2.0
//! `Ready`, `Reconciling` and `Stalled`, as kstatus reads them: one of the three says what to wait for.

use super::rollout::Rollout;
use super::{Aspect, Failure, autoscaling, paused};
use crate::resolve::NOT_MEASURABLE;

/// Reason of `Stalled` while something is left undone because somebody asked for a pause.
pub const PAUSED: &str = "Paused";

/// The three summary conditions of the aspects.
pub(super) fn summary(aspects: &[Aspect], failure: Option<&Failure>, stalls: &[Rollout]) -> Vec<Aspect> {
    let blocking = aspects.iter().find(|aspect| !aspect.status && blocks(aspect));
    let refused = aspects.iter().find(|aspect| aspect.type_ == "Valid" && aspect.reason == super::REFUSED);
    // Nobody works on what is left to do while it is paused.
    let behind =
        aspects.iter().find(|aspect| aspect.type_ == paused::TYPE && aspect.reason == paused::BEHIND);
    let of = |aspect: &Aspect| (aspect.reason.clone(), aspect.message.clone());
    let (reason, message) = match (failure, refused, behind, stalls.first()) {
        (Some(failure), ..) => (failure.reason.to_owned(), failure.message.clone()),
        (None, Some(refused), ..) => of(refused),
        (None, None, Some(behind), _) => (PAUSED.to_owned(), behind.message.clone()),
        (None, None, None, Some(stall)) => (stall.reason.clone(), stall.message.clone()),
        (None, None, None, None) => {
            blocking.map_or_else(|| ("Ready".to_owned(), "everything is as the spec says".to_owned()), of)
        }
    };
    let ready = failure.is_none() && refused.is_none() && behind.is_none() && blocking.is_none();
    let given_up = refused.is_some() || behind.is_some() || failure.is_some_and(|failure| failure.stalled);
    let stalled = given_up || !stalls.is_empty();
    let (stall_reason, stall_message) = match stalls.first() {
        // A failure that passes by itself is not what somebody has to look at.
        Some(stall) if !given_up => (stall.reason.clone(), stall.message.clone()),
        _ => (reason.clone(), message.clone()),
    };
    let quiet = |type_| Aspect::new(type_, false, "Settled", "");
    vec![
        Aspect::new("Ready", ready, reason.clone(), message.clone()),
        if ready || stalled {
            quiet("Reconciling")
        } else {
            Aspect::new("Reconciling", true, reason, message)
        },
        if stalled { Aspect::new("Stalled", true, stall_reason, stall_message) } else { quiet("Stalled") },
    ]
}

/// Whether an aspect keeps the whole from being ready. An autoscaler that waits for its first metrics does not, one
/// that could not even be made does, and one that starts a second beat.
fn blocks(aspect: &Aspect) -> bool {
    match aspect.type_ {
        "Valid" => aspect.reason == super::REFUSED,
        "AutoscalingReady" => matches!(
            aspect.reason.as_str(),
            autoscaling::KEDA_MISSING
                | autoscaling::MISSING
                | autoscaling::AWAITING_PREDECESSOR
                | autoscaling::BEAT_SCALED
                | NOT_MEASURABLE
        ),
        _ => true,
    }
}
