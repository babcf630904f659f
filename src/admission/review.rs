// SPDX-License-Identifier: Apache-2.0
//! From the bytes of a request to an admission request for a Celery, or to why they are none.

use kube::core::DynamicObject;
use kube::core::admission::{AdmissionRequest, AdmissionReview};
use serde_json::Value;
use thiserror::Error;

use crate::api::GROUP;

/// Why a body is no request that can be answered; the answer is 400.
#[derive(Debug, Error)]
pub(super) enum Malformed {
    /// Not JSON, nested too deeply, or not of the form of a review.
    #[error("the body is not an AdmissionReview: {0}")]
    NotAReview(#[from] serde_json::Error),
    /// A review without a request.
    #[error("the AdmissionReview holds no request")]
    NoRequest,
    /// A request about another resource.
    #[error("this webhook judges celeries.{GROUP}, not {0}")]
    OtherResource(String),
}

/// An admission request for a Celery.
#[derive(Debug)]
pub(super) struct Request {
    /// As the API server sent it.
    pub(super) inner: AdmissionRequest<DynamicObject>,
    /// The object, when there is one.
    pub(super) object: Option<Value>,
    /// What it replaces.
    pub(super) old: Option<Value>,
}

/// Reads a request.
///
/// # Errors
/// [`Malformed`], which is answered with an HTTP error.
pub(super) fn read(body: &[u8]) -> Result<Request, Malformed> {
    let review: AdmissionReview<DynamicObject> = serde_json::from_slice(body)?;
    let request: AdmissionRequest<DynamicObject> = review.try_into().map_err(|_| Malformed::NoRequest)?;
    let resource = &request.resource;
    let judged = matches!(request.sub_resource.as_deref(), None | Some("scale"));
    if resource.group != GROUP || resource.resource != "celeries" || !judged {
        let sub = request.sub_resource.as_deref().map(|sub| format!("/{sub}")).unwrap_or_default();
        return Err(Malformed::OtherResource(format!("{}.{}{sub}", resource.resource, resource.group)));
    }
    let object = request.object.as_ref().map(serde_json::to_value).transpose()?;
    let old = request.old_object.as_ref().map(serde_json::to_value).transpose()?;
    Ok(Request { inner: request, object, old })
}
