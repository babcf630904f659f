// SPDX-License-Identifier: Apache-2.0
//! The certificates of the webhooks: where they are kept, and what readiness hears of them.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};
use webhook_certs::{
    Config, Files, Issuing, Lifetimes, Looks, Names, Published, SecretRef, Source, Target, verify,
    verify_shown,
};

use super::Error;
use crate::admin::{Certificate, Gates, WebhookGates};
use crate::cli::Run;
use crate::metrics::{self, Metrics};

/// Field manager of `caBundle`.
const CERTIFICATE_MANAGER: &str = "celery-operator-certificates";
/// How often the own port is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How soon again when the certificate was refused.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long a certificate authority lives.
const CA_LIFETIME: Duration = Duration::from_hours(24 * 3650);

/// What the keeper keeps.
pub(super) fn certificates(options: &Run) -> Result<Config, Error> {
    let source = match &options.certificate_files {
        Some(folder) => {
            let mut files = Files::new(folder);
            files.names = Some(called(options)?);
            Source::Files(files)
        }
        None => Source::Issued(issuing(options)?),
    };
    let mut config = Config::new(source, CERTIFICATE_MANAGER);
    let installation = options.installation();
    config.targets =
        vec![Target::mutating(installation.mutating()), Target::validating(installation.validating())];
    Ok(config)
}

/// What is issued where nobody else does.
fn issuing(options: &Run) -> Result<Issuing, Error> {
    let names = match &options.webhook_name[..] {
        [] => Names::of_service(&options.service(), &options.namespace)?,
        given => Names::parse(given)?,
    };
    let installation = options.installation();
    let labels = installation.labels();
    let name = installation.certificate_secret();
    let mut issuing = Issuing::new(SecretRef { namespace: installation.namespace, name }, names);
    issuing.secret_labels.extend(labels);
    let days = Duration::from_hours(24) * options.certificate_days;
    issuing.lifetimes =
        Lifetimes::new(CA_LIFETIME, options.certificate_seconds.map_or(days, Duration::from_secs))?;
    Ok(issuing)
}

/// The names by which API servers call: of all names of a Service they use one.
fn called(options: &Run) -> Result<Names, Error> {
    let used = format!("{}.{}.svc", options.service(), options.namespace);
    Ok(match &options.webhook_name[..] {
        [] => Names::parse([used])?,
        given => Names::parse(given)?,
    })
}

/// The port of the webhooks as the API server sees it.
pub(super) struct Port {
    address: SocketAddr,
    names: Vec<String>,
    /// How often it is looked at.
    every: Duration,
}

impl Port {
    pub(super) fn new(options: &Run) -> Result<Self, Error> {
        // Nobody calls a pattern: any name that it covers stands for it.
        let names = called(options)?;
        let names = names.iter().map(|name| name.to_string().replacen("*.", "webhook.", 1)).collect();
        Ok(Self { address: options.webhook_address, names, every: LOOK_EVERY })
    }

    /// Whether what is published verifies what is shown.
    async fn certificate(&self, published: &Published) -> Certificate {
        for name in &self.names {
            let seen = if published.ca_bundle.is_empty() {
                verify_shown(self.address, name, &published.certificate).await
            } else {
                verify(self.address, name, &published.ca_bundle).await
            };
            if let Err(reason) = seen {
                return Certificate::Refused(reason.to_string());
            }
        }
        Certificate::Verified
    }
}

/// Opens the gates as certificates come and are seen on the port. Ends with the keeper, which tells why itself.
///
/// A certificate that takes the place of another is looked at before anything is said of it, so that a renewal closes
/// nothing.
pub(super) async fn follow(
    mut published: watch::Receiver<Option<Published>>,
    port: &Port,
    gates: &watch::Sender<Gates>,
    metrics: &Metrics,
) {
    loop {
        let seen = published.borrow_and_update().clone();
        let mut pause = port.every;
        if let Some(seen) = &seen {
            metrics.certificate(counted(seen));
            tell(gates, |webhooks| {
                webhooks.published = seen.carried;
                webhooks.missing = named(&seen.missing);
                webhooks.distrusting = named(&seen.distrusting);
            });
            let certificate = tokio::select! {
                certificate = port.certificate(seen) => certificate,
                changed = published.changed() => if changed.is_ok() { continue } else { return },
            };
            if certificate != Certificate::Verified {
                pause = pause.min(LOOK_AGAIN);
            }
            tell(gates, |webhooks| webhooks.certificate = certificate);
        }
        tokio::select! {
            changed = published.changed() => if changed.is_err() { return },
            () = sleep(pause) => {}
        }
    }
}

/// Tells whether looking after the certificate fails. Ends with the keeper.
pub(super) async fn follow_looks(
    mut looks: watch::Receiver<Looks>,
    gates: &watch::Sender<Gates>,
    metrics: &Metrics,
) {
    loop {
        let Looks { failed, failure, .. } = looks.borrow_and_update().clone();
        metrics.certificate_looks_failed(failed);
        tell(gates, |webhooks| webhooks.look_failure = failure);
        if looks.changed().await.is_err() {
            return;
        }
    }
}

fn named(targets: &[Target]) -> Vec<String> {
    targets.iter().map(ToString::to_string).collect()
}

/// What is published, as metrics tell it.
fn counted(published: &Published) -> metrics::Certificate {
    let seconds = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    };
    metrics::Certificate {
        not_before: seconds(published.certificate.not_before),
        not_after: seconds(published.certificate.not_after),
        carried: published.carried,
        missing: published.missing.len(),
    }
}

/// Changes the gates of the webhooks, and says when the certificate's is opened or closed.
fn tell(gates: &watch::Sender<Gates>, change: impl FnOnce(&mut WebhookGates)) {
    gates.send_if_modified(|gates| {
        let webhooks = gates.webhooks.get_or_insert_default();
        let before = webhooks.clone();
        change(webhooks);
        match (&before.certificate, &webhooks.certificate) {
            // The reason may hold the time; it is told to whoever asks.
            (Certificate::Refused(_), Certificate::Refused(_)) => {}
            (_, Certificate::Refused(reason)) => warn!(%reason, "webhooks cannot be called"),
            (Certificate::Refused(_), Certificate::Verified) => info!("webhooks can be called again"),
            _ => {}
        }
        *webhooks != before
    });
}

#[cfg(test)]
mod tests;
