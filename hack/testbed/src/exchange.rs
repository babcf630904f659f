// SPDX-License-Identifier: Apache-2.0
//! One request and its answer as text: the HTTP stack of kube's client, and nothing on top.

use std::path::Path;

use http::Request;
use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// Why there is no answer, or not the one that is needed.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// An object.
pub const JSON: &str = "application/json";
/// Changes of an object: what is absent stays.
pub const MERGE: &str = "application/merge-patch+json";
/// An object for server-side apply.
pub const APPLY: &str = "application/apply-patch+yaml";

/// A client with connections of its own for the user of a kubeconfig file. It needs the runtime that it is made in.
///
/// # Errors
/// When the file cannot be read.
pub async fn client(kubeconfig: &Path) -> Result<Client, Error> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Message {
    /// `GET`, `PATCH`.
    pub method: &'static str,
    /// With its query.
    pub path: String,
    /// What the body is, such as [`JSON`].
    pub content_type: &'static str,
    /// Empty when there is none.
    pub body: String,
}

impl Message {
    /// A message.
    #[must_use]
    pub fn new(
        method: &'static str,
        path: impl Into<String>,
        content_type: &'static str,
        body: impl Into<String>,
    ) -> Self {
        Self { method, path: path.into(), content_type, body: body.into() }
    }
}

/// Sends a message and reads the whole answer.
///
/// # Errors
/// When no answer comes.
pub async fn exchange(client: &Client, message: Message) -> Result<(u16, String), Error> {
    let request = Request::builder()
        .method(message.method)
        .uri(message.path)
        .header("content-type", message.content_type)
        .header("accept", JSON)
        .body(Body::from(message.body.into_bytes()))?;
    let (head, body) = client.send(request).await?.into_parts();
    let bytes = body.collect().await?.to_bytes();
    Ok((head.status.as_u16(), String::from_utf8_lossy(&bytes).into_owned()))
}

/// The same for what has to succeed.
///
/// # Errors
/// Also when the answer is no success.
pub async fn succeed(client: &Client, message: Message) -> Result<String, Error> {
    let what = format!("{} {}", message.method, message.path);
    match exchange(client, message).await? {
        (200..=299, text) => Ok(text),
        (code, text) => Err(format!("{what}: {code} {text}").into()),
    }
}
