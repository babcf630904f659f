// SPDX-License-Identifier: Apache-2.0
//! Every metric under its name.

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
    metrics.certificate(Certificate {
        not_before: 1_700_000_000,
        not_after: 1_800_000_000,
        carried: false,
        missing: 1,
    });
    metrics.certificate_looks_failed(3);
    metrics.failed(Unanswered::Late);
    metrics.unready_since([("stalled", Some(1_750_000_000)), ("reconciling", None)]);
    metrics.gates([("certificate", true), ("ca-published", false)]);
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
        r#"celery_operator_certificate_not_before_seconds{certificate="webhook"} 1700000000"#,
        r#"celery_operator_admission_errors_total{reason="late"} 1"#,
        r#"celery_operator_celeries_unready_since_seconds{state="stalled"} 1750000000"#,
        r#"celery_operator_gate_open{gate="certificate"} 1"#,
        r#"celery_operator_gate_open{gate="ca-published"} 0"#,
        "celery_operator_webhook_configurations_missing 1",
        "celery_operator_leader 1",
        r#"celery_operator_kind_forbidden{kind="Ingress"} 1"#,
        "celery_operator_ca_bundle_mismatch 1",
        "celery_operator_certificate_looks_failed_total 3",
        concat!(r#"celery_operator_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#),
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    drop(waiting);
    assert!(metrics.text().contains("celery_operator_admission_in_flight 0"));
}

#[test]
fn what_became_ready_is_no_longer_said_to_be_unready() {
    let metrics = Metrics::default();
    metrics.unready_since([("stalled", Some(1_750_000_000)), ("reconciling", None)]);
    let shown = "celery_operator_celeries_unready_since_seconds{state=";
    assert_eq!(metrics.text().matches(shown).count(), 1);
    metrics.unready_since([("stalled", None), ("reconciling", None)]);
    assert_eq!(metrics.text().matches(shown).count(), 0);
}

/// A reader of the text takes what stands behind the end for another text, or for nothing.
#[test]
fn the_text_has_one_end() {
    let text = Metrics::default().text();
    assert_eq!(text.matches("# EOF").count(), 1, "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}
