// SPDX-License-Identifier: Apache-2.0
//! What a keeper is told.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::inject::Target;
use crate::names::Names;
use crate::plan::Lifetimes;

/// Where the time comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(SystemTime::now))
    }

    /// A clock that tests can step.
    pub fn from_fn(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The Secret in which the certificates are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRef {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// What is issued, and where it is kept. Begin with [`Issuing::new`] and set further fields.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Issuing {
    /// The Secret.
    pub secret: SecretRef,
    /// Labels put onto the Secret when it is written.
    pub secret_labels: BTreeMap<String, String>,
    /// Names the certificate must carry.
    pub names: Names,
    /// How long certificates live.
    pub lifetimes: Lifetimes,
}

impl Issuing {
    /// Defaults for everything but these.
    #[must_use]
    pub fn new(secret: SecretRef, names: Names) -> Self {
        Self { secret, secret_labels: BTreeMap::new(), names, lifetimes: Lifetimes::default() }
    }
}

/// Files that somebody else keeps: `tls.crt` (the leaf first), `tls.key` and, if the CA is to be put into the targets from
/// here, `ca.crt`. Without `ca.crt` targets are left alone. Begin with [`Files::new`] and set further fields.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Files {
    /// The folder they are in.
    pub folder: PathBuf,
    /// Names by which API servers call: a certificate that lacks one of them does not take the place of one that has
    /// them all and is valid. Default: any will do.
    pub names: Option<Names>,
}

impl Files {
    /// Defaults for everything but the folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), names: None }
    }
}

/// Where certificates come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// They are issued here and kept in a Secret.
    Issued(Issuing),
    /// Somebody else puts them into a folder.
    Files(Files),
}

impl From<Issuing> for Source {
    fn from(issuing: Issuing) -> Self {
        Self::Issued(issuing)
    }
}

impl From<Files> for Source {
    fn from(files: Files) -> Self {
        Self::Files(files)
    }
}

/// What a [`Keeper`](crate::Keeper) is told. Begin with [`Config::new`] and set further fields.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where certificates come from.
    pub source: Source,
    /// Configurations whose `caBundle` is kept; may be empty.
    pub targets: Vec<Target>,
    /// Name under which the `caBundle` fields are owned.
    pub field_manager: String,
    /// Longest time between two looks at everything; default 10 s. Changes are noticed by watches long before.
    pub check_interval: Duration,
    /// How long API servers are given to notice a new bundle before a leaf of a new CA is served; default 3 s.
    /// They hear of it through a watch, in a fraction of a second unless they are overloaded. Replicas that start while
    /// the Secret is gone wait as long until they say that they are ready.
    pub propagation: Duration,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Config {
    /// Defaults for everything but these.
    pub fn new(source: impl Into<Source>, field_manager: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            targets: Vec::new(),
            field_manager: field_manager.into(),
            check_interval: Duration::from_secs(10),
            propagation: Duration::from_secs(3),
            clock: Clock::system(),
        }
    }
}
