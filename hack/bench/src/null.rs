// SPDX-License-Identifier: Apache-2.0
//! A webhook server that answers at once: what no webhook can do without.
//!
//! It also fills in what the operator would, as a fixed patch: an API server that gets one applies it and reads the object
//! anew, whoever sent it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use axum::response::IntoResponse as _;
use axum::routing::post;
use axum::{Json, Router};
use axum_server::tls_rustls::RustlsConfig;
use celery_operator::manifests::{MUTATE_PATH, VALIDATE_PATH};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::Error;

/// A server that allows everything, until it is dropped.
pub(crate) struct Null {
    pub(crate) url: String,
    /// The authority of its certificate, in PEM.
    pub(crate) authority: String,
    answered: Arc<AtomicU64>,
    task: JoinHandle<std::io::Result<()>>,
}

/// Before the paths of the webhooks whose mutation is answered with the patch.
pub(crate) const PATCHING: &str = "/patching";

/// The one thing of a review that an answer needs.
#[derive(Deserialize)]
struct Review {
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    uid: String,
}

impl Null {
    /// Serves on a free port: the same server library, TLS library, cipher provider and key type as the operator's.
    ///
    /// # Errors
    /// When it cannot.
    ///
    /// `patch` is what the operator's webhook adds to the object that is created.
    pub(crate) fn serve(patch: &Value) -> Result<Self, Error> {
        let issued = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![issued.cert.der().clone()], key)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let port = testbed::free_port()?;
        let answered = Arc::new(AtomicU64::new(0));
        let counter = answered.clone();
        let answer = move |patch: Option<String>| {
            let counter = counter.clone();
            post(move |body: Bytes| {
                counter.fetch_add(1, Ordering::Relaxed);
                std::future::ready(allowed(&body, patch.as_deref()))
            })
        };
        let patch = base64(patch.to_string().as_bytes());
        let router = Router::new()
            .route(MUTATE_PATH, answer(None))
            .route(VALIDATE_PATH, answer(None))
            .route(&format!("{PATCHING}{MUTATE_PATH}"), answer(Some(patch)))
            .route(&format!("{PATCHING}{VALIDATE_PATH}"), answer(None));
        let server = axum_server::bind_rustls(
            SocketAddr::from(([127, 0, 0, 1], port)),
            RustlsConfig::from_config(Arc::new(tls)),
        );
        Ok(Self {
            url: format!("https://127.0.0.1:{port}"),
            authority: issued.cert.pem(),
            answered,
            task: tokio::spawn(server.serve(router.into_make_service())),
        })
    }

    /// How many requests it has answered.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

fn allowed(body: &[u8], patch: Option<&str>) -> axum::response::Response {
    let uid = serde_json::from_slice::<Review>(body).map(|review| review.request.uid).unwrap_or_default();
    let mut response = json!({ "uid": uid, "allowed": true });
    if let Some(patch) = patch {
        response["patchType"] = json!("JSONPatch");
        response["patch"] = json!(patch);
    }
    Json(json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response }))
        .into_response()
}

/// As JSON holds bytes.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let text = json!(k8s_openapi::ByteString(bytes.to_vec()));
    text.as_str().unwrap_or_default().to_owned()
}

impl Drop for Null {
    fn drop(&mut self) {
        self.task.abort();
    }
}
