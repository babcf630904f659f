// SPDX-License-Identifier: Apache-2.0
//! The certificate as a TLS server presents it.
//!
//! Handshakes read an atomic pointer in memory, so that a renewal neither waits for a handshake nor makes one wait,
//! and nothing on the path of a handshake can fail because the API server or a disk is away.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::inspect::{Certificate, Identity};

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The private key is none that rustls with ring can sign with. The text never holds the key.
    #[error("the private key cannot sign for TLS: use a key of ECDSA P-256, P-384, RSA or Ed25519")]
    Key,
    /// The server configuration was refused.
    #[error("no TLS configuration with the ring provider: {0}")]
    Tls(#[from] rustls::Error),
}

/// Hands the current certificate to every handshake; cheap to share behind an [`Arc`].
///
/// Empty at first: handshakes are refused (alert `access_denied`) until [`Resolver::swap`] was called once.
#[derive(Default)]
pub struct Resolver {
    current: ArcSwapOption<CertifiedKey>,
}

impl Resolver {
    /// A resolver that has no certificate yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves `identity` to every handshake that starts from now on; open connections go on undisturbed.
    ///
    /// # Errors
    /// [`Error::Key`] when the key cannot sign; the former certificate stays in place.
    pub fn swap(&self, identity: &Identity) -> Result<(), Error> {
        self.swap_chain(identity, &[])
    }

    /// The same with certificates that are shown behind the leaf, for clients that know the last one's issuer only.
    ///
    /// # Errors
    /// [`Error::Key`] when the key cannot sign; the former certificate stays in place.
    pub fn swap_chain(&self, identity: &Identity, intermediates: &[Certificate]) -> Result<(), Error> {
        let key = PrivateKeyDer::from_pem_slice(identity.key.pem().as_bytes()).map_err(|_| Error::Key)?;
        let signer = rustls::crypto::ring::sign::any_supported_type(&key).map_err(|_| Error::Key)?;
        let chain = std::iter::once(&identity.certificate).chain(intermediates);
        let chain = chain.map(|shown| CertificateDer::from(shown.der().to_vec())).collect();
        self.current.store(Some(Arc::new(CertifiedKey::new(chain, signer))));
        Ok(())
    }

    /// Whether a certificate is there to be served.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.current.load().is_some()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("ready", &self.is_ready()).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current.load_full()
    }
}

/// A TLS server configuration that presents what `resolver` holds: TLS 1.2 and 1.3 by ring, ALPN `h2` and
/// `http/1.1`, no client certificates (API servers send none unless told to).
///
/// # Errors
/// [`Error::Tls`] when the provider supports no protocol version.
pub fn server_config(resolver: Arc<Resolver>) -> Result<rustls::ServerConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
