// SPDX-License-Identifier: Apache-2.0
//! A deadline for the first bytes behind the TLS handshake.
//!
//! The HTTP server tells HTTP/1 and HTTP/2 apart by those, and waits for them without end: none of its own timeouts
//! has begun by then.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// What HTTP/2 begins with, in bytes, and less than any request of HTTP/1 that names its host and path.
const OPENING: usize = 24;

/// Accepts as `inner` does, and reads no later than this for the first bytes.
#[derive(Clone, Debug)]
pub(super) struct Opening<A> {
    pub(super) inner: A,
    pub(super) within: Duration,
}

impl<A, I, S> Accept<I, S> for Opening<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Opened<A::Stream>;
    type Service = A::Service;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let within = self.within;
        let accepted = self.inner.accept(stream, service);
        let opened = accepted
            .map(move |accepted| accepted.map(|(stream, service)| (Opened::new(stream, within), service)));
        opened.boxed()
    }
}

/// A stream that fails when its first bytes are late.
#[derive(Debug)]
pub(super) struct Opened<I> {
    inner: I,
    missing: usize,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<I> Opened<I> {
    fn new(inner: I, within: Duration) -> Self {
        Self { inner, missing: OPENING, deadline: Some(Box::pin(sleep(within))) }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Opened<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let Some(deadline) = &mut self.deadline else {
            return read;
        };
        if read.is_pending() && deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.missing = self.missing.saturating_sub(buffer.filled().len() - before);
        if self.missing == 0 {
            self.deadline = None;
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Opened<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
