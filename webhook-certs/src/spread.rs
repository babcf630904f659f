// SPDX-License-Identifier: Apache-2.0
//! The bundle on its way into the targets: reads them, writes it where it is lacking, and remembers how far it has
//! spread: which targets carry it, which are not there.
//!
//! One target that fails keeps no other from its bundle. What is remembered of a bundle is what the last pass without a
//! failure saw: nobody is told that a new one is carried by all while one of them could not be asked.

use futures::future::join_all;
use kube::Client;

use crate::inject::{Error, Injected, Seen, Target, look};

/// The targets, as the last looks at them have left them.
#[derive(Debug)]
pub(crate) struct Spread {
    targets: Vec<Target>,
    field_manager: String,
    /// The bundle that every target was last seen to carry.
    everywhere: Option<String>,
    /// The bundle that every target that exists was last seen to carry.
    carried_by_existing: Option<String>,
    missing: Vec<Target>,
}

impl Spread {
    pub(crate) fn new(targets: Vec<Target>, field_manager: String) -> Self {
        Self { targets, field_manager, everywhere: None, carried_by_existing: None, missing: Vec::new() }
    }

    /// Every target as it is now.
    pub(crate) async fn look(&self, client: &Client) -> Vec<Result<Seen, Error>> {
        join_all(self.targets.iter().map(|target| look(client, target))).await
    }

    /// Puts the bundle into every target, as it was seen; all are tried even if one fails. Whether one had to be
    /// written. An empty bundle, which others publish, counts as carried.
    ///
    /// # Errors
    /// The last [`Error`] of a target.
    pub(crate) async fn inject(
        &mut self,
        client: &Client,
        seen: Vec<Result<Seen, Error>>,
        bundle: String,
    ) -> Result<bool, Error> {
        let seen = seen.into_iter().filter(|_| !bundle.is_empty());
        let each = seen.map(async |seen| seen?.inject(client, &bundle, &self.field_manager).await);
        let outcomes = join_all(each).await;
        let mut missing = Vec::new();
        let mut changed = false;
        let mut failure = None;
        for (target, outcome) in self.targets.iter().zip(outcomes) {
            match outcome {
                Ok(Injected::Unchanged) => {}
                Ok(Injected::Written) => {
                    changed = true;
                    tracing::info!(%target, "wrote the CA bundle");
                }
                Ok(Injected::Missing) => missing.push(target.clone()),
                Err(error) => failure = Some(error),
            }
        }
        self.note_missing(missing);
        if let Some(error) = failure {
            return Err(error);
        }
        self.everywhere = self.missing.is_empty().then(|| bundle.clone());
        self.carried_by_existing = Some(bundle);
        Ok(changed)
    }

    /// Remembers which targets do not exist, and says so once.
    fn note_missing(&mut self, missing: Vec<Target>) {
        for target in missing.iter().filter(|target| !self.missing.contains(target)) {
            tracing::warn!(%target, "does not exist: its webhooks are not called until it is created");
        }
        self.missing = missing;
    }

    /// Whether every target carries this bundle.
    pub(crate) fn is_everywhere(&self, bundle: &str) -> bool {
        self.missing.is_empty() && self.everywhere.as_deref() == Some(bundle)
    }

    /// Whether every target that exists carries this bundle.
    pub(crate) fn is_carried_by_existing(&self, bundle: &str) -> bool {
        self.carried_by_existing.as_deref() == Some(bundle)
    }

    /// The targets that do not exist.
    pub(crate) fn missing(&self) -> &[Target] {
        &self.missing
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use http::{Method, Request, Response};
    use http_body_util::Full;
    use kube::client::Body;
    use serde_json::json;

    use super::*;

    /// The writes that reached an API server.
    type Writes = Arc<Mutex<Vec<String>>>;

    /// An API server that answers with these codes for the two configurations, neither of which carries a bundle.
    fn client(mutating: u16, validating: u16, writes: &Writes) -> Client {
        let writes = writes.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let path = request.uri().path().to_owned();
            let code = if path.contains("mutating") { mutating } else { validating };
            if *request.method() == Method::PATCH {
                writes.lock().unwrap().push(path.rsplit('/').nth(1).unwrap().to_owned());
            }
            let object = match code {
                200 => json!({"metadata": {"name": "w", "resourceVersion": "1"},
                    "webhooks": [{"clientConfig": {}}]}),
                _ => json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                    "reason": if code == 404 { "NotFound" } else { "ServiceUnavailable" }, "message": "no"}),
            };
            let body = Full::new(Bytes::from(object.to_string()));
            async move { Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap()) }
        });
        Client::new(service, "default")
    }

    /// One pass: whether a target had to be written, and where anything was sent.
    async fn pass(
        spread: &mut Spread,
        codes: (u16, u16),
        bundle: &str,
    ) -> (Result<bool, Error>, Vec<String>) {
        let writes = Writes::default();
        let client = client(codes.0, codes.1, &writes);
        let seen = spread.look(&client).await;
        let outcome = spread.inject(&client, seen, bundle.to_owned()).await;
        let writes = std::mem::take(&mut *writes.lock().unwrap());
        (outcome, writes)
    }

    #[tokio::test]
    async fn a_target_that_fails_holds_up_no_other_and_nothing_new_is_told() {
        let targets = vec![Target::mutating("w"), Target::validating("w")];
        let mut spread = Spread::new(targets.clone(), "tests".to_owned());
        let (outcome, _) = pass(&mut spread, (200, 200), "former").await;
        assert!(outcome.unwrap() && spread.is_everywhere("former"));
        for codes in [(503, 200), (200, 503)] {
            let (outcome, writes) = pass(&mut spread, codes, "new").await;
            outcome.unwrap_err();
            let healthy = if codes.0 == 200 { "mutating" } else { "validating" };
            assert_eq!(writes, [format!("{healthy}webhookconfigurations")]);
            assert!(!spread.is_everywhere("new") && !spread.is_carried_by_existing("new"));
            assert!(spread.is_everywhere("former") && spread.is_carried_by_existing("former"));
        }
        // Which one is missing is known all the same.
        let (outcome, _) = pass(&mut spread, (404, 503), "new").await;
        outcome.unwrap_err();
        assert_eq!(spread.missing(), &targets[..1]);
        assert!(!spread.is_everywhere("former") && spread.is_carried_by_existing("former"));
        let (outcome, _) = pass(&mut spread, (404, 200), "new").await;
        assert!(outcome.unwrap() && spread.is_carried_by_existing("new"));
        assert!(!spread.is_everywhere("new"), "one is missing");
    }
}
