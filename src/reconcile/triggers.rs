// SPDX-License-Identifier: Apache-2.0
//! Watches of the children: they feed the index and say which Celery to look at.

use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc;
use futures::stream::{self, BoxStream, SelectAll, select_all};
use futures::{Stream, StreamExt as _};
use kube::api::{Api, DynamicObject};
use kube::core::DynamicResourceScope;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, DefaultBackoff, Error, Event, watcher};
use kube::{Client, Resource, ResourceExt as _};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{pods, scalers};
use crate::api::API_VERSION;
use crate::build::ChildKind;
use crate::index::{ChildIndex, PodIndex, ScalerIndex, StoredCelery};
use crate::labels::{INSTANCE, MANAGED_SELECTOR};
use crate::metrics::Metrics;

/// Objects of one answer to a list: they lie in memory as a whole, and an allocator does not give back its highest mark.
pub(super) const PAGE: u32 = 50;

/// After how long a kind is asked for again that the cluster may not know.
const ABSENT: Duration = Duration::from_secs(5);

/// How often in a row a kind has to be refused to be taken for closed to us.
pub(super) const REFUSALS: u8 = 3;

/// What the controller listens to.
pub(super) struct Triggers {
    /// A child of this object changed.
    pub(super) objects: SelectAll<BoxStream<'static, ObjectRef<StoredCelery>>>,
    /// Every kind of children was listed, an optional one came or went, or this process is the one that writes now: every
    /// object is to be looked at.
    pub(super) everything: BoxStream<'static, ()>,
}

/// Watches every kind of children and keeps the index in step.
pub(super) fn triggers(
    client: &Client,
    scope: Option<&str>,
    index: &Arc<ChildIndex>,
    pods: &Arc<PodIndex>,
    scalers: &Arc<ScalerIndex>,
    metrics: &Arc<Metrics>,
    leads: watch::Receiver<bool>,
) -> Triggers {
    let (sender, everything) = mpsc::unbounded();
    let everything = stream::select(everything, elections(leads));
    let streams = ChildKind::ALL.map(|kind| {
        let api = objects(client, scope, &kind.resource());
        watched(kind, api, index.clone(), sender.clone(), metrics.clone()).boxed()
    });
    let of_scalers = scalers::watched(client, scope, scalers, index, &sender);
    let of_pods = pods::watched(client, scope, pods.clone(), sender).boxed();
    Triggers {
        objects: select_all(streams.into_iter().chain(of_scalers).chain([of_pods])),
        everything: everything.boxed(),
    }
}

/// The objects of a resource in a namespace, or in all of them where none is named.
pub(super) fn objects<K: Resource<Scope = DynamicResourceScope>>(
    client: &Client,
    scope: Option<&str>,
    resource: &K::DynamicType,
) -> Api<K> {
    match scope {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
        None => Api::all_with(client.clone(), resource),
    }
}

/// The moments at which this process becomes the one that writes.
fn elections(leads: watch::Receiver<bool>) -> impl Stream<Item = ()> {
    stream::unfold(leads, |mut leads| async move {
        // Nothing comes any more once nobody tells.
        leads.wait_for(|leads| !leads).await.ok()?;
        leads.wait_for(|leads| *leads).await.ok()?;
        Some(((), leads))
    })
}

fn watched(
    kind: ChildKind,
    api: Api<DynamicObject>,
    index: Arc<ChildIndex>,
    news: mpsc::UnboundedSender<()>,
    metrics: Arc<Metrics>,
) -> impl Stream<Item = ObjectRef<StoredCelery>> {
    let config = watcher::Config::default().labels(MANAGED_SELECTOR).page_size(PAGE);
    let (mut is_failing, mut refusals) = (false, 0_u8);
    watcher(api, config).backoff(patience(kind)).flat_map(move |event| {
        let mut changed = Vec::new();
        match event {
            Ok(event) => {
                // Every attempt to list begins with `Init`, also one that fails.
                if !matches!(event, Event::Init) {
                    (is_failing, refusals) = (false, 0);
                }
                let change = index.observe(kind, event);
                if change.became_known {
                    metrics.permitted(kind.as_str(), true);
                }
                if change.became_known && kind.is_optional() {
                    info!(kind = kind.as_str(), "the cluster knows this kind");
                }
                // Nothing is reconciled before all kinds are listed: the last of them wakes up everything.
                if change.became_known && (kind.is_optional() || index.is_synced()) {
                    let _ = news.unbounded_send(());
                }
                changed = change.objects;
            }
            Err(error) if kind.is_optional() && is_unknown_kind(&error) => {
                if index.forget_kind(kind) {
                    info!(kind = kind.as_str(), "the cluster does not know this kind");
                    let _ = news.unbounded_send(());
                }
            }
            Err(error) if is_forbidden(&error) => {
                refusals = refusals.saturating_add(1);
                // A role that was just written takes a moment.
                if refusals >= REFUSALS && index.forbid(kind) {
                    warn!(kind = kind.as_str(), %error, "not permitted; objects that need this kind say so");
                    metrics.permitted(kind.as_str(), false);
                    let _ = news.unbounded_send(());
                }
            }
            Err(error) => {
                // Said once, not at every attempt.
                if !is_failing && (index.is_synced() || index.knows(kind)) {
                    warn!(kind = kind.as_str(), %error, "watch interrupted");
                } else if !is_failing {
                    warn!(kind = kind.as_str(), %error, "cannot be listed; nothing is reconciled until it can");
                }
                is_failing = true;
            }
        }
        stream::iter(changed).filter_map(move |child| {
            std::future::ready(owner(&child).or_else(|| made_for(kind, &child)))
        })
    })
}

/// The Celery for which an object was made that does not belong to it: a claim that outlived its owner, and the
/// autoscaler of KEDA, which copies the labels of its ScaledObject.
fn made_for(kind: ChildKind, child: &DynamicObject) -> Option<ObjectRef<StoredCelery>> {
    let is_made = matches!(kind, ChildKind::PersistentVolumeClaim | ChildKind::HorizontalPodAutoscaler);
    let name = child.labels().get(INSTANCE).filter(|_| is_made)?;
    let namespace = child.namespace()?;
    Some(ObjectRef::new(name).within(&namespace))
}

/// The same pause each time.
struct Steady;

impl Iterator for Steady {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(ABSENT)
    }
}

impl Backoff for Steady {
    fn reset(&mut self) {}
}

/// How long to wait after a failed attempt. kube's own waits are longer each time, and short again after every success;
/// the beginning of an attempt counts as one, so that a kind the cluster does not know would be asked for every second.
pub(super) fn patience(kind: ChildKind) -> Box<dyn Backoff> {
    if kind.is_optional() { Box::new(Steady) } else { Box::new(DefaultBackoff::default()) }
}

/// The API server answers 404 for a kind it does not serve.
pub(super) fn is_unknown_kind(error: &Error) -> bool {
    code(error) == Some(404)
}

/// It answers 403 where a role is missing, also for a kind it does not serve.
pub(super) fn is_forbidden(error: &Error) -> bool {
    code(error) == Some(403)
}

fn code(error: &Error) -> Option<u16> {
    match error {
        Error::InitialListFailed(kube::Error::Api(status))
        | Error::WatchStartFailed(kube::Error::Api(status))
        | Error::WatchError(status) => Some(status.code),
        _ => None,
    }
}

pub(super) fn owner(child: &DynamicObject) -> Option<ObjectRef<StoredCelery>> {
    let owners = child.metadata.owner_references.iter().flatten();
    let owner = owners
        .filter(|owner| owner.controller == Some(true) && owner.kind == "Celery")
        .find(|owner| owner.api_version == API_VERSION)?;
    let namespace = child.namespace()?;
    Some(ObjectRef::new(&owner.name).within(&namespace))
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// How long a watch takes for five attempts of which each begins well and ends badly.
    async fn waited(kind: ChildKind) -> Duration {
        let attempts = stream::iter([Ok(()), Err(())].repeat(5));
        let begin = Instant::now();
        attempts.backoff(patience(kind)).for_each(|_| std::future::ready(())).await;
        begin.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_kind_that_the_cluster_does_not_know_is_not_asked_for_all_the_time() {
        assert!(waited(ChildKind::ScaledObject).await >= 4 * ABSENT);
        assert!(waited(ChildKind::Deployment).await < 2 * ABSENT);
    }
}
