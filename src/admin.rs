// SPDX-License-Identifier: Apache-2.0
//! Whether the process lives and may be asked: `/livez` and `/readyz`.
//!
//! Liveness does not depend on the API server: a restart would not bring it back.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::sync::watch;

/// What has to be true before requests may come; shared with whoever knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// A certificate is served.
    pub certificate: bool,
    /// Every webhook configuration carries its CA.
    pub published: bool,
    /// The process is on its way out.
    pub ending: bool,
}

impl Gates {
    /// Each gate and whether it is open.
    #[must_use]
    pub fn named(self) -> [(&'static str, bool); 3] {
        [("certificate", self.certificate), ("ca-published", self.published), ("not-ending", !self.ending)]
    }
}

/// The router; readiness follows `gates`.
pub fn router(gates: watch::Receiver<Gates>) -> Router {
    Router::new().route("/livez", get(|| async { "ok\n" })).route("/readyz", get(readiness)).with_state(gates)
}

async fn readiness(State(gates): State<watch::Receiver<Gates>>) -> (StatusCode, String) {
    let gates = gates.borrow().named();
    let text = gates.map(|(name, open)| format!("[{}] {name}\n", if open { '+' } else { '-' })).concat();
    let status =
        if gates.iter().all(|(_, open)| *open) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(gates: Gates, path: &str) -> StatusCode {
        let (_sender, receiver) = watch::channel(gates);
        let request = Request::get(path).body(Body::empty()).expect("a request");
        router(receiver).oneshot(request).await.expect("an answer").status()
    }

    #[tokio::test]
    async fn readiness_needs_every_gate_and_life_needs_none() {
        let open = Gates { certificate: true, published: true, ending: false };
        assert_eq!(ask(open, "/readyz").await, StatusCode::OK);
        for closed in [
            Gates { certificate: false, ..open },
            Gates { published: false, ..open },
            Gates { ending: true, ..open },
        ] {
            assert_eq!(ask(closed, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE, "{closed:?}");
            assert_eq!(ask(closed, "/livez").await, StatusCode::OK);
        }
    }
}
