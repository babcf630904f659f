// SPDX-License-Identifier: Apache-2.0
//! Undoing an edit that server-side apply cannot undo.
//!
//! Server-side apply never removes what others wrote into a keyed list: after somebody changed the port of a Service,
//! which is its key, ours would come to stand beside it under the same name, and that is refused. So our spec is
//! written over theirs, and the ownership that comes of it is given up again: what we leave out later has to go.

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
    let body = json!({ "metadata": { "uid": live.metadata.uid }, "spec": spec });
    let replaced = limited(api.patch(&manifest.name, &parameters(), &Patch::Merge(&body)))
        .await
        .map_err(|error| error.of(manifest))?;
    // Whoever writes in between makes this fail; the entry is seen again at the next attempt.
    withdraw(api, manifest, &replaced).await
}

/// Gives up what an earlier repair owns of an object, if anything.
pub(super) async fn withdraw(
    api: &Api<DynamicObject>,
    manifest: &Manifest,
    live: &DynamicObject,
) -> Result<(), Error> {
    if !is_repaired(live) {
        return Ok(());
    }
    let entries = live.metadata.managed_fields.iter().flatten();
    let others: Vec<_> = entries.filter(|entry| entry.manager.as_deref() != Some(REPAIR_MANAGER)).collect();
    let body = json!({ "metadata": {
        "uid": live.metadata.uid,
        "resourceVersion": live.metadata.resource_version,
        "managedFields": others,
    } });
    limited(api.patch(&manifest.name, &parameters(), &Patch::Merge(&body))).await.map(drop)
}

/// Whether a repair still owns something of an object.
pub(super) fn is_repaired(live: &DynamicObject) -> bool {
    let mut entries = live.metadata.managed_fields.iter().flatten();
    entries.any(|entry| entry.manager.as_deref() == Some(REPAIR_MANAGER))
}
