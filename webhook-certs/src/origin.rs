// SPDX-License-Identifier: Apache-2.0
//! Where the keeper gets what it serves: from a Secret that it puts right itself, or from files.

use std::time::SystemTime;

use kube::Client;
use tokio::time::Instant;

use crate::candidate::Candidate;
use crate::config::{Clock, Issuing, Source};
use crate::folder::Folder;
use crate::inject::{self, Target};
use crate::inspect::Certificate;
use crate::issue::{self, KeySource};
use crate::overlap::Overlap;
use crate::settle::{self, Wanted, settle};
use crate::store::{self, SecretStore};

/// Why nothing could be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Trying again would not help.
    #[error(transparent)]
    Fatal(issue::Error),
    #[error(transparent)]
    Settle(settle::Error<store::Error>),
}

/// What is to be served.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) candidate: Candidate,
    /// When to look again at the latest; `None` where a change is noticed in any case.
    pub(crate) until: Option<SystemTime>,
    /// Why it is not known which CAs have to stay in the bundle. Nothing may be injected then.
    pub(crate) blind: Option<inject::Error>,
}

/// Where certificates come from.
pub(crate) enum Origin {
    Issued { store: SecretStore, issuing: Issuing },
    Files(Folder, Overlap),
}

impl Origin {
    pub(crate) fn new(client: &Client, source: &Source) -> Self {
        match source.clone() {
            Source::Issued(issuing) => {
                let (secret, labels) = (issuing.secret.clone(), issuing.secret_labels.clone());
                Self::Issued { store: SecretStore::new(client.clone(), secret, labels), issuing }
            }
            Source::Files(path) => Self::Files(Folder::new(path), Overlap::default()),
        }
    }

    /// What is there now, put right where that is ours to do; `None` when somebody else has to.
    ///
    /// `serving` is the CA of what is served.
    pub(crate) async fn look(
        &mut self,
        client: &Client,
        targets: &[Target],
        (keys, clock): (&dyn KeySource, &Clock),
        serving: Option<&Certificate>,
    ) -> Result<Option<Found>, Error> {
        match self {
            Self::Issued { store, issuing } => {
                let wanted = Wanted { names: &issuing.names, lifetimes: &issuing.lifetimes, keys, serving };
                let settled = settle(store, wanted, clock.now()).await.map_err(|error| match error {
                    settle::Error::Issue(error) => Error::Fatal(error),
                    other => Error::Settle(other),
                })?;
                if let Some(why) = &settled.wrote {
                    tracing::info!(reason = why.reason(), "issued a webhook certificate: {why}");
                }
                Ok(Some(Found { candidate: settled.pair.into(), until: Some(settled.until), blind: None }))
            }
            Self::Files(folder, overlap) => {
                let now = clock.now();
                let Some(mut candidate) = folder.candidate(now).await else {
                    return Ok(None);
                };
                let mut blind = None;
                if candidate.anchor.is_some() {
                    let carried = inject::carried(client, targets).await;
                    let known = carried.as_deref().ok();
                    candidate.cas = overlap.bundle(&candidate.cas, known, now, Instant::now());
                    blind = carried.err();
                }
                Ok(Some(Found { candidate, until: None, blind }))
            }
        }
    }
}
