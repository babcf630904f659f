// SPDX-License-Identifier: Apache-2.0
//! Writing a status.

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::ApiResource;
use serde_json::json;

use super::{Error, limited};
use crate::api::{API_VERSION, Celery, CeleryStatus};
use crate::names::FIELD_MANAGER;
use crate::resolve::Owner;

/// Writes the status of a Celery and returns the object as it is then.
///
/// # Errors
/// When the API server does not answer or refuses.
pub async fn write_status(
    client: &Client,
    owner: &Owner,
    status: &CeleryStatus,
) -> Result<DynamicObject, Error> {
    let api: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), &owner.namespace, &ApiResource::erase::<Celery>(&()));
    let body = json!({
        "apiVersion": API_VERSION, "kind": "Celery",
        // The UID keeps a status from landing on another object of the same name.
        "metadata": { "name": owner.name, "uid": owner.uid },
        "status": status,
    });
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    limited(api.patch_status(&owner.name, &parameters, &Patch::Apply(&body))).await
}
