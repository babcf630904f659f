// SPDX-License-Identifier: Apache-2.0
//! `Paused`: whether the children are left alone because somebody asked for it, and what that leaves undone.

use super::Aspect;
use crate::annotations::PAUSED;

/// Type of the condition.
pub(super) const TYPE: &str = "Paused";
/// Reason while nothing would be done anyway.
pub(super) const IN_STEP: &str = "InStep";
/// Reason while something is left undone.
pub(super) const BEHIND: &str = "Behind";

/// What a pause leaves undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paused {
    /// Nothing: the children are as the spec says, or the spec is not followed anyway.
    InStep,
    /// These children would be created, changed or deleted, each as `Deployment shop-worker`.
    Behind(Vec<String>),
}

/// How many children are named.
const NAMED: usize = 5;

pub(super) fn paused(paused: &Paused) -> Aspect {
    let end = format!("the annotation {PAUSED} keeps the children as they are");
    match paused {
        Paused::InStep => Aspect::new(TYPE, true, IN_STEP, end),
        Paused::Behind(children) => {
            let mut named: Vec<String> = children.iter().take(NAMED).cloned().collect();
            if children.len() > NAMED {
                named.push(format!("{} more", children.len() - NAMED));
            }
            Aspect::new(TYPE, true, BEHIND, format!("{end}; not as the spec says: {}", named.join(", ")))
        }
    }
}
