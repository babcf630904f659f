// SPDX-License-Identifier: Apache-2.0
//! A fence around a client: no request that could change anything passes once the lease has lapsed, whoever sends it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::{Method, Request};
use rustix::time::{ClockId, clock_gettime};
use thiserror::Error;
use tower::{BoxError, Layer, Service};

/// Why a request did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this process does not hold the lease")]
struct Fenced;

/// The span since the machine started, the time it slept included: a holder that was suspended must not take up where
/// it left off.
#[must_use]
pub fn uptime() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

/// Until when requests may change anything. A clone is the same fence.
#[derive(Clone, Debug, Default)]
pub struct Fence(Arc<AtomicU64>);

impl Fence {
    /// Lets requests pass until this moment of [`uptime`]; `None` closes the fence.
    pub(super) fn open_until(&self, until: Option<Duration>) {
        let millis = until.map_or(0, |until| u64::try_from(until.as_millis()).unwrap_or(u64::MAX));
        self.0.store(millis, Ordering::SeqCst);
    }

    /// How long requests may still pass.
    fn left(&self) -> Option<Duration> {
        let until = Duration::from_millis(self.0.load(Ordering::SeqCst));
        until.checked_sub(uptime()).filter(|left| !left.is_zero())
    }
}

impl<S> Layer<S> for Fence {
    type Service = FencedService<S>;

    fn layer(&self, inner: S) -> FencedService<S> {
        FencedService { inner, fence: self.clone() }
    }
}

/// A service behind a [`Fence`].
#[derive(Clone, Debug)]
pub struct FencedService<S> {
    inner: S,
    fence: Fence,
}

impl<S, B> Service<Request<B>> for FencedService<S>
where
    S: Service<Request<B>>,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
            let answer = self.inner.call(request);
            return Box::pin(async move { answer.await.map_err(Into::into) });
        }
        if self.fence.left().is_none() {
            return Box::pin(async { Err(Fenced.into()) });
        }
        let answer = self.inner.call(request);
        let fence = self.fence.clone();
        Box::pin(async move {
            let left = fence.left().ok_or(Fenced)?;
            let mut answer = pin!(answer);
            // Asked again before each step, and not only once: the process may sleep at any of them, while a connection is
            // opened above all, and whoever wakes it takes the next step before the time is looked at.
            let fenced = poll_fn(|context| match fence.left() {
                Some(_) => answer.as_mut().poll(context).map_err(Into::into),
                None => Poll::Ready(Err(Fenced.into())),
            });
            // One that is not through by then is given up, and not sent again below.
            tokio::time::timeout(left, fenced).await.map_err(|_| Fenced)?
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::ServiceExt as _;

    use super::*;

    /// A server, and how many requests have come to it.
    fn sent()
    -> (Arc<AtomicU64>, impl Service<Request<()>, Response = (), Error = Infallible, Future: Send + 'static>)
    {
        let sent = Arc::new(AtomicU64::new(0));
        let count = sent.clone();
        let server = tower::service_fn(move |_: Request<()>| {
            let count = count.clone();
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Infallible>(())
            }
        });
        (sent, server)
    }

    async fn ask(fence: &Fence, method: Method, takes: Duration) -> bool {
        let server = tower::service_fn(move |_: Request<()>| async move {
            tokio::time::sleep(takes).await;
            Ok::<_, Infallible>(())
        });
        let request = Request::builder().method(method).body(()).expect("a request");
        fence.layer(server).oneshot(request).await.is_ok()
    }

    #[tokio::test]
    async fn what_changes_nothing_always_passes_and_the_rest_while_the_fence_is_open() {
        let fence = Fence::default();
        let writes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        assert!(ask(&fence, Method::GET, Duration::ZERO).await);
        for write in &writes {
            assert!(!ask(&fence, write.clone(), Duration::ZERO).await, "{write}");
        }
        fence.open_until(Some(uptime() + Duration::from_mins(1)));
        for write in &writes {
            assert!(ask(&fence, write.clone(), Duration::ZERO).await, "{write}");
        }
        fence.open_until(Some(uptime()));
        assert!(!ask(&fence, Method::PATCH, Duration::ZERO).await);
        fence.open_until(None);
        assert!(!ask(&fence, Method::PATCH, Duration::ZERO).await);
    }

    #[tokio::test]
    async fn a_request_that_was_made_before_the_lease_lapsed_does_not_begin_afterwards() {
        let fence = Fence::default();
        fence.open_until(Some(uptime() + Duration::from_mins(1)));
        let (sent, server) = sent();
        let mut service = fence.layer(server);
        let request = || Request::builder().method(Method::PATCH).body(()).expect("a request");
        let asleep = service.call(request());
        assert!(service.call(request()).await.is_ok());
        fence.open_until(None);
        assert!(asleep.await.is_err());
        assert_eq!(sent.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_request_that_waits_for_its_connection_while_the_lease_lapses_is_not_sent() {
        let fence = Fence::default();
        fence.open_until(Some(uptime() + Duration::from_mins(1)));
        let (sent, connected) = (Arc::new(AtomicU64::new(0)), Arc::new(tokio::sync::Notify::new()));
        let of_server = (sent.clone(), connected.clone());
        let mut service = fence.layer(tower::service_fn(move |_: Request<()>| {
            let (sent, connected) = of_server.clone();
            async move {
                connected.notified().await;
                sent.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Infallible>(())
            }
        }));
        let request = Request::builder().method(Method::PATCH).body(()).expect("a request");
        let asked = service.call(request);
        let lapsed = async {
            fence.open_until(None);
            connected.notify_one();
        };
        let (answer, ()) = tokio::join!(asked, lapsed);
        assert!(answer.is_err());
        assert_eq!(sent.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_longer_than_the_lease_is_given_up() {
        let fence = Fence::default();
        fence.open_until(Some(uptime() + Duration::from_secs(5)));
        assert!(!ask(&fence, Method::PATCH, Duration::from_mins(1)).await);
        assert!(ask(&fence, Method::GET, Duration::from_mins(1)).await);
    }
}
