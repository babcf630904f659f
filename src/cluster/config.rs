// SPDX-License-Identifier: Apache-2.0
//! Reading Secrets and ConfigMaps by name, to see whether they have changed.
//!
//! They are read and not watched: a watch of Secrets needs the right to list every Secret of the cluster, reading needs
//! `get` alone. The API server answers out of its own memory.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{Api, GetParams};
use kube::core::DynamicObject;
use sha2::{Digest as _, Sha256};

use super::{Error, is_missing, limited};
use crate::build::{ConfigKind, ConfigRef};

/// What is kept of a Secret or ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Its version.
    pub version: String,
    /// A digest of each field.
    pub digests: BTreeMap<String, [u8; 32]>,
    /// Whether nobody has changed it since it was created.
    pub is_as_created: bool,
}

/// Reads a Secret or ConfigMap; `None` when it does not exist.
///
/// # Errors
/// When the API server does not answer or refuses.
pub async fn read_config(
    client: &Client,
    namespace: &str,
    (kind, name): &ConfigRef,
) -> Result<Option<Fields>, Error> {
    let from_memory = GetParams::any();
    let answer = match kind {
        ConfigKind::Secret => {
            let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
            limited(api.get_with(name, &from_memory)).await.map(|found| {
                fields(
                    &found.metadata,
                    found.data.unwrap_or_default().iter().map(|(key, value)| (key, &value.0[..])),
                )
            })
        }
        ConfigKind::ConfigMap => {
            let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
            limited(api.get_with(name, &from_memory)).await.map(|found| {
                let (texts, bytes) = (found.data.unwrap_or_default(), found.binary_data.unwrap_or_default());
                let texts = texts.iter().map(|(key, text)| (key, text.as_bytes()));
                fields(&found.metadata, texts.chain(bytes.iter().map(|(key, value)| (key, &value.0[..]))))
            })
        }
    };
    match answer {
        Ok(fields) => Ok(Some(fields)),
        Err(Error::Api(error)) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same of a Secret of our own, as the watch has it: nobody else changes it, and whoever makes it looks at it at once.
#[must_use]
pub fn own_secret(live: &DynamicObject) -> Fields {
    let data: BTreeMap<String, ByteString> =
        serde_json::from_value(live.data["data"].clone()).unwrap_or_default();
    let read = fields(&live.metadata, data.iter().map(|(key, value)| (key, &value.0[..])));
    Fields { is_as_created: true, ..read }
}

fn fields<'a>(metadata: &ObjectMeta, data: impl Iterator<Item = (&'a String, &'a [u8])>) -> Fields {
    Fields {
        version: metadata.resource_version.clone().unwrap_or_default(),
        digests: data.map(|(key, value)| (key.clone(), Sha256::digest(value).into())).collect(),
        is_as_created: is_as_created(metadata),
    }
}

/// Whether one manager alone has written an object, at the second it was created. Where nobody knows, it may have
/// changed.
fn is_as_created(metadata: &ObjectMeta) -> bool {
    let created = metadata.creation_timestamp.as_ref();
    match metadata.managed_fields.as_deref() {
        Some([writer]) => writer.time.is_some() && writer.time.as_ref() == created,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_the_same_read_and_watched() {
        let object = json!({"metadata": {"name": "a", "resourceVersion": "7"}, "data": {"url": "aHVzaA=="}});
        let live: DynamicObject = serde_json::from_value(object.clone()).expect("an object");
        let read: Secret = serde_json::from_value(object).expect("a Secret");
        let data = read.data.unwrap_or_default();
        let read = fields(&read.metadata, data.iter().map(|(key, value)| (key, &value.0[..])));
        assert_eq!(own_secret(&live), Fields { is_as_created: true, ..read.clone() });
        assert_eq!((read.version.as_str(), read.digests.len()), ("7", 1));
    }

    #[test]
    fn what_anybody_wrote_after_its_creation_has_changed() {
        let (then, later) = ("2026-05-01T12:00:00Z", "2026-05-01T12:00:06Z");
        let writer =
            |manager: &str, time: &str| json!({"manager": manager, "operation": "Update", "time": time});
        for (writers, expected) in [
            (json!([writer("kubectl-create", then)]), true),
            (json!([writer("controller", later)]), false),
            (json!([writer("kubectl-create", then), writer("kubectl-patch", then)]), false),
            (json!([]), false),
            (json!([{"manager": "old"}]), false),
        ] {
            let metadata = json!({"creationTimestamp": then, "managedFields": writers});
            let metadata = serde_json::from_value(metadata).expect("metadata");
            assert_eq!(is_as_created(&metadata), expected, "{writers}");
        }
    }
}
