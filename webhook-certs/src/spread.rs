// SPDX-License-Identifier: Apache-2.0
//! The bundle on its way into the targets: reads them, writes it where it is lacking, and remembers how far it has
//! spread: whom each target trusts, which are not there.
//!
//! One target that fails keeps no other from its bundle. What is remembered of it is what was last seen.

use std::fmt;

use futures::future::join_all;
use kube::Client;

use crate::inject::{self, Injected, Seen, Target, look};
use crate::inspect::{Certificate, bundle_pem};
use crate::trust::Trusted;
use crate::wish::Wish;

/// Why targets did not get their bundle, one error for each of them.
#[derive(Debug, thiserror::Error)]
pub(crate) struct Error(Vec<inject::Error>);

impl Error {
    /// Whether somebody else wrote one of them in between: reading again is worth it at once.
    pub(crate) fn is_overtaken(&self) -> bool {
        self.0.iter().any(inject::Error::is_overtaken)
    }
}

/// Targets that share a reason share its text: an API server that is away is away for all of them.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
        for inject::Error { target, source } in &self.0 {
            let (target, reason) = (target.to_string(), source.to_string());
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, targets)) => targets.push(target),
                None => reasons.push((reason, vec![target])),
            }
        }
        let lines = reasons.iter().map(|(reason, targets)| format!("{}: {reason}", targets.join(", ")));
        f.write_str(&lines.collect::<Vec<_>>().join("; "))
    }
}

/// A target as it was last seen.
#[derive(Clone, Debug)]
enum Known {
    Unseen,
    Missing,
    /// It is there, and its webhooks trust these.
    Trusts(Vec<Trusted>),
}

impl Known {
    /// The same once every webhook has been given this bundle.
    fn with(self, bundle: &[Certificate]) -> Self {
        match self {
            Self::Trusts(webhooks) => {
                Self::Trusts(webhooks.into_iter().map(|_| Trusted::Only(bundle.to_vec())).collect())
            }
            other => other,
        }
    }
}

/// The targets, as the last looks at them have left them.
#[derive(Debug)]
pub(crate) struct Spread {
    targets: Vec<(Target, Known)>,
    field_manager: String,
}

impl Spread {
    pub(crate) fn new(targets: Vec<Target>, field_manager: String) -> Self {
        Self { targets: targets.into_iter().map(|target| (target, Known::Unseen)).collect(), field_manager }
    }

    /// Every target as it is now.
    pub(crate) async fn look(&self, client: &Client) -> Vec<Result<Seen, inject::Error>> {
        join_all(self.targets.iter().map(|(target, _)| look(client, target))).await
    }

    /// Gives every target its bundle, as it was seen; all are tried even if one fails. Whether one had to be written.
    ///
    /// # Errors
    /// [`Error`], when one has failed.
    pub(crate) async fn inject(
        &mut self,
        client: &Client,
        seen: Vec<Result<Seen, inject::Error>>,
        wish: &Wish,
    ) -> Result<bool, Error> {
        let manager = self.field_manager.as_str();
        let outcomes = join_all(seen.into_iter().map(|seen| granted(wish, seen, client, manager))).await;
        let mut changed = false;
        let mut failures = Vec::new();
        for ((target, known), (now, outcome)) in self.targets.iter_mut().zip(outcomes) {
            if matches!((&*known, &now), (Known::Unseen | Known::Trusts(_), Some(Known::Missing))) {
                tracing::warn!(%target, "does not exist: its webhooks are not called until it is created");
            }
            if let Some(now) = now {
                *known = now;
            }
            match outcome {
                Ok(Injected::Unchanged | Injected::Missing) => {}
                Ok(Injected::Written) => {
                    changed = true;
                    tracing::info!(%target, "wrote the CA bundle");
                }
                Err(error) => failures.push(error),
            }
        }
        if failures.is_empty() { Ok(changed) } else { Err(Error(failures)) }
    }

    /// The targets that do not exist.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|(_, known)| matches!(known, Known::Missing)).map(|(target, _)| target)
    }

    /// The targets with a webhook of which this is not true, and those that were never seen.
    pub(crate) fn without(&self, is_true: impl Fn(&Trusted) -> bool) -> impl Iterator<Item = &Target> {
        let lacks = move |known: &Known| match known {
            Known::Unseen => true,
            Known::Missing => false,
            Known::Trusts(webhooks) => !webhooks.iter().all(&is_true),
        };
        self.targets.iter().filter(move |(_, known)| lacks(known)).map(|(target, _)| target)
    }
}

/// Gives a target what it lacks: what it is like then, as far as that is known, and how it went.
async fn granted(
    wish: &Wish,
    seen: Result<Seen, inject::Error>,
    client: &Client,
    field_manager: &str,
) -> (Option<Known>, Result<Injected, inject::Error>) {
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => return (None, Err(error)),
    };
    let Some(webhooks) = seen.trusted() else {
        return (Some(Known::Missing), Ok(Injected::Missing));
    };
    let bundle = wish.bundle(&webhooks);
    let found = Known::Trusts(webhooks);
    let Some(bundle) = bundle else {
        return (Some(found), Ok(Injected::Unchanged));
    };
    match seen.inject(client, &bundle_pem(&bundle), field_manager).await {
        Ok(Injected::Written) => (Some(found.with(&bundle)), Ok(Injected::Written)),
        Ok(Injected::Missing) => (Some(Known::Missing), Ok(Injected::Missing)),
        other => (Some(found), other),
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
    use crate::fixtures::{DAY, ca, noon};

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
    async fn pass(spread: &mut Spread, codes: (u16, u16), wish: &Wish) -> (Result<bool, Error>, Vec<String>) {
        let writes = Writes::default();
        let client = client(codes.0, codes.1, &writes);
        let seen = spread.look(&client).await;
        let outcome = spread.inject(&client, seen, wish).await;
        let writes = std::mem::take(&mut *writes.lock().unwrap());
        (outcome, writes)
    }

    fn names<'a>(targets: impl Iterator<Item = &'a Target>) -> Vec<String> {
        targets.map(Target::to_string).collect()
    }

    #[tokio::test]
    async fn each_target_tells_its_own_failure() {
        let mut spread =
            Spread::new(vec![Target::mutating("w"), Target::validating("w")], "tests".to_owned());
        let wish = Wish::Exactly(vec![ca(noon(), DAY).certificate]);
        for (codes, is_overtaken) in [((503, 403), false), ((409, 403), true), ((403, 409), true)] {
            let (outcome, _) = pass(&mut spread, codes, &wish).await;
            let error = outcome.unwrap_err();
            let told = error.to_string();
            let (first, second) = told.split_once("; ").unwrap();
            assert!(first.starts_with(&format!("{MUTATING}: ")), "{told}");
            assert!(second.starts_with(&format!("{VALIDATING}: ")), "{told}");
            assert_eq!(error.is_overtaken(), is_overtaken, "{told}");
        }
    }

    const MUTATING: &str = "MutatingWebhookConfiguration/w";
    const VALIDATING: &str = "ValidatingWebhookConfiguration/w";

    #[tokio::test]
    async fn a_target_that_fails_holds_up_no_other_and_is_remembered_as_it_was() {
        let (former, new) = (ca(noon(), DAY).certificate, ca(noon(), DAY).certificate);
        let trust = |ca: &Certificate| {
            let ca = ca.clone();
            move |trusted: &Trusted| matches!(trusted, Trusted::Only(cas) if cas.contains(&ca))
        };
        let mut spread =
            Spread::new(vec![Target::mutating("w"), Target::validating("w")], "tests".to_owned());
        assert_eq!(names(spread.without(trust(&former))), [MUTATING, VALIDATING], "never seen");
        let (outcome, _) = pass(&mut spread, (200, 200), &Wish::Exactly(vec![former.clone()])).await;
        assert!(outcome.unwrap());
        assert_eq!(names(spread.without(trust(&former))), [""; 0]);
        let wish = Wish::Exactly(vec![new.clone()]);
        let (outcome, writes) = pass(&mut spread, (503, 200), &wish).await;
        outcome.unwrap_err();
        assert_eq!(writes, ["validatingwebhookconfigurations"]);
        assert_eq!(names(spread.without(trust(&new))), [MUTATING]);
        assert_eq!(names(spread.without(trust(&former))), [VALIDATING]);
        // Which one is missing is known all the same, and it is no reason to be without anything.
        let (outcome, _) = pass(&mut spread, (404, 503), &wish).await;
        outcome.unwrap_err();
        assert_eq!(
            (names(spread.missing()), names(spread.without(trust(&new)))),
            (vec![MUTATING.to_owned()], vec![])
        );
        let (outcome, writes) = pass(&mut spread, (503, 503), &wish).await;
        let told = outcome.unwrap_err().to_string();
        assert!(told.starts_with(&format!("{MUTATING}, {VALIDATING}: ")) && !told.contains("; "), "{told}");
        assert_eq!((names(spread.missing()), writes), (vec![MUTATING.to_owned()], vec![]));
        let (outcome, _) = pass(&mut spread, (200, 200), &wish).await;
        assert!(outcome.unwrap() && names(spread.missing()).is_empty());
    }
}
