// SPDX-License-Identifier: Apache-2.0
//! The HTTPS server of the webhooks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use kube::core::admission::AdmissionResponse;
use thiserror::Error;

use super::answer;
use super::review::{self, Request};
use crate::index::CeleryIndex;
use crate::manifests::{MUTATE_PATH, VALIDATE_PATH};

/// Largest body: an API server takes objects of 3 MiB, and a review holds two of them and what surrounds them.
const MAX_BODY: usize = 7 * 1024 * 1024;
/// How long open connections may finish after the end was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// Why the server ended.
#[derive(Debug, Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot serve webhooks on {address}: {source}; choose another --webhook-address")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
}

/// The webhooks as an axum router; `celeries` is what the rules about scaling look into.
pub fn router(celeries: CeleryIndex) -> Router {
    Router::new()
        .route(MUTATE_PATH, post(|body: Bytes| async move { respond(&body, answer::mutate) }))
        .route(
            VALIDATE_PATH,
            post(|body: Bytes| async move { respond(&body, |request| answer::validate(request, &celeries)) }),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// Serves the webhooks with this TLS configuration until `handle` is told to shut down.
///
/// # Errors
/// When the address cannot be served.
pub async fn serve(
    address: SocketAddr,
    tls: rustls::ServerConfig,
    celeries: CeleryIndex,
    handle: Handle<SocketAddr>,
) -> Result<(), Error> {
    let server = axum_server::bind_rustls(address, RustlsConfig::from_config(Arc::new(tls))).handle(handle);
    server.serve(router(celeries).into_make_service()).await.map_err(|source| Error::Bind { address, source })
}

/// Asks the server to end: no new connections, open ones may finish.
pub fn drain(handle: &Handle<SocketAddr>) {
    handle.graceful_shutdown(Some(DRAIN));
}

fn respond(body: &[u8], verdict: impl Fn(&Request) -> AdmissionResponse) -> Response {
    match review::read(body) {
        Ok(request) => Json(verdict(&request).into_review()).into_response(),
        Err(malformed) => {
            let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (StatusCode::BAD_REQUEST, text, malformed.to_string()).into_response()
        }
    }
}

#[cfg(test)]
mod tests;
