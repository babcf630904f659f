// SPDX-License-Identifier: Apache-2.0
//! What was asked of the API server, from its own log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::Error;

/// The user that the operator is.
const OPERATOR: &str = "system:serviceaccount:celery-system:celery-operator";
const MUTATING: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// One request and when it was answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    pub(crate) verb: String,
    /// Path and query.
    #[serde(rename = "requestURI")]
    pub(crate) uri: String,
    /// In texts that sort as times do.
    #[serde(rename = "requestReceivedTimestamp")]
    pub(crate) received: String,
    #[serde(rename = "stageTimestamp")]
    pub(crate) answered: String,
    user: User,
    #[serde(default)]
    object_ref: Reference,
    stage: String,
    /// What was sent, where the policy asks for it.
    #[serde(default)]
    pub(crate) request_object: Value,
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
    subresource: String,
}

impl Event {
    pub(crate) fn is_mutating(&self) -> bool {
        // The Lease is written for as long as somebody holds it, whatever else there is to do.
        MUTATING.contains(&self.verb.as_str()) && self.object_ref.resource != "leases"
    }

    /// Events are no objects of the user's.
    pub(crate) fn is_about_events(&self) -> bool {
        self.object_ref.resource == "events"
    }

    pub(crate) fn is_in(&self, namespace: &str) -> bool {
        self.object_ref.namespace == namespace
    }

    /// `patch celeries/status`.
    pub(crate) fn shape(&self) -> String {
        let slash = if self.object_ref.subresource.is_empty() { "" } else { "/" };
        format!("{} {}{slash}{}", self.verb, self.object_ref.resource, self.object_ref.subresource)
    }
}

/// How much has been logged so far.
pub(crate) fn length(log: &Path) -> Result<u64, Error> {
    Ok(log.metadata()?.len())
}

/// The operator's requests that were logged after `from`, in the order in which they came; watches only when they began
/// there.
pub(crate) fn requests(log: &Path, from: u64) -> Result<Vec<Event>, Error> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut events = Vec::new();
    for line in BufReader::new(file).lines() {
        // The last line may be half written.
        let Ok(event) = serde_json::from_str::<Event>(&line?) else { continue };
        let begun_and_ended = event.verb == "watch" && event.stage == "ResponseComplete";
        if event.user.username == OPERATOR && !begun_and_ended {
            events.push(event);
        }
    }
    events.sort_by(|one, other| one.received.cmp(&other.received));
    Ok(events)
}

/// How often each verb and kind was asked.
pub(crate) fn counted<'e>(events: impl IntoIterator<Item = &'e Event>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        *counts.entry(event.shape()).or_default() += 1;
    }
    counts
}
