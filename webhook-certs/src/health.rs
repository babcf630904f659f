// SPDX-License-Identifier: Apache-2.0
//! Whether looking after the certificate succeeds: counted for metrics, and logged when that changes.

use tokio::sync::watch;

/// How it goes to look after the certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Looks {
    /// How many looks have failed.
    pub failed: u64,
    /// Why the last one has; `None` when it has not.
    pub failure: Option<String>,
}

/// The health of a keeper, and who hears of it.
#[derive(Debug, Default)]
pub(crate) struct Health(watch::Sender<Looks>);

impl Health {
    pub(crate) fn subscribe(&self) -> watch::Receiver<Looks> {
        self.0.subscribe()
    }

    /// Counts a failure, and says it unless it was the last one to be said.
    pub(crate) fn note_failure(&self, failure: String) {
        self.0.send_modify(|looks| {
            if looks.failure.as_ref() != Some(&failure) {
                tracing::warn!(%failure, "the webhook certificate could not be looked after; trying again");
            }
            *looks = Looks { failed: looks.failed.saturating_add(1), failure: Some(failure) };
        });
    }

    pub(crate) fn note_success(&self) {
        self.0.send_if_modified(|looks| {
            let failed = looks.failure.take().is_some();
            if failed {
                tracing::info!("the webhook certificate is looked after again");
            }
            failed
        });
    }
}
