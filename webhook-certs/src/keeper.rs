// SPDX-License-Identifier: Apache-2.0
//! The loop that keeps a webhook's certificate.
//!
//! Read, plan, act, serve, inject, wait: each pass starts from what the API server says now, so that whatever was
//! deleted, overwritten or missed is found by the next one. When the API server is away, what was served last is
//! served on.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use kube::Client;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::candidate::Candidate;
use crate::changes::{Changes, Pauses, changes};
use crate::config::{Config, Source};
use crate::handover::{Carried, Handover};
use crate::health::{Health, Looks};
use crate::inject::{self, Seen};
use crate::issue::{self, KeySource, SystemKeys};
use crate::origin::{self, Found, Origin};
use crate::published::Published;
use crate::serve::{self, Resolver};
use crate::spread::{self, Spread};
use crate::wish::Wish;

/// Shortest time between two passes: a storm of changes must not become a storm of requests.
const SPACING: Duration = Duration::from_millis(200);
/// A bundle that nobody has written for this long is no news to an API server: far more than one takes to notice, so
/// that neither whole seconds in `managedFields` nor clocks that differ by some make news of it.
const SETTLED: Duration = Duration::from_mins(1);
/// How often targets that change under our hands are read again at once.
const ATTEMPTS: usize = 5;

/// Why the keeper cannot begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of the [`Config`] is empty.
    #[error("the keeper's {0} is empty: set it")]
    Empty(&'static str),
    /// Certificates cannot be made on this machine; trying again would not help.
    #[error(transparent)]
    Issue(#[from] issue::Error),
}

/// Keeps a certificate issued, stored, injected and served.
pub struct Keeper {
    client: Client,
    config: Config,
    origin: Origin,
    resolver: Arc<Resolver>,
    handover: Handover,
    spread: Spread,
    published: watch::Sender<Option<Published>>,
    health: Health,
}

impl Keeper {
    /// A keeper that has done nothing yet. Certificates are served once [`Keeper::run`] is polled.
    ///
    /// # Errors
    /// [`Error::Empty`] when a name in `config` is empty.
    pub fn new(client: Client, config: Config) -> Result<Self, Error> {
        let source = match &config.source {
            Source::Issued(issuing) => vec![
                ("secret.namespace", issuing.secret.namespace.is_empty()),
                ("secret.name", issuing.secret.name.is_empty()),
            ],
            Source::Files(files) => vec![("folder", files.folder.as_os_str().is_empty())],
        };
        let manager = ("field_manager", config.field_manager.is_empty());
        let targets = config.targets.iter().map(|target| ("targets[].name", target.name.is_empty()));
        let mut named = source.into_iter().chain([manager]).chain(targets);
        if let Some((field, _)) = named.find(|(_, empty)| *empty) {
            return Err(Error::Empty(field));
        }
        let origin = Origin::new(&client, &config.source);
        let spread = Spread::new(config.targets.clone(), config.field_manager.clone());
        Ok(Self {
            client,
            config,
            origin,
            resolver: Arc::default(),
            handover: Handover::default(),
            spread,
            published: watch::Sender::new(None),
            health: Health::default(),
        })
    }

    /// The resolver to give to the TLS server.
    #[must_use]
    pub fn resolver(&self) -> Arc<Resolver> {
        Arc::clone(&self.resolver)
    }

    /// What is served, for readiness and metrics; `None` until something is.
    #[must_use]
    pub fn published(&self) -> watch::Receiver<Option<Published>> {
        self.published.subscribe()
    }

    /// Whether looking after it fails, for metrics: what was served is served on meanwhile, until it ends.
    #[must_use]
    pub fn looks(&self) -> watch::Receiver<Looks> {
        self.health.subscribe()
    }

    /// Runs until `shutdown` completes; the resolver goes on serving what it has. Failures of the API server are
    /// logged, once for each reason, and tried again.
    ///
    /// # Errors
    /// [`Error::Issue`] when this machine cannot make certificates at all.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Error> {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut changes = changes(&self.client, &self.config.source, &self.config.targets);
        let mut pauses = Pauses::default();
        loop {
            let wait = tokio::select! {
                biased;
                () = &mut shutdown => return Ok(()),
                outcome = self.pass() => match outcome {
                    Ok(wait) => {
                        self.health.note_success();
                        pauses = Pauses::default();
                        wait
                    }
                    Err(Failure::Origin(origin::Error::Fatal(error))) => return Err(error.into()),
                    Err(failure) => {
                        self.health.note_failure(failure.to_string());
                        pauses.next().unwrap_or(SPACING)
                    }
                },
            };
            tokio::select! {
                biased;
                () = &mut shutdown => return Ok(()),
                () = rest(wait, &mut changes) => {}
            }
        }
    }

    /// One look at everything, or several while others write. Returns how long nothing needs to be done.
    async fn pass(&mut self) -> Result<Duration, Failure> {
        let mut attempt = 1;
        loop {
            match self.attempt().await {
                Err(Failure::Inject(error)) if error.is_overtaken() && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// One look at everything.
    ///
    /// The targets are read before the source. A bundle is written only over what was read then, so that it is never
    /// older than the one it replaces: whoever was stopped in between finds that somebody else has written. Where the
    /// source cannot be had, nobody knows who needs what is in the bundles: they only get what is lacking.
    async fn attempt(&mut self) -> Result<Duration, Failure> {
        let seen = self.spread.look(&self.client).await;
        let all = seen.iter().map(|seen| seen.as_ref().ok().map(Seen::cas_found)).collect::<Option<Vec<_>>>();
        let cas_found = all.map(|all| all.concat());
        let means: (&dyn KeySource, _) = (&SystemKeys, &self.config.clock);
        let found = self.origin.look(cas_found.as_deref(), means, self.handover.serving_ca()).await;
        let (until, wish, failure) = match found {
            Ok(Some(Found { candidate, until, is_blind })) => {
                self.offer(candidate)?;
                let wish = if is_blind { self.kept() } else { self.handover.wanted() };
                (until, wish, None)
            }
            Ok(None) => (None, self.kept(), None),
            Err(failure @ origin::Error::Fatal(_)) => return Err(failure.into()),
            Err(failure) => (None, self.kept(), Some(failure)),
        };
        let injected = self.inject(seen, &wish).await;
        self.hand_over()?;
        self.publish();
        failure.map_or(Ok(()), Err)?;
        injected?;
        let left = until.map(|until| until.duration_since(self.config.clock.now()).unwrap_or_default());
        let handover = self.handover.remaining(Instant::now(), self.config.propagation);
        Ok([left, handover].into_iter().flatten().fold(self.config.check_interval, Duration::min))
    }

    /// Serves what the source holds, now or after a handover.
    fn offer(&mut self, candidate: Candidate) -> Result<(), Failure> {
        if let Some(found) = self.handover.offer(candidate, self.config.clock.now()) {
            self.resolver.swap_chain(&found.leaf, &found.intermediates)?;
        }
        // Later changes are told after the injection, so that `injected` does not blink in between.
        if self.published.borrow().is_none() {
            self.publish();
        }
        Ok(())
    }

    /// Serves a waiting certificate if its time has come.
    fn hand_over(&mut self) -> Result<(), Failure> {
        let now = self.config.clock.now();
        if let Some(found) = self.handover.take_ripe(now, Instant::now(), self.config.propagation) {
            self.resolver.swap_chain(&found.leaf, &found.intermediates)?;
            tracing::info!("serving a certificate of a new CA");
        }
        Ok(())
    }

    /// What targets must not lose while the source is not known.
    fn kept(&self) -> Wish {
        self.handover.kept(self.config.clock.now())
    }

    /// Puts bundles into the targets.
    async fn inject(
        &mut self,
        seen: Vec<Result<Seen, inject::Error>>,
        wish: &Wish,
    ) -> Result<(), spread::Error> {
        let now = self.config.clock.now();
        let is_settled = seen.iter().flatten().all(|seen| seen.is_older_than(SETTLED, now));
        let carried = match self.spread.inject(&self.client, seen, wish).await? {
            true => Carried::Anew,
            false if is_settled => Carried::Long,
            false => Carried::Already,
        };
        match wish {
            Wish::AtLeast { .. } => self.handover.note_kept(Instant::now(), carried),
            Wish::Exactly(_) | Wish::Nothing => self.handover.note_carried(Instant::now(), carried),
        }
        Ok(())
    }

    /// Tells everybody what is served.
    fn publish(&self) {
        let now = self.config.clock.now();
        let is_known = self.handover.is_known(Instant::now(), self.config.propagation);
        let published = Published::of(&self.handover, &self.spread, is_known, now);
        self.published.send_if_modified(|current| {
            let differs = *current != published;
            *current = published;
            differs
        });
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Why a pass ended early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Origin(#[from] origin::Error),
    #[error(transparent)]
    Inject(#[from] spread::Error),
    #[error(transparent)]
    Serve(#[from] serve::Error),
}

/// Waits for `wait` or for a change, but never less than [`SPACING`]; changes that come in a bunch count as one.
async fn rest(wait: Duration, changes: &mut Changes) {
    let enough = tokio::time::sleep(wait);
    tokio::select! {
        () = enough => {}
        _ = changes.next() => {}
    }
    tokio::time::sleep(SPACING).await;
    while changes.next().now_or_never().flatten().is_some() {}
}
