// SPDX-License-Identifier: Apache-2.0
//! What the operator serves under `/metrics` once everything has happened that is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use celery_operator::metrics::{Certificate, Metrics, Unanswered};

/// Labels that Prometheus adds to what it scrapes.
pub(crate) const SCRAPED: [(&str, &str); 3] =
    [("namespace", "celery-system"), ("pod", "celery-operator-0"), ("instance", "10.0.0.1:8080")];

/// What alerts ask of the API server, with the labels they name; `tests/cluster/process.rs` sees both at a real one.
pub(crate) const OF_API_SERVER: [(&str, &[(&str, &str)]); 2] = [
    (
        "apiserver_admission_webhook_rejection_count",
        &[("name", "validate.celery.celeryproject.org"), ("error_type", "calling_webhook_error")],
    ),
    ("apiserver_admission_webhook_fail_open_count", &[("name", "default.celery.celeryproject.org")]),
];

/// One line of the text.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: String,
}

/// Everything that is counted, once.
pub(crate) fn text() -> String {
    let metrics = Metrics::default();
    let moment = Duration::from_millis(2);
    for webhook in ["mutate", "validate"] {
        for operation in ["CREATE", "UPDATE"] {
            metrics.answered(webhook, operation, "allowed", moment);
            metrics.answered(webhook, operation, "denied", moment);
        }
    }
    metrics.found("B04", "deny");
    let _waiting = metrics.in_flight();
    for reason in [Unanswered::Late, Unanswered::Malformed, Unanswered::Broken] {
        metrics.failed(reason);
    }
    let reasons = celery_operator::status::REASONS.iter().map(|reason| reason.name);
    for outcome in ["done", "waiting", "leaving"].into_iter().chain(reasons) {
        metrics.reconciled(outcome, moment);
    }
    metrics.applied("Deployment", "created");
    for outcome in ["written", "failed", "dropped"] {
        metrics.told(outcome);
    }
    let states = celery_operator::index::Health::ALL.map(celery_operator::index::Health::as_str);
    metrics.count(states.map(|state| (state, 1)));
    metrics.unready_since(states.map(|state| (state, Some(60))));
    metrics.permitted("Ingress", false);
    let (not_before, not_after) = (0, 7_776_000);
    metrics.certificate(Certificate { not_before, not_after, carried: true, missing: 0 });
    metrics.gates([("certificate", true), ("ca-published", true), ("not-ending", true)]);
    metrics.leads(true);
    metrics.text()
}

/// The lines of the text.
pub(crate) fn samples() -> Vec<Sample> {
    let text = text();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples: Vec<Sample> = lines.map(sample).collect();
    assert!(samples.len() > 50, "{text}");
    samples
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
    let label = |label: &str| {
        let (name, value) = label.split_once('=').unwrap_or_else(|| panic!("no label: {line}"));
        (name.to_owned(), value.trim_matches('"').to_owned())
    };
    Sample { name: name.to_owned(), labels: labels.map(label).collect(), value: value.to_owned() }
}

/// Every name with the values of each of its labels.
pub(crate) fn catalogue() -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let mut catalogue: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    let of_api_server = OF_API_SERVER.map(|(name, labels)| Sample {
        name: name.to_owned(),
        labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        value: "1".to_owned(),
    });
    let scraped = samples().into_iter().map(|mut sample| {
        sample.labels.extend(SCRAPED.map(|(name, value)| (name.to_owned(), value.to_owned())));
        sample
    });
    for sample in scraped.chain(of_api_server) {
        let labels = catalogue.entry(sample.name).or_default();
        for (name, value) in sample.labels {
            labels.entry(name).or_default().insert(value);
        }
    }
    catalogue
}

/// The lines as promtool takes them: what only grows goes on growing.
pub(crate) fn series() -> Vec<serde_json::Value> {
    let series = |sample: Sample| {
        let own = sample.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let labels: Vec<String> =
            own.chain(SCRAPED).map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let grows =
            ["_total", "_bucket", "_count", "_sum"].iter().any(|suffix| sample.name.ends_with(suffix));
        let step = if grows { "+1" } else { "+0" };
        serde_json::json!({
            "series": format!("{}{{{}}}", sample.name, labels.join(",")),
            "values": format!("{}{step}x60", sample.value),
        })
    };
    samples().into_iter().map(series).collect()
}
