// SPDX-License-Identifier: Apache-2.0
//! Undoing an edit that server-side apply cannot undo.
//!
//! Server-side apply never removes what others wrote into a keyed list: after somebody changed the port of a Service,
//! which is its key, ours would come to stand beside it under the same name, and that is refused. So our spec is
//! written over theirs, and the ownership that comes of it is given up again: what we leave out later has to go.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::{Error, limited};
use crate::build::Manifest;
use crate::names::REPAIR_MANAGER;

fn parameters() -> PatchParams {
    PatchParams { field_manager: Some(REPAIR_MANAGER.to_owned()), ..PatchParams::default() }
}

/// Writes the spec of a manifest over the live one.
pub(super) async fn repair(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    live: &DynamicObject,
) -> Result<(), Error> {
    let Some(spec) = manifest.body.get("spec") else { return Ok(()) };
    let mut body = json!({ "metadata": { "uid": live.metadata.uid }, "spec": spec });
    if spec.pointer("/strategy/type").is_some_and(|type_| type_ == "Recreate") {
        // What somebody else holds of it would stay, and Kubernetes refuses the two together.
        body["spec"]["strategy"]["rollingUpdate"] = serde_json::Value::Null;
    }
    let replaced = limited(api.patch(&manifest.name, &parameters(), &Patch::Merge(&body)))
        .await
        .map_err(|error| error.of(manifest))?;
    // Whoever writes in between makes this fail; the entry is seen again at the next attempt.
    withdraw(api, manifest, Arc::new(replaced)).await.map(drop)
}

/// Names under which fields are held that are ours to hold: those of a repair, and the one the API server invents for
/// everything in an object whose owners somebody has wiped.
const LEFTOVERS: [&str; 2] = [REPAIR_MANAGER, "before-first-apply"];

fn is_leftover(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_deref().is_some_and(|manager| LEFTOVERS.contains(&manager))
}

/// Gives up what is held of an object under such a name, if anything: what we leave out later has to go. Returns the
/// object as it is then.
pub(super) async fn withdraw(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    live: Arc<DynamicObject>,
) -> Result<Arc<DynamicObject>, Error> {
    if !has_leftovers(&live) {
        return Ok(live);
    }
    let entries = live.metadata.managed_fields.iter().flatten();
    let others: Vec<_> = entries.filter(|entry| !is_leftover(entry)).collect();
    let body = json!({ "metadata": {
        "uid": live.metadata.uid,
        "resourceVersion": live.metadata.resource_version,
        "managedFields": others,
    } });
    limited(api.patch(&manifest.name, &parameters(), &Patch::Merge(&body))).await.map(Arc::new)
}

/// Whether anything is held of an object under such a name.
pub(super) fn has_leftovers(live: &DynamicObject) -> bool {
    let mut entries = live.metadata.managed_fields.iter().flatten();
    entries.any(is_leftover)
}
