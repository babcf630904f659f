// SPDX-License-Identifier: Apache-2.0
//! The certificates of the webhooks: where they are kept, and what readiness hears of them.

use std::time::{Duration, UNIX_EPOCH};

use tokio::sync::watch;
use webhook_certs::{Config, Issuing, Lifetimes, Names, Published, SecretRef, Source, Target};

use super::Error;
use crate::admin::{Gates, WebhookGates};
use crate::cli::Run;
use crate::manifests::{CERTIFICATE_SECRET, MUTATING, VALIDATING};
use crate::metrics::Metrics;

/// Field manager of `caBundle`.
const CERTIFICATE_MANAGER: &str = "celery-operator-certificates";
/// How long a certificate authority lives.
const CA_LIFETIME: Duration = Duration::from_hours(24 * 3650);

/// What the keeper keeps.
pub(super) fn certificates(options: &Run) -> Result<Config, Error> {
    let source = match &options.certificate_files {
        Some(folder) => Source::Files(folder.clone()),
        None => Source::Issued(issuing(options)?),
    };
    let mut config = Config::new(source, CERTIFICATE_MANAGER);
    config.targets = vec![Target::mutating(MUTATING), Target::validating(VALIDATING)];
    Ok(config)
}

/// What is issued where nobody else does.
fn issuing(options: &Run) -> Result<Issuing, Error> {
    let names = if options.webhook_name.is_empty() {
        Names::of_service(&options.webhook_service, &options.namespace)?
    } else {
        Names::parse(&options.webhook_name)?
    };
    let secret = SecretRef { namespace: options.namespace.clone(), name: CERTIFICATE_SECRET.to_owned() };
    let mut issuing = Issuing::new(secret, names);
    issuing.secret_labels.insert("app.kubernetes.io/name".to_owned(), "celery-operator".to_owned());
    let days = Duration::from_hours(24) * options.certificate_days;
    issuing.lifetimes =
        Lifetimes::new(CA_LIFETIME, options.certificate_seconds.map_or(days, Duration::from_secs))?;
    Ok(issuing)
}

/// Opens the gates as certificates come. Ends with the keeper, which tells why itself.
pub(super) async fn follow(
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
        let missing = seen.iter().flat_map(|seen| &seen.missing);
        let webhooks = WebhookGates {
            certificate: seen.is_some(),
            published: seen.as_ref().is_some_and(|seen| seen.carried),
            missing: missing.map(ToString::to_string).collect(),
        };
        gates.send_modify(|gates| gates.webhooks = Some(webhooks));
        if published.changed().await.is_err() {
            return;
        }
    }
}
