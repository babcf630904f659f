// SPDX-License-Identifier: Apache-2.0
//! The second door: stored objects become Deployments, Services, autoscalers, and the truth goes back into status.

mod guard;
mod triggers;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DynamicObject};
use kube::core::ApiResource;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::Store;
use kube::runtime::watcher;
use kube::{Client, ResourceExt as _};
use thiserror::Error;
use tracing::{info, warn};

use crate::api::{Celery, CeleryStatus};
use crate::build::{self, Applied, Capabilities, ChildKind, Manifest};
use crate::cluster;
use crate::index::ChildIndex;
use crate::resolve::{self, Owner, Resolved};
use crate::status::{self, Failure, Observed, State, Verdict};

/// Objects that are reconciled at the same time.
const CONCURRENCY: u16 = 8;
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
    /// Our own last status writes that the watch has not shown yet.
    written: Mutex<HashMap<String, Arc<DynamicObject>>>,
    /// Failures in a row, by UID.
    failures: Mutex<HashMap<String, u32>>,
}

/// Why a reconcile ended early.
#[derive(Debug, Error)]
#[error(transparent)]
struct Error(#[from] cluster::Error);

/// The reconciler of one scope, before it runs.
pub struct Reconciler {
    controller: Controller<DynamicObject>,
    triggers: triggers::Triggers,
    context: Arc<Context>,
}

impl Reconciler {
    /// A reconciler of every Celery of one namespace, or of all namespaces. Nothing is asked before it runs.
    #[must_use]
    pub fn new(client: Client, scope: Option<&str>) -> Self {
        let index = Arc::new(ChildIndex::default());
        let resource = ApiResource::erase::<Celery>(&());
        let celeries: Api<DynamicObject> = match scope {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
            None => Api::all_with(client.clone(), &resource),
        };
        Self {
            controller: Controller::new_with(celeries, watcher::Config::default(), resource),
            triggers: triggers::triggers(&client, scope, &index),
            context: Arc::new(Context {
                client,
                index,
                written: Mutex::default(),
                failures: Mutex::default(),
            }),
        }
    }

    /// The Celery objects it sees, filled while it runs.
    #[must_use]
    pub fn store(&self) -> Store<DynamicObject> {
        self.controller.store()
    }

    /// Runs until `shutdown`, and finishes what is in flight.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + Sync + 'static) {
        self.controller
            .with_config(Config::default().concurrency(CONCURRENCY))
            .reconcile_on(self.triggers.objects)
            .reconcile_all_on(self.triggers.everything)
            .graceful_shutdown_on(shutdown)
            .run(reconcile, |object, error, context| retry(&object, error, &context), self.context)
            .for_each(|_| std::future::ready(()))
            .await;
    }
}

/// guard → read → resolve → build → apply → status, for one object.
async fn reconcile(object: Arc<DynamicObject>, context: Arc<Context>) -> Result<Action, Error> {
    if !context.index.is_synced() {
        return Ok(Action::requeue(Duration::from_millis(100)));
    }
    let object = context.newest(object);
    if object.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let Some(judged) = guard::judge(&object) else {
        warn!(name = object.name_any(), "the stored object does not have the form of a Celery");
        return Ok(Action::await_change());
    };
    let (applied, failure) = match judged.verdict {
        Verdict::Refused => (None, None),
        Verdict::Accepted | Verdict::Tolerated => {
            let (applied, failure) = converge(&context, &judged.celery).await?;
            (Some(applied), failure)
        }
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
    report(&context, &judged.celery, &status).await?;
    if let Some(error) = failure {
        Err(Error(error))
    } else {
        context.forget_failures(&object);
        let waits = applied.is_some_and(|outcome| outcome.resolved.waits_for_secret());
        Ok(Action::requeue(if waits { MISSING } else { RESYNC }))
    }
}

/// What converging came to.
struct Outcome {
    resolved: Resolved,
    children: Vec<Applied>,
    capabilities: Capabilities,
}

/// Brings the children in line: what must not be there goes first, so that an autoscaler never meets its successor.
/// A child that fails does not keep the others waiting; its error is returned beside them.
async fn converge(context: &Context, celery: &Celery) -> Result<(Outcome, Option<cluster::Error>), Error> {
    let namespace = celery.namespace().unwrap_or_default();
    let sources = cluster::read_secrets(&context.client, &namespace, resolve::secrets(&celery.spec)).await?;
    let resolved = resolve::resolved(celery, &sources);
    let capabilities = Capabilities { keda: context.index.knows(ChildKind::ScaledObject) };
    let wanted = build::children(&resolved, capabilities);
    prune(context, &resolved.owner, &wanted).await?;
    let mut children = Vec::new();
    let mut failure = None;
    for manifest in &wanted.manifests {
        if context.waits(&resolved.owner, manifest) {
            continue;
        }
        let key = (manifest.kind, namespace.clone(), manifest.name.clone());
        let live = context.index.get(&key);
        let seen = live.clone();
        match cluster::apply(&context.client, &resolved.owner, manifest, live).await {
            Ok(live) => {
                let changed = seen.is_none_or(|seen| !Arc::ptr_eq(&seen, &live));
                if changed {
                    info!(kind = manifest.kind.as_str(), %namespace, name = manifest.name, "applied");
                    context.index.put(manifest.kind, DynamicObject::clone(&live));
                }
                children.push(Applied { kind: manifest.kind, name: manifest.name.clone(), live });
            }
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Ok((Outcome { resolved, children, capabilities }, failure))
}

/// Deletes what this Celery owns and no longer wants.
async fn prune(context: &Context, owner: &Owner, wanted: &build::Children) -> Result<(), Error> {
    for (key, live) in context.index.owned(&owner.uid) {
        let (kind, _, name) = &key;
        let stays = wanted.manifests.iter().any(|manifest| manifest.kind == *kind && manifest.name == *name)
            || wanted.kept.iter().any(|(kept, kept_name)| kept == kind && kept_name == name)
            || live.metadata.deletion_timestamp.is_some();
        if stays {
            continue;
        }
        let uid = live.metadata.uid.as_deref().unwrap_or_default();
        info!(kind = kind.as_str(), namespace = owner.namespace, name, "deleted");
        match cluster::delete(&context.client, &key, uid).await? {
            Some(going) => drop(context.index.put(*kind, going)),
            None => context.index.remove(&key),
        }
    }
    Ok(())
}

/// Writes the status, only if it is another one.
async fn report(context: &Context, celery: &Celery, status: &CeleryStatus) -> Result<(), Error> {
    if celery.status.as_ref() == Some(status) {
        return Ok(());
    }
    let owner = Owner {
        name: celery.name_any(),
        namespace: celery.namespace().unwrap_or_default(),
        uid: celery.uid().unwrap_or_default(),
        generation: celery.metadata.generation,
    };
    let written = cluster::write_status(&context.client, &owner, status).await?;
    context.lock_written().insert(owner.uid, Arc::new(written));
    Ok(())
}

fn retry(object: &DynamicObject, error: &Error, context: &Context) -> Action {
    let Error(error) = error;
    warn!(name = object.name_any(), namespace = object.namespace(), reason = error.reason(), %error, "not converged");
    let mut failures = context.failures.lock().unwrap_or_else(PoisonError::into_inner);
    let count = failures.entry(object.uid().unwrap_or_default()).or_default();
    *count = count.saturating_add(1);
    // 0.5 s, 1 s, 2 s … one minute.
    Action::requeue(Duration::from_millis(250u64.saturating_mul(1 << (*count).min(8))).min(MAX_PAUSE))
}

impl Context {
    /// The object from the watch, or what our own last write returned, whichever is newer.
    fn newest(&self, seen: Arc<DynamicObject>) -> Arc<DynamicObject> {
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

    /// Whether an autoscaler has to wait for its predecessor, which KEDA's finalizer may hold for a while: two of them
    /// would undo each other's work. The end of the predecessor is an event of its own.
    fn waits(&self, owner: &Owner, manifest: &Manifest) -> bool {
        let predecessor = match manifest.kind {
            ChildKind::HorizontalPodAutoscaler => ChildKind::ScaledObject,
            ChildKind::ScaledObject => ChildKind::HorizontalPodAutoscaler,
            _ => return false,
        };
        let owned = self.index.owned(&owner.uid);
        owned
            .iter()
            .any(|((kind, _, name), _)| *kind == predecessor && *name == manifest.name)
    }

    fn lock_written(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<DynamicObject>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_failures(&self, object: &DynamicObject) {
        let uid = object.uid().unwrap_or_default();
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&uid);
    }
}
