// SPDX-License-Identifier: Apache-2.0
//! The second door: stored objects become Deployments, Services, autoscalers, and the truth goes back into status.

mod converge;
mod guard;
mod triggers;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DynamicObject};
use kube::core::ApiResource;
use kube::runtime::controller::{self, Action, Config, Controller};
use kube::runtime::reflector::Store;
use kube::runtime::watcher;
use kube::{Client, Resource as _, ResourceExt as _};
use thiserror::Error;
use tracing::warn;

use crate::api::{Celery, CeleryStatus};
use crate::cluster;
use crate::index::{CeleryIndex, ChildIndex, StoredCelery, Surroundings};
use crate::resolve::Owner;
use crate::rules::NotACelery;
use crate::status::{self, Failure, Observed, State, Verdict};

/// Objects that are reconciled at the same time.
pub const CONCURRENCY: u16 = 8;
/// After how long an object is looked at again without an event: Secrets that it refers to are not watched.
const RESYNC: Duration = Duration::from_mins(5);
/// After how long a Secret that is missing is looked for again.
const MISSING: Duration = Duration::from_secs(5);
/// After how long a failed object is tried again, at most.
const MAX_PAUSE: Duration = Duration::from_mins(1);

/// What every reconcile needs.
struct Context {
    client: Client,
    index: Arc<ChildIndex>,
    /// What the rules may know beside an object.
    surroundings: Surroundings,
    /// Our own last status writes that the watch has not shown yet.
    written: Mutex<HashMap<String, DynamicObject>>,
    /// Failures in a row, by UID.
    failures: Mutex<HashMap<String, u32>>,
}

/// Why a reconcile ended early.
#[derive(Debug, Error)]
#[error(transparent)]
struct Error(#[from] cluster::Error);

/// The reconciler of one scope, before it runs.
pub struct Reconciler {
    controller: Controller<StoredCelery>,
    triggers: triggers::Triggers,
    context: Arc<Context>,
}

impl Reconciler {
    /// A reconciler of every Celery of one namespace, or of all namespaces. Nothing is asked before it runs.
    #[must_use]
    pub fn new(client: Client, scope: Option<&str>) -> Self {
        let index = Arc::new(ChildIndex::default());
        let resource = ApiResource::erase::<Celery>(&());
        let celeries: Api<StoredCelery> = match scope {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
            None => Api::all_with(client.clone(), &resource),
        };
        let controller =
            Controller::new_with(celeries, watcher::Config::default().page_size(triggers::PAGE), resource);
        let seen = CeleryIndex::new(vec![controller.store()]);
        Self {
            controller,
            triggers: triggers::triggers(&client, scope, &index),
            context: Arc::new(Context {
                client,
                surroundings: Surroundings::new(seen, vec![index.clone()]),
                index,
                written: Mutex::default(),
                failures: Mutex::default(),
            }),
        }
    }

    /// The Celery objects it sees, filled while it runs.
    #[must_use]
    pub fn store(&self) -> Store<StoredCelery> {
        self.controller.store()
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
        self.controller
            .with_config(Config::default().concurrency(CONCURRENCY))
            .reconcile_on(self.triggers.objects)
            .reconcile_all_on(self.triggers.everything)
            .graceful_shutdown_on(shutdown)
            .run(reconcile, |object, error, context| retry(&object, error, &context), self.context)
            .for_each(|outcome| {
                if matches!(outcome, Err(controller::Error::ObjectNotFound(_))) {
                    context.forget_all_but(&store.state());
                }
                std::future::ready(())
            })
            .await;
    }
}

/// guard → read → resolve → build → apply → status, for one object.
async fn reconcile(stored: Arc<StoredCelery>, context: Arc<Context>) -> Result<Action, Error> {
    if !context.index.is_synced() {
        // The last kind that gets listed triggers everything that the store holds by then.
        return Ok(Action::await_change());
    }
    let object = context.newest(stored.object());
    if object.metadata.deletion_timestamp.is_some() {
        context.forget(&object);
        return Ok(Action::await_change());
    }
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let facts = context.surroundings.facts(&namespace, &name, stored.app().unwrap_or_default());
    let judged = match guard::judge(&object, &facts) {
        Ok(judged) => judged,
        Err(unreadable) => return park_unreadable(&context, &object, &unreadable).await,
    };
    let (applied, failure) = match judged.verdict {
        Verdict::Refused => (None, None),
        Verdict::Accepted | Verdict::Tolerated => match converge::converge(&context, &judged.celery).await {
            Ok((outcome, failure)) => (Some(outcome), failure),
            Err(error) => (None, Some(error)),
        },
    };
    let observed = Observed {
        generation: object.metadata.generation,
        verdict: judged.verdict,
        findings: &judged.findings,
        applied: applied.as_ref().map(|outcome| State {
            resolved: &outcome.resolved,
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
        Err(Error(error))
    } else {
        context.forget_failures(&object);
        let waits = applied.is_some_and(|outcome| outcome.resolved.waits_for_secret());
        Ok(Action::requeue(if waits { MISSING } else { RESYNC }))
    }
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
    let written = cluster::write_status(&context.client, &owner, status).await?;
    context.lock_written().insert(owner.uid, written);
    Ok(())
}

fn retry(object: &StoredCelery, error: &Error, context: &Context) -> Action {
    let Error(error) = error;
    let namespace = object.namespace();
    warn!(name = object.name_any(), namespace, reason = error.reason(), %error, detail = error.detail(), "not converged");
    let mut failures = context.lock_failures();
    let count = failures.entry(object.uid().unwrap_or_default()).or_default();
    *count = count.saturating_add(1);
    // 0.5 s, 1 s, 2 s … one minute.
    Action::requeue(Duration::from_millis(250u64.saturating_mul(1 << (*count).min(8))).min(MAX_PAUSE))
}

impl Context {
    /// The object from the watch, or what our own last write returned, whichever is newer.
    fn newest(&self, seen: DynamicObject) -> DynamicObject {
        let version = |object: &DynamicObject| {
            object
                .metadata
                .resource_version
                .as_deref()
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or_default()
        };
        let uid = seen.uid().unwrap_or_default();
        let mut written = self.lock_written();
        match written.get(&uid) {
            Some(own) if version(own) > version(&seen) => own.clone(),
            Some(_) => {
                written.remove(&uid);
                seen
            }
            None => seen,
        }
    }

    fn lock_written(&self) -> std::sync::MutexGuard<'_, HashMap<String, DynamicObject>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_failures(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the last attempt at the object of this UID has failed.
    fn has_failed(&self, uid: &str) -> bool {
        self.lock_failures().contains_key(uid)
    }

    fn forget_failures(&self, object: &DynamicObject) {
        self.lock_failures().remove(&object.uid().unwrap_or_default());
    }

    /// Drops what was noted of an object that goes.
    fn forget(&self, object: &DynamicObject) {
        self.forget_failures(object);
        self.lock_written().remove(&object.uid().unwrap_or_default());
    }

    /// Drops what was noted of objects that are no longer there.
    fn forget_all_but(&self, present: &[Arc<StoredCelery>]) {
        let present: HashSet<&str> =
            present.iter().filter_map(|object| object.meta().uid.as_deref()).collect();
        self.lock_failures().retain(|uid, _| present.contains(uid.as_str()));
        self.lock_written().retain(|uid, _| present.contains(uid.as_str()));
    }
}
