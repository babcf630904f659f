// SPDX-License-Identifier: Apache-2.0
//! The CA bundle in `clientConfig.caBundle` of webhook configurations and of conversion webhooks.
//!
//! Written by JSON patch, not by server-side apply, and only where it differs. Both were tried on Kubernetes 1.36:
//! an applied `{name, clientConfig: {caBundle}}` owns the list entry itself, so that a release which drops a webhook
//! by server-side apply (Helm 4, Argo CD) leaves a torso behind and is refused with 422 until somebody repairs it by
//! hand. A patch owns the one field and lets the entry go. The resourceVersion in the patch turns a change between
//! reading and writing into a 409 instead of a bundle in the wrong entry.

use std::fmt;
use std::time::{Duration, SystemTime};

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::call::{self, within};
use crate::inspect::Certificate;
use crate::trust::Trusted;

/// Why a bundle was not injected.
#[derive(Debug, thiserror::Error)]
#[error("{target}: {source}")]
pub struct Error {
    pub(crate) target: Target,
    #[source]
    pub(crate) source: call::Error,
}

impl Error {
    /// Whether somebody else wrote in between: reading again is worth it at once. An API server also answers 422 then,
    /// when what is patched has gone.
    pub(crate) fn is_overtaken(&self) -> bool {
        self.source.is_code(409) || self.source.is_code(422)
    }
}

/// Kind of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `MutatingWebhookConfiguration`.
    Mutating,
    /// `ValidatingWebhookConfiguration`.
    Validating,
    /// `CustomResourceDefinition`, whose conversion webhook is meant.
    Conversion,
}

impl Kind {
    /// The resource as the API server knows it.
    pub(crate) fn resource(self) -> ApiResource {
        match self {
            Self::Mutating => ApiResource::erase::<MutatingWebhookConfiguration>(&()),
            Self::Validating => ApiResource::erase::<ValidatingWebhookConfiguration>(&()),
            Self::Conversion => ApiResource::erase::<CustomResourceDefinition>(&()),
        }
    }

    /// Where the `clientConfig`s of an object are, as JSON pointers with what they point to. None where a definition
    /// converts without a webhook: there is no place for a bundle, and an API server would refuse one.
    fn client_configs(self, object: &Value) -> Vec<(String, &Value)> {
        let paths = match self {
            Self::Conversion => {
                let strategy = object.pointer("/spec/conversion/strategy").and_then(Value::as_str);
                let by_webhook = strategy == Some("Webhook");
                Vec::from_iter(by_webhook.then(|| "/spec/conversion/webhook/clientConfig".to_owned()))
            }
            Self::Mutating | Self::Validating => {
                let webhooks = object.get("webhooks").and_then(Value::as_array).map_or(0, Vec::len);
                (0..webhooks).map(|index| format!("/webhooks/{index}/clientConfig")).collect()
            }
        };
        let found = paths.into_iter().filter_map(|path| {
            let config = object.pointer(&path)?;
            Some((path, config))
        });
        found.filter(|(_, config)| config.is_object()).collect()
    }
}

/// An object all of whose webhooks get the bundle.
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

    /// The conversion webhook of the `CustomResourceDefinition` of this name. One that converts without a webhook is
    /// left as it is, and counts as carrying the bundle.
    pub fn conversion(name: impl Into<String>) -> Self {
        Self { kind: Kind::Conversion, name: name.into() }
    }

    fn api(&self, client: &Client) -> Api<DynamicObject> {
        Api::all_with(client.clone(), &self.kind.resource())
    }

    fn failed(&self, source: call::Error) -> Error {
        Error { target: self.clone(), source }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.resource().kind, self.name)
    }
}

/// How an injection went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Injected {
    /// Every webhook carried the bundle already: nothing was written.
    Unchanged,
    /// At least one webhook got the bundle.
    Written,
    /// There is no such configuration. It is never created here.
    Missing,
}

/// A target as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    target: Target,
    object: Option<DynamicObject>,
}

/// Reads a target.
///
/// # Errors
/// [`Error`] when the API server cannot be reached or refuses.
pub(crate) async fn look(client: &Client, target: &Target) -> Result<Seen, Error> {
    let object =
        within(target.api(client).get_opt(&target.name)).await.map_err(|source| target.failed(source))?;
    Ok(Seen { target: target.clone(), object })
}

impl Seen {
    /// Puts `bundle` (PEM) into every webhook, as long as the target is as it was seen; writes only if one lacks it.
    ///
    /// # Errors
    /// [`Error`] when the API server cannot be reached or refuses.
    pub(crate) async fn inject(
        &self,
        client: &Client,
        bundle: &str,
        field_manager: &str,
    ) -> Result<Injected, Error> {
        let Self { target, object: Some(found) } = self else {
            return Ok(Injected::Missing);
        };
        let version = found.metadata.resource_version.as_deref().unwrap_or_default();
        let Some(patch) = patch(target.kind, &found.data, version, bundle) else {
            return Ok(Injected::Unchanged);
        };
        let parameters =
            PatchParams { field_manager: Some(field_manager.to_owned()), ..PatchParams::default() };
        let patch = Patch::<Value>::Json(patch);
        match within(target.api(client).patch(&target.name, &parameters, &patch)).await {
            Ok(_) => Ok(Injected::Written),
            Err(error) if error.is_code(404) => Ok(Injected::Missing),
            Err(error) => Err(target.failed(error)),
        }
    }

    /// Whether nobody has written it within the last `age`, by the times that the API server notes for each writer.
    /// What does not exist was not written; of what bears no such times nobody knows.
    pub(crate) fn is_older_than(&self, age: Duration, now: SystemTime) -> bool {
        let Some(found) = &self.object else {
            return true;
        };
        let writers = found.metadata.managed_fields.as_deref().unwrap_or_default();
        let is_old = |written: SystemTime| now.duration_since(written).is_ok_and(|past| past >= age);
        !writers.is_empty()
            && writers.iter().all(|writer| writer.time.as_ref().is_some_and(|time| is_old(time.0.into())))
    }

    /// Whom each of its webhooks trusts; `None` where there is no such target.
    pub(crate) fn trusted(&self) -> Option<Vec<Trusted>> {
        let Self { target, object } = self;
        let configs = target.kind.client_configs(&object.as_ref()?.data);
        Some(configs.into_iter().map(|(_, config)| trusted(config)).collect())
    }

    /// The CAs found in its webhooks, some of them several times. What cannot be read is none.
    pub(crate) fn cas_found(&self) -> Vec<Certificate> {
        self.trusted().iter().flatten().flat_map(Trusted::cas).cloned().collect()
    }
}

/// Whom an API server trusts that calls by this `clientConfig`.
fn trusted(config: &Value) -> Trusted {
    let is_set = |bundle: &&Value| !bundle.is_null() && bundle.as_str() != Some("");
    let Some(bundle) = config.get("caBundle").filter(is_set) else {
        return Trusted::System { by_url: config.get("url").is_some_and(Value::is_string) };
    };
    let pem = serde_json::from_value::<ByteString>(bundle.clone()).unwrap_or_default();
    Trusted::Only(Certificate::readable(&pem.0))
}

/// The patch that puts `bundle` into every webhook of an object which lacks it; `None` when none does.
#[must_use]
pub fn patch(kind: Kind, object: &Value, resource_version: &str, bundle: &str) -> Option<json_patch::Patch> {
    let wanted = serde_json::to_value(ByteString(bundle.as_bytes().to_vec())).ok()?;
    let mut steps =
        vec![json!({"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version})];
    for (path, config) in kind.client_configs(object) {
        // `add` also replaces, whatever is there: nothing, `Cg==`, another operator's bundle.
        if config.get("caBundle") != Some(&wanted) {
            steps.push(json!({"op": "add", "path": format!("{path}/caBundle"), "value": wanted}));
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
        let patch = patch(Kind::Mutating, &configuration, "7", "PEM").unwrap();
        let mut patched =
            json!({"metadata": {"resourceVersion": "7"}, "webhooks": configuration["webhooks"]});
        assert_eq!(patch.0.len(), 4);
        json_patch::patch(&mut patched, &patch).unwrap();
        let bundles: Vec<_> =
            (0..4).map(|index| patched["webhooks"][index]["clientConfig"]["caBundle"].clone()).collect();
        assert_eq!(bundles, vec!["UEVN"; 4]);
        assert!(super::patch(Kind::Mutating, &patched, "8", "PEM").is_none());
    }

    #[test]
    fn nothing_to_patch_without_webhooks() {
        for configuration in [json!({}), json!({"webhooks": []}), json!({"webhooks": 3}), json!(null)] {
            assert!(patch(Kind::Validating, &configuration, "7", "PEM").is_none());
        }
    }

    #[test]
    fn a_definition_that_converts_by_webhook_is_patched() {
        let version = json!({"resourceVersion": "7"});
        let config = json!({"service": {"name": "w", "namespace": "n"}, "caBundle": "Cg=="});
        let webhook = json!({"conversionReviewVersions": ["v1"], "clientConfig": config});
        let conversion = json!({"strategy": "Webhook", "webhook": webhook});
        let mut definition = json!({"metadata": version, "spec": {"conversion": conversion}});
        let patch = super::patch(Kind::Conversion, &definition, "7", "PEM").unwrap();
        json_patch::patch(&mut definition, &patch).unwrap();
        let config = &definition["spec"]["conversion"]["webhook"]["clientConfig"];
        assert_eq!(*config, json!({"service": {"name": "w", "namespace": "n"}, "caBundle": "UEVN"}));
        assert!(super::patch(Kind::Conversion, &definition, "7", "PEM").is_none());
    }

    #[test]
    fn a_definition_without_a_conversion_webhook_has_no_place_for_a_bundle() {
        let by_webhook =
            |webhook| json!({"spec": {"conversion": {"strategy": "Webhook", "webhook": webhook}}});
        for definition in [
            json!({}),
            json!({"spec": {}}),
            json!({"spec": {"conversion": {"strategy": "None"}}}),
            json!({"spec": {"conversion": {"strategy": "None", "webhook": {"clientConfig": {}}}}}),
            by_webhook(json!(null)),
            by_webhook(json!({})),
            by_webhook(json!({"clientConfig": null})),
        ] {
            assert!(patch(Kind::Conversion, &definition, "7", "PEM").is_none(), "{definition}");
        }
    }

    #[test]
    fn a_target_is_as_old_as_its_last_write() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        let seen = |times: Value| {
            let managed: Vec<_> =
                times.as_array().unwrap().iter().map(|time| json!({"time": time})).collect();
            let object = json!({"metadata": {"name": "w", "managedFields": managed}});
            Seen { target: Target::mutating("w"), object: Some(serde_json::from_value(object).unwrap()) }
        };
        for (times, is_old) in [
            (json!(["1970-01-01T00:59:00Z"]), true),
            (json!(["1970-01-01T00:59:01Z"]), false),
            (json!(["1970-01-01T00:10:00Z", "1970-01-01T00:20:00Z"]), true),
            (json!(["1970-01-01T00:10:00Z", "1970-01-01T00:59:30Z"]), false),
            (json!(["1970-01-01T00:10:00Z", null]), false),
            (json!(["1970-01-01T02:00:00Z"]), false),
            (json!([]), false),
        ] {
            assert_eq!(seen(times.clone()).is_older_than(Duration::from_mins(1), now), is_old, "{times}");
        }
        let missing = Seen { target: Target::mutating("w"), object: None };
        assert!(missing.is_older_than(Duration::from_mins(1), now));
    }

    #[test]
    fn a_target_is_shown_as_kubectl_names_it() {
        assert_eq!(Target::mutating("w").to_string(), "MutatingWebhookConfiguration/w");
        assert_eq!(Target::validating("w").to_string(), "ValidatingWebhookConfiguration/w");
        assert_eq!(Target::conversion("w").to_string(), "CustomResourceDefinition/w");
    }
}
