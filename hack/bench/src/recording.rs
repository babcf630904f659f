// SPDX-License-Identifier: Apache-2.0
//! What the operator sends for one new object, taken down so that a bare client can send the same.

use std::fmt;

use serde_json::Value;
use testbed::audit::{self, Event};
use testbed::exchange::{APPLY, JSON, MERGE, Message, succeed};

use crate::celery::{creation, name};
use crate::settled::Watch;
use crate::stage::{RECORDING, Stage};
use crate::{Error, arms};

/// Objects that are created one after the other; the last one is taken down, when everything is warm.
const OBJECTS: usize = 4;

/// One request, with the names of the object it was made for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    message: Message,
    shape: String,
    pub(crate) is_about_events: bool,
    /// When it came, and when it was answered.
    times: (String, String),
}

/// The requests for one new object: those of a step are sent at the same time, a step begins when the one before it has
/// been answered.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    steps: Vec<Vec<Request>>,
    name: String,
    uid: String,
}

/// Takes down what the operator sends.
///
/// # Errors
/// When the operator does not settle an object, or never sends the same twice.
pub(crate) async fn record(stage: &Stage) -> Result<Recording, Error> {
    stage.space(RECORDING).await?;
    let operator = stage.start_operator().await?;
    let mut watch = Watch::open(&stage.admin, RECORDING).await?;
    let mut recorded: Vec<Recording> = Vec::new();
    for index in 0..OBJECTS {
        let begin = audit::length(&stage.audit_log)?;
        let name = name(index);
        let created = succeed(&stage.admin, creation(RECORDING, &name)).await?;
        let created: Value = serde_json::from_str(&created)?;
        watch.until(index + 1).await?;
        let uid = created["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let events = arms::logged(stage, begin, RECORDING).await?;
        let requests = events.into_iter().map(Request::new).collect::<Result<Vec<_>, _>>()?;
        recorded.push(Recording { steps: steps(requests), name, uid });
    }
    drop(operator);
    stage.clear(RECORDING).await?;
    let last = recorded.pop().ok_or("nothing was recorded")?;
    if recorded.last().is_none_or(|before| before.shapes() != last.shapes()) {
        return Err(format!("the operator sends something else each time:\n{last}").into());
    }
    Ok(last)
}

/// Requests that were under way at the same time are one step.
fn steps(requests: Vec<Request>) -> Vec<Vec<Request>> {
    let mut steps: Vec<Vec<Request>> = Vec::new();
    let mut first_answer = String::new();
    for request in requests {
        match steps.last_mut() {
            Some(step) if request.times.0 < first_answer => {
                first_answer = first_answer.min(request.times.1.clone());
                step.push(request);
            }
            _ => {
                first_answer.clone_from(&request.times.1);
                steps.push(vec![request]);
            }
        }
    }
    steps
}

impl Request {
    fn new(event: Event) -> Result<Self, Error> {
        let (method, content_type) = match event.verb.as_str() {
            "get" => ("GET", JSON),
            "create" => ("POST", JSON),
            "patch" if event.uri.contains("fieldManager=") && is_whole(&event.request_object) => {
                ("PATCH", APPLY)
            }
            "patch" => ("PATCH", MERGE),
            verb => return Err(format!("cannot send a {verb} again").into()),
        };
        let body =
            if event.request_object.is_null() { String::new() } else { event.request_object.to_string() };
        Ok(Self {
            message: Message::new(method, event.uri.clone(), content_type, body),
            shape: event.shape(),
            is_about_events: event.is_about_events(),
            times: (event.received, event.answered),
        })
    }
}

/// What is applied says what it is; a merge patch need not.
fn is_whole(object: &Value) -> bool {
    object.get("kind").is_some()
}

/// The same without the version that keeps an apply from changing what is there.
fn of_any_version(body: &str) -> String {
    let mut body: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(metadata) = body["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
    }
    body.to_string()
}

impl Recording {
    fn shapes(&self) -> Vec<&str> {
        let mut shapes: Vec<&str> = self.requests().map(|request| request.shape.as_str()).collect();
        shapes.sort_unstable();
        shapes
    }

    pub(crate) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.steps.iter().flatten()
    }

    /// The same requests for another object.
    pub(crate) fn for_object(&self, namespace: &str, name: &str, uid: &str) -> Vec<Vec<Message>> {
        let step = |step: &Vec<Request>| {
            step.iter().map(|request| self.renamed(&request.message, namespace, name, uid)).collect()
        };
        self.steps.iter().map(step).collect()
    }

    /// The least that has to be sent: one create for each child, and the status once.
    pub(crate) fn least(&self, namespace: &str, name: &str, uid: &str) -> Vec<Vec<Message>> {
        let applied = self.requests().filter(|request| request.message.content_type == APPLY);
        let (status, children): (Vec<&Request>, Vec<&Request>) = applied
            .filter(|request| !request.is_about_events)
            .partition(|request| request.shape.ends_with("/status"));
        let creation = |request: &&Request| {
            let applied = self.renamed(&request.message, namespace, name, uid);
            let path = applied.path.split_once('?').map_or("", |(path, _)| path);
            let collection = path.rsplit_once('/').map_or("", |(collection, _)| collection);
            Message::new("POST", collection, JSON, of_any_version(&applied.body))
        };
        let report = |request: &&Request| {
            let applied = self.renamed(&request.message, namespace, name, uid);
            let path = applied.path.split_once('?').map_or("", |(path, _)| path);
            Message::new("PATCH", path, MERGE, applied.body)
        };
        vec![children.iter().map(creation).collect(), status.last().iter().map(|last| report(last)).collect()]
    }

    /// What was applied to the worker's Deployment.
    ///
    /// # Errors
    /// When nothing was.
    pub(crate) fn worker(&self, namespace: &str, name: &str) -> Result<Message, Error> {
        let path = format!("/deployments/{}-worker?", self.name);
        let mut applied = self.requests().filter(|request| request.message.content_type == APPLY);
        let request = applied
            .find(|request| request.message.path.contains(&path))
            .ok_or("no Deployment of a worker was applied")?;
        let renamed = self.renamed(&request.message, namespace, name, "");
        Ok(Message { body: of_any_version(&renamed.body), ..renamed })
    }

    fn renamed(&self, message: &Message, namespace: &str, name: &str, uid: &str) -> Message {
        let renamed =
            |text: &str| text.replace(RECORDING, namespace).replace(&self.name, name).replace(&self.uid, uid);
        Message::new(message.method, renamed(&message.path), message.content_type, renamed(&message.body))
    }
}

/// One line for each step.
impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = |step: &Vec<Request>| {
            step.iter().map(|request| request.shape.as_str()).collect::<Vec<_>>().join(" + ")
        };
        write!(f, "  {}", self.steps.iter().map(step).collect::<Vec<_>>().join("\n  "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(shape: &str, received: u32, answered: u32) -> Request {
        Request {
            message: Message::new("GET", "/", JSON, ""),
            shape: shape.to_owned(),
            is_about_events: false,
            times: (format!("{received:03}"), format!("{answered:03}")),
        }
    }

    #[test]
    fn what_overlaps_is_one_step() {
        let requests = vec![
            request("secret", 0, 10),
            request("a", 11, 30),
            request("b", 12, 20),
            request("c", 13, 40),
            // Came when one of the three had been answered: it may have waited for it.
            request("d", 25, 50),
            request("status", 51, 60),
        ];
        let recording = Recording { steps: steps(requests), name: String::new(), uid: String::new() };
        assert_eq!(recording.to_string(), "  secret\n  a + b + c\n  d\n  status");
    }
}
