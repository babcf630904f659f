// SPDX-License-Identifier: Apache-2.0
//! A TLS client and server in memory.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use webhook_certs::{Resolver, server_config};

/// Both ends of an established connection.
pub(crate) type Connection =
    (client::TlsStream<tokio::io::DuplexStream>, server::TlsStream<tokio::io::DuplexStream>);

/// A client that trusts `bundle` and nothing else.
pub(crate) fn connector(bundle: &str) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    for ca in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        roots.add(ca.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsConnector::from(Arc::new(config))
}

/// A handshake as `name` between a client that trusts `bundle` and a server with `resolver`.
pub(crate) async fn connect(
    resolver: &Arc<Resolver>,
    bundle: &str,
    name: &str,
) -> std::io::Result<Connection> {
    let acceptor = TlsAcceptor::from(Arc::new(server_config(Arc::clone(resolver)).unwrap()));
    let (near, far) = tokio::io::duplex(16 * 1024);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    tokio::try_join!(connector(bundle).connect(name, near), acceptor.accept(far))
}
