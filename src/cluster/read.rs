// SPDX-License-Identifier: Apache-2.0
//! Reading what a spec refers to.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use super::{Error, limited};
use crate::resolve::{SecretData, Sources};

/// Reads Secrets by name; one that does not exist is no error.
///
/// # Errors
/// When the API server does not answer or refuses.
pub async fn read_secrets(
    client: &Client,
    namespace: &str,
    names: BTreeSet<String>,
) -> Result<Sources, Error> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let reads = names.into_iter().map(|name| {
        let api = api.clone();
        async move {
            let secret = limited(api.get_opt(&name)).await.map_err(|error| error.about(&name))?;
            Ok::<_, Error>((name, secret.map(texts)))
        }
    });
    Ok(Sources { secrets: try_join_all(reads).await?.into_iter().collect() })
}

fn texts(secret: Secret) -> SecretData {
    let data = secret.data.unwrap_or_default().into_iter();
    data.filter_map(|(key, value)| Some((key, String::from_utf8(value.0).ok()?))).collect()
}
