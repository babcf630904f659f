// SPDX-License-Identifier: Apache-2.0
//! What the operator asks of the API server: read, apply, delete, and report what happens. Each request has its own
//! time limit, since a client may otherwise repeat one for minutes.

mod adopt;
mod apply;
mod claim;
mod config;
mod drift;
mod events;
mod prune;
mod read;
mod repair;
mod report;

use std::future::Future;
use std::time::Duration;

use kube::Client;
use kube::api::{Api, DynamicObject};
use serde_json::Value;
use thiserror::Error;

use crate::build::{ChildKind, Manifest};
use crate::rules::overheard;

pub use apply::{Verb, apply, create, find, is_in_step, is_own};
pub use config::{Fields, own_secret, read_config};
pub use events::{Fate, Teller, Writer, events, instance};
pub use prune::delete;
pub use read::read_secrets;
pub use report::write_status;

/// Time limit of one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a request did not do what it should.
#[derive(Debug, Error)]
pub enum Error {
    /// An object of that name belongs to somebody else.
    #[error(
        "{kind} {name} exists and does not belong to this Celery; {}delete or rename it, or choose another appName",
        way_in(*.adoptable)
    )]
    NameTaken {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Whether it would be taken over if that were asked for.
        adoptable: bool,
    },
    /// A Deployment that nobody controls has a selector of its own.
    #[error(
        "Deployment {name} cannot be adopted: its selector is not {wanted}, and a selector never changes; \
         delete it (with --cascade=orphan its pods stay), or choose another appName"
    )]
    SelectorDiffers {
        /// Its name.
        name: String,
        /// The selector it would need.
        wanted: String,
    },
    /// An object of that name is about to go.
    #[error("{kind} {name} of a predecessor is still there; it is waited for")]
    Leaving {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The API server will not take the object, however often it is sent.
    #[error("{kind} {name} is refused: {message}")]
    Refused {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// HTTP status of the answer.
        code: u16,
        /// What the API server says.
        message: String,
    },
    /// A claim cannot become what the spec asks for, however often it is asked.
    #[error(
        "PersistentVolumeClaim {name}: {message}; set {field} back, or delete the claim and what it holds"
    )]
    ClaimRefused {
        /// Name of the claim.
        name: String,
        /// The field to look at.
        field: String,
        /// Why not.
        message: String,
    },
    /// The API server will not take it now: a quota, a role, a namespace that is going.
    #[error("{what} is forbidden: {message}")]
    Forbidden {
        /// Kind and name of the object.
        what: String,
        /// What the API server says.
        message: String,
    },
    /// The role of the operator lacks a kind.
    #[error(
        "{kind} {name}: the operator may not list and watch {resource}; nothing is done about it until its role allows \
         that"
    )]
    NotPermitted {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The kind as roles name it, `ingresses.networking.k8s.io`.
        resource: String,
    },
    /// The API server has to ask a webhook of somebody else first, and cannot.
    #[error("{kind} {name}: the webhook {webhook} does not answer the API server; it is tried again")]
    WebhookFailed {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Name of the webhook.
        webhook: String,
        /// What the API server says.
        message: String,
    },
    /// The API server failed over the object.
    #[error("{kind} {name}: a request to the API server failed ({}); it is tried again", code(.source))]
    Failed {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The answer.
        source: Box<kube::Error>,
    },
    /// No answer in time.
    #[error("the API server did not answer within {} seconds", TIMEOUT.as_secs())]
    Timeout,
    /// Anything else; trying again may help. The text is the same however often it happens, since it goes into the
    /// status; the cause is for the log.
    #[error("a request to the API server failed ({}); it is tried again", code(.0))]
    Api(#[source] Box<kube::Error>),
}

/// The hint of a name that could be had by asking.
fn way_in(adoptable: bool) -> &'static str {
    if adoptable { "take it over with the annotation celeryproject.org/adopt: \"true\", " } else { "" }
}

/// What there is to say of a failed request without the words that differ from time to time.
fn code(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.reason.is_empty() => status.code.to_string(),
        kube::Error::Api(status) => format!("{} {}", status.code, status.reason),
        _ => "no usable answer".to_owned(),
    }
}

/// Whether there is no object of that name.
fn is_missing(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

impl Error {
    /// One word for events, metrics and conditions.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NameTaken { .. } => "NameTaken",
            Self::SelectorDiffers { .. } => "SelectorDiffers",
            Self::Leaving { .. } => "Leaving",
            Self::Refused { .. } => "ChildRefused",
            Self::ClaimRefused { .. } => "ClaimRefused",
            Self::Forbidden { .. } => "Forbidden",
            Self::NotPermitted { .. } => "NotPermitted",
            Self::WebhookFailed { .. } => "WebhookFailed",
            Self::Timeout => "ApiTimeout",
            Self::Failed { .. } | Self::Api(_) => "ApiError",
        }
    }

    /// Whether only a change by somebody helps.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        matches!(
            self,
            Self::NameTaken { .. }
                | Self::SelectorDiffers { .. }
                | Self::Refused { .. }
                | Self::ClaimRefused { .. }
                | Self::NotPermitted { .. }
        )
    }

    /// Whether there is no use in trying again soon.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::ClaimRefused { .. } | Self::NotPermitted { .. })
    }

    /// Whether the object of that name is somebody else's.
    #[must_use]
    pub fn says_taken(&self) -> bool {
        matches!(self, Self::NameTaken { .. } | Self::SelectorDiffers { .. })
    }

    /// Whether the object of that name may be somebody else's: it is, or the answer says nothing about it.
    #[must_use]
    pub fn leaves_owner_open(&self) -> bool {
        self.says_taken() || matches!(self, Self::Timeout | Self::Failed { .. } | Self::Api(_))
    }

    /// What the API server said, for the log; nothing when it speaks of a Secret and might quote it.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::WebhookFailed { message, .. } => Some(message.clone()),
            Self::Api(source) | Self::Failed { source, .. } => match source.as_ref() {
                kube::Error::Api(status) if status.message.contains("ecret") => None,
                kube::Error::Api(status) => Some(overheard(&status.message, &Value::Null)),
                kube::Error::Service(error) => Some(error.to_string()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The error of a manifest of a kind that the operator may not watch.
    #[must_use]
    pub fn not_permitted(manifest: &Manifest) -> Self {
        let resource = manifest.kind.resource();
        let resource = match resource.group.as_str() {
            "" => resource.plural,
            group => format!("{}.{group}", resource.plural),
        };
        Self::NotPermitted { kind: manifest.kind.as_str(), name: manifest.name.clone(), resource }
    }

    /// The error as one about reading a Secret.
    fn about(self, secret: &str) -> Self {
        match &self {
            Self::Api(source) if matches!(source.as_ref(), kube::Error::Api(status) if status.code == 403) => {
                let message = "the operator's role does not let it read Secrets here".to_owned();
                Self::Forbidden { what: format!("Secret {secret}"), message }
            }
            _ => self,
        }
    }

    /// The error as one about a manifest: told apart by whether sending it again can help. A manifest that server-side
    /// apply cannot convert is answered with 500 and no reason.
    fn of(self, manifest: &Manifest) -> Self {
        let source = match self {
            Self::Api(source) => source,
            other => return other,
        };
        let kube::Error::Api(status) = source.as_ref() else { return Self::Api(source) };
        let (kind, name, code) = (manifest.kind.as_str(), manifest.name.clone(), status.code);
        // What the API server says of a Secret may quote it.
        let message = if manifest.kind == ChildKind::Secret {
            format!("the API server answers {code} {}", status.reason)
        } else {
            overheard(&causes(status), &manifest.body)
        };
        let inconvertible = code == 500 && status.reason.is_empty();
        match code {
            403 => Self::Forbidden { what: format!("{kind} {name}"), message },
            400 | 422 => Self::Refused { kind, name, code, message },
            _ if inconvertible => Self::Refused { kind, name, code, message },
            500..=599 => match silent_webhook(status) {
                Some(webhook) => Self::WebhookFailed { kind, name, webhook: webhook.to_owned(), message },
                None => Self::Failed { kind, name, source },
            },
            _ => Self::Api(source),
        }
    }
}

/// The webhook that the API server could not call.
fn silent_webhook(status: &kube::core::Status) -> Option<&str> {
    let (_, behind) = status.message.split_once("failed calling webhook \"")?;
    let (name, _) = behind.split_once('"')?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-.".contains(letter);
    ((1..=253).contains(&name.len()) && name.chars().all(is_plain)).then_some(name)
}

/// What the API server says, its causes in an order that is always the same: it lists them at random.
fn causes(status: &kube::core::Status) -> String {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let texts = causes.map(|cause| match cause.field.as_str() {
        // Policies name no field.
        "" => cause.message.clone(),
        field => format!("{field}: {}", cause.message),
    });
    let mut texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    if texts.is_empty() {
        return status.message.clone();
    }
    texts.sort();
    texts.join(", ")
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        Self::Api(Box::new(error))
    }
}

/// Runs one request within its time limit.
async fn limited<T>(request: impl Future<Output = Result<T, kube::Error>>) -> Result<T, Error> {
    tokio::time::timeout(TIMEOUT, request).await.map_err(|_| Error::Timeout)?.map_err(Error::from)
}

fn children(client: &Client, kind: ChildKind, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, &kind.resource())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(kind: ChildKind, status: Value) -> Error {
        let body = json!({"spec": {"template": {"spec": {"containers": [
            {"env": [{"name": "CELERY_BROKER_URL", "value": "redis://:hunter2@cache"}]}]}}}});
        let manifest = Manifest { kind, name: "shop-worker".to_owned(), body, hash: String::new() };
        let status = serde_json::from_value(status).expect("a status");
        Error::Api(Box::new(kube::Error::Api(Box::new(status)))).of(&manifest)
    }

    fn answer(code: u16, reason: &str, message: &str, causes: &Value) -> Value {
        json!({"status": "Failure", "code": code, "reason": reason, "message": message, "details": {"causes": causes}})
    }

    #[test]
    fn whoever_refuses_a_child_is_quoted_without_the_passwords_in_it() {
        let quoted = "no plain passwords: redis://:hunter2@cache, I mean hunter2";
        let policy = json!([{"message": quoted}]);
        let field = json!([{"field": "spec.b", "message": "is b"}, {"field": "spec.a", "message": "is a"}]);
        for (status, told) in [
            (
                answer(422, "Invalid", quoted, &policy),
                "Deployment shop-worker is refused: no plain passwords: redis://***@cache, I mean ***",
            ),
            (
                answer(400, "", quoted, &json!([])),
                "Deployment shop-worker is refused: no plain passwords: redis://***@cache, I mean ***",
            ),
            (
                answer(403, "Forbidden", quoted, &json!([])),
                "Deployment shop-worker is forbidden: no plain passwords: redis://***@cache, I mean ***",
            ),
            (
                answer(422, "Invalid", "x", &field),
                "Deployment shop-worker is refused: spec.a: is a, spec.b: is b",
            ),
        ] {
            let error = answered(ChildKind::Deployment, status);
            assert_eq!(error.to_string(), told);
        }
        let secret = answered(ChildKind::Secret, answer(422, "Invalid", quoted, &policy));
        assert_eq!(secret.to_string(), "Secret shop-worker is refused: the API server answers 422 Invalid");
    }

    #[test]
    fn a_webhook_that_does_not_answer_is_named_and_asked_again() {
        let said = "Internal error occurred: failed calling webhook \"w3.policy.example.com\": failed to call webhook: \
            Post \"https://127.0.0.1:1/?timeout=3s\": dial tcp 127.0.0.1:1: connect: connection refused";
        let error =
            answered(ChildKind::Deployment, answer(500, "InternalError", said, &json!([{"message": said}])));
        let told = error.to_string();
        assert_eq!((error.reason(), error.is_stalled()), ("WebhookFailed", false));
        assert!(
            told.starts_with("Deployment shop-worker: the webhook w3.policy.example.com does not"),
            "{told}"
        );
        assert!(error.detail().is_some_and(|detail| detail.contains("connection refused")));
        for other in
            ["failed calling webhook \"redis://:hunter2@x\": no", "etcdserver: request timed out: hunter2"]
        {
            let error = answered(ChildKind::Deployment, answer(500, "InternalError", other, &json!([])));
            assert_eq!(error.reason(), "ApiError");
            let told = error.to_string();
            assert!(told.starts_with("Deployment shop-worker: ") && !told.contains("hunter2"), "{told}");
        }
        let conflict = answered(ChildKind::Deployment, answer(409, "Conflict", "", &json!([])));
        assert!(matches!(conflict, Error::Api(_)), "{conflict}");
    }
}
