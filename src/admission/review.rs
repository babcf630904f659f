// SPDX-License-Identifier: Apache-2.0
//! From the bytes of a request to what is asked about a Celery, or to why it is nothing that can be answered; and the
//! answer as bytes.
//!
//! Only what is looked at is decoded, and objects once: an API server waits for this with whoever applied them.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use kube::core::Status;
use kube::core::admission::Operation;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::api::GROUP;

/// What both sides call the document that goes to and fro.
const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";

/// Why a body is no request that can be answered; the answer is 400.
#[derive(Debug, Error)]
pub(super) enum Malformed {
    /// Not JSON, nested too deeply, or not of the form of a review.
    #[error("the body is not an AdmissionReview: {0}")]
    NotAReview(#[from] serde_json::Error),
    /// Another document.
    #[error("the body is {1} of {0}, not {KIND} of {API_VERSION}")]
    OtherKind(String, String),
    /// A review without a request.
    #[error("the AdmissionReview holds no request")]
    NoRequest,
    /// A request about another resource.
    #[error("this webhook judges celeries.{GROUP}, not {0}")]
    OtherResource(String),
}

/// A review as it comes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    api_version: String,
    kind: String,
    request: Option<Request>,
}

/// An admission request for a Celery.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    /// By which the answer is told from others.
    uid: String,
    pub(super) operation: Operation,
    /// The name of the object; empty where the API server is to make one up.
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespace: Option<String>,
    resource: Resource,
    #[serde(default)]
    pub(super) sub_resource: Option<String>,
    /// The object, when there is one.
    #[serde(default)]
    pub(super) object: Option<Value>,
    /// What it replaces.
    #[serde(default, rename = "oldObject")]
    pub(super) old: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Resource {
    group: String,
    resource: String,
}

/// The answer to a request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    pub(super) uid: String,
    pub(super) allowed: bool,
    /// Why the request is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<Status>,
    #[serde(flatten)]
    pub(super) patch: Option<JsonPatch>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) audit_annotations: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
}

/// What is to be changed in the object of a request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JsonPatch {
    patch: ByteString,
    patch_type: &'static str,
}

/// A review as it goes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reviewed {
    api_version: &'static str,
    kind: &'static str,
    response: Response,
}

/// Reads a request.
///
/// # Errors
/// [`Malformed`], which is answered with an HTTP error.
pub(super) fn read(body: &[u8]) -> Result<Request, Malformed> {
    let review: Review = serde_json::from_slice(body)?;
    if (review.api_version.as_str(), review.kind.as_str()) != (API_VERSION, KIND) {
        return Err(Malformed::OtherKind(review.api_version, review.kind));
    }
    let request = review.request.ok_or(Malformed::NoRequest)?;
    let Resource { group, resource } = &request.resource;
    let is_judged = matches!(request.sub_resource.as_deref(), None | Some("scale"));
    if group != GROUP || resource != "celeries" || !is_judged {
        let sub = request.sub_resource.as_deref().map(|sub| format!("/{sub}")).unwrap_or_default();
        return Err(Malformed::OtherResource(format!("{resource}.{group}{sub}")));
    }
    Ok(request)
}

impl Request {
    /// The answer that allows it as it is.
    pub(super) fn allowed(&self) -> Response {
        Response::allowing(&self.uid)
    }
}

impl Response {
    /// The answer that allows the request of this id as it is.
    pub(super) fn allowing(uid: &str) -> Self {
        Self {
            uid: uid.to_owned(),
            allowed: true,
            status: None,
            patch: None,
            audit_annotations: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    /// The document that carries it.
    pub(super) fn into_review(self) -> Reviewed {
        Reviewed { api_version: API_VERSION, kind: KIND, response: self }
    }
}

impl JsonPatch {
    /// Holds these operations.
    ///
    /// # Errors
    /// When one holds what JSON cannot say.
    pub(super) fn new(patch: &json_patch::Patch) -> serde_json::Result<Self> {
        Ok(Self { patch: ByteString(serde_json::to_vec(patch)?), patch_type: "JSONPatch" })
    }
}
