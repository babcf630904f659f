// SPDX-License-Identifier: Apache-2.0
//! One request and its answer as text: the HTTP stack of kube's client, and nothing on top.

use http::Request;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;

use crate::Error;

pub(crate) const JSON: &str = "application/json";
pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const APPLY: &str = "application/apply-patch+yaml";

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) method: &'static str,
    /// With its query.
    pub(crate) path: String,
    pub(crate) content_type: &'static str,
    /// Empty when there is none.
    pub(crate) body: String,
}

impl Message {
    pub(crate) fn new(
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
pub(crate) async fn exchange(client: &Client, message: Message) -> Result<(u16, String), Error> {
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
pub(crate) async fn succeed(client: &Client, message: Message) -> Result<String, Error> {
    let what = format!("{} {}", message.method, message.path);
    match exchange(client, message).await? {
        (200..=299, text) => Ok(text),
        (code, text) => Err(format!("{what}: {code} {text}").into()),
    }
}
