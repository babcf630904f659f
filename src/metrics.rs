// SPDX-License-Identifier: Apache-2.0
//! What the process counts, for Prometheus.
//!
//! Labels have few values, all known beforehand: no name of an object, no text that somebody else chooses.

mod admission;
mod process;

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub use admission::{InFlight, Unanswered};

/// Names and values of one, two and three labels.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// How long a reconcile takes: each request to the API server may take ten seconds.
const RECONCILE_SECONDS: [f64; 9] = [0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

/// Content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the process counts.
pub struct Metrics {
    registry: Registry,
    /// What every process shows, under the names that all of them use.
    process: Registry,
    admission_requests: Family<Labels<3>, Counter>,
    admission_errors: Family<Labels<1>, Counter>,
    admission_findings: Family<Labels<2>, Counter>,
    admission_duration: Family<Labels<1>, Histogram, fn() -> Histogram>,
    admission_in_flight: Gauge,
    reconciles: Family<Labels<1>, Counter>,
    reconcile_duration: Histogram,
    applies: Family<Labels<2>, Counter>,
    events: Family<Labels<1>, Counter>,
    celeries: Family<Labels<1>, Gauge>,
    unready_since: Family<Labels<1>, Gauge>,
    kinds_forbidden: Family<Labels<1>, Gauge>,
    certificate_not_before: Family<Labels<1>, Gauge>,
    certificate_not_after: Family<Labels<1>, Gauge>,
    ca_bundle_mismatch: Gauge,
    configurations_missing: Gauge,
    certificate_looks_failed: Counter,
    gates: Family<Labels<1>, Gauge>,
    leader: Gauge,
}

/// The certificate of the webhooks, and who knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its first second, since the epoch.
    pub not_before: i64,
    /// Its last second, since the epoch.
    pub not_after: i64,
    /// Whether every webhook configuration that exists carries its authority.
    pub carried: bool,
    /// How many webhook configurations do not exist.
    pub missing: usize,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("celery_operator"),
            process: process::registry(),
            admission_requests: Family::default(),
            admission_errors: Family::default(),
            admission_findings: Family::default(),
            admission_duration: Family::new_with_constructor(|| Histogram::new(admission::ANSWER_SECONDS)),
            admission_in_flight: Gauge::default(),
            reconciles: Family::default(),
            reconcile_duration: Histogram::new(RECONCILE_SECONDS),
            applies: Family::default(),
            events: Family::default(),
            celeries: Family::default(),
            unready_since: Family::default(),
            kinds_forbidden: Family::default(),
            certificate_not_before: Family::default(),
            certificate_not_after: Family::default(),
            ca_bundle_mismatch: Gauge::default(),
            configurations_missing: Gauge::default(),
            certificate_looks_failed: Counter::default(),
            gates: Family::default(),
            leader: Gauge::default(),
        };
        // What is seen for the first time with a 1 has not increased, as far as Prometheus knows.
        for reason in Unanswered::ALL {
            metrics.admission_errors.get_or_create(&reason.label()).inc_by(0);
        }
        for outcome in ["written", "failed", "dropped"] {
            metrics.events.get_or_create(&[("outcome", outcome)]).inc_by(0);
        }
        metrics.register_admission();
        metrics.register_reconciler();
        metrics.register_certificates();
        metrics
    }
}

impl Metrics {
    fn register_reconciler(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "reconciles",
            "Reconciles by outcome: done, leaving, waiting (for the lead or the first lists), or why they ended early",
            self.reconciles.clone(),
        );
        registry.register(
            "reconcile_duration_seconds",
            "How long reconciles take",
            self.reconcile_duration.clone(),
        );
        registry.register(
            "apply",
            "Children that were created, changed, adopted or deleted, by kind",
            self.applies.clone(),
        );
        registry.register(
            "events",
            "Events by what became of them: written, failed or dropped",
            self.events.clone(),
        );
        registry.register(
            "celeries",
            "Celery objects by state: ready, reconciling, stalled, paused with something left undone, or unseen",
            self.celeries.clone(),
        );
        registry.register(
            "celeries_unready_since_seconds",
            "When the Celery that has not been ready for longest, of those in this state, ceased to be, since the epoch",
            self.unready_since.clone(),
        );
        registry.register(
            "kind_forbidden",
            "1 while the role of the operator does not let it watch this kind of children",
            self.kinds_forbidden.clone(),
        );
        registry.register("leader", "1 while this replica is the one that writes", self.leader.clone());
    }

    fn register_certificates(&mut self) {
        let registry = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The release that runs", version);
        registry.register(
            "gate_open",
            "1 while this gate of readiness is open; a replica is ready when all are",
            self.gates.clone(),
        );
        registry.register(
            "certificate_not_before_seconds",
            "First second of a certificate, since the epoch",
            self.certificate_not_before.clone(),
        );
        registry.register(
            "certificate_not_after_seconds",
            "Last second of a certificate, since the epoch",
            self.certificate_not_after.clone(),
        );
        registry.register(
            "ca_bundle_mismatch",
            "1 while a webhook configuration lacks the authority of the served certificate",
            self.ca_bundle_mismatch.clone(),
        );
        registry.register(
            "webhook_configurations_missing",
            "Webhook configurations that do not exist: what they would call is not asked",
            self.configurations_missing.clone(),
        );
        registry.register(
            "certificate_looks_failed",
            "Looks at the certificate and the webhook configurations that failed; what was served is served on",
            self.certificate_looks_failed.clone(),
        );
    }

    /// Notes the end of a reconcile.
    pub fn reconciled(&self, outcome: &'static str, took: Duration) {
        self.reconciles.get_or_create(&[("outcome", outcome)]).inc();
        self.reconcile_duration.observe(took.as_secs_f64());
    }

    /// Notes what was done to a child.
    pub fn applied(&self, kind: &'static str, verb: &'static str) {
        self.applies.get_or_create(&[("kind", kind), ("verb", verb)]).inc();
    }

    /// Notes what became of an event.
    pub fn told(&self, outcome: &'static str) {
        self.events.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Sets how many objects are in each state.
    pub fn count(&self, states: impl IntoIterator<Item = (&'static str, usize)>) {
        for (state, number) in states {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            self.celeries.get_or_create(&[("state", state)]).set(number);
        }
    }

    /// Sets when the object that has not been ready for longest ceased to be, in seconds since the epoch, for each state.
    pub fn unready_since(&self, states: impl IntoIterator<Item = (&'static str, Option<i64>)>) {
        for (state, since) in states {
            let labels = [("state", state)];
            match since {
                Some(since) => {
                    self.unready_since.get_or_create(&labels).set(since);
                }
                // An epoch of 0 would be read as an outage of decades.
                None => {
                    self.unready_since.remove(&labels);
                }
            }
        }
    }

    /// Sets whether the operator may watch a kind of children.
    pub fn permitted(&self, kind: &'static str, is_permitted: bool) {
        self.kinds_forbidden.get_or_create(&[("kind", kind)]).set(i64::from(!is_permitted));
    }

    /// Sets what is known of the certificate of the webhooks.
    pub fn certificate(&self, certificate: Certificate) {
        let labels = [("certificate", "webhook")];
        self.certificate_not_before.get_or_create(&labels).set(certificate.not_before);
        self.certificate_not_after.get_or_create(&labels).set(certificate.not_after);
        self.ca_bundle_mismatch.set(i64::from(!certificate.carried));
        self.configurations_missing.set(i64::try_from(certificate.missing).unwrap_or(i64::MAX));
    }

    /// Sets how many looks at the certificate have failed; who looks has counted them.
    pub fn certificate_looks_failed(&self, failed: u64) {
        self.certificate_looks_failed.inner().store(failed, Ordering::Relaxed);
    }

    /// Sets which gates of readiness are open.
    pub fn gates(&self, gates: impl IntoIterator<Item = (&'static str, bool)>) {
        for (gate, is_open) in gates {
            self.gates.get_or_create(&[("gate", gate)]).set(is_open.into());
        }
    }

    /// Sets whether this replica is the one that writes.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// Everything in the form of [`CONTENT_TYPE`].
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a text never fails.
        let _ = encode_registry(&mut text, &self.registry)
            .and_then(|()| encode_registry(&mut text, &self.process))
            .and_then(|()| encode_eof(&mut text));
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests;
