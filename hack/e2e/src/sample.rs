// SPDX-License-Identifier: Apache-2.0
//! The Celery of `config/samples/app`, with what an experiment changes about it, and what its tasks have written down.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Error;
use crate::brokers::Redis;
use crate::images::{SAMPLE, TAGS};
use crate::ledger::Page;
use crate::stage::{Stage, wait_for};

const YAML: &str = include_str!("../../../config/samples/app/celery.yaml");

/// Who may open Flower.
pub(crate) const LOGIN: &str = "admin:secret";

/// Its name, and the prefix of its children.
pub(crate) const NAME: &str = "shop-app";

/// The sample's Celery with these values in these places (JSON pointers); null takes a field away.
///
/// # Errors
/// When the sample is no Celery, or a place is not in an object.
pub(crate) fn celery(changes: &[(&str, Value)]) -> Result<Value, Error> {
    let mut celery: Value = serde_saphyr::from_str(first_document(YAML))?;
    celery["spec"]["common"]["image"] = json!(image(0));
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').ok_or("a place begins with /")?;
        let parent = celery.pointer_mut(parent).and_then(Value::as_object_mut);
        let parent = parent.ok_or_else(|| format!("{pointer} is in nothing"))?;
        if value.is_null() {
            parent.remove(field);
        } else {
            parent.insert((*field).to_owned(), value.clone());
        }
    }
    Ok(celery)
}

/// The image under one of its tags.
pub(crate) fn image(tag: usize) -> String {
    format!("{SAMPLE}:{}", TAGS[tag])
}

fn first_document(yaml: &str) -> &str {
    yaml.split_once("\n---\n").map_or(yaml, |(first, _)| first)
}

/// The sample in a namespace of its own, on one broker.
pub(crate) struct Sample<'s> {
    pub(crate) stage: &'s Stage,
    pub(crate) namespace: &'static str,
    /// Where its tasks wait, unless the scheme is `amqp`.
    broker: &'s Redis,
    /// `redis` or `amqp`.
    scheme: &'static str,
    /// Its pages of the ledger: a database of its own.
    database: u8,
}

impl<'s> Sample<'s> {
    /// Makes the namespace with the Secrets in it, on a broker of the stage.
    ///
    /// # Errors
    /// When it is there already.
    pub(crate) fn new(
        stage: &'s Stage,
        namespace: &'static str,
        scheme: &'static str,
        database: u8,
    ) -> Result<Self, Error> {
        Self::on(stage, &stage.broker, namespace, scheme, database)
    }

    /// The same with another Redis to wait in.
    ///
    /// # Errors
    /// When the namespace is there already.
    pub(crate) fn on(
        stage: &'s Stage,
        broker: &'s Redis,
        namespace: &'static str,
        scheme: &'static str,
        database: u8,
    ) -> Result<Self, Error> {
        stage.namespace(namespace)?;
        let sample = Self { stage, namespace, broker, scheme, database };
        sample.write_urls()?;
        let flower = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "shop-app-flower" },
            "stringData": { "users": LOGIN },
        });
        sample.apply(&flower)?;
        Ok(sample)
    }

    /// Writes the Secret with the URLs of now.
    ///
    /// # Errors
    /// When kubectl cannot.
    pub(crate) fn write_urls(&self) -> Result<(), Error> {
        let broker = match self.scheme {
            "amqp" => crate::brokers::RabbitMq::url(),
            _ => self.broker.url(self.database),
        };
        let urls = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "shop-app-urls" },
            "stringData": { "broker": broker, "results": self.stage.broker.url(self.database + 1) },
        });
        self.apply(&urls)
    }

    /// Applies the Celery with these changes.
    ///
    /// # Errors
    /// When it is refused.
    pub(crate) fn change(&self, changes: &[(&str, Value)]) -> Result<(), Error> {
        let ledger = json!([{ "name": "LEDGER_URL", "value": self.stage.ledger.url(self.database) }]);
        let always = [("/spec/common/broker/scheme", json!(self.scheme)), ("/spec/common/env", ledger)];
        self.apply(&celery(&[&always, changes].concat())?)
    }

    fn apply(&self, object: &Value) -> Result<(), Error> {
        self.stage.apply(&object.to_string(), &["--namespace", self.namespace]).map(drop)
    }

    /// What kubectl prints in the namespace.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String, Error> {
        self.stage.kubectl(&[&["--namespace", self.namespace][..], arguments].concat())
    }

    /// Objects of the namespace.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) fn get(&self, arguments: &[&str]) -> Result<Value, Error> {
        self.stage.get(&[&["--namespace", self.namespace][..], arguments].concat())
    }

    /// A condition of the Celery.
    ///
    /// # Errors
    /// When there is no Celery.
    pub(crate) fn condition(&self, kind: &str) -> Result<Value, Error> {
        let celery = self.get(&["celery", NAME])?;
        let conditions = celery["status"]["conditions"].as_array().into_iter().flatten();
        let generation = &celery["metadata"]["generation"];
        let mut current = conditions.filter(|condition| condition["observedGeneration"] == *generation);
        Ok(current.find(|condition| condition["type"] == kind).cloned().unwrap_or_default())
    }

    /// Waits until the Celery is ready, and tells how long that took.
    ///
    /// # Errors
    /// When it does not become so in time.
    pub(crate) fn ready(&self) -> Result<Duration, Error> {
        let begin = Instant::now();
        wait_for("a Celery that is ready", || {
            let ready = self.condition("Ready")?;
            Ok(if ready["status"] == "True" { Ok(()) } else { Err(ready.to_string()) })
        })?;
        Ok(begin.elapsed())
    }

    /// Sends tasks out of the pod of Flower, which no experiment replaces on purpose, and returns what `send.py` printed.
    ///
    /// # Errors
    /// When it fails, or a result that it waits for does not come.
    pub(crate) fn send(&self, arguments: &[&str]) -> Result<String, Error> {
        let sender = ["exec", "deployment/shop-app-flower", "--", "python3", "send.py"];
        self.kubectl(&[&sender, arguments].concat())
    }

    /// What tasks of a name have written down.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) fn page(&self, task: &str) -> Result<Page, Error> {
        Page::read(&self.stage.ledger, self.database, task)
    }

    /// The pods by UID, each with the number of its restarts.
    ///
    /// # Errors
    /// When kubectl cannot.
    pub(crate) fn pods(&self) -> Result<Vec<(String, u64)>, Error> {
        let pods = self.get(&["pods"])?;
        let items = pods["items"].as_array().into_iter().flatten();
        let mut pods: Vec<(String, u64)> = items
            .map(|pod| {
                let restarts = &pod["status"]["containerStatuses"][0]["restartCount"];
                let uid = pod["metadata"]["uid"].as_str().unwrap_or_default();
                (uid.to_owned(), restarts.as_u64().unwrap_or_default())
            })
            .collect();
        pods.sort();
        Ok(pods)
    }

    /// Deletes everything, so that the next has the processors.
    ///
    /// # Errors
    /// When kubectl cannot.
    pub(crate) fn end(self) -> Result<(), Error> {
        self.kubectl(&["delete", "celery", NAME, "--ignore-not-found"])?;
        self.kubectl(&["delete", "pods", "--all", "--now", "--wait=false"])?;
        self.stage.kubectl(&["delete", "namespace", self.namespace, "--wait=false"]).map(drop)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_sample_can_be_changed() {
        let celery =
            celery(&[("/spec/workerSpec/numOfWorkers", json!(3)), ("/spec/beatSpec", Value::Null)]).unwrap();
        assert_eq!(celery["spec"]["workerSpec"]["numOfWorkers"], 3);
        assert!(celery["spec"].get("beatSpec").is_none());
        assert_eq!(celery["spec"]["common"]["image"], "celery-sample:1.0");
        assert!(super::celery(&[("/spec/nowhere/x", json!(1))]).is_err());
    }
}
