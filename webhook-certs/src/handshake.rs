// SPDX-License-Identifier: Apache-2.0
//! A handshake with the own port, as an API server makes it.
//!
//! That a certificate was handed to a server does not say that callers accept it: the port may be taken by somebody
//! else, the server may not run yet, the bundle may not fit, the certificate may lack the name or have ended. One
//! handshake finds all of that out, and readiness can hang on it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::inspect::{self, Certificate};
use crate::trust::roots;

/// Longest time a handshake may take.
pub const DEADLINE: Duration = Duration::from_secs(3);

/// Why the port is of no use to callers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name is neither a DNS name nor an address.
    #[error("{0:?} is neither a DNS name nor an IP address")]
    Name(String),
    /// The bundle cannot be read.
    #[error("the CA bundle cannot be used: {0}")]
    Bundle(#[from] inspect::Error),
    /// No verifier can be made of the bundle.
    #[error("the CA bundle cannot be used: {0}")]
    Verifier(#[from] rustls::client::VerifierBuilderError),
    /// TLS cannot be set up on this machine.
    #[error("no TLS configuration with the ring provider: {0}")]
    Tls(#[from] rustls::Error),
    /// Nobody listens, or the connection broke.
    #[error("no connection to {0}: {1}")]
    Unreachable(SocketAddr, #[source] io::Error),
    /// There was an answer, but not one that callers accept.
    #[error("no handshake with {address} as {name}: {source}")]
    Refused {
        /// The address that was connected to.
        address: SocketAddr,
        /// The name that the certificate had to have.
        name: String,
        /// What is wrong.
        source: io::Error,
    },
    /// It took too long.
    #[error("no handshake with {address} within {} s", DEADLINE.as_secs())]
    Timeout {
        /// The address that was connected to.
        address: SocketAddr,
    },
}

/// Connects to `address` and verifies, with `ca_bundle` (PEM) and nothing else, that the certificate shown there is one
/// for `server_name`. The name is not resolved. For a server that listens everywhere (`0.0.0.0`, `::`) the connection
/// goes to the loopback address.
///
/// # Errors
/// See [`Error`]; [`Error::Timeout`] after [`DEADLINE`].
pub async fn verify(address: SocketAddr, server_name: &str, ca_bundle: &str) -> Result<(), Error> {
    let cas = Certificate::bundle(ca_bundle.as_bytes())?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(&cas)), provider()).build()?;
    handshake(address, server_name, verifier).await
}

/// The same where the CA is not known: the certificate shown must be this one, valid now and for `server_name`.
///
/// # Errors
/// As [`verify`].
pub async fn verify_shown(
    address: SocketAddr,
    server_name: &str,
    certificate: &Certificate,
) -> Result<(), Error> {
    let verifier = Shown { certificate: certificate.clone(), provider: provider() };
    handshake(address, server_name, Arc::new(verifier)).await
}

async fn handshake(
    address: SocketAddr,
    server_name: &str,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<(), Error> {
    let address = reachable(address);
    let name = ServerName::try_from(server_name).map_err(|_| Error::Name(server_name.to_owned()))?.to_owned();
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let connecting = async {
        let stream =
            TcpStream::connect(address).await.map_err(|source| Error::Unreachable(address, source))?;
        let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        let mut stream = connected.map_err(|source| {
            let name = server_name.to_owned();
            Error::Refused { address, name, source }
        })?;
        // What was to be found out is known; the server need not hear of a broken connection.
        let _ = stream.shutdown().await;
        Ok(())
    };
    tokio::time::timeout(DEADLINE, connecting).await.unwrap_or(Err(Error::Timeout { address }))
}

/// Where a server that listens on `address` can be reached from its own host.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Accepts one certificate, whoever issued it.
#[derive(Debug)]
struct Shown {
    certificate: Certificate,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Shown {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if shown.as_ref() != self.certificate.der() {
            return Err(rustls::Error::General("another certificate is shown than was expected".to_owned()));
        }
        let [not_before, not_after] = [self.certificate.not_before, self.certificate.not_after]
            .map(|end| UnixTime::since_unix_epoch(end.duration_since(UNIX_EPOCH).unwrap_or_default()));
        if now < not_before {
            return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
        }
        if now >= not_after {
            return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
        }
        verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, shown, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, shown, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
