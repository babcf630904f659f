// SPDX-License-Identifier: Apache-2.0
//! What a keeper tells others: what is served, and how far its bundle has spread.

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
    /// Whether every target exists and carries the bundle.
    pub injected: bool,
    /// Whether callers accept what is served. Every target that exists has to trust it by now; one that could not be
    /// seen yet does not count as doing so. While the bundle holds more than one CA, so that another replica may serve
    /// what callers already trust, they also get time to notice: [`Config::propagation`](crate::Config::propagation)
    /// since every target was first seen to carry the bundle, or none where nobody had written a target for a minute
    /// by then.
    /// This is what readiness may hang on: a target that somebody deleted must not take the others' server down.
    pub carried: bool,
    /// Targets that do not exist (yet).
    pub missing: Vec<Target>,
    /// Targets with a webhook that does not trust what is served, and those that could not be seen yet.
    pub distrusting: Vec<Target>,
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
        Some(Self {
            certificate: served.leaf.certificate.clone(),
            ca_bundle: trusting.bundle(),
            injected: missing.is_empty() && distrusting.is_empty() && !lacks_bundle,
            carried: distrusting.is_empty() && is_known,
            missing,
            distrusting,
        })
    }
}
