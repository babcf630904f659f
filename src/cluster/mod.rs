// SPDX-License-Identifier: Apache-2.0
//! What the operator asks of the API server: read, apply, delete, report. Each request has its own time limit, since a
//! client may otherwise repeat one for minutes.

mod apply;
mod drift;
mod prune;
mod read;
mod report;

use std::future::Future;
use std::time::Duration;

use kube::Client;
use kube::api::{Api, DynamicObject};
use thiserror::Error;

use crate::build::ChildKind;

pub use apply::apply;
pub use prune::delete;
pub use read::read_secrets;
pub use report::write_status;

/// Time limit of one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a request did not do what it should.
#[derive(Debug, Error)]
pub enum Error {
    /// An object of that name belongs to somebody else.
    #[error(
        "{kind} {name} exists and does not belong to this Celery; delete or rename it, or choose another appName"
    )]
    NameTaken {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The API server will not take the object, however often it is sent.
    #[error("{kind} {name} is refused: {message}")]
    Refused {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What the API server says.
        message: String,
    },
    /// No answer in time.
    #[error("the API server did not answer within {} seconds", TIMEOUT.as_secs())]
    Timeout,
    /// Anything else; trying again may help.
    #[error("the API server answered: {0}")]
    Api(#[source] Box<kube::Error>),
}

impl Error {
    /// One word for events, metrics and conditions.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NameTaken { .. } => "NameTaken",
            Self::Refused { .. } => "ChildRefused",
            Self::Timeout => "ApiTimeout",
            Self::Api(_) => "ApiError",
        }
    }

    /// Whether only a change by somebody helps.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        matches!(self, Self::NameTaken { .. } | Self::Refused { .. })
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        Self::Api(Box::new(error))
    }
}

/// Runs one request within its time limit.
async fn limited<T>(request: impl Future<Output = Result<T, kube::Error>>) -> Result<T, Error> {
    tokio::time::timeout(TIMEOUT, request).await.map_err(|_| Error::Timeout)?.map_err(Error::from)
}

fn children(client: &Client, kind: ChildKind, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, &kind.resource())
}
