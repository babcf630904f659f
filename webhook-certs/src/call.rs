// SPDX-License-Identifier: Apache-2.0
//! One request to the API server, bounded in time.
//!
//! kube's client waits and retries for as long as it takes; a keeper that hangs in one request would neither renew
//! nor heal, so every request has a deadline of its own and the loop decides when to try again.

use std::future::Future;
use std::time::Duration;

/// Longest time one request may take.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The API server did not answer in time.
    #[error("the API server did not answer within {} s", DEADLINE.as_secs())]
    Timeout,
    /// The API server refused the request.
    #[error("the API server refused with {code}: {message}")]
    Refused {
        /// HTTP status code.
        code: u16,
        /// What it said.
        message: String,
    },
    /// The API server could not be reached or understood.
    #[error("the API server could not be reached: {0}")]
    Unreachable(#[source] Box<kube::Error>),
}

impl Error {
    /// Whether the API server refused with this HTTP status code.
    #[must_use]
    pub fn is_code(&self, wanted: u16) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == wanted)
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused { code: status.code, message: status.message.clone() },
            other => Self::Unreachable(Box::new(other)),
        }
    }
}

/// The answer to `request`, or an error after [`DEADLINE`].
pub(crate) async fn within<T>(request: impl Future<Output = Result<T, kube::Error>>) -> Result<T, Error> {
    match tokio::time::timeout(DEADLINE, request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Timeout),
    }
}
