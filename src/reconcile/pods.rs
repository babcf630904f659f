// SPDX-License-Identifier: Apache-2.0
//! The watch of our pods: what keeps them from running is what a rollout is stuck on.

use std::sync::Arc;

use futures::channel::mpsc;
use futures::{Stream, StreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::Api;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::{self, Event, watcher};
use tracing::warn;

use super::triggers::{PAGE, REFUSALS, is_forbidden};
use crate::index::{CeleryKey, PodIndex, Sight, StoredCelery};
use crate::labels::MANAGED_SELECTOR;

/// The Celery objects whose pods suffer from something else than before. `news` is told once the pods are known, or it is
/// known that they will not be.
pub(super) fn watched(
    client: &Client,
    scope: Option<&str>,
    index: Arc<PodIndex>,
    news: mpsc::UnboundedSender<()>,
) -> impl Stream<Item = ObjectRef<StoredCelery>> + use<> {
    let api: Api<Pod> = match scope {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let config = watcher::Config::default().labels(MANAGED_SELECTOR).page_size(PAGE);
    let (mut is_failing, mut refusals) = (false, 0_u8);
    watcher(api, config).default_backoff().flat_map(move |event| {
        let known = || (index.is_settled(), index.sight());
        let before = known();
        let changed = match event {
            Ok(event) => {
                // Every attempt to list begins with `Init`, also one that fails.
                if !matches!(event, Event::Init) {
                    (is_failing, refusals) = (false, 0);
                }
                index.observe(event)
            }
            Err(error) => {
                // Without pods a rollout that fails is told as one that takes long: nothing to stop for.
                if !is_failing {
                    warn!(%error, "pods cannot be watched; why they fail is not told until they can");
                }
                is_failing = true;
                refusals = if is_forbidden(&error) { refusals.saturating_add(1) } else { 0 };
                // A role that was just written takes a moment.
                if refusals >= REFUSALS && index.sight() != Sight::Closed {
                    warn!(%error, "pods may not be looked at: a new beat does not wait for the end of an old one");
                    index.close();
                }
                index.settle();
                Vec::new()
            }
        };
        if before != known() {
            let _ = news.unbounded_send(());
        }
        stream::iter(changed.into_iter().map(reference))
    })
}

fn reference((namespace, name): CeleryKey) -> ObjectRef<StoredCelery> {
    ObjectRef::new(&name).within(&namespace)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;
    use std::time::Duration;

    use axum::http::{Request, Response};
    use kube::client::Body;
    use serde_json::json;

    use super::*;

    /// What is known of pods after a minute, and how often that was news, where the list is answered so: first with the
    /// first of these codes, in the end again and again with the last.
    async fn known(codes: &'static [u16]) -> (bool, Sight, usize) {
        let asked = Arc::new(Mutex::new(0_usize));
        let server = tower::service_fn(move |_: Request<Body>| {
            let mut asked = asked.lock().expect("no panic");
            let code = codes[(*asked).min(codes.len() - 1)];
            *asked += 1;
            let answer = match code {
                200 => {
                    json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []})
                }
                _ => {
                    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "",
                            "reason": ""})
                }
            };
            let answer = Body::from(serde_json::to_vec(&answer).expect("JSON"));
            async move { Ok::<_, Infallible>(Response::builder().status(code).body(answer).expect("a response")) }
        });
        let index = Arc::new(PodIndex::default());
        let (sender, news) = mpsc::unbounded();
        let watched = watched(&Client::new(server, "web"), None, index.clone(), sender);
        let _ =
            tokio::time::timeout(Duration::from_mins(1), watched.for_each(|_| std::future::ready(()))).await;
        (index.is_settled(), index.sight(), news.count().await)
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_role_without_pods_says_that_nobody_can_wait_for_them() {
        assert_eq!(known(&[500]).await, (true, Sight::Unseen, 1));
        assert_eq!(known(&[403, 500]).await, (true, Sight::Unseen, 1));
        assert_eq!(known(&[403]).await, (true, Sight::Closed, 2));
        let (is_settled, sight, _) = known(&[403, 403, 403, 200]).await;
        assert_eq!((is_settled, sight), (true, Sight::Listed));
    }
}
