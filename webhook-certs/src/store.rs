// SPDX-License-Identifier: Apache-2.0
//! The Secret, read and written by compare-and-swap.
//!
//! Several replicas may find at the same moment that something must be issued. Each write names the version it was
//! planned from; the API server lets one through, and the others read what it wrote. No lock and no leader is needed.

use std::collections::BTreeMap;
use std::future::Future;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::call::{self, within};
use crate::config::SecretRef;
use crate::state::Entries;

/// Why the Secret could not be read or written. Never holds its content.
#[derive(Debug, thiserror::Error)]
#[error("Secret {secret}: {source}{}", way_out(source))]
pub struct Error {
    secret: String,
    #[source]
    source: call::Error,
}

/// What helps against a refusal, as far as it does not say so itself.
fn way_out(refusal: &call::Error) -> &'static str {
    match refusal {
        call::Error::Refused { code: 422, .. } => "; delete the Secret: it is written anew",
        call::Error::Refused { code: 403, .. } => {
            "; let the service account create, get, list, watch and update it"
        }
        _ => "",
    }
}

/// What was read, with what is needed to write over exactly that.
#[derive(Clone)]
pub struct Stored<V> {
    /// The data.
    pub entries: Entries,
    /// Names what was read.
    pub version: V,
}

/// How a write went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The store holds what was written.
    Won,
    /// Somebody else wrote in between: read again.
    Lost,
}

/// Where certificates are kept: one value that is read whole and replaced whole.
pub trait Store: Send + Sync {
    /// Names one version of the value.
    type Version: Send + Sync;
    /// Why the store cannot be reached.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Reads the value, `None` when there is none.
    fn read(&self) -> impl Future<Output = Result<Option<Stored<Self::Version>>, Self::Error>> + Send;

    /// Writes `entries` if the value still is the one `over` was read from, or still absent for `None`.
    fn write(
        &self,
        entries: &Entries,
        over: Option<&Stored<Self::Version>>,
    ) -> impl Future<Output = Result<Written, Self::Error>> + Send;
}

/// The store the crate is made for: a Secret.
///
/// A new one gets the type `kubernetes.io/tls`. One that exists keeps its type (it cannot be changed), labels,
/// annotations and foreign keys.
pub struct SecretStore {
    api: Api<Secret>,
    secret: SecretRef,
    labels: BTreeMap<String, String>,
}

impl SecretStore {
    /// The store in `secret`, which is labelled with `labels` when written.
    #[must_use]
    pub fn new(client: Client, secret: SecretRef, labels: BTreeMap<String, String>) -> Self {
        Self { api: Api::namespaced(client, &secret.namespace), secret, labels }
    }

    /// The Secret to write.
    fn secret(&self, entries: &Entries, over: Option<&Secret>) -> Secret {
        let mut secret = over
            .cloned()
            .unwrap_or_else(|| Secret { type_: Some("kubernetes.io/tls".to_owned()), ..Secret::default() });
        secret.metadata.name = Some(self.secret.name.clone());
        // Written anew by the server; sent back stale it would only bloat the request.
        secret.metadata.managed_fields = None;
        if !self.labels.is_empty() {
            secret.metadata.labels.get_or_insert_default().extend(self.labels.clone());
        }
        let data = entries.iter().map(|(name, value)| (name.clone(), ByteString(value.clone())));
        secret.data.get_or_insert_default().extend(data);
        secret
    }

    /// An error that says where it happened.
    fn error(&self, source: call::Error) -> Error {
        Error { secret: format!("{}/{}", self.secret.namespace, self.secret.name), source }
    }
}

impl Store for SecretStore {
    type Version = Box<Secret>;
    type Error = Error;

    async fn read(&self) -> Result<Option<Stored<Self::Version>>, Error> {
        let found = within(self.api.get_opt(&self.secret.name)).await.map_err(|error| self.error(error))?;
        Ok(found.map(|secret| {
            let data = secret.data.iter().flatten();
            Stored {
                entries: data.map(|(name, value)| (name.clone(), value.0.clone())).collect(),
                version: Box::new(secret),
            }
        }))
    }

    async fn write(&self, entries: &Entries, over: Option<&Stored<Self::Version>>) -> Result<Written, Error> {
        let secret = self.secret(entries, over.map(|stored| stored.version.as_ref()));
        let parameters = PostParams::default();
        let written = if over.is_some() {
            // Carries the resourceVersion and the uid that were read.
            within(self.api.replace(&self.secret.name, &parameters, &secret)).await
        } else {
            within(self.api.create(&parameters, &secret)).await
        };
        match written {
            Ok(_) => Ok(Written::Won),
            Err(error) if error.is_code(409) || (over.is_some() && error.is_code(404)) => Ok(Written::Lost),
            Err(error) => Err(self.error(error)),
        }
    }
}
