// SPDX-License-Identifier: Apache-2.0
//! What is peculiar to claims: they are found again without an owner, and little of them can ever change.
//!
//! A change that Kubernetes is sure to refuse is not even sent: it would be sent again and again.

use kube::core::DynamicObject;
use kube_quantity::ParsedQuantity;
use serde_json::{Value, json};

use super::Error;
use crate::build::{ChildKind, Manifest};
use crate::labels::{COMPONENT, INSTANCE, MANAGER};

/// Labels that tell whose a claim is.
const IDENTITY: [&str; 3] = [MANAGER, INSTANCE, COMPONENT];

/// Whether a claim without an owner was made for this very Celery, or for one of its name before.
pub(super) fn is_found_again(manifest: &Manifest, live: &DynamicObject) -> bool {
    let labels = live.metadata.labels.as_ref();
    let same = |label: &&str| {
        let live = labels.and_then(|labels| labels.get(*label));
        live.is_some_and(|value| manifest.body["metadata"]["labels"][*label] == value.as_str())
    };
    manifest.kind == ChildKind::PersistentVolumeClaim && IDENTITY.iter().all(same)
}

/// The manifest as it can be applied to the claim that is there.
///
/// # Errors
/// [`Error::ClaimRefused`] for what no claim can do.
pub(super) fn possible(manifest: &Manifest, live: &DynamicObject) -> Result<Manifest, Error> {
    let mut manifest = manifest.clone();
    let class = "/spec/storageClassName";
    let of_live = live.data.pointer(class).and_then(Value::as_str);
    match (manifest.body.pointer(class).and_then(Value::as_str), of_live) {
        (Some(wanted), Some(is)) if wanted != is => {
            let message = format!("its storage class is {is} for ever");
            return Err(refused(&manifest, "storageClass", message));
        }
        // The default of the cluster when it was made, which may be another one by now.
        (None, Some(is)) => manifest.body["spec"]["storageClassName"] = json!(is),
        _ => {}
    }
    let (wanted, is) = (size(&manifest.body), size(&live.data));
    if let (Some((wanted, _)), Some((is, text))) = (wanted, is)
        && wanted < is
    {
        return Err(refused(&manifest, "size", format!("it has {text} and cannot shrink")));
    }
    Ok(manifest)
}

/// What the API server's refusal of a claim means: nothing else of one that is there ever changes.
pub(super) fn growth_refused(error: Error, manifest: &Manifest) -> Error {
    match error {
        Error::Refused { message, .. } | Error::Forbidden { message, .. } => {
            refused(manifest, "size", message)
        }
        other => other,
    }
}

fn size(claim: &Value) -> Option<(ParsedQuantity, &str)> {
    let text = claim.pointer("/spec/resources/requests/storage")?.as_str()?;
    Some((ParsedQuantity::try_from(text).ok()?, text))
}

fn refused(manifest: &Manifest, field: &str, message: String) -> Error {
    let component = manifest.body["metadata"]["labels"][COMPONENT].as_str();
    let field = format!("spec.{}Spec.persistence.{field}", component.unwrap_or_default());
    Error::ClaimRefused { name: manifest.name.clone(), field, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(spec: Value) -> Manifest {
        let labels = json!({"app.kubernetes.io/managed-by": "celery-operator",
            "app.kubernetes.io/instance": "shop", "app.kubernetes.io/component": "flower", "extra": "x"});
        Manifest {
            kind: ChildKind::PersistentVolumeClaim,
            name: "shop-flower".to_owned(),
            body: json!({"metadata": {"labels": labels}, "spec": spec}),
            hash: String::new(),
        }
    }

    fn live(object: Value) -> DynamicObject {
        serde_json::from_value(object).expect("an object")
    }

    fn spec(class: Option<&str>, size: &str) -> Value {
        let mut spec = json!({"resources": {"requests": {"storage": size}}});
        if let Some(class) = class {
            spec["storageClassName"] = json!(class);
        }
        spec
    }

    #[test]
    fn a_claim_is_found_again_by_who_it_was_made_for() {
        let manifest = claim(spec(None, "1Gi"));
        let with = |label: &str, value: &str| {
            let mut labels = manifest.body["metadata"]["labels"].clone();
            labels[label] = json!(value);
            is_found_again(&manifest, &live(json!({"metadata": {"labels": labels}})))
        };
        assert!(with("extra", "y"));
        for label in IDENTITY {
            assert!(!with(label, "other"), "{label}");
        }
        assert!(!is_found_again(&manifest, &live(json!({"metadata": {}}))));
        let other = Manifest { kind: ChildKind::Deployment, ..manifest.clone() };
        let labels = manifest.body["metadata"]["labels"].clone();
        assert!(!is_found_again(&other, &live(json!({"metadata": {"labels": labels}}))));
    }

    #[test]
    fn what_no_claim_can_do_is_told_with_its_field() {
        for (wanted, is, refused) in [
            (spec(None, "1Gi"), spec(Some("fast"), "1024Mi"), None),
            (spec(Some("fast"), "2Gi"), spec(Some("fast"), "1Gi"), None),
            (spec(Some("fast"), "1Gi"), spec(None, "1Gi"), None),
            (spec(Some("slow"), "1Gi"), spec(Some("fast"), "1Gi"), Some("storageClass")),
            (spec(None, "500Mi"), spec(None, "1Gi"), Some("size")),
        ] {
            let error = possible(&claim(wanted.clone()), &live(json!({"metadata": {}, "spec": is}))).err();
            let text = error.map(|error| error.to_string());
            match refused {
                None => assert_eq!(text, None, "{wanted}"),
                Some(field) => {
                    let text = text.expect("a refusal");
                    assert!(text.contains(&format!("spec.flowerSpec.persistence.{field}")), "{text}");
                }
            }
        }
    }

    #[test]
    fn the_class_that_a_claim_got_by_default_stays() {
        let live = live(json!({"metadata": {}, "spec": spec(Some("fast"), "1Gi")}));
        let applied = possible(&claim(spec(None, "1Gi")), &live).expect("possible");
        assert_eq!(applied.body["spec"]["storageClassName"], "fast");
    }
}
