// SPDX-License-Identifier: Apache-2.0
//! The CA bundle in `clientConfig.caBundle` of webhook configurations.
//!
//! Written by JSON patch, not by server-side apply, and only where it differs. Both were tried on Kubernetes 1.36:
//! an applied `{name, clientConfig: {caBundle}}` owns the list entry itself, so that a release which drops a webhook
//! by server-side apply (Helm 4, Argo CD) leaves a torso behind and is refused with 422 until somebody repairs it by
//! hand. A patch owns the one field and lets the entry go. The resourceVersion in the patch turns a change between
//! reading and writing into a 409 instead of a bundle in the wrong entry.

use std::fmt;

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::call::{self, within};
use crate::inspect::Certificate;

/// How often a configuration that changes under our hands is read again.
const ATTEMPTS: usize = 5;

/// Why a bundle was not injected.
#[derive(Debug, thiserror::Error)]
#[error("{target}: {source}")]
pub struct Error {
    target: Target,
    #[source]
    source: call::Error,
}

/// Kind of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `MutatingWebhookConfiguration`.
    Mutating,
    /// `ValidatingWebhookConfiguration`.
    Validating,
}

impl Kind {
    /// The resource as the API server knows it.
    pub(crate) fn resource(self) -> ApiResource {
        match self {
            Self::Mutating => ApiResource::erase::<MutatingWebhookConfiguration>(&()),
            Self::Validating => ApiResource::erase::<ValidatingWebhookConfiguration>(&()),
        }
    }
}

/// A configuration all of whose webhooks get the bundle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Kind.
    pub kind: Kind,
    /// Name.
    pub name: String,
}

impl Target {
    /// The `MutatingWebhookConfiguration` of this name.
    pub fn mutating(name: impl Into<String>) -> Self {
        Self { kind: Kind::Mutating, name: name.into() }
    }

    /// The `ValidatingWebhookConfiguration` of this name.
    pub fn validating(name: impl Into<String>) -> Self {
        Self { kind: Kind::Validating, name: name.into() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.resource().kind, self.name)
    }
}

/// How an injection went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Injected {
    /// Every webhook carried the bundle already: nothing was written.
    Unchanged,
    /// At least one webhook got the bundle.
    Written,
    /// There is no such configuration. It is never created here.
    Missing,
}

/// Puts `bundle` (PEM) into every webhook of `target`, writing only if one lacks it.
///
/// # Errors
/// [`Error`] when the API server cannot be reached or refuses.
pub async fn inject(
    client: &Client,
    target: &Target,
    bundle: &str,
    field_manager: &str,
) -> Result<Injected, Error> {
    let failed = |source| Error { target: target.clone(), source };
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &target.kind.resource());
    let parameters = PatchParams { field_manager: Some(field_manager.to_owned()), ..PatchParams::default() };
    let mut attempt = 1;
    loop {
        let Some(found) = within(api.get_opt(&target.name)).await.map_err(failed)? else {
            return Ok(Injected::Missing);
        };
        let version = found.metadata.resource_version.as_deref().unwrap_or_default();
        let Some(patch) = patch(&found.data, version, bundle) else {
            return Ok(Injected::Unchanged);
        };
        let patch = Patch::<Value>::Json(patch);
        match within(api.patch(&target.name, &parameters, &patch)).await {
            Ok(_) => return Ok(Injected::Written),
            Err(error) if error.is_code(404) => return Ok(Injected::Missing),
            Err(error) if attempt < ATTEMPTS && (error.is_code(409) || error.is_code(422)) => attempt += 1,
            Err(error) => return Err(failed(error)),
        }
    }
}

/// The CAs that the webhooks of `targets` carry, some of them several times. What cannot be read is none.
///
/// # Errors
/// [`Error`] when the API server cannot be reached or refuses.
pub(crate) async fn carried(client: &Client, targets: &[Target]) -> Result<Vec<Certificate>, Error> {
    let each = targets.iter().map(|target| async move {
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &target.kind.resource());
        let failed = |source| Error { target: target.clone(), source };
        within(api.get_opt(&target.name)).await.map_err(failed)
    });
    let found = futures::future::try_join_all(each).await?;
    let webhooks =
        found.iter().flatten().filter_map(|found| found.data.get("webhooks")?.as_array()).flatten();
    let bundles = webhooks.filter_map(|webhook| {
        let bundle = webhook.pointer("/clientConfig/caBundle")?.clone();
        serde_json::from_value::<ByteString>(bundle).ok()
    });
    Ok(bundles.filter_map(|ByteString(pem)| Certificate::bundle(&pem).ok()).flatten().collect())
}

/// The patch that puts `bundle` into every webhook of a configuration which lacks it; `None` when none does.
#[must_use]
pub fn patch(configuration: &Value, resource_version: &str, bundle: &str) -> Option<json_patch::Patch> {
    let wanted = serde_json::to_value(ByteString(bundle.as_bytes().to_vec())).ok()?;
    let webhooks = configuration.get("webhooks").and_then(Value::as_array)?;
    let mut steps =
        vec![json!({"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version})];
    for (index, webhook) in webhooks.iter().enumerate() {
        // `add` also replaces, whatever is there: nothing, `Cg==`, another operator's bundle.
        if webhook.pointer("/clientConfig/caBundle") != Some(&wanted) {
            let path = format!("/webhooks/{index}/clientConfig/caBundle");
            steps.push(json!({"op": "add", "path": path, "value": wanted}));
        }
    }
    if steps.len() == 1 {
        return None;
    }
    serde_json::from_value(Value::Array(steps)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn only_what_differs_is_patched() {
        let configuration = json!({"webhooks": [
            {"name": "a", "clientConfig": {"caBundle": "UEVN"}},
            {"name": "b", "clientConfig": {"caBundle": "Cg=="}},
            {"name": "c", "clientConfig": {}},
            {"name": "d", "clientConfig": {"caBundle": ""}},
        ]});
        let patch = patch(&configuration, "7", "PEM").unwrap();
        let mut patched =
            json!({"metadata": {"resourceVersion": "7"}, "webhooks": configuration["webhooks"]});
        assert_eq!(patch.0.len(), 4);
        json_patch::patch(&mut patched, &patch).unwrap();
        let bundles: Vec<_> =
            (0..4).map(|index| patched["webhooks"][index]["clientConfig"]["caBundle"].clone()).collect();
        assert_eq!(bundles, vec!["UEVN"; 4]);
        assert!(super::patch(&patched, "8", "PEM").is_none());
    }

    #[test]
    fn nothing_to_patch_without_webhooks() {
        for configuration in [json!({}), json!({"webhooks": []}), json!({"webhooks": 3}), json!(null)] {
            assert!(patch(&configuration, "7", "PEM").is_none());
        }
    }

    #[test]
    fn a_target_is_shown_as_kubectl_names_it() {
        assert_eq!(Target::mutating("w").to_string(), "MutatingWebhookConfiguration/w");
        assert_eq!(Target::validating("w").to_string(), "ValidatingWebhookConfiguration/w");
    }
}
