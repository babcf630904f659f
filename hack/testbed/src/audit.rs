// SPDX-License-Identifier: Apache-2.0
//! What was asked of the API server, from its own log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// The user that the operator is.
const OPERATOR: &str = "system:serviceaccount:celery-system:celery-operator";
const MUTATING: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// One request and when it was answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// What was to be done: `get`, `patch`.
    pub verb: String,
    /// Path and query.
    #[serde(rename = "requestURI")]
    pub uri: String,
    /// When the API server had it, in texts that sort as times do.
    #[serde(rename = "requestReceivedTimestamp")]
    pub received: String,
    /// When it was answered, or a watch was opened.
    #[serde(rename = "stageTimestamp")]
    pub answered: String,
    /// What its sender says of itself.
    #[serde(default)]
    pub user_agent: String,
    user: User,
    #[serde(default)]
    object_ref: Reference,
    #[serde(default)]
    response_status: Status,
    stage: String,
    /// What was sent, where the policy asks for it.
    #[serde(default)]
    pub request_object: Value,
}

#[derive(Clone, Debug, Deserialize)]
struct User {
    username: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Reference {
    resource: String,
    namespace: String,
    name: String,
    subresource: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    code: u16,
}

impl Event {
    /// Whether it could change anything but the Lease, which is written for as long as somebody holds it.
    #[must_use]
    pub fn is_mutating(&self) -> bool {
        MUTATING.contains(&self.verb.as_str()) && !self.is_about_leases()
    }

    /// Whether it wrote a Lease.
    #[must_use]
    pub fn has_written_a_lease(&self) -> bool {
        MUTATING.contains(&self.verb.as_str()) && self.is_about_leases() && self.was_done()
    }

    /// Whether the API server did what it was asked to.
    #[must_use]
    pub fn was_done(&self) -> bool {
        (200..300).contains(&self.response_status.code)
    }

    fn is_about_leases(&self) -> bool {
        self.object_ref.resource == "leases"
    }

    /// Events are no objects of the user's.
    #[must_use]
    pub fn is_about_events(&self) -> bool {
        self.object_ref.resource == "events"
    }

    /// Whether it is about something in this namespace.
    #[must_use]
    pub fn is_in(&self, namespace: &str) -> bool {
        self.object_ref.namespace == namespace
    }

    /// `patch celeries/status NAMESPACE/NAME 200`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Reference { namespace, name, .. } = &self.object_ref;
        format!("{} {namespace}/{name} {}", self.shape(), self.response_status.code)
    }

    /// `patch celeries/status`.
    #[must_use]
    pub fn shape(&self) -> String {
        let slash = if self.object_ref.subresource.is_empty() { "" } else { "/" };
        format!("{} {}{slash}{}", self.verb, self.object_ref.resource, self.object_ref.subresource)
    }
}

/// How much has been logged so far, in bytes.
///
/// # Errors
/// When there is no log.
pub fn length(log: &Path) -> io::Result<u64> {
    Ok(log.metadata()?.len())
}

/// The operator's requests that were logged after `from`, in the order in which they came; watches only when they began
/// there.
///
/// # Errors
/// When the log cannot be read.
pub fn requests(log: &Path, from: u64) -> io::Result<Vec<Event>> {
    let mut events = everybodys(log, from)?;
    events.retain(|event| event.user.username == OPERATOR);
    Ok(events)
}

/// The requests of everybody, in the same way.
///
/// # Errors
/// When the log cannot be read.
pub fn everybodys(log: &Path, from: u64) -> io::Result<Vec<Event>> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut events = Vec::new();
    for line in BufReader::new(file).lines() {
        // The last line may be half written.
        let Ok(event) = serde_json::from_str::<Event>(&line?) else { continue };
        let begun_and_ended = event.verb == "watch" && event.stage == "ResponseComplete";
        if !begun_and_ended {
            events.push(event);
        }
    }
    events.sort_by(|one, other| one.received.cmp(&other.received));
    Ok(events)
}

/// How often each verb and kind was asked.
pub fn counted<'e>(events: impl IntoIterator<Item = &'e Event>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        *counts.entry(event.shape()).or_default() += 1;
    }
    counts
}
