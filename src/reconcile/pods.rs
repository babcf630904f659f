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

use super::triggers::PAGE;
use crate::index::{CeleryKey, PodIndex, StoredCelery};
use crate::labels::MANAGED_SELECTOR;

/// The Celery objects whose pods suffer from something else than before. `news` is told once the pods are known.
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
    let mut is_failing = false;
    watcher(api, config).default_backoff().flat_map(move |event| {
        let was_settled = index.is_settled();
        let changed = match event {
            Ok(event) => {
                is_failing &= matches!(event, Event::Init);
                index.observe(event)
            }
            Err(error) => {
                // Without pods a rollout that fails is told as one that takes long: nothing to stop for.
                if !is_failing {
                    warn!(%error, "pods cannot be watched; why they fail is not told until they can");
                }
                is_failing = true;
                index.settle();
                Vec::new()
            }
        };
        if !was_settled && index.is_settled() {
            let _ = news.unbounded_send(());
        }
        stream::iter(changed.into_iter().map(reference))
    })
}

fn reference((namespace, name): CeleryKey) -> ObjectRef<StoredCelery> {
    ObjectRef::new(&name).within(&namespace)
}
