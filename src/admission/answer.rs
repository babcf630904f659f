// SPDX-License-Identifier: Apache-2.0
//! The verdict on a request. Pure.

use std::collections::BTreeMap;

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, Patch, PatchOperation};
use kube::core::admission::Operation;
use serde_json::Value;

use super::outline::{MOST_VALUES, Outline};
use super::review::{JsonPatch, Request, Response};
use super::words;
use crate::defaults::{self, Addition, Moment};
use crate::index::Surroundings;
use crate::rules::{self, Finding, Severity};

/// A verdict, and the findings that it rests on, where this webhook is the one to tell them.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) findings: Vec<Finding>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self { response, findings: Vec::new() }
    }
}

/// Adds what is absent; denies when the schema would refuse the object anyway, since the schema would answer first and
/// with one mistake at a time.
pub(super) fn mutate(request: &Request, surroundings: &Surroundings) -> Answer {
    let allowed = request.allowed();
    let Some(object) = judged(request).filter(|_| request.sub_resource.is_none()) else {
        return allowed.into();
    };
    let moment = if request.operation == Operation::Create { Moment::Creation } else { Moment::Later };
    let additions = defaults::absent(object, moment);
    let defaulted = defaults::defaulted(object.clone(), &additions);
    let Ok(is_refused) = rules::is_refused_by_schema(&defaulted, request.old.as_ref()) else {
        // The API server names wrong types itself; a hint goes beside it where its own message does not help.
        return words::warned(allowed, words::type_hints(object)).into();
    };
    if is_refused
        && let Ok(findings) = rules::check(&defaulted, request.old.as_ref(), &facts(request, surroundings))
    {
        // What the object it replaces had already is let in as it is.
        if findings.iter().any(|finding| finding.schema && finding.severity == Severity::Deny) {
            return denied(request, findings);
        }
    }
    if additions.is_empty() {
        return allowed.into();
    }
    // Without the patch the reconciler fills in the same fields.
    let Ok(patch) = JsonPatch::new(&patch(&additions)) else { return allowed.into() };
    let defaulted = BTreeMap::from([("defaulted", additions.len().to_string())]);
    Response { patch: Some(patch), audit_annotations: defaulted, ..allowed }.into()
}

/// Judges the final object: every finding at once.
pub(super) fn validate(request: &Request, surroundings: &Surroundings) -> Answer {
    let allowed = request.allowed();
    if request.sub_resource.is_some() {
        return scale(request, surroundings);
    }
    let Some(object) = judged(request) else {
        return allowed.into();
    };
    let Ok(findings) = rules::check(object, request.old.as_ref(), &facts(request, surroundings)) else {
        return allowed.into();
    };
    if findings.iter().any(|finding| finding.severity == Severity::Deny) {
        return denied(request, findings);
    }
    annotated(words::warned(allowed, words::warnings(&findings)), findings)
}

/// The verdict on a request that is not decoded, since an object of it would take too much memory.
pub(super) fn outsized(outline: &Outline) -> Response {
    let allowed = Response::allowing(&outline.uid);
    let is_judged = matches!(outline.operation, Operation::Create | Operation::Update);
    if !is_judged || outline.is_leaving {
        return allowed;
    }
    if outline.old > MOST_VALUES {
        let unjudged = format!(
            "the object replaces one of {} values; one of more than {MOST_VALUES} is not judged",
            outline.old
        );
        return words::warned(allowed, vec![unjudged]);
    }
    let status = Some(words::too_large(&outline.name, outline.new, MOST_VALUES));
    Response { allowed: false, status, ..allowed }
}

/// Judges a request to scale, which names an object and does not bring it along.
fn scale(request: &Request, surroundings: &Surroundings) -> Answer {
    let allowed = request.allowed();
    let Some(celery) = surroundings.celery(request.namespace.as_deref().unwrap_or_default(), &request.name)
    else {
        let unseen =
            "the operator has not seen this object yet: whether it may be scaled is not checked [A28]";
        return words::warned(allowed, vec![unseen.to_owned()]).into();
    };
    let findings =
        serde_json::to_value(&celery).map(|celery| rules::check_scale(&celery)).unwrap_or_default();
    if findings.is_empty() { allowed.into() } else { denied(request, findings) }
}

/// What is known beside the object of a request.
fn facts(request: &Request, surroundings: &Surroundings) -> rules::Facts {
    let name = &request.name;
    let written = request.object.as_ref().and_then(|object| object["spec"]["common"]["appName"].as_str());
    let namespace = request.namespace.as_deref().unwrap_or_default();
    surroundings.facts(namespace, name, written.unwrap_or(name))
}

/// The object to judge: created or changed, and not on its way out.
fn judged(request: &Request) -> Option<&Value> {
    let judged = matches!(request.operation, Operation::Create | Operation::Update);
    let object = request.object.as_ref().filter(|_| judged)?;
    object["metadata"]["deletionTimestamp"].is_null().then_some(object)
}

fn denied(request: &Request, findings: Vec<Finding>) -> Answer {
    let mut response = request.allowed();
    response.allowed = false;
    response.status = Some(words::refusal(&request.name, &findings));
    let warnings: Vec<Finding> =
        findings.iter().filter(|finding| finding.severity == Severity::Warn).cloned().collect();
    annotated(words::warned(response, words::warnings(&warnings)), findings)
}

fn annotated(mut response: Response, findings: Vec<Finding>) -> Answer {
    if !findings.is_empty() {
        let mut ids: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
        ids.sort_unstable();
        ids.dedup();
        response.audit_annotations.insert("rules", ids.join(","));
    }
    Answer { response, findings }
}

fn patch(additions: &[Addition]) -> Patch {
    let add = |addition: &Addition| {
        PatchOperation::Add(AddOperation {
            path: PointerBuf::from_tokens(addition.path.iter().copied()),
            value: addition.value.clone(),
        })
    };
    Patch(additions.iter().map(add).collect())
}
