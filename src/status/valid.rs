// SPDX-License-Identifier: Apache-2.0
//! `Valid`: whether the rules accept the spec, and whether it is followed.

use super::parts::tells_of;
use super::{Aspect, Observed};
use crate::api::{CeleryStatus, FindingStatus};
use crate::rules::{Finding, Severity};

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

/// Reason of a spec that is followed although a rule denies it.
const TOLERATED: &str = "Tolerated";

/// Whether a denial was there in a spec that was followed: it is followed on, also after one that was not.
#[must_use]
pub fn tolerates(status: &CeleryStatus, denial: &Finding) -> bool {
    tolerated(status).iter().any(|told| tells_of(told, denial))
}

/// The denials of specs that were followed. Where the last one was, that is each of them, whoever wrote the status.
pub(super) fn tolerated(status: &CeleryStatus) -> Vec<FindingStatus> {
    let mut conditions = status.conditions.iter();
    let was_followed = conditions.any(|it| it.type_ == "Valid" && it.reason == TOLERATED);
    let denials = status.findings.iter().filter(|told| told.severity == Severity::Deny.as_str());
    let known = denials.filter(|told| was_followed || told.tolerated == Some(true));
    known.map(|told| FindingStatus { tolerated: Some(true), ..told.clone() }).collect()
}

pub(super) fn valid(observed: &Observed<'_>) -> Aspect {
    let denials: Vec<String> = observed
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Deny)
        .map(ToString::to_string)
        .collect();
    match observed.verdict {
        Verdict::Accepted => Aspect::new("Valid", true, "Accepted", "no rule denies the spec"),
        Verdict::Tolerated => Aspect::new("Valid", false, TOLERATED, denials.join("\n")),
        Verdict::Refused => {
            let unreadable = observed.failure.as_ref().map(|failure| failure.message.clone());
            let message =
                if denials.is_empty() { unreadable.unwrap_or_default() } else { denials.join("\n") };
            Aspect::new("Valid", false, REFUSED, message)
        }
    }
}
