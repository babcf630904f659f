// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with the value of `result_backend`.

use thiserror::Error;

use crate::celery::url::Fault;

/// Why Celery cannot use a result backend, or uses another one than was meant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Defect {
    /// Nothing; Celery takes it for no answer and looks into the application.
    #[error("is empty")]
    Empty,
    /// Blank, tab or line break inside or around it.
    #[error("contains white space")]
    WhiteSpace,
    /// An address without `scheme://`: Celery imports it as a module.
    #[error("has no \"scheme://\"; Celery would look for a Python module of that name")]
    NoScheme,
    /// A name of no table: Celery imports it as a module. A package of the image may register one.
    #[error("names the backend {name:?}, which Celery does not know")]
    Unknown {
        /// The name as written.
        name: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// The name of a database or of a cache, without `db+` or `cache+` before it.
    #[error("names the backend {scheme:?}, which Celery knows only with a prefix")]
    MissingPrefix {
        /// The scheme as written.
        scheme: String,
        /// With its prefix.
        meant: String,
    },
    /// A backend of Celery 4.
    #[error("names the backend {scheme:?}, which Celery 5 does not have any more")]
    Removed {
        /// The scheme as written.
        scheme: String,
        /// What replaces it.
        instead: Option<&'static str>,
    },
    /// The form of a broker.
    #[error("names a broker, not a result backend")]
    BrokerScheme(String),
    /// `redis+x://`: Celery speaks plain Redis to the host, whatever `x` says.
    #[error("has the scheme {0:?}; Celery would take it for plain redis")]
    CompoundScheme(String),
    /// A database that `SQLAlchemy` does not know under this name.
    #[error("names the database {written:?}, which SQLAlchemy calls {meant:?}")]
    Dialect {
        /// The dialect as written.
        written: String,
        /// Its name.
        meant: &'static str,
    },
    /// `db://`: which database is not said, or not in letters that the name of one may have.
    #[error("does not say which database it is")]
    NoDialect,
    /// `cache+x://` with a cache that Celery does not know.
    #[error("names the cache {0:?}, which Celery does not know")]
    UnknownCache(String),
    /// A folder or a socket is needed.
    #[error("names no path")]
    NoPath,
    /// The parts of the URL cannot be told apart, or are others than meant.
    #[error(transparent)]
    Url(#[from] Fault),
    /// The Redis database is not a number.
    #[error("has a database that is not a number")]
    Database,
    /// Several URLs where only Sentinel may have several.
    #[error("is a list of URLs, which only sentinel:// may be")]
    List,
    /// `rediss://` without `ssl_cert_reqs`: Celery raises a `ValueError`.
    #[error("does not say whether the certificate is checked (ssl_cert_reqs), and Celery would crash")]
    CertReqsMissing,
    /// `ssl_cert_reqs` with a word that Celery does not know.
    #[error("has the ssl_cert_reqs {0:?}, which Celery does not know")]
    CertReqs(String),
    /// A TLS parameter on `redis://`: Celery raises a `ValueError`.
    #[error("has the parameter {0:?}, which only rediss:// may have")]
    TlsOnPlain(String),
    /// A query parameter that is no argument of a Redis connection, or one that no text can express.
    #[error("has the parameter {0:?}, which a Redis connection does not take in a URL")]
    Parameter(String),
    /// A query parameter whose value is no number.
    #[error("has a value of the parameter {0:?} that Celery cannot use")]
    ParameterValue(String),
}

impl Defect {
    /// The same, without a word of the value: where that comes from a Secret, even its scheme may be a password.
    #[must_use]
    pub fn unquoted(&self) -> String {
        match self {
            Self::Unknown { .. }
            | Self::MissingPrefix { .. }
            | Self::Removed { .. }
            | Self::BrokerScheme(_) => "names a backend that Celery does not know".to_owned(),
            Self::CompoundScheme(_) | Self::Dialect { .. } | Self::UnknownCache(_) => {
                "has a scheme that Celery does not know".to_owned()
            }
            Self::TlsOnPlain(_) | Self::Parameter(_) => {
                "has a parameter that a Redis connection does not take in a URL".to_owned()
            }
            Self::ParameterValue(_) => "has a parameter with a value that Celery cannot use".to_owned(),
            Self::CertReqs(_) => "has an ssl_cert_reqs that Celery does not know".to_owned(),
            Self::Url(fault) => fault.unquoted(),
            defect => defect.to_string(),
        }
    }
}
