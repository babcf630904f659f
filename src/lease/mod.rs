// SPDX-License-Identifier: Apache-2.0
//! Every replica serves, one writes: which one, by a Lease of the cluster.

mod decide;
mod fence;

use std::future::Future;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use thiserror::Error;
use tokio::sync::watch;
use tracing::{info, warn};

use self::decide::{Candidate, Record, Step, Terms};

pub use fence::{Fence, FencedService, uptime};

/// Longest time that one request may take: a renewal has to fit several times into what is held.
const MAX_REQUEST: Duration = Duration::from_secs(5);

/// Longest time for which a holder is waited for, whatever its record says: the most that a replica of this operator asks
/// for. Otherwise a slip of the pen would keep everybody from writing for years.
const LONGEST: Duration = Duration::from_hours(1);

/// A name for this process that nobody else ever had, not even this process before a restart.
#[must_use]
pub fn identity(host: &str) -> String {
    format!("{host}_{}_{}", std::process::id(), Timestamp::now().as_nanosecond())
}

/// Where the Lease is, and what is written into it.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who this process is; nobody else may ever have had this name.
    pub identity: String,
    /// How long a holder that says nothing is waited for; at least a second.
    pub duration: Duration,
}

/// Why a request did not do what it should.
#[derive(Debug, Error)]
enum Error {
    #[error("no answer within {} s", .0.as_secs_f32())]
    Late(Duration),
    #[error(transparent)]
    Api(#[from] kube::Error),
}

/// Holds the Lease whenever nobody else does.
pub struct Elector {
    api: Api<Lease>,
    config: Config,
    terms: Terms,
    candidate: Candidate,
    /// The object as last read or written.
    lease: Option<Lease>,
    fence: Fence,
    leads: watch::Sender<bool>,
    /// The other holder that was told last.
    told: Option<String>,
    is_failing: bool,
}

impl Elector {
    /// An elector that has done nothing yet; `client` must not be behind the fence.
    #[must_use]
    pub fn new(client: Client, config: Config) -> Self {
        let terms = Terms::new(config.duration.max(Duration::from_secs(1)));
        Self {
            api: Api::namespaced(client, &config.namespace),
            candidate: Candidate::new(config.identity.clone(), terms),
            config,
            terms,
            lease: None,
            fence: Fence::default(),
            leads: watch::Sender::new(false),
            told: None,
            is_failing: false,
        }
    }

    /// The fence to put around a client that writes as the holder.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence.clone()
    }

    /// Whether this process holds the Lease.
    #[must_use]
    pub fn leads(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    /// Takes and renews the Lease until `end` completes, then gives it back. Failures of the API server are logged and
    /// tried again.
    pub async fn run(mut self, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        loop {
            // Not cut short: a write whose answer is not awaited could not be taken back.
            let wait = self.turn().await;
            self.tell();
            tokio::select! {
                () = &mut end => break,
                () = tokio::time::sleep(wait) => {}
            }
            self.tell();
        }
        self.give_back().await;
    }

    /// Looks, decides, writes. Returns how long to wait then.
    async fn turn(&mut self) -> Duration {
        match self.try_turn().await {
            Ok(wait) => {
                self.is_failing = false;
                wait
            }
            Err(error) => {
                // The object may be another one by now.
                self.lease = None;
                if !self.is_failing {
                    warn!(%error, lease = self.config.name, "the Lease can neither be read nor written");
                }
                self.is_failing = true;
                self.terms.look
            }
        }
    }

    async fn try_turn(&mut self) -> Result<Duration, Error> {
        // Its holder knows what is there, until a write fails.
        if self.lease.is_none() || !self.holds() {
            let found = self.limited(self.api.get_opt(&self.config.name)).await?;
            let record = found.as_ref().map(record);
            self.tell_other(record.as_ref());
            self.candidate.look(record, uptime());
            self.lease = found;
        }
        let now = uptime();
        let body = match self.candidate.step(now) {
            Some(Step::Wait(wait)) => return Ok(wait),
            None => return Ok(self.terms.look),
            Some(Step::Create | Step::Take(_)) => self.written(true),
            Some(Step::Renew(_)) => self.written(false),
        };
        let parameters = PostParams::default();
        let is_there = body.metadata.resource_version.is_some();
        let stored = if is_there {
            self.limited(self.api.replace(&self.config.name, &parameters, &body)).await
        } else {
            self.limited(self.api.create(&parameters, &body)).await
        };
        match stored {
            Ok(stored) => {
                self.candidate.wrote(record(&stored), now);
                self.lease = Some(stored);
                Ok(self.terms.renew)
            }
            // Somebody was faster, or it is gone: look again.
            Err(Error::Api(kube::Error::Api(status)))
                if status.code == 409 || status.code == 404 && is_there =>
            {
                self.lease = None;
                Ok(Duration::ZERO)
            }
            Err(error) => Err(error),
        }
    }

    /// The Lease with us as its holder.
    fn written(&self, is_taken: bool) -> Lease {
        let mut lease = self.lease.clone().unwrap_or_else(|| Lease {
            metadata: ObjectMeta {
                name: Some(self.config.name.clone()),
                namespace: Some(self.config.namespace.clone()),
                ..ObjectMeta::default()
            },
            spec: None,
        });
        let now = MicroTime(Timestamp::now());
        let spec = lease.spec.get_or_insert_with(LeaseSpec::default);
        spec.holder_identity = Some(self.config.identity.clone());
        spec.lease_duration_seconds = i32::try_from(self.terms.duration.as_secs()).ok();
        spec.renew_time = Some(now.clone());
        if is_taken {
            spec.lease_transitions = Some(spec.lease_transitions.map_or(0, |count| count.saturating_add(1)));
            spec.acquire_time = Some(now);
        }
        lease
    }

    /// Says once who else holds the Lease, and until when.
    fn tell_other(&mut self, record: Option<&Record>) {
        let holder = record.and_then(|record| record.holder.clone());
        let other = holder.filter(|holder| *holder != self.config.identity);
        if let Some(holder) = other.as_ref().filter(|_| other != self.told) {
            let duration = record.and_then(|record| record.duration).unwrap_or(self.terms.duration);
            let (lease, seconds) = (&self.config.name, duration.as_secs());
            info!(
                lease,
                holder,
                "another process writes, until it gives the Lease back or has not renewed it for {seconds} s"
            );
        }
        self.told = other;
    }

    /// Opens or closes the fence, and says so.
    fn tell(&self) {
        self.fence.open_until(self.candidate.holds_until());
        let leads = self.holds();
        if *self.leads.borrow() != leads {
            let (lease, identity) = (&self.config.name, &self.config.identity);
            if leads {
                info!(lease, identity, "this process writes now");
            } else {
                warn!(lease, identity, "this process no longer holds the Lease, and writes nothing");
            }
            self.leads.send_replace(leads);
        }
    }

    fn holds(&self) -> bool {
        self.candidate.holds_until().is_some_and(|until| uptime() < until)
    }

    /// Lets others in at once, if this process holds the Lease.
    async fn give_back(mut self) {
        let holds = self.holds();
        self.fence.open_until(None);
        self.leads.send_replace(false);
        let Some(mut lease) = self.lease.take().filter(|_| holds) else { return };
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = None;
            spec.lease_duration_seconds = Some(1);
            spec.renew_time = Some(MicroTime(Timestamp::now()));
        }
        let given = self.limited(self.api.replace(&self.config.name, &PostParams::default(), &lease)).await;
        match given {
            Ok(_) => info!(lease = self.config.name, "gave the Lease back"),
            Err(error) => warn!(%error, lease = self.config.name, "the Lease was not given back; it lapses"),
        }
    }

    /// Runs one request within its time limit.
    async fn limited<T>(&self, request: impl Future<Output = Result<T, kube::Error>>) -> Result<T, Error> {
        let limit = (self.terms.hold / 2).min(MAX_REQUEST);
        tokio::time::timeout(limit, request).await.map_err(|_| Error::Late(limit))?.map_err(Error::from)
    }
}

fn record(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    Record {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
        duration: seconds
            .filter(|seconds| *seconds > 0)
            .map(|seconds| LONGEST.min(Duration::from_secs(seconds))),
        version: lease.metadata.resource_version.clone().unwrap_or_default(),
    }
}
