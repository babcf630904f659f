// SPDX-License-Identifier: Apache-2.0
//! Deleting a child, by its identity and not by its name.

use kube::Client;
use kube::api::{DeleteParams, DynamicObject, Preconditions};

use super::{Error, children, limited};
use crate::build::ChildKey;

/// Deletes the object of this UID; one that is gone, or was replaced meanwhile, is left alone. Returns the object when
/// it is still there: somebody's finalizer holds it.
///
/// # Errors
/// When the API server does not answer or refuses.
pub async fn delete(
    client: &Client,
    (kind, namespace, name): &ChildKey,
    uid: &str,
) -> Result<Option<DynamicObject>, Error> {
    let identity = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
    let parameters = DeleteParams::background().preconditions(identity);
    match limited(children(client, *kind, namespace).delete(name, &parameters)).await {
        Ok(answer) => Ok(answer.left().filter(|object| object.metadata.deletion_timestamp.is_some())),
        Err(Error::Api(error)) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_gone(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409))
}
