// SPDX-License-Identifier: Apache-2.0
//! What the process counts, for Prometheus.
//!
//! Labels have few values, all known beforehand: no name of an object, no text that somebody else chooses.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Names and values of one, two and three labels.
type Labels<const N: usize> = [(&'static str, &'static str); N];

/// How long an answer takes: the API server waits for three seconds.
const ANSWER_SECONDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 2.5];
/// How long a reconcile takes: each request to the API server may take ten seconds.
const RECONCILE_SECONDS: [f64; 9] = [0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

/// Content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the process counts.
pub struct Metrics {
    registry: Registry,
    admission_requests: Family<Labels<3>, Counter>,
    admission_findings: Family<Labels<2>, Counter>,
    admission_duration: Family<Labels<1>, Histogram, fn() -> Histogram>,
    admission_in_flight: Gauge,
    reconciles: Family<Labels<1>, Counter>,
    reconcile_duration: Histogram,
    applies: Family<Labels<2>, Counter>,
    events: Family<Labels<1>, Counter>,
    celeries: Family<Labels<1>, Gauge>,
    kinds_forbidden: Family<Labels<1>, Gauge>,
    certificate_not_after: Family<Labels<1>, Gauge>,
    ca_bundle_mismatch: Gauge,
    leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("celery_operator"),
            admission_requests: Family::default(),
            admission_findings: Family::default(),
            admission_duration: Family::new_with_constructor(|| Histogram::new(ANSWER_SECONDS)),
            admission_in_flight: Gauge::default(),
            reconciles: Family::default(),
            reconcile_duration: Histogram::new(RECONCILE_SECONDS),
            applies: Family::default(),
            events: Family::default(),
            celeries: Family::default(),
            kinds_forbidden: Family::default(),
            certificate_not_after: Family::default(),
            ca_bundle_mismatch: Gauge::default(),
            leader: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The release that runs", version);
        let requests = self.admission_requests.clone();
        registry.register(
            "admission_requests",
            "Admission requests by webhook, operation and verdict",
            requests,
        );
        let findings = self.admission_findings.clone();
        registry.register(
            "admission_findings",
            "What the rules found in admitted and denied objects",
            findings,
        );
        let duration = self.admission_duration.clone();
        registry.register(
            "admission_duration_seconds",
            "How long answers to admission requests take",
            duration,
        );
        let in_flight = self.admission_in_flight.clone();
        registry.register("admission_in_flight", "Admission requests that wait for their answer", in_flight);
        registry.register(
            "reconciles",
            "Reconciles by outcome: done, leaving, waiting (for the lead or the first lists), or why they ended early",
            self.reconciles.clone(),
        );
        let duration = self.reconcile_duration.clone();
        registry.register("reconcile_duration_seconds", "How long reconciles take", duration);
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
            "Celery objects by state: ready, reconciling, stalled or unseen",
            self.celeries.clone(),
        );
        registry.register(
            "kind_forbidden",
            "1 while the role of the operator does not let it watch this kind of children",
            self.kinds_forbidden.clone(),
        );
        let not_after = self.certificate_not_after.clone();
        registry.register(
            "certificate_not_after_seconds",
            "Last second of a certificate, since the epoch",
            not_after,
        );
        let mismatch = self.ca_bundle_mismatch.clone();
        registry.register(
            "ca_bundle_mismatch",
            "1 while a webhook configuration lacks the authority of the served certificate",
            mismatch,
        );
        registry.register("leader", "1 while this replica is the one that writes", self.leader.clone());
    }

    /// Notes an answer to an admission request.
    pub fn answered(
        &self,
        webhook: &'static str,
        operation: &'static str,
        verdict: &'static str,
        took: Duration,
    ) {
        let labels = [("webhook", webhook), ("operation", operation), ("verdict", verdict)];
        self.admission_requests.get_or_create(&labels).inc();
        self.admission_duration.get_or_create(&[("webhook", webhook)]).observe(took.as_secs_f64());
    }

    /// Notes that a rule found something.
    pub fn found(&self, rule: &'static str, severity: &'static str) {
        self.admission_findings.get_or_create(&[("rule", rule), ("severity", severity)]).inc();
    }

    /// Counts a request as waiting for its answer until the value is dropped.
    #[must_use]
    pub fn in_flight(&self) -> InFlight {
        self.admission_in_flight.inc();
        InFlight(self.admission_in_flight.clone())
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

    /// Sets whether the operator may watch a kind of children.
    pub fn permitted(&self, kind: &'static str, is_permitted: bool) {
        self.kinds_forbidden.get_or_create(&[("kind", kind)]).set(i64::from(!is_permitted));
    }

    /// Sets until when the certificate of the webhooks holds, in seconds since the epoch, and whether every webhook
    /// configuration carries its authority.
    pub fn certificate(&self, not_after: i64, carried: bool) {
        self.certificate_not_after.get_or_create(&[("certificate", "webhook")]).set(not_after);
        self.ca_bundle_mismatch.set(i64::from(!carried));
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
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// A request that waits for its answer.
#[derive(Debug)]
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_shown_under_its_name() {
        let metrics = Metrics::default();
        metrics.answered("validate", "CREATE", "denied", Duration::from_millis(2));
        metrics.found("B04", "deny");
        metrics.reconciled("done", Duration::from_millis(3));
        metrics.applied("Deployment", "created");
        metrics.told("written");
        metrics.count([("ready", 2), ("stalled", 0)]);
        metrics.certificate(1_800_000_000, false);
        metrics.leads(true);
        metrics.permitted("Ingress", false);
        let waiting = metrics.in_flight();
        let text = metrics.text();
        for line in [
            r#"celery_operator_admission_requests_total{webhook="validate",operation="CREATE",verdict="denied"} 1"#,
            r#"celery_operator_admission_findings_total{rule="B04",severity="deny"} 1"#,
            r#"celery_operator_admission_duration_seconds_bucket{le="0.0025",webhook="validate"} 1"#,
            "celery_operator_admission_in_flight 1",
            r#"celery_operator_reconciles_total{outcome="done"} 1"#,
            "celery_operator_reconcile_duration_seconds_count 1",
            r#"celery_operator_apply_total{kind="Deployment",verb="created"} 1"#,
            r#"celery_operator_events_total{outcome="written"} 1"#,
            r#"celery_operator_celeries{state="ready"} 2"#,
            r#"celery_operator_certificate_not_after_seconds{certificate="webhook"} 1800000000"#,
            "celery_operator_leader 1",
            r#"celery_operator_kind_forbidden{kind="Ingress"} 1"#,
            "celery_operator_ca_bundle_mismatch 1",
            concat!(r#"celery_operator_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#),
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
        drop(waiting);
        assert!(metrics.text().contains("celery_operator_admission_in_flight 0"));
    }
}
