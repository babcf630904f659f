// SPDX-License-Identifier: Apache-2.0
//! What the webhooks count.

use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;

use super::Metrics;

/// How long an answer takes: the API server waits for three seconds.
pub(super) const ANSWER_SECONDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 2.5];

/// Why a request to a webhook got no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// It took too long.
    Late,
    /// It was no review.
    Malformed,
    /// By a fault of ours.
    Broken,
}

impl Unanswered {
    pub(super) const ALL: [Self; 3] = [Self::Late, Self::Malformed, Self::Broken];

    pub(super) fn label(self) -> [(&'static str, &'static str); 1] {
        let reason = match self {
            Self::Late => "late",
            Self::Malformed => "malformed",
            Self::Broken => "broken",
        };
        [("reason", reason)]
    }
}

impl Metrics {
    pub(super) fn register_admission(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "admission_requests",
            "Admission requests by webhook, operation and verdict",
            self.admission_requests.clone(),
        );
        registry.register(
            "admission_errors",
            "Requests to a webhook without a verdict: late (took too long), malformed (no review), broken (a fault of ours)",
            self.admission_errors.clone(),
        );
        registry.register(
            "admission_findings",
            "What the rules found in admitted and denied objects",
            self.admission_findings.clone(),
        );
        registry.register(
            "admission_duration_seconds",
            "How long answers to admission requests take",
            self.admission_duration.clone(),
        );
        registry.register(
            "admission_in_flight",
            "Admission requests that wait for their answer",
            self.admission_in_flight.clone(),
        );
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

    /// Notes a request to a webhook that got no verdict.
    pub fn failed(&self, reason: Unanswered) {
        self.admission_errors.get_or_create(&reason.label()).inc();
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
}

/// A request that waits for its answer.
#[derive(Debug)]
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
