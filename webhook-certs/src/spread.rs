// SPDX-License-Identifier: Apache-2.0
//! How far the bundle has spread: which targets carry it, which are not there.

use futures::future::join_all;
use kube::Client;

use crate::inject::{Error, Injected, Seen, Target, look};

/// The targets, as the last looks at them have left them.
#[derive(Debug)]
pub(crate) struct Spread {
    targets: Vec<Target>,
    field_manager: String,
    /// The bundle that every target was last seen to carry.
    everywhere: Option<String>,
    /// The bundle that every target that exists was last seen to carry.
    carried_by_existing: Option<String>,
    missing: Vec<Target>,
}

impl Spread {
    pub(crate) fn new(targets: Vec<Target>, field_manager: String) -> Self {
        Self { targets, field_manager, everywhere: None, carried_by_existing: None, missing: Vec::new() }
    }

    /// Every target as it is now.
    pub(crate) async fn look(&self, client: &Client) -> Vec<Result<Seen, Error>> {
        join_all(self.targets.iter().map(|target| look(client, target))).await
    }

    /// Puts the bundle into every target, as it was seen; all are tried even if one fails. Whether one had to be
    /// written. An empty bundle, which others publish, counts as carried.
    ///
    /// # Errors
    /// The last [`Error`] of a target.
    pub(crate) async fn inject(
        &mut self,
        client: &Client,
        seen: Vec<Result<Seen, Error>>,
        bundle: String,
    ) -> Result<bool, Error> {
        let seen = seen.into_iter().filter(|_| !bundle.is_empty());
        let each = seen.map(async |seen| seen?.inject(client, &bundle, &self.field_manager).await);
        let outcomes = join_all(each).await;
        let mut missing = Vec::new();
        let mut changed = false;
        let mut failure = None;
        for (target, outcome) in self.targets.iter().zip(outcomes) {
            match outcome {
                Ok(Injected::Unchanged) => {}
                Ok(Injected::Written) => {
                    changed = true;
                    tracing::info!(%target, "wrote the CA bundle");
                }
                Ok(Injected::Missing) => missing.push(target.clone()),
                Err(error) => failure = Some(error),
            }
        }
        self.note_missing(missing);
        if let Some(error) = failure {
            return Err(error);
        }
        self.everywhere = self.missing.is_empty().then(|| bundle.clone());
        self.carried_by_existing = Some(bundle);
        Ok(changed)
    }

    /// Remembers which targets do not exist, and says so once.
    fn note_missing(&mut self, missing: Vec<Target>) {
        for target in missing.iter().filter(|target| !self.missing.contains(target)) {
            tracing::warn!(%target, "does not exist: its webhooks are not called until it is created");
        }
        self.missing = missing;
    }

    /// Whether every target carries this bundle.
    pub(crate) fn is_everywhere(&self, bundle: &str) -> bool {
        self.missing.is_empty() && self.everywhere.as_deref() == Some(bundle)
    }

    /// Whether every target that exists carries this bundle.
    pub(crate) fn is_carried_by_existing(&self, bundle: &str) -> bool {
        self.carried_by_existing.as_deref() == Some(bundle)
    }

    /// The targets that do not exist.
    pub(crate) fn missing(&self) -> &[Target] {
        &self.missing
    }
}
