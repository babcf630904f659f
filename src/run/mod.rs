// SPDX-License-Identifier: Apache-2.0
//! The roof: the one place that knows both doors, the Lease and the certificates.
//!
//! Every task is awaited here. When one of them ends, the process ends with its reason; nothing runs detached.
//!
//! What somebody waits for (webhooks, certificates, the Lease, the admin server) has threads of its own, so that a
//! thousand objects to reconcile make none of it wait: the system divides the processor among threads, a queue of tasks
//! does not.

mod certificates;
mod limits;
mod signals;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum_server::Handle;
use futures::channel::oneshot;
use futures::future::{self, BoxFuture, FutureExt as _, TryFutureExt as _};
use kube::Client;
use kube::client::ClientBuilder;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle as Threads, Runtime};
use tokio::sync::watch;
use tokio::task::JoinError;
use tracing::{error, info, warn};
use webhook_certs::Keeper;

use self::certificates::{Port, certificates, follow, follow_looks};
use self::signals::{Signals, asked, wind_down};
use crate::admin::{self, Exposition, Gates, WebhookGates};
use crate::admission;
use crate::cli::Run;
use crate::cluster;
use crate::index::{CeleryIndex, Surroundings};
use crate::lease::{self, Elector};
use crate::metrics::Metrics;
use crate::reconcile::Reconciler;
use crate::rules;

/// How long the admin server may finish what it is asked when everything else has ended.
const ADMIN_DRAIN: Duration = Duration::from_secs(2);

/// How many threads answer at the doors: one that computes leaves one that listens.
const DOOR_THREADS: usize = 2;

/// Why the process ends.
#[derive(Debug, Error)]
enum Error {
    #[error("cannot reach a Kubernetes cluster: {0}; set KUBECONFIG, or run in a pod with a service account")]
    Client(#[from] kube::Error),
    #[error("{0}")]
    Names(#[from] webhook_certs::names::Error),
    #[error("{0}")]
    Lifetimes(#[from] webhook_certs::plan::Error),
    #[error("{0}")]
    Keeper(#[from] webhook_certs::keeper::Error),
    #[error("{0}")]
    Tls(#[from] webhook_certs::serve::Error),
    #[error("{0}")]
    Webhooks(#[from] admission::Error),
    #[error("cannot serve {address}: {source}; choose another --admin-address")]
    Admin { address: SocketAddr, source: std::io::Error },
    #[error("cannot set up the process: {0}")]
    System(#[source] std::io::Error),
    #[error("{0} ended although nobody asked it to")]
    Ended(&'static str),
    #[error("a reconciler broke off: {0}")]
    Panicked(#[from] JoinError),
}

/// Runs the operator until SIGTERM or SIGINT.
#[must_use]
pub fn main(options: &Run) -> ExitCode {
    if let Err(reason) = limits::raise_open_files() {
        warn!(%reason, "no more files and connections can be open than by default");
    }
    let outcome = threads("doors", Some(DOOR_THREADS)).and_then(|doors| {
        let rooms = threads("reconcile", None)?;
        doors.block_on(run(options, rooms.handle()))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            error!(%reason, "the operator ends");
            ExitCode::FAILURE
        }
    }
}

/// Threads that share their tasks among them, as many as there are processors where no number is given.
fn threads(name: &str, count: Option<usize>) -> Result<Runtime, Error> {
    let mut builder = Builder::new_multi_thread();
    count.map(|count| builder.worker_threads(count));
    builder.thread_name(name).enable_all().build().map_err(Error::System)
}

/// A task of the process.
type Task<'a> = BoxFuture<'a, Result<(), Error>>;

async fn run(options: &Run, rooms: &Threads) -> Result<(), Error> {
    let mut signals = Signals::new().map_err(Error::System)?;
    let Clients { plain, fenced, elector } = clients(options, rooms).await?;
    let listener = TcpListener::bind(options.admin_address)
        .await
        .map_err(|source| Error::Admin { address: options.admin_address, source })?;
    let (gates, gates_seen) = watch::channel(Gates {
        webhooks: options.role.serves().then(WebhookGates::default),
        ..Gates::default()
    });
    let (stop, stopped) = watch::channel(false);
    let (close, closed) = watch::channel(false);
    let metrics = Arc::new(Metrics::default());
    info!(admin = %options.admin_address, role = options.role.as_str(), "serving");

    let nobody = watch::Sender::new(false);
    let leads = elector.as_ref().map_or_else(|| nobody.subscribe(), Elector::leads);
    let reconcilers = reconcilers(&fenced, &options.watch_namespace, &metrics, &leads);
    let celeries = CeleryIndex::of_all(reconcilers.iter().map(Reconciler::celeries));
    let exposition = exposition(celeries.clone(), metrics.clone(), gates_seen.clone());
    let surroundings = Surroundings::new(celeries, reconcilers.iter().map(Reconciler::children).collect());

    let handle = Handle::new();
    let mut tasks: Vec<Task<'_>> = vec![writing(reconcilers, elector, rooms, &stopped).boxed()];
    if options.role.serves() {
        tasks.extend(serving(options, plain, surroundings, &metrics, &handle, &gates, &stopped)?);
    }
    tasks.push(follow_lease(leads, &gates, &metrics, &stopped).map(Ok).boxed());
    let work = async {
        future::try_join_all(tasks).await?;
        // The admin server ends last: until then somebody may ask why.
        let _ = close.send(true);
        Ok(())
    };
    let admin = serve_admin(listener, admin::router(gates_seen, exposition), closed);
    let ending = async {
        let drain = if options.role.serves() { options.drain_seconds } else { 0 };
        wind_down(Duration::from_secs(drain.into()), &mut signals, &gates, &stop).await;
        admission::drain(&handle);
        Ok::<(), Error>(())
    };
    let admin = lasting("the admin server", &stopped, admin);
    future::try_join3(work, admin, ending).await.map(|_| info!("ended"))
}

/// What speaks to the API server.
struct Clients {
    /// Writes whether or not the Lease is held here: certificates, and the Lease itself.
    plain: Client,
    /// Of the reconcilers: nobody else writes with it, and it writes nothing while somebody else holds the Lease.
    fenced: Client,
    /// `None` where the role writes nothing.
    elector: Option<Elector>,
}

async fn clients(options: &Run, rooms: &Threads) -> Result<Clients, Error> {
    let identity = lease::identity(&cluster::instance());
    let mut config = kube::Config::infer().await.map_err(kube::Error::InferConfig)?;
    // So that an audit log tells which replica has sent what.
    let agent = format!("celery-operator/{} {identity}", env!("CARGO_PKG_VERSION"));
    config.headers.extend(HeaderValue::from_str(&agent).ok().map(|agent| (header::USER_AGENT, agent)));
    let plain = Client::try_from(config.clone())?;
    let elector = options.role.writes().then(|| Elector::new(plain.clone(), lease(options, identity)));
    let fence = elector.as_ref().map(Elector::fence).unwrap_or_default();
    let fenced = {
        // Its connections are served where it is built.
        let _rooms = rooms.enter();
        ClientBuilder::try_from(config)?.with_layer(&fence).build()
    };
    Ok(Clients { plain, fenced, elector })
}

/// The reconcilers, and the Lease that lets them write: it is given back when they have finished.
async fn writing(
    reconcilers: Vec<Reconciler>,
    elector: Option<Elector>,
    rooms: &Threads,
    stopped: &watch::Receiver<bool>,
) -> Result<(), Error> {
    let (idle, is_idle) = oneshot::channel::<()>();
    // Whoever takes over is to write at once.
    let prepared = rooms.spawn_blocking(rules::prepare).map(|outcome| {
        if let Err(reason) = outcome {
            error!(%reason, "the rules could not be prepared");
        }
    });
    let runs = reconcilers.into_iter().map(|reconciler| rooms.spawn(reconciler.run(asked(stopped.clone()))));
    let runs = future::join(prepared, future::try_join_all(runs)).map(|((), ended)| ended.map(drop));
    let runs = async move {
        lasting("a reconciler", stopped, runs.map_err(Error::from)).await?;
        drop(idle);
        Ok(())
    };
    let election = async {
        if let Some(elector) = elector {
            elector.run(is_idle.map(drop)).await;
        }
        Ok(())
    };
    future::try_join(runs, election).await.map(drop)
}

/// The webhooks and what keeps their certificates.
fn serving<'a>(
    options: &Run,
    client: Client,
    surroundings: Surroundings,
    metrics: &'a Arc<Metrics>,
    handle: &Handle<SocketAddr>,
    gates: &'a watch::Sender<Gates>,
    stopped: &'a watch::Receiver<bool>,
) -> Result<[Task<'a>; 3], Error> {
    let keeper = Keeper::new(client, certificates(options)?)?;
    let tls = webhook_certs::server_config(keeper.resolver())?;
    let (published, looks) = (keeper.published(), keeper.looks());
    let port = Port::new(options)?;
    let address = options.webhook_address;
    let webhooks = admission::serve(address, tls, surroundings, metrics, handle.clone()).map_err(Error::from);
    let handle = handle.clone();
    let following = async move {
        // Before, nobody could find the certificate there.
        if let Some(webhooks) = handle.listening().await {
            info!(%webhooks, "serving");
            future::join(follow(published, &port, gates, metrics), follow_looks(looks, gates, metrics)).await;
        }
        Ok(())
    };
    let keeping = keeper.run(asked(stopped.clone())).map(|ended| ended.map_err(Error::from));
    Ok([
        lasting("the webhook server", stopped, webhooks).boxed(),
        lasting("the certificate keeper", stopped, keeping).boxed(),
        following.boxed(),
    ])
}

/// The Lease by which one replica writes.
fn lease(options: &Run, identity: String) -> lease::Config {
    lease::Config {
        namespace: options.namespace.clone(),
        name: options.installation().lease(),
        identity,
        duration: Duration::from_secs(options.lease_seconds.into()),
    }
}

/// Says who holds the Lease, until the process was asked to end.
async fn follow_lease(
    mut leads: watch::Receiver<bool>,
    gates: &watch::Sender<Gates>,
    metrics: &Metrics,
    stopped: &watch::Receiver<bool>,
) {
    loop {
        let is_leader = *leads.borrow_and_update();
        metrics.leads(is_leader);
        gates.send_modify(|gates| gates.leads = is_leader);
        tokio::select! {
            changed = leads.changed() => if changed.is_err() { return },
            () = asked(stopped.clone()) => return,
        }
    }
}

/// One reconciler for each namespace to look at; one for all of them when none is named.
fn reconcilers(
    client: &Client,
    namespaces: &[String],
    metrics: &Arc<Metrics>,
    leads: &watch::Receiver<bool>,
) -> Vec<Reconciler> {
    let reconciler = |scope| Reconciler::new(client.clone(), scope, metrics.clone(), leads.clone());
    if namespaces.is_empty() {
        return vec![reconciler(None)];
    }
    namespaces.iter().map(|namespace| reconciler(Some(namespace))).collect()
}

/// What the process counts, and what its stores and gates are like when it is asked.
fn exposition(celeries: CeleryIndex, metrics: Arc<Metrics>, gates: watch::Receiver<Gates>) -> Exposition {
    Arc::new(move || {
        metrics.count(celeries.states());
        metrics.unready_since(celeries.unready_since());
        metrics.gates(gates.borrow().named());
        metrics.text()
    })
}

/// A task that may only end once the process was asked to end.
async fn lasting(
    name: &'static str,
    stopped: &watch::Receiver<bool>,
    task: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    task.await?;
    if *stopped.borrow() { Ok(()) } else { Err(Error::Ended(name)) }
}

async fn serve_admin(
    listener: TcpListener,
    router: Router,
    closed: watch::Receiver<bool>,
) -> Result<(), Error> {
    let server = axum::serve(listener, router).with_graceful_shutdown(asked(closed.clone()));
    let late = asked(closed).then(|()| tokio::time::sleep(ADMIN_DRAIN));
    tokio::select! {
        ended = server.into_future() => ended.map_err(Error::System),
        () = late => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    async fn reason(task: impl Future<Output = Result<(), Error>>, is_stopped: bool) -> Option<String> {
        let stopped = watch::Sender::new(is_stopped).subscribe();
        lasting("a task", &stopped, task).await.err().map(|reason| reason.to_string())
    }

    #[tokio::test]
    async fn a_task_says_whether_it_ended_too_early_or_broke_off() {
        assert_eq!(reason(async { Ok(()) }, true).await, None);
        let early = reason(async { Ok(()) }, false).await.unwrap();
        assert_eq!(early, "a task ended although nobody asked it to");
        for is_stopped in [false, true] {
            let task = tokio::spawn(async { panic!("the floor is wet") }).map_err(Error::from);
            let told = reason(task, is_stopped).await.unwrap();
            assert!(told.starts_with("a reconciler broke off: "), "{told}");
            assert!(told.ends_with("panicked with message \"the floor is wet\""), "{told}");
        }
    }
}
