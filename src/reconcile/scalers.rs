// SPDX-License-Identifier: Apache-2.0
//! What scales our Deployments, and the watches of autoscalers that are not ours: while one is there the number of pods
//! is its own, and the status of the Celery tells of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::channel::mpsc;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt as _};
use kube::Client;
use kube::api::{Api, DynamicObject};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::{self, Event, watcher};
use tracing::warn;

use super::Context;
use super::triggers::{PAGE, is_unknown_kind, objects, owner, patience};
use crate::build::{Applied, ChildKey, ChildKind, Children};
use crate::index::{ChildIndex, DeploymentKey, Owned, SCALERS, ScalerIndex, StoredCelery};
use crate::labels::FOREIGN_SELECTOR;
use crate::resolve::{Owner, Scaling};
use crate::status::Scalers;

/// What scales a Deployment at this moment, whoever made it, a `ScaledObject` that is about to be made included.
pub(super) fn scaling(context: &Context, namespace: &str, deployment: &str, wanted: &Children) -> Scaling {
    let of_others = context.scalers.of(&(namespace.to_owned(), deployment.to_owned()));
    let is_there =
        |kind: &ChildKind| context.index.has(&(*kind, namespace.to_owned(), deployment.to_owned()));
    let is_to_come = |kind: &ChildKind| {
        *kind == ChildKind::ScaledObject
            && wanted.manifests.iter().any(|it| it.kind == *kind && it.name == deployment)
    };
    let ours = SCALERS.into_iter().filter(|kind| is_there(kind) || is_to_come(kind));
    let known = of_others.into_iter().map(|(kind, _)| kind).chain(ours).map(of_kind).max();
    // Until those of others are known, any number may be the work of one of them. Where they will never be, the spec
    // would never count again.
    let hpa = ChildKind::HorizontalPodAutoscaler;
    let is_blind = !context.scalers.has_listed(hpa) && !context.index.is_forbidden(hpa);
    if is_blind { Scaling::FromZero } else { known.unwrap_or_default() }
}

fn of_kind(kind: ChildKind) -> Scaling {
    match kind {
        ChildKind::ScaledObject => Scaling::FromZero,
        _ => Scaling::FromOne,
    }
}

/// The autoscalers beside these children, and those of this owner that are no children any more.
pub(super) fn seen(context: &Context, owner: &Owner, children: &[Applied]) -> Scalers {
    let namespace = owner.namespace.as_str();
    let children_of = |kind: ChildKind| children.iter().filter(move |child| child.kind == kind);
    let foreign = children_of(ChildKind::Deployment).filter_map(|child| {
        let found = context.scalers.of(&(namespace.to_owned(), child.name.clone()));
        let found: Vec<String> =
            found.iter().map(|(kind, name)| format!("{} {name}", kind.as_str())).collect();
        (!found.is_empty()).then(|| (child.name.clone(), found))
    });
    let of_keda = children_of(ChildKind::ScaledObject).filter_map(|child| {
        let kind = ChildKind::HorizontalPodAutoscaler;
        let live = context.index.get(&(kind, namespace.to_owned(), child.name.clone()))?;
        Some(Applied { kind, name: child.name.clone(), live })
    });
    let is_child = |kind, name: &str| children.iter().any(|child| child.kind == kind && child.name == name);
    let leaving =
        context.index.owned(&owner.uid).into_iter().map(|Owned { key: (kind, _, name), .. }| (kind, name));
    let leaving = leaving.filter(|(kind, name)| SCALERS.contains(kind) && !is_child(*kind, name));
    let mut leaving: Vec<(ChildKind, String)> = leaving.collect();
    // What KEDA has made of a `ScaledObject` goes a moment after it.
    let hpa = ChildKind::HorizontalPodAutoscaler;
    let left_behind = children_of(ChildKind::Deployment).map(|child| &child.name).filter(|name| {
        let key: ChildKey = (hpa, namespace.to_owned(), (*name).clone());
        context.index.has(&key) && !SCALERS.iter().any(|kind| is_child(*kind, name))
    });
    leaving.extend(left_behind.map(|name| (hpa, name.clone())));
    Scalers { foreign: foreign.collect(), of_keda: of_keda.collect(), leaving }
}

/// The Celery objects whose Deployments somebody else scales now, or no longer. `news` is told once they are known.
pub(super) fn watched(
    client: &Client,
    scope: Option<&str>,
    index: &Arc<ScalerIndex>,
    children: &Arc<ChildIndex>,
    news: &mpsc::UnboundedSender<()>,
) -> Vec<BoxStream<'static, ObjectRef<StoredCelery>>> {
    let watched = |kind: ChildKind| {
        let api = objects(client, scope, &kind.resource());
        let children = children.clone();
        let deployments = deployments(kind, api, index.clone(), news.clone());
        let owners =
            deployments.filter_map(move |deployment| std::future::ready(celery_of(&children, deployment)));
        owners.boxed()
    };
    SCALERS.map(watched).into()
}

/// The Deployments of anybody that somebody else scales now, or no longer.
fn deployments(
    kind: ChildKind,
    api: Api<DynamicObject>,
    index: Arc<ScalerIndex>,
    news: mpsc::UnboundedSender<()>,
) -> impl Stream<Item = DeploymentKey> {
    let config = watcher::Config::default().labels(FOREIGN_SELECTOR).page_size(PAGE);
    let mut is_failing = false;
    watcher(api, config).backoff(patience(kind)).flat_map(move |event| {
        let known = || (index.is_settled(), index.has_listed(kind));
        let before = known();
        let changed = match event {
            Ok(event) => {
                is_failing &= matches!(event, Event::Init);
                index.observe(kind, event)
            }
            Err(error) => {
                // Without them nothing is told of other autoscalers: nothing to stop for.
                if !is_failing && !is_unknown_kind(&error) {
                    warn!(kind = kind.as_str(), %error, "autoscalers of others cannot be watched");
                }
                is_failing = true;
                index.settle(kind);
                BTreeSet::new()
            }
        };
        if before != known() && index.is_settled() {
            let _ = news.unbounded_send(());
        }
        stream::iter(changed)
    })
}

/// The Celery that a Deployment is of, if it is of any.
fn celery_of(children: &ChildIndex, (namespace, name): DeploymentKey) -> Option<ObjectRef<StoredCelery>> {
    owner(&*children.get(&(ChildKind::Deployment, namespace, name))?)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::http::{Request, Response};
    use kube::client::Body;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_number_is_left_alone_until_autoscalers_are_known_or_will_never_be() {
        let nobody =
            tower::service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
        let context = Context::of_test(Client::new(nobody, "web"));
        let hpa = ChildKind::HorizontalPodAutoscaler;
        let scaling = |deployment: &str| scaling(&context, "web", deployment, &Children::default());
        context.scalers.settle(hpa);
        assert_eq!(scaling("shop-worker"), Scaling::FromZero);
        context.index.forbid(hpa);
        assert_eq!(scaling("shop-worker"), Scaling::Nothing);
        // Those of KEDA may be known all the same.
        let theirs = json!({"metadata": {"name": "theirs", "namespace": "web"},
                            "spec": {"scaleTargetRef": {"name": "shop-worker"}}});
        let theirs = serde_json::from_value(theirs).expect("an object");
        context.scalers.observe(ChildKind::ScaledObject, Event::Apply(theirs));
        assert_eq!(scaling("shop-worker"), Scaling::FromZero);
        assert_eq!(scaling("shop-worker-mail"), Scaling::Nothing);
    }
}
