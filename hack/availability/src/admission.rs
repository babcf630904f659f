// SPDX-License-Identifier: Apache-2.0
//! One admission: a create that is all but stored, and what must come of it.

use kube::Client;
use serde_json::{Value, json};
use testbed::exchange::{JSON, Message, exchange};

use crate::stage::NAMESPACE;

/// The collection of the objects.
pub(crate) const CELERIES: &str = "/apis/celeryproject.org/v1alpha1/namespaces/availability/celeries";

/// What must come of an admission.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// It is admitted, and has the defaults of the mutating webhook.
    Admitted,
    /// It is refused by the validating webhook.
    Refused,
}

impl Verdict {
    /// The object to ask with.
    fn object(self) -> Value {
        let mut object = celery("admitted");
        if matches!(self, Self::Refused) {
            object["spec"]["common"]["image"] = json!("My/App");
        }
        object
    }

    /// Asks for an admission as a dry run: everything happens but the write.
    ///
    /// # Errors
    /// With what was answered, when that is not this verdict.
    pub(crate) async fn ask(self, client: &Client) -> Result<(), String> {
        let path = format!("{CELERIES}?dryRun=All");
        let message = Message::new("POST", path, JSON, self.object().to_string());
        let (code, text) = exchange(client, message).await.map_err(|error| error.to_string())?;
        let is_right = match self {
            Self::Admitted => code == 201 && text.contains(r#""appName":"admitted""#),
            Self::Refused => code == 422 && text.contains("[C04]"),
        };
        if is_right { Ok(()) } else { Err(format!("{self:?} was expected; {code} {}", said(&text))) }
    }
}

/// What an answer says in words.
fn said(answer: &str) -> String {
    let status: Value = serde_json::from_str(answer).unwrap_or_default();
    status["message"].as_str().map_or_else(|| answer.chars().take(400).collect(), str::to_owned)
}

/// An object as a small shop would write it.
pub(crate) fn celery(name: &str) -> Value {
    json!({
        "apiVersion": "celeryproject.org/v1alpha1",
        "kind": "Celery",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": {
            "common": {
                "image": "registry.example.com/shop:1.0",
                "celeryApp": "shop.tasks",
                "celeryVersion": "5.5",
                "broker": { "url": "redis://cache.shop.svc:6379/0" },
            },
            "workerSpec": { "numOfWorkers": 2, "queues": ["celery", "mail"] },
        },
    })
}
