// SPDX-License-Identifier: Apache-2.0
//! Where the keeper gets what it serves: from a Secret that it puts right itself, or from files.

use std::time::SystemTime;

use kube::Client;
use tokio::time::Instant;

use crate::candidate::Candidate;
use crate::config::{Clock, Issuing, Source};
use crate::folder::Folder;
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
    /// Whether it is not known which CAs have to stay in the bundle. None may be taken out then.
    pub(crate) is_blind: bool,
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
            Source::Files(files) => Self::Files(Folder::new(files), Overlap::default()),
        }
    }

    /// What is there now, put right where that is ours to do; `None` when somebody else has to.
    ///
    /// `cas_found` are the CAs in the targets, `None` where they could not be read; `serving` is the CA of what is served
    /// here. Other replicas may serve leaves of what was found.
    pub(crate) async fn look(
        &mut self,
        cas_found: Option<&[Certificate]>,
        (keys, clock): (&dyn KeySource, &Clock),
        serving: Option<&Certificate>,
    ) -> Result<Option<Found>, Error> {
        match self {
            Self::Issued { store, issuing } => {
                let ours = cas_found.unwrap_or_default().iter().filter(|ca| issue::is_called_ours(ca));
                let in_use: Vec<Certificate> = serving.into_iter().chain(ours).cloned().collect();
                let Issuing { names, lifetimes, .. } = &*issuing;
                let wanted = Wanted { names, lifetimes, keys, in_use: &in_use };
                let settled = settle(store, wanted, clock.now()).await.map_err(|error| match error {
                    settle::Error::Issue(error) => Error::Fatal(error),
                    other => Error::Settle(other),
                })?;
                if let Some(why) = &settled.wrote {
                    tracing::info!(reason = why.reason(), "issued a webhook certificate: {why}");
                }
                Ok(Some(Found {
                    candidate: settled.pair.into(),
                    until: Some(settled.until),
                    is_blind: false,
                }))
            }
            Self::Files(folder, overlap) => {
                let now = clock.now();
                let Some(mut candidate) = folder.candidate(now).await else {
                    return Ok(None);
                };
                let is_blind = candidate.anchor.is_some() && cas_found.is_none();
                if candidate.anchor.is_some() {
                    candidate.cas = overlap.bundle(&candidate.cas, cas_found, now, Instant::now());
                }
                Ok(Some(Found { candidate, until: None, is_blind }))
            }
        }
    }
}
