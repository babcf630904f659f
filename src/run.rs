// SPDX-License-Identifier: Apache-2.0
//! The roof: the one place that knows both doors and the certificates.
//!
//! Every task is awaited here. When one of them ends, the process ends with its reason; nothing runs detached.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum_server::Handle;
use futures::future::{self, FutureExt as _};
use kube::Client;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info};
use webhook_certs::{Config, Keeper, Lifetimes, Names, Published, SecretRef, Target};

use crate::admin::{self, Exposition, Gates};
use crate::admission;
use crate::cli::Run;
use crate::index::{CeleryIndex, Surroundings};
use crate::manifests::{CERTIFICATE_SECRET, MUTATING, VALIDATING};
use crate::metrics::Metrics;
use crate::reconcile::Reconciler;

/// Field manager of `caBundle`.
const CERTIFICATE_MANAGER: &str = "celery-operator-certificates";
/// How long a certificate authority lives.
const CA_LIFETIME: Duration = Duration::from_hours(24 * 3650);
/// How long the admin server may finish what it is asked when everything else has ended.
const ADMIN_DRAIN: Duration = Duration::from_secs(2);

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
}

/// Runs the operator until SIGTERM or SIGINT.
#[must_use]
pub fn main(options: &Run) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime.map_err(Error::System).and_then(|runtime| runtime.block_on(run(options)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            error!(%reason, "the operator ends");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Run) -> Result<(), Error> {
    let mut signals = Signals::new().map_err(Error::System)?;
    let client = Client::try_default().await?;
    let keeper = Keeper::new(client.clone(), certificates(options)?)?;
    let tls = webhook_certs::server_config(keeper.resolver())?;
    let published = keeper.published();
    let listener = TcpListener::bind(options.admin_address)
        .await
        .map_err(|source| Error::Admin { address: options.admin_address, source })?;
    let (gates, gates_seen) = watch::channel(Gates::default());
    let (stop, stopped) = watch::channel(false);
    let (close, closed) = watch::channel(false);
    let handle = Handle::new();
    info!(webhooks = %options.webhook_address, admin = %options.admin_address, "serving");

    let metrics = Arc::new(Metrics::default());
    let reconcilers = reconcilers(&client, &options.watch_namespace, &metrics);
    let celeries = CeleryIndex::of_all(reconcilers.iter().map(Reconciler::celeries));
    let exposition = exposition(celeries.clone(), metrics.clone());
    let surroundings = Surroundings::new(celeries, reconcilers.iter().map(Reconciler::children).collect());
    let webhooks = admission::serve(options.webhook_address, tls, surroundings, &metrics, handle.clone());
    let webhooks = async {
        webhooks.await?;
        // The admin server ends last: until then somebody may ask why.
        let _ = close.send(true);
        Ok(())
    };
    let reconcilers = reconcilers.into_iter().map(|reconciler| {
        finished("a reconciler", &stopped, reconciler.run(asked(stopped.clone())).map(|()| Ok(())))
    });
    let work = Box::pin(future::try_join5(
        future::try_join_all(reconcilers),
        finished("the webhook server", &stopped, webhooks),
        finished(
            "the admin server",
            &stopped,
            serve_admin(listener, admin::router(gates_seen, exposition), closed),
        ),
        finished(
            "the certificate keeper",
            &stopped,
            keeper.run(asked(stopped.clone())).map(|ended| ended.map_err(Error::from)),
        ),
        follow(published, &gates, &metrics).map(Ok),
    ));
    let ending = async {
        wind_down(options, &mut signals, &gates, &stop).await;
        admission::drain(&handle);
        Ok::<(), Error>(())
    };
    future::try_join(work, ending).await.map(|_| info!("ended"))
}

/// One reconciler for each namespace to look at; one for all of them when none is named.
fn reconcilers(client: &Client, namespaces: &[String], metrics: &Arc<Metrics>) -> Vec<Reconciler> {
    let reconciler = |scope| Reconciler::new(client.clone(), scope, metrics.clone());
    if namespaces.is_empty() {
        return vec![reconciler(None)];
    }
    namespaces.iter().map(|namespace| reconciler(Some(namespace))).collect()
}

/// What the process counts, and what its stores hold when it is asked.
fn exposition(celeries: CeleryIndex, metrics: Arc<Metrics>) -> Exposition {
    Arc::new(move || {
        metrics.count(celeries.states());
        metrics.text()
    })
}

/// Waits until the process is asked to end, then until requests go elsewhere: who sends them learns of it by the closed
/// gate, and not at once. Being asked again cuts it short.
async fn wind_down(
    options: &Run,
    signals: &mut Signals,
    gates: &watch::Sender<Gates>,
    stop: &watch::Sender<bool>,
) {
    signals.next().await;
    info!(seconds = options.drain_seconds, "asked to end: serving webhooks until requests go elsewhere");
    gates.send_modify(|gates| gates.ending = true);
    let _ = stop.send(true);
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(options.drain_seconds.into())) => {}
        () = signals.next() => info!("asked again"),
    }
    info!("finishing what is in flight");
}

fn certificates(options: &Run) -> Result<Config, Error> {
    let names = if options.webhook_name.is_empty() {
        Names::of_service(&options.webhook_service, &options.namespace)?
    } else {
        Names::parse(&options.webhook_name)?
    };
    let secret = SecretRef { namespace: options.namespace.clone(), name: CERTIFICATE_SECRET.to_owned() };
    let mut config = Config::new(secret, names, CERTIFICATE_MANAGER);
    config.secret_labels.insert("app.kubernetes.io/name".to_owned(), "celery-operator".to_owned());
    config.targets = vec![Target::mutating(MUTATING), Target::validating(VALIDATING)];
    let days = Duration::from_hours(24) * options.certificate_days;
    config.lifetimes =
        Lifetimes::new(CA_LIFETIME, options.certificate_seconds.map_or(days, Duration::from_secs))?;
    Ok(config)
}

/// A task that may only end once the process was asked to end.
async fn finished(
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

/// Opens the gates as certificates come. Ends with the keeper, which tells why itself.
async fn follow(
    mut published: watch::Receiver<Option<Published>>,
    gates: &watch::Sender<Gates>,
    metrics: &Metrics,
) {
    loop {
        let seen = published.borrow_and_update().clone();
        if let Some(seen) = &seen {
            let seconds = seen.not_after.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            metrics.certificate(i64::try_from(seconds).unwrap_or(i64::MAX), seen.carried);
        }
        gates.send_modify(|gates| {
            gates.certificate = seen.is_some();
            gates.published = seen.as_ref().is_some_and(|seen| seen.carried);
            let missing = seen.iter().flat_map(|seen| &seen.missing);
            gates.missing = missing.map(ToString::to_string).collect();
        });
        if published.changed().await.is_err() {
            return;
        }
    }
}

/// Completes when the process was asked to end.
async fn asked(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// What asks the process to end: SIGTERM and SIGINT, from its first moment on.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
