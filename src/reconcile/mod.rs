// SPDX-License-Identifier: Apache-2.0
//! The second door: stored objects become Deployments, Services, autoscalers, and the truth goes back into status.

mod context;
mod converge;
mod deeds;
mod failures;
mod guard;
mod pods;
mod predecessor;
mod report;
mod retry;
mod roll;
mod scalers;
mod steps;
mod triggers;
mod written;

use std::future::Future;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::mem;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures::future::{self, Either, FutureExt as _};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::runtime::controller::{self, Action, Config, Controller};
use kube::runtime::{PredicateConfig, WatchStreamExt as _, watcher};
use kube::{Client, Resource as _, ResourceExt as _};
use tokio::sync::watch;

use self::context::Context;
use self::converge::Outcome;
use self::failures::Failures;
use self::report::{leave, park_unreadable, report};
use self::retry::{Error, retry};
use self::written::Written;
use crate::annotations::Asked;
use crate::cluster;
use crate::index::{
    CeleryFeed, CeleryIndex, ChildIndex, ConfigIndex, PodIndex, ScalerIndex, StoredCelery, Surroundings,
};
use crate::metrics::Metrics;
use crate::status::{self, Observed, Paused, State, Verdict};

/// Objects that are reconciled at the same time.
pub const CONCURRENCY: u16 = 8;
/// After how long an object is looked at again without an event.
const RESYNC: Duration = Duration::from_mins(5);
/// The same where pods read Secrets or ConfigMaps at their start: these are not watched, and a change of theirs is to
/// be seen within a minute. What was read lately for another object is good enough, see [`ConfigIndex`].
const CONFIG_RESYNC: Duration = Duration::from_secs(30);
/// After how long a Secret that is missing is looked for again.
const MISSING: Duration = Duration::from_secs(5);

/// The reconciler of one scope, before it runs.
pub struct Reconciler {
    controller: Controller<StoredCelery>,
    triggers: triggers::Triggers,
    events: cluster::Writer,
    context: Arc<Context>,
}

impl Reconciler {
    /// A reconciler of every Celery of one namespace, or of all namespaces. Nothing is asked before it runs.
    ///
    /// While `leads` says no, it keeps what it knows up to date and writes nothing.
    #[must_use]
    pub fn new(
        client: Client,
        scope: Option<&str>,
        metrics: Arc<Metrics>,
        leads: watch::Receiver<bool>,
    ) -> Self {
        let index = Arc::new(ChildIndex::default());
        let pods = Arc::new(PodIndex::default());
        let scalers = Arc::new(ScalerIndex::default());
        let (teller, events) = cluster::events(client.clone(), &cluster::instance());
        let celeries = triggers::objects(&client, scope, &());
        let mut feed = CeleryFeed::default();
        let (seen, objects) = (feed.index(), feed.objects());
        let changes = watcher(celeries, watcher::Config::default().page_size(triggers::PAGE));
        let written = Arc::new(Written::default());
        let (shown, gone) = (written.clone(), written.clone());
        let changes = changes
            .inspect_ok(move |event| {
                feed.observe(event);
                if let watcher::Event::Delete(object) = event {
                    gone.forget(object.meta().uid.as_deref().unwrap_or_default());
                }
            })
            .applied_objects();
        let changes = changes
            .inspect_ok(move |object| {
                shown.see(object.meta().uid.as_deref().unwrap_or_default(), object.version());
            })
            .predicate_filter(|object: &StoredCelery| Some(followed(object)), PredicateConfig::default());
        let controller = Controller::for_stream(changes, objects.clone());
        Self {
            controller,
            triggers: triggers::triggers(&client, scope, &index, &pods, &scalers, &metrics, leads.clone()),
            events,
            context: Arc::new(Context {
                client,
                surroundings: Surroundings::new(seen, vec![index.clone()]),
                index,
                pods,
                scalers,
                configs: ConfigIndex::default(),
                metrics,
                leads,
                teller,
                written,
                objects,
                waiting: Mutex::default(),
                failures: Mutex::default(),
            }),
        }
    }

    /// The Celery objects it sees, filled while it runs.
    #[must_use]
    pub fn celeries(&self) -> CeleryIndex {
        self.context.surroundings.celeries().clone()
    }

    /// Their children, and which kinds the cluster knows, filled while it runs.
    #[must_use]
    pub fn children(&self) -> Arc<ChildIndex> {
        self.context.index.clone()
    }

    /// Runs until `shutdown`, and finishes what is in flight.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) {
        let shutdown = shutdown.shared();
        let store = self.controller.store();
        let context = self.context.clone();
        let metrics = self.context.metrics.clone();
        let (ended, end) = oneshot::channel::<()>();
        let controller = self
            .controller
            .with_config(Config::default().concurrency(CONCURRENCY))
            .reconcile_on(self.triggers.objects)
            .reconcile_all_on(self.triggers.everything)
            .graceful_shutdown_on(shutdown.clone())
            .run(measured, |object, error, context| retry(&object, error, &context), self.context)
            .for_each(|outcome| {
                if matches!(outcome, Err(controller::Error::ObjectNotFound(_))) {
                    context.forget_all_but(&store.state());
                }
                std::future::ready(())
            });
        // A controller begins with nothing before its first list, and until then it does not end either. Nothing is in
        // flight, so that it is left where it is.
        let listed = store.wait_until_ready();
        let never_begins = async {
            if let Either::Right(((), _)) = future::select(pin!(listed), shutdown).await {
                return;
            }
            future::pending::<()>().await;
        };
        let controller = async {
            future::select(pin!(never_begins), pin!(controller)).await;
            drop(ended);
        };
        let events = self.events.run(end.map(drop), move |fate| metrics.told(fate.as_str()));
        future::join(controller, events).await;
    }
}

/// What a reconcile follows from, in one number: all but the status. That we write ourselves, and where every attempt
/// fails with other words, each would call for the next at once.
fn followed(object: &StoredCelery) -> u64 {
    let meta = object.meta();
    let mut hasher = DefaultHasher::new();
    meta.generation.hash(&mut hasher);
    meta.labels.hash(&mut hasher);
    meta.annotations.hash(&mut hasher);
    meta.finalizers.hash(&mut hasher);
    meta.deletion_timestamp.as_ref().map(|time| time.0.as_second()).hash(&mut hasher);
    hasher.finish()
}

/// A reconcile, counted.
async fn measured(stored: Arc<StoredCelery>, context: Arc<Context>) -> Result<Action, Error> {
    let begin = Instant::now();
    // Boxed: it is large, and the controller holds many.
    let outcome = Box::pin(reconcile(&stored, context.clone())).await;
    let word = outcome.as_ref().map_or_else(Error::reason, |(end, _)| end.as_str());
    context.metrics.reconciled(word, begin.elapsed());
    outcome.map(|(_, action)| action)
}

/// How a reconcile ended.
enum End {
    /// Everything was looked at.
    Done,
    /// Nothing: somebody else writes, or not everything is listed yet.
    Waiting,
    /// The object is about to go.
    Leaving,
}

impl End {
    /// One word for metrics.
    fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Waiting => "waiting",
            Self::Leaving => "leaving",
        }
    }
}

/// guard → read → resolve → build → apply → status, for one object.
async fn reconcile(stored: &StoredCelery, context: Arc<Context>) -> Result<(End, Action), Error> {
    if !context.may_write() {
        // Whatever is the last to change that triggers everything that the store holds by then.
        return Ok((End::Waiting, Action::await_change()));
    }
    let object = context.newest(stored);
    if object.metadata.deletion_timestamp.is_some() {
        return leave(&context, &object).await;
    }
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let facts = context.surroundings.facts(&namespace, &name, stored.app().unwrap_or(&name));
    let judged = match guard::judge(&object, &facts) {
        Ok(judged) => judged,
        Err(unreadable) => return park_unreadable(&context, &object, &unreadable).await,
    };
    let asked = Asked::of(object.metadata.annotations.as_ref());
    let (mut applied, early) = match judged.verdict {
        Verdict::Refused => (None, Failures::default()),
        Verdict::Accepted | Verdict::Tolerated => {
            match converge::converge(&context, &judged.celery, &asked).await {
                Ok(outcome) => (Some(outcome), Failures::default()),
                Err(error) => (None, error.into()),
            }
        }
    };
    let failures = applied.as_mut().map_or(early, |outcome| mem::take(&mut outcome.failures));
    let nothing_done = asked.paused.then_some(Paused::InStep);
    let observed = Observed {
        generation: object.metadata.generation,
        verdict: judged.verdict,
        findings: &judged.findings,
        paused: applied.as_ref().map_or(nothing_done, |outcome| outcome.paused.clone()),
        applied: applied.as_ref().map(|outcome| State {
            spec: &judged.celery.spec,
            resolved: &outcome.resolved,
            troubles: &outcome.troubles.of,
            scalers: &outcome.scalers,
            children: &outcome.children,
            obstacles: &outcome.obstacles,
            capabilities: outcome.capabilities,
        }),
        failure: failures.first().map(failures::failure),
        previous: judged.celery.status.as_ref(),
    };
    let status = status::status(&observed, &Time(Timestamp::now()));
    report(&context, &object, judged.celery.status.as_ref(), &status).await?;
    let again = applied.as_ref().map_or(RESYNC, pause);
    if !failures.is_empty() {
        return Err(Error { failures, again });
    }
    context.forget_failures(&object);
    Ok((End::Done, Action::requeue(again)))
}

/// After how long to look at an object again although nothing was heard.
fn pause(outcome: &Outcome) -> Duration {
    if outcome.resolved.waits_for_secret() {
        return MISSING;
    }
    let pause = if outcome.follows_configs { CONFIG_RESYNC } else { RESYNC };
    [outcome.troubles.again, outcome.again].into_iter().flatten().fold(pause, Duration::min)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use serde_json::{Value, json};

    use super::*;

    /// An API server that never answers, or refuses everything: nothing is ever listed.
    #[tokio::test]
    async fn who_has_not_begun_ends_when_asked() {
        let refused = |_| async {
            let body =
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403}).to_string();
            let response =
                axum::http::Response::builder().status(403).body(kube::client::Body::from(body.into_bytes()));
            Ok::<_, Infallible>(response.expect("a response"))
        };
        let silent = |_| future::pending::<Result<axum::http::Response<kube::client::Body>, Infallible>>();
        for client in [
            Client::new(tower::service_fn(refused), "default"),
            Client::new(tower::service_fn(silent), "default"),
        ] {
            let (_leads, leads) = watch::channel(true);
            let reconciler = Reconciler::new(client, None, Arc::default(), leads);
            let (end, ended) = oneshot::channel::<()>();
            let run = tokio::spawn(reconciler.run(ended.map(drop)));
            tokio::task::yield_now().await;
            drop(end);
            let patience = Duration::from_secs(30);
            tokio::time::timeout(patience, run).await.expect("it ends").expect("a task");
        }
    }

    #[test]
    fn a_reconcile_follows_from_everything_but_the_status() {
        let of = |metadata: Value, status: &str| {
            let mut object = json!({"metadata": {"name": "shop", "uid": "u", "generation": 3}, "status": {"workers": status}});
            object["metadata"]
                .as_object_mut()
                .expect("fields")
                .extend(metadata.as_object().expect("fields").clone());
            followed(&serde_json::from_value(object).expect("an object"))
        };
        let plain = of(json!({"resourceVersion": "5"}), "0/2");
        assert_eq!(of(json!({"resourceVersion": "6"}), "1/2"), plain);
        for change in [
            json!({"generation": 4}),
            json!({"annotations": {"celeryproject.org/paused": "true"}}),
            json!({"labels": {"team": "a"}}),
            json!({"finalizers": ["example.com/hold"]}),
            json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        ] {
            assert_ne!(of(change.clone(), "0/2"), plain, "{change}");
        }
    }
}
