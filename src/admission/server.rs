// SPDX-License-Identifier: Apache-2.0
//! The HTTPS server of the webhooks.
//!
//! Whoever reaches the port may send anything: every wait behind the TLS handshake has an end, and so has the memory
//! that requests take.

mod bounds;
mod opening;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request as HttpRequest, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use kube::core::admission::Operation;
use thiserror::Error;
use tokio::time::timeout;
use tracing::error;

use self::bounds::{Bounds, JUDGED_AT_ONCE, MAX_BODY, Place};
use self::opening::Opening;
use super::answer::{self, Answer};
use super::outline::Outline;
use super::review::{self, Request};
use crate::index::Surroundings;
use crate::manifests::{MUTATE_PATH, VALIDATE_PATH};
use crate::metrics::{Metrics, Unanswered};
use crate::rules;

/// How long open connections may finish after the end was asked for.
const DRAIN: Duration = Duration::from_secs(10);
/// How long a new connection may take until it says something.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// How long the head of a request may take. hyper counts the rest between two requests as well, and an API server keeps
/// an idle connection for 90 s: were we the first to close it, a request on its way would fail.
const HEAD_WITHIN: Duration = Duration::from_secs(100);
/// How often an HTTP/2 connection is asked whether anybody is there, and how long the answer may take.
const PING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));
/// How many bytes an HTTP/2 connection may have sent that nobody has read, all its requests together: what the protocol
/// begins with. Bodies that stop halfway fill it, on every connection that somebody opens.
const UNREAD: u32 = 64 * 1024 - 1;
/// How many requests an HTTP/2 connection may have open.
const STREAMS: u32 = 64;
/// How long a request may take, its body included: the API server waits for 3 s.
const ANSWER_WITHIN: Duration = Duration::from_millis(2500);

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

/// The webhooks as an axum router; `surroundings` is what the rules know beside an object.
pub fn router(surroundings: Surroundings) -> Router {
    counted(surroundings, &Arc::default())
}

/// The same, and what it does is counted.
fn counted(surroundings: Surroundings, metrics: &Arc<Metrics>) -> Router {
    let for_mutation = surroundings.clone();
    let mutation = Counter { webhook: "mutate", metrics: metrics.clone() };
    let validation = Counter { webhook: "validate", metrics: metrics.clone() };
    Router::new()
        .route(
            MUTATE_PATH,
            post(|place, body| {
                judge(place, body, mutation, move |request| answer::mutate(request, &for_mutation))
            }),
        )
        .route(
            VALIDATE_PATH,
            post(|place, body| {
                judge(place, body, validation, move |request| answer::validate(request, &surroundings))
            }),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state((Bounds::default(), metrics.clone()), bounded))
}

/// Counts what one webhook answers.
#[derive(Clone)]
struct Counter {
    webhook: &'static str,
    metrics: Arc<Metrics>,
}

impl Counter {
    fn answered(&self, operation: &Operation, answer: &Answer, took: Duration) {
        let operation = match operation {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
            Operation::Connect => "CONNECT",
        };
        let verdict = if answer.response.allowed { "allowed" } else { "denied" };
        self.metrics.answered(self.webhook, operation, verdict, took);
        for finding in &answer.findings {
            self.metrics.found(finding.rule, finding.severity.as_str());
        }
    }
}

/// Serves the webhooks with this TLS configuration until `handle` is told to shut down.
///
/// # Errors
/// When the address cannot be served.
pub async fn serve(
    address: SocketAddr,
    tls: rustls::ServerConfig,
    surroundings: Surroundings,
    metrics: &Arc<Metrics>,
    handle: Handle<SocketAddr>,
) -> Result<(), Error> {
    // The port opens afterwards, and readiness hangs on the port.
    if let Err(reason) = tokio::task::spawn_blocking(rules::prepare).await {
        error!(%reason, "the rules could not be prepared");
    }
    let mut server = axum_server::bind_rustls(address, RustlsConfig::from_config(Arc::new(tls)))
        // Otherwise the first answer of a connection waits 40 ms for the other side to acknowledge the settings.
        .map(|inner| Opening { inner: inner.acceptor(NoDelayAcceptor), within: OPEN_WITHIN })
        .handle(handle);
    let http = server.http_builder();
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1)
        .initial_stream_window_size(UNREAD)
        .initial_connection_window_size(UNREAD)
        .max_concurrent_streams(STREAMS);
    server
        .serve(counted(surroundings, metrics).into_make_service())
        .await
        .map_err(|source| Error::Bind { address, source })
}

/// Asks the server to end: no new connections, open ones may finish.
pub fn drain(handle: &Handle<SocketAddr>) {
    handle.graceful_shutdown(Some(DRAIN));
}

/// A request that is given its place when all of it is there, and answered in time or told that it was not.
async fn bounded(
    State((bounds, metrics)): State<(Bounds, Arc<Metrics>)>,
    request: HttpRequest,
    next: Next,
) -> Response {
    let answer = async {
        let (head, body) = request.into_parts();
        match bounds.admit(body).await {
            Ok((body, place)) => {
                let mut request = HttpRequest::from_parts(head, Body::from(body));
                request.extensions_mut().insert(place);
                next.run(request).await
            }
            Err(refusal) => refusal,
        }
    };
    timeout(ANSWER_WITHIN, answer).await.unwrap_or_else(|_| {
        metrics.failed(Unanswered::Late);
        (StatusCode::REQUEST_TIMEOUT, "the request took too long\n").into_response()
    })
}

async fn judge(
    Extension(place): Extension<Place>,
    body: Bytes,
    counter: Counter,
    verdict: impl Fn(&Request) -> Answer + Send + 'static,
) -> Response {
    let waiting = counter.metrics.in_flight();
    if body.len() <= JUDGED_AT_ONCE {
        return respond(&body, &counter, verdict);
    }
    let metrics = counter.metrics.clone();
    let judged = tokio::task::spawn_blocking(move || {
        // Held also when nobody waits any more: the thread and the body are still taken.
        let _held = (place, waiting);
        respond(&body, &counter, verdict)
    });
    judged.await.unwrap_or_else(|reason| {
        error!(%reason, "a large object could not be judged");
        metrics.failed(Unanswered::Broken);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}

fn respond(body: &[u8], counter: &Counter, verdict: impl Fn(&Request) -> Answer) -> Response {
    let begin = Instant::now();
    let answered = |operation: &Operation, answer: Answer| {
        counter.answered(operation, &answer, begin.elapsed());
        Json(answer.response.into_review()).into_response()
    };
    // A small one is decoded in less time than it takes to count.
    let outsized = if body.len() > JUDGED_AT_ONCE { Outline::of_outsized(body) } else { Ok(None) };
    let request = match outsized {
        Ok(Some(outline)) => return answered(&outline.operation, answer::outsized(&outline).into()),
        Ok(None) => review::read(body),
        Err(reason) => Err(reason.into()),
    };
    match request {
        Ok(request) => answered(&request.operation, verdict(&request)),
        Err(malformed) => {
            counter.metrics.failed(Unanswered::Malformed);
            let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (StatusCode::BAD_REQUEST, text, malformed.to_string()).into_response()
        }
    }
}

#[cfg(test)]
mod tests;
