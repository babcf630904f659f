// SPDX-License-Identifier: Apache-2.0
//! What a keeper tells others: what is served, how far its bundle has spread, and whether looking after it fails.

use std::time::SystemTime;

use crate::handover::Handover;
use crate::inject::Target;
use crate::inspect::Certificate;
use crate::spread::Spread;
use crate::trust::Trusted;

/// What is served at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The served certificate.
    pub certificate: Certificate,
    /// CA bundle in PEM form that verifies what is served; empty when the certificate comes from files without
    /// `ca.crt`, so that others publish its CA. Nothing is written to targets then.
    pub ca_bundle: String,
    /// First moment of the served certificate.
    pub not_before: SystemTime,
    /// Last moment of the served certificate.
    pub not_after: SystemTime,
    /// Whether every target exists and carries the bundle.
    pub injected: bool,
    /// Whether the webhooks of every target that exists trust what is served, as far as each could be seen, and, while
    /// other replicas may still serve a leaf of another CA, have done so for [`Config::propagation`](crate::Config::propagation) or a minute before.
    /// This is what readiness may hang on: a target that somebody deleted must not take the others' server down.
    pub carried: bool,
    /// Targets that do not exist (yet).
    pub missing: Vec<Target>,
    /// Targets with a webhook that does not trust what is served, and those that could not be seen yet.
    pub distrusting: Vec<Target>,
}

/// How it goes to look after the certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Looks {
    /// How many looks have failed.
    pub failed: u64,
    /// Why the last one has; `None` when it has not.
    pub failure: Option<String>,
}

impl Published {
    /// `None` where nothing is served. `is_known` tells whether API servers have had time to notice.
    pub(crate) fn of(handover: &Handover, spread: &Spread, is_known: bool, now: SystemTime) -> Option<Self> {
        let (served, trusting) = handover.served()?;
        let accepts = |trusted: &Trusted| served.is_accepted_by(trusted, now);
        let has_bundle = |trusted: &Trusted| trusting.cas.iter().all(|ca| trusted.cas().contains(ca));
        let missing: Vec<_> = spread.missing().cloned().collect();
        let distrusting: Vec<_> = spread.without(accepts).cloned().collect();
        let lacks_bundle = spread.without(has_bundle).next().is_some();
        let leaf = &served.leaf.certificate;
        Some(Self {
            certificate: leaf.clone(),
            ca_bundle: trusting.bundle(),
            not_before: leaf.not_before,
            not_after: leaf.not_after,
            injected: missing.is_empty() && distrusting.is_empty() && !lacks_bundle,
            carried: distrusting.is_empty() && is_known,
            missing,
            distrusting,
        })
    }
}
