// SPDX-License-Identifier: Apache-2.0
//! How much is taken on at a time: bytes of bodies, and reviews that are judged.
//!
//! A review is given its place when all of it is there. A body that comes byte by byte takes the room of what has come,
//! and nobody's place.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Largest body: an API server takes objects of 3 MiB, and a review holds two of them and what surrounds them.
pub(super) const MAX_BODY: usize = 7 * 1024 * 1024;
/// How many reviews are judged at a time; the others wait their turn.
pub(super) const JUDGED: usize = 64;
/// Largest body that is judged at once; others would keep the other tasks of the thread waiting.
pub(super) const JUDGED_AT_ONCE: usize = 64 * 1024;
/// How many reviews with larger bodies are judged at a time: decoded, one takes tens of megabytes.
const LARGE: usize = 2;
/// How many KiB of bodies are held at a time; what comes then waits.
const HELD: usize = 64 * 1024;

/// The place of a review among those that are judged, among the large ones of them where it is one, and the room of its
/// body.
pub(super) type Place = Arc<(OwnedSemaphorePermit, Option<OwnedSemaphorePermit>, OwnedSemaphorePermit)>;

/// How much may be taken on.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    pub(super) judged: Arc<Semaphore>,
    pub(super) large: Arc<Semaphore>,
    /// In KiB.
    pub(super) held: Arc<Semaphore>,
}

impl Default for Bounds {
    fn default() -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self { judged: places(JUDGED), large: places(LARGE), held: places(HELD) }
    }
}

impl Bounds {
    /// A body as a whole, when there is a place for its review.
    ///
    /// # Errors
    /// The answer to one that is too large, or breaks off.
    pub(super) async fn admit(&self, body: Body) -> Result<(Bytes, Place), Response> {
        let (body, held) = self.read(body).await?;
        let place =
            async |places: &Arc<Semaphore>| places.clone().acquire_owned().await.map_err(|_| closed());
        // First: while a large one waits for the others, small ones find a place.
        let large = if body.len() > JUDGED_AT_ONCE { Some(place(&self.large).await?) } else { None };
        let judged = place(&self.judged).await?;
        Ok((body, Arc::new((judged, large, held))))
    }

    async fn read(&self, body: Body) -> Result<(Bytes, OwnedSemaphorePermit), Response> {
        let mut held = self.hold(0).await?;
        let mut stream = body.into_data_stream();
        let (mut chunks, mut length) = (Vec::new(), 0);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| refused(StatusCode::BAD_REQUEST, "the body breaks off\n"))?;
            length += chunk.len();
            if length > MAX_BODY {
                return Err(refused(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "length limit exceeded: no review is as large\n",
                ));
            }
            held.merge(self.hold(chunk.len()).await?);
            chunks.push(chunk);
        }
        // A small one comes as a whole.
        let body = if chunks.len() == 1 { chunks.remove(0) } else { chunks.concat().into() };
        Ok((body, held))
    }

    async fn hold(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Response> {
        let kibibytes = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        self.held.clone().acquire_many_owned(kibibytes).await.map_err(|_| closed())
    }
}

fn refused(code: StatusCode, text: &'static str) -> Response {
    (code, text).into_response()
}

/// Nobody closes these semaphores.
fn closed() -> Response {
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn stalled(chunk: &'static [u8]) -> Body {
        let begin = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(chunk))]);
        Body::from_stream(begin.chain(futures::stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_takes_the_room_of_what_has_come_until_its_review_has_ended() {
        let bounds = Bounds { held: Arc::new(Semaphore::new(3)), ..Bounds::default() };
        let first = tokio::spawn({
            let bounds = bounds.clone();
            async move { bounds.admit(stalled(&[b'x'; 1025])).await.map(drop) }
        });
        tokio::task::yield_now().await;
        let (body, place) = bounds.admit(Body::from("ab")).await.expect("there is room");
        assert_eq!((&body[..], bounds.held.available_permits()), (&b"ab"[..], 0));
        assert_eq!(bounds.judged.available_permits(), JUDGED - 1, "one that has not come has no place");
        let late = timeout(Duration::from_secs(1), bounds.admit(Body::from("c"))).await;
        assert!(late.is_err(), "waits for room");
        drop(place);
        assert!(bounds.admit(Body::from("c")).await.is_ok());
        first.abort();
        assert!(first.await.is_err());
        assert_eq!(bounds.held.available_permits(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn large_reviews_wait_for_one_another_and_small_ones_do_not() {
        let bounds = Bounds::default();
        let large = || bounds.admit(Body::from(vec![b'x'; JUDGED_AT_ONCE + 1]));
        let held = [large().await.expect("the first"), large().await.expect("the second")];
        assert!(timeout(Duration::from_secs(1), large()).await.is_err());
        assert!(bounds.admit(Body::from(vec![b'x'; JUDGED_AT_ONCE])).await.is_ok());
        drop(held);
        assert!(large().await.is_ok());
    }

    #[tokio::test]
    async fn a_body_is_put_together_and_not_too_large() {
        let bounds = Bounds::default();
        let parts = ["a", "", "bc"].map(|part| Ok::<_, std::io::Error>(Bytes::from_static(part.as_bytes())));
        let (body, _place) =
            bounds.admit(Body::from_stream(futures::stream::iter(parts))).await.expect("whole");
        assert_eq!(&body[..], b"abc");
        let (empty, _place) = bounds.admit(Body::empty()).await.expect("whole");
        assert!(empty.is_empty());
        let large = bounds.admit(Body::from(vec![b'x'; MAX_BODY + 1])).await.expect_err("too large");
        assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let broken = futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("gone"))]);
        let broken = bounds.admit(Body::from_stream(broken)).await.expect_err("breaks off");
        assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    }
}
