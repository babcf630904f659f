// SPDX-License-Identifier: Apache-2.0
//! Undoing an edit that server-side apply cannot undo.
//!
//! Server-side apply never removes what others wrote into a keyed list: after somebody changed the port of a Service,
//! which is its key, ours would come to stand beside it under the same name, and that is refused. So our spec is
//! written over theirs, and the ownership that comes of it is given up again: what we leave out later has to go.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::{Error, limited};
use crate::build::{ChildKind, Manifest};
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
    let Some(spec) = overwriting(manifest) else { return Ok(()) };
    let body = json!({ "metadata": { "uid": live.metadata.uid }, "spec": spec });
    let replaced = limited(api.patch(&manifest.name, &parameters(), &Patch::Merge(&body)))
        .await
        .map_err(|error| error.of(manifest))?;
    // Whoever writes in between makes this fail; the entry is seen again at the next attempt.
    withdraw(api, manifest, Arc::new(replaced)).await.map(drop)
}

/// The spec as a merge patch that also takes out what Kubernetes refuses beside it: what somebody else holds would stay.
fn overwriting(manifest: &Manifest) -> Option<Value> {
    let mut spec = manifest.body.get("spec")?.clone();
    if spec.pointer("/strategy/type").is_some_and(|type_| type_ == "Recreate") {
        spec["strategy"]["rollingUpdate"] = Value::Null;
    }
    if manifest.kind == ChildKind::PodDisruptionBudget {
        for either in ["minAvailable", "maxUnavailable"] {
            if spec.get(either).is_none() {
                spec[either] = Value::Null;
            }
        }
    }
    Some(spec)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_excludes_ours_is_taken_out() {
        let written = |kind, spec: Value| {
            let body = json!({ "spec": spec });
            overwriting(&Manifest { kind, name: "shop-worker".to_owned(), body, hash: String::new() })
        };
        let recreate = json!({"strategy": {"type": "Recreate"}});
        assert_eq!(
            written(ChildKind::Deployment, recreate),
            Some(json!({"strategy": {"type": "Recreate", "rollingUpdate": null}}))
        );
        let rolling = json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}});
        assert_eq!(written(ChildKind::Deployment, rolling.clone()), Some(rolling));
        let budget = |budget: Value| written(ChildKind::PodDisruptionBudget, budget);
        assert_eq!(
            budget(json!({"maxUnavailable": 1})),
            Some(json!({"maxUnavailable": 1, "minAvailable": null}))
        );
        assert_eq!(
            budget(json!({"minAvailable": "50%"})),
            Some(json!({"maxUnavailable": null, "minAvailable": "50%"}))
        );
    }
}
