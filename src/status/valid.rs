// SPDX-License-Identifier: Apache-2.0
//! `Valid`: whether the rules accept the spec, and whether it is followed.

use super::{Aspect, Observed};
use crate::rules::Severity;

/// What the guard decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No rule denies the spec.
    Accepted,
    /// A rule denies it, but this very spec ran before the rule came: it is reported and followed.
    Tolerated,
    /// A rule denies it: its children stay as they are until it is corrected.
    Refused,
}

/// Reason of a spec that is not followed. The guard reads it back from the status.
pub const REFUSED: &str = "Refused";

pub(super) fn valid(observed: &Observed<'_>) -> Aspect {
    let denials: Vec<String> = observed
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Deny)
        .map(ToString::to_string)
        .collect();
    match observed.verdict {
        Verdict::Accepted => Aspect::new("Valid", true, "Accepted", "no rule denies the spec"),
        Verdict::Tolerated => Aspect::new("Valid", false, "Tolerated", denials.join("\n")),
        Verdict::Refused => {
            let unreadable = observed.failure.as_ref().map(|failure| failure.message.clone());
            let message =
                if denials.is_empty() { unreadable.unwrap_or_default() } else { denials.join("\n") };
            Aspect::new("Valid", false, REFUSED, message)
        }
    }
}
