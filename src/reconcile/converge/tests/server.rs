// SPDX-License-Identifier: Apache-2.0
//! An API server that keeps what it is sent, and the process that talks to it.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use kube::core::DynamicObject;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use crate::annotations::Asked;
use crate::api::Celery;
use crate::build::ChildKind;
use crate::names::FIELD_MANAGER;
use crate::reconcile::context::Context;
use crate::reconcile::converge::{Outcome, converge};

/// Namespace of everything.
pub(super) const NAMESPACE: &str = "web";

/// One Celery, the operator, and the API server.
pub(super) struct Story {
    pub(super) spec: Value,
    pub(super) annotations: Value,
    pub(super) context: Context,
    pub(super) server: Server,
}

impl Story {
    /// The Celery `shop` of this spec; `common` is completed. Every kind was listed, and nothing is there.
    pub(super) fn new(spec: Value) -> Self {
        let mut whole = json!({"common": {"image": "shop:1", "celeryApp": "shop.tasks"}});
        if spec["common"]["broker"].is_null() {
            whole["common"]["broker"] = json!({"url": "redis://cache"});
        }
        json_patch::merge(&mut whole, &spec);
        let server = Server::default();
        let story =
            Self { spec: whole, annotations: json!({}), context: Context::of_test(server.client()), server };
        story.list();
        story
    }

    /// Another process begins where this one ends.
    pub(super) fn restart(&mut self) {
        self.context = Context::of_test(self.server.client());
        self.list();
    }

    /// Lists everything that is there.
    pub(super) fn list(&self) {
        for kind in ChildKind::ALL {
            self.context.index.observe(kind, Event::Init);
            for object in self.server.all(kind) {
                self.context.index.observe(kind, Event::InitApply(object));
            }
            self.context.index.observe(kind, Event::InitDone);
            self.context.scalers.observe(kind, Event::Init);
            self.context.scalers.observe(kind, Event::InitDone);
        }
    }

    /// One look at it.
    pub(super) async fn converge(&mut self) -> Outcome {
        self.server.lock().writes.clear();
        let celery: Celery = serde_json::from_value(json!({
            "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
            "metadata": {"name": "shop", "namespace": NAMESPACE, "uid": "u", "generation": 1,
                         "annotations": self.annotations},
            "spec": self.spec,
        }))
        .expect("a Celery");
        let asked = Asked::of(celery.metadata.annotations.as_ref());
        let outcome = Box::pin(converge(&self.context, &celery, &asked)).await.expect("can be decided");
        self.context.lock_failures().remove("u");
        if !outcome.failures.is_empty() {
            self.context.lock_failures().insert("u".to_owned(), 1);
        }
        outcome
    }
}

/// An API server.
#[derive(Clone, Default)]
pub(super) struct Server(Arc<Mutex<Content>>);

#[derive(Default)]
struct Content {
    objects: BTreeMap<(ChildKind, String), Value>,
    /// What every request about is answered with 500.
    failing: BTreeSet<(ChildKind, String)>,
    /// Requests that would change something: method, kind, name.
    writes: Vec<String>,
    version: u64,
    /// Whether pods are replaced as soon as a Deployment says so.
    rolls: bool,
}

impl Server {
    /// Puts an object there that is somebody else's.
    pub(super) fn take(&self, kind: ChildKind, name: &str) {
        let mut content = self.lock();
        let object = json!({"metadata": {"name": name, "namespace": NAMESPACE, "uid": "theirs"}});
        content.store(kind, name, object);
    }

    /// Fails over an object.
    pub(super) fn fail(&self, kind: ChildKind, name: &str) {
        self.lock().failing.insert((kind, name.to_owned()));
    }

    /// Takes somebody else's object away, and a failure.
    pub(super) fn give(&self, kind: ChildKind, name: &str) {
        let mut content = self.lock();
        content.objects.remove(&(kind, name.to_owned()));
        content.failing.remove(&(kind, name.to_owned()));
    }

    /// Makes an object one that has always been so.
    pub(super) fn rewrite(&self, kind: ChildKind, name: &str, patch: &Value) {
        let mut content = self.lock();
        let object = content.objects.get_mut(&(kind, name.to_owned())).expect("is there");
        json_patch::merge(object, patch);
    }

    /// Lets the pods of all Deployments be replaced.
    pub(super) fn roll_out(&self) {
        let mut content = self.lock();
        content.rolls = true;
        let deployments = content.objects.iter().filter(|((kind, _), _)| *kind == ChildKind::Deployment);
        let deployments: Vec<_> = deployments.map(|(key, object)| (key.1.clone(), object.clone())).collect();
        for (name, object) in deployments {
            content.store(ChildKind::Deployment, &name, object);
        }
        content.rolls = false;
    }

    /// Whether something of this name is there and ours.
    pub(super) fn has(&self, kind: ChildKind, name: &str) -> bool {
        self.get(kind, name).is_some_and(|object| object["metadata"]["uid"] != "theirs")
    }

    /// An object.
    pub(super) fn get(&self, kind: ChildKind, name: &str) -> Option<Value> {
        self.lock().objects.get(&(kind, name.to_owned())).cloned()
    }

    /// Requests of the last look that would change something: method, kind, name.
    pub(super) fn writes(&self) -> Vec<String> {
        self.lock().writes.clone()
    }

    fn all(&self, kind: ChildKind) -> Vec<DynamicObject> {
        let content = self.lock();
        let found = content
            .objects
            .iter()
            .filter(|((it, _), object)| *it == kind && !object["metadata"]["labels"].is_null());
        found.map(|(_, object)| serde_json::from_value(object.clone()).expect("an object")).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().expect("no panic")
    }

    /// Who asks it.
    pub(super) fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                let (parts, body) = request.into_parts();
                let bytes = body.collect().await.expect("a body").to_bytes();
                let sent = serde_json::from_slice(&bytes).unwrap_or_default();
                let (code, answer) = server.lock().answer(&parts.method, parts.uri.path(), sent);
                let answer = Body::from(serde_json::to_vec(&answer).expect("JSON"));
                Ok::<_, Infallible>(Response::builder().status(code).body(answer).expect("a response"))
            }
        });
        Client::new(service, NAMESPACE)
    }
}

impl Content {
    fn answer(&mut self, method: &Method, path: &str, sent: Value) -> (u16, Value) {
        let refused = |code: u16, reason: &str| {
            (
                code,
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                "reason": reason, "message": reason}),
            )
        };
        let mut parts = path.rsplit('/');
        let (name, plural) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let Some(kind) = ChildKind::ALL.into_iter().find(|kind| kind.resource().plural == plural) else {
            return refused(404, "NotFound");
        };
        let key = (kind, name.to_owned());
        if *method != Method::GET {
            self.writes.push(format!("{method} {} {name}", kind.as_str()));
        }
        if self.failing.contains(&key) {
            return refused(500, "InternalError");
        }
        match *method {
            Method::GET => {
                self.objects.get(&key).map_or_else(|| refused(404, "NotFound"), |it| (200, it.clone()))
            }
            Method::DELETE => match self.objects.remove(&key) {
                Some(_) => (200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"})),
                None => refused(404, "NotFound"),
            },
            _ if self.objects.contains_key(&key) && sent["metadata"]["resourceVersion"] == "1" => {
                refused(409, "Conflict")
            }
            _ => (200, self.store(kind, name, applied(kind, sent))),
        }
    }

    fn store(&mut self, kind: ChildKind, name: &str, mut object: Value) -> Value {
        self.version += 1;
        let before = self.objects.get(&(kind, name.to_owned()));
        let status = before.map(|before| before["status"].clone()).unwrap_or_default();
        object["metadata"]["resourceVersion"] = json!((self.version + 1).to_string());
        if kind == ChildKind::Deployment {
            let generation = before.and_then(|before| before["metadata"]["generation"].as_i64()).unwrap_or(0);
            object["metadata"]["generation"] = json!(generation + i64::from(!self.rolls));
            object["status"] = if self.rolls {
                json!({"observedGeneration": generation, "replicas": 1, "updatedReplicas": 1})
            } else {
                status
            };
        }
        self.objects.insert((kind, name.to_owned()), object.clone());
        object
    }
}

/// What the API server makes of an object that is applied.
fn applied(kind: ChildKind, mut object: Value) -> Value {
    if object["metadata"]["uid"].is_null() {
        object["metadata"]["uid"] = json!("child");
    }
    let owned = json!({"f:metadata": {"f:labels": {}, "f:annotations": {}, "f:ownerReferences": {}},
        "f:spec": {}, "f:data": {}, "f:type": {}, "f:binaryData": {}});
    object["metadata"]["managedFields"] =
        json!([{"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": owned}]);
    if kind == ChildKind::Deployment && object["spec"]["replicas"].is_null() {
        object["spec"]["replicas"] = json!(1);
    }
    object
}
