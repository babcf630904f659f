// SPDX-License-Identifier: Apache-2.0
//! Applying a child, when that would change something.

use std::sync::Arc;

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::{Error, children, drift, limited};
use crate::build::{ChildKind, Manifest};
use crate::names::{FIELD_MANAGER, REPAIR_MANAGER, REPLICAS_MANAGER};
use crate::resolve::Owner;

/// Applies a manifest by server-side apply, unless the live object is in step with it.
///
/// `live` is the object as last seen. Without one the API server is asked first: an object of that name that this
/// Celery does not own is never touched.
///
/// # Errors
/// [`Error::NameTaken`] for an object of somebody else, [`Error::Refused`] when the API server will never take it.
pub async fn apply(
    client: &Client,
    owner: &Owner,
    manifest: &Manifest,
    live: Option<Arc<DynamicObject>>,
) -> Result<Arc<DynamicObject>, Error> {
    let api = children(client, manifest.kind, &owner.namespace);
    let live = match live {
        Some(live) => Some(live),
        None => limited(api.get_opt(&manifest.name)).await?.map(Arc::new),
    };
    if let Some(live) = live {
        let ours =
            live.metadata.owner_references.iter().flatten().any(|reference| reference.uid == owner.uid);
        if !ours {
            return Err(Error::NameTaken { kind: manifest.kind.as_str(), name: manifest.name.clone() });
        }
        if drift::in_step(manifest, &live) {
            return Ok(live);
        }
        hand_over_replicas(&api, manifest, &live).await?;
        return match send(&api, manifest).await {
            Err(Error::Refused { .. }) => {
                replace_spec(&api, manifest, &live).await?;
                send(&api, manifest).await
            }
            applied => applied,
        };
    }
    send(&api, manifest).await
}

async fn send(api: &Api<DynamicObject>, manifest: &Manifest) -> Result<Arc<DynamicObject>, Error> {
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let applied = limited(api.patch(&manifest.name, &parameters, &Patch::Apply(&manifest.body))).await;
    applied.map(Arc::new).map_err(|error| refused(error, manifest))
}

/// Server-side apply never removes what others wrote into a keyed list: after somebody changed the port of a Service,
/// which is its key, ours would come to stand beside it under the same name, and that is refused. So our spec is
/// written over theirs, and the ownership that comes of it is given up at once: what we leave out later has to go.
async fn replace_spec(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    live: &DynamicObject,
) -> Result<(), Error> {
    let Some(spec) = manifest.body.get("spec") else {
        return Ok(());
    };
    let body = json!({ "metadata": { "uid": live.metadata.uid }, "spec": spec });
    let parameters = PatchParams { field_manager: Some(REPAIR_MANAGER.to_owned()), ..PatchParams::default() };
    let replaced = limited(api.patch(&manifest.name, &parameters, &Patch::Merge(&body)))
        .await
        .map_err(|error| refused(error, manifest))?;
    let mut owners = replaced.metadata.managed_fields.unwrap_or_default();
    owners.retain(|entry| entry.manager.as_deref() != Some(REPAIR_MANAGER));
    let body = json!({ "metadata": {
        "uid": live.metadata.uid,
        "resourceVersion": replaced.metadata.resource_version,
        "managedFields": owners,
    } });
    limited(api.patch(&manifest.name, &parameters, &Patch::Merge(&body))).await.map(drop)
}

/// Server-side apply resets `replicas` to 1 when its only owner leaves it out. So another manager holds the live number
/// until whoever scales writes one.
async fn hand_over_replicas(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    live: &DynamicObject,
) -> Result<(), Error> {
    let leaves_out =
        manifest.kind == ChildKind::Deployment && manifest.body.pointer("/spec/replicas").is_none();
    let Some(count) =
        live.data.pointer("/spec/replicas").filter(|_| leaves_out && drift::owns_replicas(live))
    else {
        return Ok(());
    };
    let body = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": manifest.name, "uid": live.metadata.uid },
        "spec": { "replicas": count },
    });
    let parameters = PatchParams::apply(REPLICAS_MANAGER).force();
    limited(api.patch(&manifest.name, &parameters, &Patch::Apply(&body))).await.map(drop)
}

/// Tells an object that will never be taken from a passing trouble. A manifest that server-side apply cannot convert is
/// answered with 500 and no reason.
fn refused(error: Error, manifest: &Manifest) -> Error {
    let Error::Api(source) = &error else { return error };
    let kube::Error::Api(status) = source.as_ref() else {
        return error;
    };
    let inconvertible = status.code == 500 && status.message.contains("failed to create typed patch object");
    if !matches!(status.code, 400 | 403 | 422) && !inconvertible {
        return error;
    }
    // What the API server says of a Secret may quote it.
    let message = match manifest.kind {
        ChildKind::Secret => status.reason.clone(),
        _ => status.message.clone(),
    };
    Error::Refused { kind: manifest.kind.as_str(), name: manifest.name.clone(), message }
}
