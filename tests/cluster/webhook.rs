// SPDX-License-Identifier: Apache-2.0
//! The webhook port as anybody in the network sees it: bytes over TLS, without the API server in between.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::ByteString;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::http::JSON;
use crate::rig::Rig;

const TIMEOUT: Duration = Duration::from_secs(15);

pub(crate) type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A plain connection to the port.
pub(crate) fn connect(rig: &Rig) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", rig.launch.webhook_port)).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.set_write_timeout(Some(TIMEOUT)).unwrap();
    stream
}

/// The authority that the configuration in force names; the API server trusts no other.
fn roots(rig: &Rig) -> RootCertStore {
    let path =
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/celery-operator-validating";
    let mut configuration = rig.send("GET", path, JSON, None).success();
    let bundle = configuration["webhooks"][0]["clientConfig"]["caBundle"].take();
    let ByteString(pem) = serde_json::from_value(bundle).unwrap();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.unwrap()).unwrap();
    }
    roots
}

/// A TLS connection that trusts what the API server trusts.
pub(crate) fn connect_tls(rig: &Rig) -> io::Result<Tls> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(rig))
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut session = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = connect(rig);
    while session.is_handshaking() {
        session.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(session, stream))
}

/// The leaf certificate that the port shows.
pub(crate) fn leaf(rig: &Rig) -> io::Result<Vec<u8>> {
    let stream = connect_tls(rig)?;
    let chain = stream.conn.peer_certificates().unwrap_or_default();
    Ok(chain[0].to_vec())
}

/// A request with this body, as bytes.
pub(crate) fn request(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Sends bytes and reads until the end. An error while writing is none: the server may have heard enough.
pub(crate) fn exchange(mut stream: impl io::Read + io::Write, bytes: &[u8]) -> String {
    let _ = stream.write_all(bytes);
    let _ = stream.flush();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status code of an answer; `None` for a connection that was closed without one.
pub(crate) fn code(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

/// The JSON body of an answer.
pub(crate) fn body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    serde_json::from_str(body).unwrap_or_default()
}
