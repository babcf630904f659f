// SPDX-License-Identifier: Apache-2.0
//! Whether the process lives and may be asked, and what it counts: `/livez`, `/readyz` and `/metrics`.
//!
//! Liveness does not depend on the API server: a restart would not bring it back.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::routing::get;
use tokio::sync::watch;

use crate::metrics::CONTENT_TYPE;

/// What has to be true before requests may come; shared with whoever knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// What webhooks need; `None` where none are served.
    pub webhooks: Option<WebhookGates>,
    /// This replica is the one that writes. That is told, and closes nothing: every replica serves.
    pub leads: bool,
    /// The process is on its way out.
    pub ending: bool,
}

/// What has to be true before webhooks may be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookGates {
    /// What callers see on the port.
    pub certificate: Certificate,
    /// Every webhook configuration that exists carries its CA.
    pub published: bool,
    /// Webhook configurations that do not exist. They close nothing: if the loss of one made every replica unready, it
    /// would take the others down with it.
    pub missing: Vec<String>,
    /// Webhook configurations that do not trust the certificate.
    pub distrusting: Vec<String>,
    /// Why the last look at the certificate and the configurations has failed. It closes nothing: what was served is
    /// served on.
    pub look_failure: Option<String>,
}

/// The certificate as whoever calls the webhooks sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Certificate {
    /// There is none yet.
    #[default]
    Absent,
    /// It is verified by what is published.
    Verified,
    /// It is not, for this reason.
    Refused(String),
}

impl Certificate {
    /// Why webhooks cannot be called, if they cannot.
    fn fault(&self) -> Option<&str> {
        match self {
            Self::Absent => Some("there is none yet"),
            Self::Verified => None,
            Self::Refused(why) => Some(why),
        }
    }
}

impl Gates {
    /// Each gate and whether it is open.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, bool)> {
        let of = |gates: &WebhookGates| {
            [("certificate", gates.certificate.fault().is_none()), ("ca-published", gates.published)]
        };
        self.webhooks.iter().flat_map(of).chain([("not-ending", !self.ending)]).collect()
    }

    /// What else is worth knowing, a line each.
    fn details(&self) -> Vec<String> {
        let mut details = self.webhooks.as_ref().map(WebhookGates::details).unwrap_or_default();
        let writes = if self.leads { "this replica writes" } else { "another replica writes, or none" };
        details.push(writes.to_owned());
        details
    }
}

impl WebhookGates {
    /// Why gates are closed, and what is wrong although they are open.
    fn details(&self) -> Vec<String> {
        let mut details = Vec::new();
        if let Some(fault) = self.certificate.fault() {
            details.push(format!("certificate: {fault}"));
        }
        for target in &self.distrusting {
            let follows = "does not trust the certificate: API servers refuse to call by it";
            details.push(format!("{target} {follows}"));
        }
        for target in &self.missing {
            details.push(format!("{target} does not exist: admission is not called until it is created"));
        }
        if let Some(failure) = &self.look_failure {
            details.push(format!("the last look failed: {failure}"));
        }
        details
    }
}

/// What `/metrics` answers, made anew each time.
pub type Exposition = Arc<dyn Fn() -> String + Send + Sync>;

/// The router; readiness follows `gates`.
pub fn router(gates: watch::Receiver<Gates>, exposition: Exposition) -> Router {
    let metrics = move || async move { ([(header::CONTENT_TYPE, CONTENT_TYPE)], exposition()) };
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .route("/metrics", get(metrics))
        .with_state(gates)
}

async fn readiness(State(gates): State<watch::Receiver<Gates>>) -> (StatusCode, String) {
    let gates = gates.borrow().clone();
    let named = gates.named();
    let mut text = String::new();
    for (name, open) in &named {
        let _ = writeln!(text, "[{}] {name}", if *open { '+' } else { '-' });
    }
    for detail in gates.details() {
        let _ = writeln!(text, "[ ] {detail}");
    }
    let status =
        if named.iter().all(|(_, open)| *open) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(gates: Gates, path: &str) -> (StatusCode, String) {
        let (_sender, receiver) = watch::channel(gates);
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response =
            router(receiver, Arc::new(|| "counted\n".to_owned())).oneshot(request).await.expect("an answer");
        let status = response.status();
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8(bytes.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn readiness_needs_every_gate_and_life_needs_none() {
        let served =
            WebhookGates { certificate: Certificate::Verified, published: true, ..WebhookGates::default() };
        let of = |webhooks: &WebhookGates| Gates { webhooks: Some(webhooks.clone()), ..Gates::default() };
        assert_eq!(ask(of(&served), "/readyz").await.0, StatusCode::OK);
        for closed in [
            of(&WebhookGates { certificate: Certificate::Absent, ..served.clone() }),
            of(&WebhookGates { certificate: Certificate::Refused("expired".to_owned()), ..served.clone() }),
            of(&WebhookGates { published: false, ..served.clone() }),
            Gates { ending: true, ..of(&served) },
        ] {
            assert_eq!(ask(closed.clone(), "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE, "{closed:?}");
            assert_eq!(ask(closed, "/livez").await.0, StatusCode::OK);
        }
    }

    #[tokio::test]
    async fn a_process_without_webhooks_needs_no_certificate_and_who_writes_is_told() {
        let (status, text) = ask(Gates::default(), "/readyz").await;
        assert_eq!(
            (status, text.as_str()),
            (StatusCode::OK, "[+] not-ending\n[ ] another replica writes, or none\n")
        );
        let (_, text) = ask(Gates { leads: true, ..Gates::default() }, "/readyz").await;
        assert!(text.ends_with("[ ] this replica writes\n"), "{text}");
    }

    #[tokio::test]
    async fn what_is_counted_is_shown_whatever_the_gates_say() {
        assert_eq!(ask(Gates::default(), "/metrics").await, (StatusCode::OK, "counted\n".to_owned()));
    }

    #[tokio::test]
    async fn why_a_certificate_is_refused_is_told() {
        for (certificate, why) in [
            (
                Certificate::Absent,
                "[-] certificate\n[+] ca-published\n[+] not-ending\n[ ] certificate: there is none yet\n",
            ),
            (Certificate::Refused("it expired".to_owned()), "[ ] certificate: it expired\n"),
        ] {
            let webhooks = WebhookGates { certificate, published: true, ..WebhookGates::default() };
            let (_, text) = ask(Gates { webhooks: Some(webhooks), ..Gates::default() }, "/readyz").await;
            assert!(text.contains(why), "{text}");
        }
    }

    #[tokio::test]
    async fn who_does_not_trust_and_what_fails_is_told() {
        let webhooks = WebhookGates {
            certificate: Certificate::Verified,
            distrusting: vec!["MutatingWebhookConfiguration/w".to_owned()],
            look_failure: Some("the API server is away".to_owned()),
            ..WebhookGates::default()
        };
        let (status, text) = ask(Gates { webhooks: Some(webhooks), ..Gates::default() }, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(text.contains("[-] ca-published\n"), "{text}");
        assert!(text.contains("[ ] MutatingWebhookConfiguration/w does not trust the certificate"), "{text}");
        assert!(text.contains("[ ] the last look failed: the API server is away\n"), "{text}");
    }

    #[tokio::test]
    async fn a_missing_configuration_is_named_and_closes_nothing() {
        let missing = vec!["webhook configuration celery-operator-mutating".to_owned()];
        let webhooks = WebhookGates {
            certificate: Certificate::Verified,
            published: true,
            missing,
            ..WebhookGates::default()
        };
        let (status, text) = ask(Gates { webhooks: Some(webhooks), ..Gates::default() }, "/readyz").await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains("celery-operator-mutating does not exist"), "{text}");
    }
}
