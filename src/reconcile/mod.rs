// SPDX-License-Identifier: Apache-2.0
//! The second door: stored objects become Deployments, Services, autoscalers, and the truth goes back into status.

mod context;
mod converge;
mod deeds;
mod guard;
mod pods;
mod roll;
mod scalers;
mod triggers;

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures::future::{self, FutureExt as _};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::DynamicObject;
use kube::core::ApiResource;
use kube::runtime::controller::{self, Action, Config, Controller};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, ResourceExt as _};
use thiserror::Error;
use tokio::sync::watch;
use tracing::warn;

use self::context::Context;
use self::converge::Outcome;
use crate::annotations::Asked;
use crate::api::{Celery, CeleryStatus};
use crate::cluster;
use crate::index::{
    CeleryFeed, CeleryIndex, ChildIndex, ConfigIndex, PodIndex, ScalerIndex, StoredCelery, Surroundings,
};
use crate::metrics::Metrics;
use crate::resolve::Owner;
use crate::rules::NotACelery;
use crate::status::{self, Failure, Observed, Paused, State, Verdict};

/// Objects that are reconciled at the same time.
pub const CONCURRENCY: u16 = 8;
/// After how long an object is looked at again without an event.
const RESYNC: Duration = Duration::from_mins(5);
/// The same where pods read Secrets or ConfigMaps at their start: these are not watched, and a change of theirs is to
/// be seen within a minute. What was read lately for another object is good enough, see [`ConfigIndex`].
const CONFIG_RESYNC: Duration = Duration::from_secs(30);
/// After how long a Secret that is missing is looked for again.
const MISSING: Duration = Duration::from_secs(5);
/// After how long a failed object is tried again, at most.
const MAX_PAUSE: Duration = Duration::from_mins(1);

/// Why a reconcile ended early.
#[derive(Debug, Error)]
#[error(transparent)]
struct Error(#[from] cluster::Error);

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
        let resource = ApiResource::erase::<Celery>(&());
        let celeries = triggers::objects(&client, scope, &resource);
        let mut feed = CeleryFeed::default();
        let (seen, store) = (feed.index(), feed.objects());
        let changes = watcher(celeries, watcher::Config::default().page_size(triggers::PAGE));
        let changes = changes.inspect_ok(move |event| feed.observe(event)).applied_objects();
        let controller = Controller::for_stream_with(changes, store, resource);
        Self {
            controller,
            triggers: triggers::triggers(&client, scope, &index, &pods, &scalers, leads.clone()),
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
                written: Mutex::default(),
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
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + Sync + 'static) {
        let store = self.controller.store();
        let context = self.context.clone();
        let metrics = self.context.metrics.clone();
        let (ended, end) = oneshot::channel::<()>();
        let controller = self
            .controller
            .with_config(Config::default().concurrency(CONCURRENCY))
            .reconcile_on(self.triggers.objects)
            .reconcile_all_on(self.triggers.everything)
            .graceful_shutdown_on(shutdown)
            .run(measured, |object, error, context| retry(&object, error, &context), self.context)
            .for_each(|outcome| {
                if matches!(outcome, Err(controller::Error::ObjectNotFound(_))) {
                    context.forget_all_but(&store.state());
                }
                std::future::ready(())
            });
        let controller = async {
            controller.await;
            drop(ended);
        };
        let events = self.events.run(end.map(drop), move |fate| metrics.told(fate.as_str()));
        future::join(controller, events).await;
    }
}

/// A reconcile, counted.
async fn measured(stored: Arc<StoredCelery>, context: Arc<Context>) -> Result<Action, Error> {
    let begin = Instant::now();
    // Boxed: it is large, and the controller holds many.
    let outcome = Box::pin(reconcile(&stored, context.clone())).await;
    let word = outcome.as_ref().map_or_else(|Error(error)| error.reason(), |_| "done");
    context.metrics.reconciled(word, begin.elapsed());
    outcome
}

/// guard → read → resolve → build → apply → status, for one object.
async fn reconcile(stored: &StoredCelery, context: Arc<Context>) -> Result<Action, Error> {
    if !context.may_write() {
        // Whatever is the last to change that triggers everything that the store holds by then.
        return Ok(Action::await_change());
    }
    let object = context.newest(stored.object());
    if object.metadata.deletion_timestamp.is_some() {
        context.forget(&object);
        return Ok(Action::await_change());
    }
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let facts = context.surroundings.facts(&namespace, &name, stored.app().unwrap_or(&name));
    let judged = match guard::judge(&object, &facts) {
        Ok(judged) => judged,
        Err(unreadable) => return park_unreadable(&context, &object, &unreadable).await,
    };
    let asked = Asked::of(object.metadata.annotations.as_ref());
    let (applied, failure) = match judged.verdict {
        Verdict::Refused => (None, None),
        Verdict::Accepted | Verdict::Tolerated => {
            match converge::converge(&context, &judged.celery, &asked).await {
                Ok((outcome, failure)) => (Some(outcome), failure),
                Err(error) => (None, Some(error)),
            }
        }
    };
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
            capabilities: outcome.capabilities,
        }),
        failure: failure.as_ref().map(|error| Failure {
            reason: error.reason(),
            message: error.to_string(),
            stalled: error.is_stalled(),
        }),
        previous: judged.celery.status.as_ref(),
    };
    let status = status::status(&observed, &Time(Timestamp::now()));
    report(&context, &object, judged.celery.status.as_ref(), &status).await?;
    if let Some(error) = failure {
        return Err(Error(error));
    }
    context.forget_failures(&object);
    Ok(Action::requeue(applied.as_ref().map_or(RESYNC, pause)))
}

/// After how long to look at an object again although nothing was heard.
fn pause(outcome: &Outcome) -> Duration {
    if outcome.resolved.waits_for_secret() {
        return MISSING;
    }
    let pause = if outcome.follows_configs { CONFIG_RESYNC } else { RESYNC };
    outcome.troubles.again.map_or(pause, |again| again.min(pause))
}

/// Says of an object that cannot be read that it cannot; its children stay as they are.
async fn park_unreadable(
    context: &Context,
    object: &DynamicObject,
    why: &NotACelery,
) -> Result<Action, Error> {
    let written: Option<CeleryStatus> =
        serde_json::from_value(object.data["status"].clone()).unwrap_or_default();
    let observed = Observed {
        generation: object.metadata.generation,
        verdict: Verdict::Refused,
        findings: &[],
        paused: None,
        applied: None,
        failure: Some(Failure { reason: "Unreadable", message: why.to_string(), stalled: true }),
        previous: written.as_ref(),
    };
    let status = status::status(&observed, &Time(Timestamp::now()));
    report(context, object, written.as_ref(), &status).await?;
    Ok(Action::await_change())
}

/// Writes the status, only if it is another one.
async fn report(
    context: &Context,
    object: &DynamicObject,
    written: Option<&CeleryStatus>,
    status: &CeleryStatus,
) -> Result<(), Error> {
    if written == Some(status) {
        return Ok(());
    }
    let owner = Owner {
        name: object.name_any(),
        namespace: object.namespace().unwrap_or_default(),
        uid: object.uid().unwrap_or_default(),
        generation: object.metadata.generation,
    };
    let stored = cluster::write_status(&context.client, &owner, status).await?;
    context.lock_written().insert(owner.uid.clone(), stored);
    for news in status::of_conditions(written, status) {
        context.tell(&owner, news);
    }
    Ok(())
}

fn retry(object: &StoredCelery, error: &Error, context: &Context) -> Action {
    if !context.may_write() {
        // Whoever writes now does it.
        return Action::await_change();
    }
    let Error(error) = error;
    let namespace = object.namespace();
    warn!(name = object.name_any(), namespace, reason = error.reason(), %error, detail = error.detail(), "not converged");
    let mut failures = context.lock_failures();
    let count = failures.entry(object.uid().unwrap_or_default()).or_default();
    *count = count.saturating_add(1);
    if error.is_settled() {
        return Action::requeue(RESYNC);
    }
    // 0.5 s, 1 s, 2 s … one minute.
    Action::requeue(Duration::from_millis(250u64.saturating_mul(1 << (*count).min(8))).min(MAX_PAUSE))
}
