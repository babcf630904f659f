// SPDX-License-Identifier: Apache-2.0
//! Applying a child, when that would change something.

use std::sync::Arc;

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::adopt::{adopt, is_adoptable};
use super::repair::{repair, withdraw};
use super::{Error, children, claim, drift, limited};
use crate::build::{ChildKind, Manifest};
use crate::names::{FIELD_MANAGER, REPLICAS_MANAGER};
use crate::resolve::Owner;

/// What applying came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Nothing had to be done.
    Left,
    /// The object was not there.
    Created,
    /// It was another.
    Changed,
    /// It belonged to nobody.
    Adopted,
}

impl Verb {
    /// One word for metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Adopted => "adopted",
        }
    }
}

/// Resource version of no object there is: the first one that is written has the next.
const NO_OBJECT: &str = "1";

/// Creates what no watch has shown; `None` when something of that name is there, which then stays as it is.
///
/// By server-side apply: the fields of a `create` would belong to another entry of `managedFields`, and what we leave
/// out later would stay. Server-side apply takes over what it finds, and the resource version keeps it from that: one
/// that names a version reaches an object of that version, or creates one.
///
/// # Errors
/// [`Error::Refused`] when the API server will never take the manifest, or the error of its answer.
pub async fn create(
    client: &Client,
    owner: &Owner,
    manifest: &Manifest,
) -> Result<Option<Arc<DynamicObject>>, Error> {
    let api = children(client, manifest.kind, &owner.namespace);
    let unforced = PatchParams::apply(FIELD_MANAGER);
    match send(&api, manifest, &unforced, Some(("resourceVersion", NO_OBJECT))).await {
        Err(Error::Api(error)) if is_conflict(&error) => Ok(None),
        created => created.map(Some),
    }
}

fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// Asks the API server for the object of a manifest's name, for one that no watch has shown: it may be somebody else's.
///
/// # Errors
/// When the API server does not answer or refuses.
pub async fn find(
    client: &Client,
    owner: &Owner,
    manifest: &Manifest,
) -> Result<Option<Arc<DynamicObject>>, Error> {
    let api = children(client, manifest.kind, &owner.namespace);
    Ok(limited(api.get_opt(&manifest.name)).await?.map(Arc::new))
}

/// Brings an object in step with a manifest by server-side apply.
///
/// `live` is the object as last seen, or as [`find`] has found it: one that this Celery does not own is never touched,
/// unless it belongs to nobody and `may_adopt` says so.
///
/// # Errors
/// [`Error::NameTaken`] for an object of somebody else, [`Error::Leaving`] for one that is about to go,
/// [`Error::Refused`] when the API server will never take the manifest.
pub async fn apply(
    client: &Client,
    owner: &Owner,
    manifest: &Manifest,
    live: Arc<DynamicObject>,
    may_adopt: bool,
) -> Result<(Arc<DynamicObject>, Verb), Error> {
    let api = children(client, manifest.kind, &owner.namespace);
    let forced = PatchParams::apply(FIELD_MANAGER).force();
    let checked = check_owner(owner, manifest, &live);
    let adopts = matches!(checked, Err(Error::NameTaken { adoptable: true, .. })) && may_adopt;
    if !adopts {
        checked?;
        if drift::in_step(manifest, &live) {
            return Ok((live, Verb::Left));
        }
    }
    // What follows is written to one version only, or needs what no store keeps of it.
    let needs_all = adopts || drift::needs_its_version(manifest, &live);
    let live =
        if needs_all { limited(api.get_opt(&manifest.name)).await?.map_or(live, Arc::new) } else { live };
    let uid = live.metadata.uid.clone();
    let identity = uid.as_deref().map(|uid| ("uid", uid));
    if adopts && is_adoptable(manifest, &live) {
        adopt(&api, manifest, &live).await?;
        return Ok((send(&api, manifest, &forced, identity).await?, Verb::Adopted));
    }
    check_owner(owner, manifest, &live)?;
    let live = withdraw(&api, manifest, live).await?;
    if manifest.kind == ChildKind::PersistentVolumeClaim {
        let changed = change_claim(&api, manifest, &live).await?;
        return Ok((withdraw(&api, manifest, changed).await?, Verb::Changed));
    }
    hand_over_replicas(&api, manifest, &live).await?;
    if drift::has_copies(manifest, &live) {
        repair(&api, manifest, &live).await?;
    }
    let applied = match send(&api, manifest, &forced, identity).await {
        Err(Error::Refused { code: 422, .. }) => {
            repair(&api, manifest, &live).await?;
            send(&api, manifest, &forced, identity).await
        }
        applied => applied,
    };
    // Of an object whose owners somebody has wiped, the API server invents one for everything that was in it.
    Ok((withdraw(&api, manifest, applied?).await?, Verb::Changed))
}

/// Whether an object is this Celery's own: by its owner, or as a claim that was made for it.
#[must_use]
pub fn is_own(owner: &Owner, manifest: &Manifest, live: &DynamicObject) -> bool {
    check_owner(owner, manifest, live).is_ok()
}

/// Whether applying would do nothing: the object is there, is this Celery's own, and is in step with the manifest.
#[must_use]
pub fn is_in_step(owner: &Owner, manifest: &Manifest, live: &DynamicObject) -> bool {
    is_own(owner, manifest, live) && drift::in_step(manifest, live)
}

/// Brings a claim in line as far as claims can be.
async fn change_claim(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    live: &DynamicObject,
) -> Result<Arc<DynamicObject>, Error> {
    let possible = claim::possible(manifest, live)?;
    let forced = PatchParams::apply(FIELD_MANAGER).force();
    let identity = live.metadata.uid.as_deref().map(|uid| ("uid", uid));
    let applied = send(api, &possible, &forced, identity).await;
    applied.map_err(|error| claim::growth_refused(error, manifest))
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
    let is_found_again = controller.is_none() && claim::is_found_again(manifest, live);
    if is_found_again && live.metadata.deletion_timestamp.is_none() {
        return Ok(());
    }
    let leaves = live.metadata.deletion_timestamp.is_some()
        || controller.is_some_and(|controller| match controller.kind.as_str() {
            // A Celery of this name that was deleted a moment ago.
            "Celery" => controller.name == owner.name,
            // KEDA's own autoscaler goes with its ScaledObject.
            "ScaledObject" => manifest.kind == ChildKind::HorizontalPodAutoscaler && controller.name == name,
            _ => false,
        });
    let adoptable = is_adoptable(manifest, live);
    Err(if leaves { Error::Leaving { kind, name } } else { Error::NameTaken { kind, name, adoptable } })
}

/// Server-side apply resets `replicas` to 1 when its only owner leaves it out. So another manager holds the live number
/// until whoever scales writes one. It holds the number of this very version: somebody may have scaled since.
async fn hand_over_replicas(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    live: &DynamicObject,
) -> Result<(), Error> {
    let count = live.data.pointer("/spec/replicas").filter(|_| drift::gives_replicas_up(manifest, live));
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
    use std::convert::Infallible;
    use std::sync::Mutex;

    use axum::http::{Method, Request, Response};
    use http_body_util::BodyExt as _;
    use kube::client::Body;

    use super::*;
    use crate::labels::RENDERED_HASH;

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

    /// A Deployment that this Celery owns, with a number of pods that our manager wrote.
    fn counted(version: &str, count: i32) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "shop-worker", "namespace": "default", "uid": "d", "resourceVersion": version,
                "annotations": {RENDERED_HASH: "old"},
                "ownerReferences": [{"apiVersion": "v1", "kind": "Celery", "name": "shop", "uid": "u", "controller": true}],
                "managedFields": [{"manager": FIELD_MANAGER, "operation": "Apply",
                                   "fieldsV1": {"f:spec": {"f:replicas": {}}}}],
            },
            "spec": {"replicas": count},
        })
    }

    /// The status of a busy Deployment changes faster than a slow watch tells it.
    #[tokio::test]
    async fn a_count_is_handed_over_as_it_is_now_and_not_as_it_was_seen() {
        let patches: Arc<Mutex<Vec<Value>>> = Arc::default();
        let seen = patches.clone();
        let server = tower::service_fn(move |request: Request<Body>| {
            let seen = seen.clone();
            async move {
                let is_write = request.method() == Method::PATCH;
                let bytes = request.into_body().collect().await.expect("a body").to_bytes();
                if is_write {
                    let body = serde_json::from_slice(&bytes).expect("JSON");
                    seen.lock().expect("no panic").push(body);
                }
                let answer = serde_json::to_vec(&counted("2", 5)).expect("JSON");
                Ok::<_, Infallible>(Response::new(Body::from(answer)))
            }
        });
        let client = Client::new(server, "default");
        let owner = Owner {
            name: "shop".to_owned(),
            namespace: "default".to_owned(),
            uid: "u".to_owned(),
            generation: None,
        };
        let body = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop-worker"}, "spec": {}});
        let manifest = Manifest {
            kind: ChildKind::Deployment,
            name: "shop-worker".to_owned(),
            body,
            hash: "new".to_owned(),
        };
        let live = serde_json::from_value(counted("1", 3)).expect("an object");
        apply(&client, &owner, &manifest, Arc::new(live), false).await.expect("applies");
        let patches = patches.lock().expect("no panic");
        assert_eq!(patches.len(), 2);
        assert_eq!(patches[0]["spec"]["replicas"], 5);
        assert_eq!(patches[0]["metadata"]["resourceVersion"], "2");
        assert_eq!(patches[1]["spec"], json!({}));
    }
}
