// SPDX-License-Identifier: Apache-2.0
//! As much of an API server as a keeper talks to: objects by path, resourceVersions, conflicts, JSON patch. Watches
//! stay silent, so that the keeper's own rhythm is what is tested.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use kube::client::Body;
use serde_json::{Value, json};

pub(crate) const SECRETS: &str = "/api/v1/namespaces/celery/secrets";
pub(crate) const SECRET: &str = "/api/v1/namespaces/celery/secrets/certs";
pub(crate) const MUTATING: &str =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/celery";
pub(crate) const VALIDATING: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/celery";

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

#[derive(Default)]
struct Inner {
    objects: BTreeMap<String, Value>,
    version: u64,
    writes: Vec<String>,
    away: bool,
    forbidden: BTreeSet<String>,
}

/// A fake API server; clones share their objects.
#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<Inner>>);

impl Fake {
    /// One that holds both configurations, with two webhooks each.
    pub(crate) fn with_configurations() -> Self {
        let fake = Self::default();
        fake.put(MUTATING, configuration());
        fake.put(VALIDATING, configuration());
        fake
    }

    pub(crate) fn client(&self) -> kube::Client {
        let fake = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let fake = fake.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                Ok::<_, Infallible>(fake.answer(&head.method, head.uri.path(), head.uri.query(), &body))
            }
        });
        kube::Client::new(service, "default")
    }

    /// Stores an object as somebody else would.
    pub(crate) fn put(&self, path: &str, mut object: Value) {
        let mut inner = self.0.lock().unwrap();
        inner.version += 1;
        object["metadata"]["resourceVersion"] = json!(inner.version.to_string());
        inner.objects.insert(path.to_owned(), object);
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.0.lock().unwrap().objects.get(path).cloned()
    }

    pub(crate) fn delete(&self, path: &str) {
        self.0.lock().unwrap().objects.remove(path);
    }

    /// Whether every request is refused with 503.
    pub(crate) fn away(&self, away: bool) {
        self.0.lock().unwrap().away = away;
    }

    /// Whether requests for this path are refused with 403: all of them for a Secret, otherwise those that write.
    pub(crate) fn forbid(&self, path: &str, forbidden: bool) {
        let mut inner = self.0.lock().unwrap();
        let path = path.to_owned();
        let _ = if forbidden { inner.forbidden.insert(path) } else { inner.forbidden.remove(&path) };
    }

    /// The writes since the last call, as `METHOD last-part-of-the-path`.
    pub(crate) fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().writes)
    }

    /// The bundle of a webhook as PEM, empty when it has none.
    pub(crate) fn bundle(&self, path: &str, index: usize) -> String {
        let value = self.get(path).unwrap()["webhooks"][index]["clientConfig"]["caBundle"].take();
        let bytes: Option<k8s_openapi::ByteString> = serde_json::from_value(value).unwrap();
        String::from_utf8(bytes.map(|bytes| bytes.0).unwrap_or_default()).unwrap()
    }

    fn answer(&self, method: &Method, path: &str, query: Option<&str>, body: &[u8]) -> Answer {
        let query = query.unwrap_or_default();
        if query.contains("watch=true") {
            let silence = futures::stream::pending::<Result<http_body::Frame<Bytes>, Infallible>>();
            return Response::new(StreamBody::new(silence).boxed_unsync());
        }
        if self.0.lock().unwrap().away {
            return refusal(503, "ServiceUnavailable");
        }
        let is_forbidden = self.0.lock().unwrap().forbidden.contains(path);
        if is_forbidden && (path == SECRET || *method != Method::GET) {
            return refusal(403, "Forbidden");
        }
        match *method {
            Method::GET if query.contains("fieldSelector") => reply(
                200,
                &json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                    "metadata": {"resourceVersion": "1"}, "items": []}),
            ),
            Method::GET => {
                self.get(path).map_or_else(|| refusal(404, "NotFound"), |found| reply(200, &found))
            }
            _ => self.write(method, path, body),
        }
    }

    fn write(&self, method: &Method, path: &str, body: &[u8]) -> Answer {
        let sent: Value = serde_json::from_slice(body).unwrap();
        let mut inner = self.0.lock().unwrap();
        inner.writes.push(format!("{method} {}", path.rsplit('/').nth(1).unwrap()));
        let path = if path == SECRETS { SECRET } else { path };
        let held = inner.objects.get(path).cloned();
        let written = match (method.as_str(), held) {
            ("POST", Some(_)) => return refusal(409, "AlreadyExists"),
            ("POST", None) => sent,
            (_, None) => return refusal(404, "NotFound"),
            ("PUT", Some(held)) => {
                if sent["metadata"]["resourceVersion"] != held["metadata"]["resourceVersion"] {
                    return refusal(409, "Conflict");
                }
                sent
            }
            (_, Some(held)) => {
                let mut patched = held.clone();
                let steps: json_patch::Patch = serde_json::from_value(sent).unwrap();
                json_patch::patch(&mut patched, &steps).unwrap();
                if patched["metadata"]["resourceVersion"] != held["metadata"]["resourceVersion"] {
                    return refusal(409, "Conflict");
                }
                patched
            }
        };
        drop(inner);
        self.put(path, written);
        reply(200, &self.get(path).unwrap())
    }
}

/// A configuration with two webhooks that have no usable bundle.
pub(crate) fn configuration() -> Value {
    json!({"metadata": {"name": "celery"}, "webhooks": [
        {"name": "a.example.org", "clientConfig": {"service": {"name": "webhook"}}},
        {"name": "b.example.org", "clientConfig": {"service": {"name": "webhook"}, "caBundle": "Cg=="}},
    ]})
}

fn reply(code: u16, value: &Value) -> Answer {
    let body = Full::new(Bytes::from(value.to_string())).boxed_unsync();
    Response::builder().status(code).header("content-type", "application/json").body(body).unwrap()
}

fn refusal(code: u16, reason: &str) -> Answer {
    reply(
        code,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason,
            "message": reason, "code": code}),
    )
}
