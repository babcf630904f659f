// SPDX-License-Identifier: Apache-2.0
//! Requests to the API server as a program makes them: status code, body, and the warnings that kube's typed calls
//! only log.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;
use tokio::runtime::Runtime;

/// One runtime for all tests: a client does not outlive the runtime that it was made in.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

/// No answer takes longer, watches with their own limit included.
const TIMEOUT: Duration = Duration::from_secs(40);

pub(crate) const JSON: &str = "application/json";
pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const APPLY: &str = "application/apply-patch+yaml";

/// What the API server said.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) text: String,
    pub(crate) warnings: Vec<String>,
}

impl Answer {
    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn success(self) -> Value {
        assert!(self.is_success(), "{}: {}", self.code, self.text);
        self.body()
    }

    /// Field and message of each cause of a refusal.
    #[track_caller]
    pub(crate) fn causes(&self) -> Vec<(String, String)> {
        assert!(!self.is_success(), "was not refused: {}", self.text);
        let text = |cause: &Value, name: &str| cause[name].as_str().unwrap_or_default().to_owned();
        let body = self.body();
        let causes = body["details"]["causes"].as_array().into_iter().flatten();
        causes.map(|cause| (text(cause, "field"), text(cause, "message"))).collect()
    }
}

/// A client of the user of a kubeconfig file.
pub(crate) fn client(kubeconfig: &Path) -> Client {
    RUNTIME.block_on(async {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        Client::try_from(config).unwrap()
    })
}

/// One request.
pub(crate) fn send(
    client: &Client,
    method: &str,
    path: &str,
    content_type: &str,
    body: Option<&Value>,
) -> Answer {
    let bytes = body.map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content_type)
        .header("accept", JSON)
        .body(Body::from(bytes))
        .unwrap();
    let exchange = async {
        let response = client.send(request).await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        Answer {
            code: head.status.as_u16(),
            text: String::from_utf8_lossy(&bytes.to_bytes()).into_owned(),
            warnings: warnings(&head.headers),
        }
    };
    RUNTIME
        .block_on(async { tokio::time::timeout(TIMEOUT, exchange).await })
        .unwrap_or_else(|_| panic!("{method} {path}: no answer"))
}

/// The texts of `299 - "text"` headers.
fn warnings(headers: &HeaderMap) -> Vec<String> {
    let texts = headers.get_all("warning").iter().map(|value| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let text = value.strip_prefix("299 - \"").and_then(|rest| rest.strip_suffix('"'));
        text.unwrap_or(&value).replace("\\\"", "\"").replace("\\\\", "\\")
    });
    texts.collect()
}
