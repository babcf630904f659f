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
    /// A certificate is served.
    pub certificate: bool,
    /// Every webhook configuration that exists carries its CA.
    pub published: bool,
    /// Webhook configurations that do not exist. They close nothing: if the loss of one made every replica unready, it
    /// would take the others down with it.
    pub missing: Vec<String>,
    /// The process is on its way out.
    pub ending: bool,
}

impl Gates {
    /// Each gate and whether it is open.
    #[must_use]
    pub fn named(&self) -> [(&'static str, bool); 3] {
        [("certificate", self.certificate), ("ca-published", self.published), ("not-ending", !self.ending)]
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
    let mut text = named.map(|(name, open)| format!("[{}] {name}\n", if open { '+' } else { '-' })).concat();
    for target in &gates.missing {
        let _ = writeln!(text, "[ ] {target} does not exist: admission is not called until it is created");
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
        let open = Gates { certificate: true, published: true, ..Gates::default() };
        assert_eq!(ask(open.clone(), "/readyz").await.0, StatusCode::OK);
        for closed in [
            Gates { certificate: false, ..open.clone() },
            Gates { published: false, ..open.clone() },
            Gates { ending: true, ..open },
        ] {
            assert_eq!(ask(closed.clone(), "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE, "{closed:?}");
            assert_eq!(ask(closed, "/livez").await.0, StatusCode::OK);
        }
    }

    #[tokio::test]
    async fn what_is_counted_is_shown_whatever_the_gates_say() {
        assert_eq!(ask(Gates::default(), "/metrics").await, (StatusCode::OK, "counted\n".to_owned()));
    }

    #[tokio::test]
    async fn a_missing_configuration_is_named_and_closes_nothing() {
        let missing = vec!["webhook configuration celery-operator-mutating".to_owned()];
        let (status, text) =
            ask(Gates { certificate: true, published: true, missing, ending: false }, "/readyz").await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains("celery-operator-mutating does not exist"), "{text}");
    }
}
