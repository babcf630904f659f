// SPDX-License-Identifier: Apache-2.0
//! Applying a child, when that would change something.

use std::sync::Arc;

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::repair::{repair, withdraw_from_seen};
use super::{Error, children, drift, limited};
use crate::build::{ChildKind, Manifest};
use crate::names::{FIELD_MANAGER, REPLICAS_MANAGER};
use crate::resolve::Owner;

/// Resource version of no object there is: the first one that is written has the next.
const NO_OBJECT: &str = "1";

/// Whether somebody else's object of that name is to be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Nobody has been found in the way: the object is created, which fails should there be one.
    Free,
    /// Something went wrong before: the API server is asked before anything is written.
    Doubtful,
}

/// Applies a manifest by server-side apply, unless the live object is in step with it.
///
/// `live` is the object as last seen. An object of that name that this Celery does not own is never touched.
///
/// # Errors
/// [`Error::NameTaken`] for an object of somebody else, [`Error::Leaving`] for one that is about to go,
/// [`Error::Refused`] when the API server will never take the manifest.
pub async fn apply(
    client: &Client,
    owner: &Owner,
    manifest: &Manifest,
    live: Option<Arc<DynamicObject>>,
    expectation: Expectation,
) -> Result<Arc<DynamicObject>, Error> {
    let api = children(client, manifest.kind, &owner.namespace);
    let live = match live {
        Some(live) => live,
        None => match create(&api, manifest, expectation).await? {
            Created::Now(live) => return Ok(live),
            Created::Before(live) => live,
        },
    };
    check_owner(owner, manifest, &live)?;
    if drift::in_step(manifest, &live) {
        return Ok(live);
    }
    withdraw_from_seen(&api, manifest, &live).await?;
    hand_over_replicas(&api, manifest, &live).await?;
    if drift::has_copies(manifest, &live) {
        repair(&api, manifest, &live).await?;
    }
    let forced = PatchParams::apply(FIELD_MANAGER).force();
    let identity = live.metadata.uid.as_deref().map(|uid| ("uid", uid));
    match send(&api, manifest, &forced, identity).await {
        Err(Error::Refused { code: 422, .. }) => {
            repair(&api, manifest, &live).await?;
            send(&api, manifest, &forced, identity).await
        }
        applied => applied,
    }
}

/// An object that was not seen before.
enum Created {
    /// It was created by this very request.
    Now(Arc<DynamicObject>),
    /// It was there, and still is as it was.
    Before(Arc<DynamicObject>),
}

/// Creates an object that was not seen, by server-side apply: the fields of a `create` would belong to another entry of
/// `managedFields`, and what we leave out later would stay.
///
/// Server-side apply takes over what it finds. The resource version keeps it from that: one that names a version reaches
/// an object of that version, or creates one.
async fn create(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    expectation: Expectation,
) -> Result<Created, Error> {
    let unforced = PatchParams::apply(FIELD_MANAGER);
    let is_new = Some(("resourceVersion", NO_OBJECT));
    if expectation == Expectation::Free {
        match send(api, manifest, &unforced, is_new).await {
            Err(Error::Api(error)) if is_conflict(&error) => {}
            created => return created.map(Created::Now),
        }
    }
    match limited(api.get_opt(&manifest.name)).await? {
        Some(live) => Ok(Created::Before(Arc::new(live))),
        // Should somebody be faster now, the next attempt sees it.
        None => send(api, manifest, &unforced, is_new).await.map(Created::Now),
    }
}

fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// Sends the manifest; with an identity in its metadata it reaches that very object or none.
async fn send(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    parameters: &PatchParams,
    identity: Option<(&str, &str)>,
) -> Result<Arc<DynamicObject>, Error> {
    let mut body = manifest.body.clone();
    if let Some((field, value)) = identity {
        body["metadata"][field] = json!(value);
    }
    let applied = limited(api.patch(&manifest.name, parameters, &Patch::Apply(&body))).await;
    applied.map(Arc::new).map_err(|error| error.of(manifest))
}

/// Whether the live object is this Celery's own. One that is only about to go is told apart from one that stays.
fn check_owner(owner: &Owner, manifest: &Manifest, live: &DynamicObject) -> Result<(), Error> {
    let references = live.metadata.owner_references.iter().flatten();
    let controller = references.into_iter().find(|reference| reference.controller == Some(true));
    if controller.is_some_and(|controller| controller.uid == owner.uid) {
        return Ok(());
    }
    let kind = manifest.kind.as_str();
    let name = manifest.name.clone();
    let leaves = live.metadata.deletion_timestamp.is_some()
        || controller.is_some_and(|controller| match controller.kind.as_str() {
            // A Celery of this name that was deleted a moment ago.
            "Celery" => controller.name == owner.name,
            // KEDA's own autoscaler goes with its ScaledObject.
            "ScaledObject" => manifest.kind == ChildKind::HorizontalPodAutoscaler && controller.name == name,
            _ => false,
        });
    Err(if leaves { Error::Leaving { kind, name } } else { Error::NameTaken { kind, name } })
}

/// Server-side apply resets `replicas` to 1 when its only owner leaves it out. So another manager holds the live number
/// until whoever scales writes one. It holds the number of this very version: somebody may have scaled since.
async fn hand_over_replicas(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    live: &DynamicObject,
) -> Result<(), Error> {
    let leaves_out =
        manifest.kind == ChildKind::Deployment && manifest.body.pointer("/spec/replicas").is_none();
    let count = live.data.pointer("/spec/replicas").filter(|_| leaves_out && drift::owns_replicas(live));
    let Some(count) = count else { return Ok(()) };
    let body: Value = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": manifest.name, "uid": live.metadata.uid, "resourceVersion": live.metadata.resource_version,
        },
        "spec": { "replicas": count },
    });
    let parameters = PatchParams::apply(REPLICAS_MANAGER).force();
    limited(api.patch(&manifest.name, &parameters, &Patch::Apply(&body))).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(kind: ChildKind, metadata: &Value) -> Option<&'static str> {
        let owner = Owner { name: "shop".to_owned(), uid: "u".to_owned(), ..Owner::default() };
        let manifest =
            Manifest { kind, name: "shop-worker".to_owned(), body: Value::Null, hash: String::new() };
        let live = serde_json::from_value(json!({ "metadata": metadata })).expect("an object");
        check_owner(&owner, &manifest, &live).err().map(|error| error.reason())
    }

    #[test]
    fn only_what_stays_is_a_name_taken() {
        let owned = |kind: &str, name: &str, uid: &str, controller: bool| {
            json!({"ownerReferences": [
                {"apiVersion": "v1", "kind": kind, "name": name, "uid": uid, "controller": controller}]})
        };
        let deployment = ChildKind::Deployment;
        assert_eq!(verdict(deployment, &owned("Celery", "shop", "u", true)), None);
        assert_eq!(verdict(deployment, &owned("Celery", "shop", "u", false)), Some("NameTaken"));
        assert_eq!(verdict(deployment, &json!({})), Some("NameTaken"));
        assert_eq!(verdict(deployment, &owned("Celery", "other", "v", true)), Some("NameTaken"));
        assert_eq!(verdict(deployment, &owned("Celery", "shop", "v", true)), Some("Leaving"));
        assert_eq!(
            verdict(deployment, &json!({"deletionTimestamp": "2026-01-01T00:00:00Z"})),
            Some("Leaving")
        );
        let kedas = owned("ScaledObject", "shop-worker", "k", true);
        assert_eq!(verdict(ChildKind::HorizontalPodAutoscaler, &kedas), Some("Leaving"));
        assert_eq!(verdict(deployment, &kedas), Some("NameTaken"));
    }
}
