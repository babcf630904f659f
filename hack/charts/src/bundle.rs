// SPDX-License-Identifier: Apache-2.0
//! The bundle for the Operator Lifecycle Manager (OLM).
//!
//! OLM brings the webhook configurations and their certificate itself, from what the `ClusterServiceVersion` says. It knows no
//! `matchConditions`: the webhooks are asked about more than elsewhere, about the removal of finalizers too, and so
//! nobody is refused while no replica answers. What was let through is judged by the reconciler.

use celery_operator::api::{GROUP, VERSION, crd};
use celery_operator::manifests::{Destination, Duties, IMAGE, Installation, NAME, duties, manager, webhooks};
use serde_json::{Value, json};

type Error = Box<dyn std::error::Error>;

const RELEASE: &str = env!("CARGO_PKG_VERSION");
/// Where OLM mounts the certificate.
const CERTIFICATES: &str = "/tmp/k8s-webhook-server/serving-certs";
/// The Service by which OLM leads to the Deployment.
const SERVICE: &str = "celery-operator-service";
const LICENCE: &str = "# SPDX-License-Identifier: Apache-2.0\n";
const SAMPLE: &str = include_str!("../../../config/samples/smallest.yaml");

const DESCRIPTION: &str = "\
[Celery](https://docs.celeryq.dev) on Kubernetes: workers, beat and Flower from one object, refused when wrong at apply
time, run without losing a task afterwards. Autoscaled by cpu and memory, or with KEDA by the length of queues.

Until an image is published, build one and set it in the Deployment of this bundle.";

/// The files of the bundle, by their paths.
pub(crate) fn bundle() -> Result<Vec<(&'static str, String)>, Error> {
    let definition = serde_json::to_value(crd::definition())?;
    let installation = Installation::default();
    let objects = manager(&installation, IMAGE);
    let metrics = objects.iter().find(|object| object["metadata"]["name"] == installation.metrics_service());
    let mut metrics = metrics.cloned().unwrap_or_default();
    // OLM says where.
    if let Some(metadata) = metrics["metadata"].as_object_mut() {
        metadata.remove("namespace");
    }
    Ok(vec![
        ("config/olm/manifests/celery-operator.clusterserviceversion.yaml", yaml(&version()?)?),
        ("config/olm/manifests/celeryproject.org_celeries.yaml", yaml(&definition)?),
        ("config/olm/manifests/celery-operator-metrics.service.yaml", yaml(&metrics)?),
        ("config/olm/metadata/annotations.yaml", yaml(&annotations())?),
        ("config/olm/bundle.Dockerfile", dockerfile()),
    ])
}

fn yaml(value: &Value) -> Result<String, Error> {
    Ok(format!("{LICENCE}{}", serde_saphyr::to_string(value)?))
}

/// What OLM reads of the bundle before anything else.
const ANNOTATIONS: [(&str, &str); 6] = [
    ("operators.operatorframework.io.bundle.mediatype.v1", "registry+v1"),
    ("operators.operatorframework.io.bundle.manifests.v1", "manifests/"),
    ("operators.operatorframework.io.bundle.metadata.v1", "metadata/"),
    ("operators.operatorframework.io.bundle.package.v1", NAME),
    ("operators.operatorframework.io.bundle.channels.v1", "alpha"),
    ("operators.operatorframework.io.bundle.channel.default.v1", "alpha"),
];

fn annotations() -> Value {
    json!({ "annotations": serde_json::Map::from_iter(ANNOTATIONS.map(|(key, value)| (key.to_owned(), json!(value)))) })
}

/// The bundle is an image with nothing but its files.
fn dockerfile() -> String {
    let labels: Vec<String> =
        ANNOTATIONS.iter().map(|(key, value)| format!("LABEL {key}={value}\n")).collect();
    format!(
        "{LICENCE}FROM scratch\n{}COPY manifests /manifests/\nCOPY metadata /metadata/\n",
        labels.concat()
    )
}

fn version() -> Result<Value, Error> {
    let installation = Installation::default();
    let Duties { watched, own, .. } = duties(&installation);
    let samples: Vec<Value> = serde_saphyr::from_multiple(SAMPLE)?;
    let sample = samples.first();
    let modes = ["OwnNamespace", "SingleNamespace", "MultiNamespace", "AllNamespaces"]
        .map(|mode| json!({ "type": mode, "supported": mode == "AllNamespaces" }));
    let permissions = |rules: Value| json!([{ "serviceAccountName": NAME, "rules": rules }]);
    Ok(json!({
        "apiVersion": "operators.coreos.com/v1alpha1",
        "kind": "ClusterServiceVersion",
        "metadata": {
            "name": format!("{NAME}.v{RELEASE}"),
            "annotations": {
                "alm-examples": serde_json::to_string_pretty(&[sample])?,
                "capabilities": "Seamless Upgrades",
                "categories": "Application Runtime",
                "containerImage": IMAGE,
                "description": "Celery on Kubernetes, refused when wrong at apply time, run without losing a task afterwards",
            },
        },
        "spec": {
            "displayName": "Celery operator",
            "description": DESCRIPTION,
            "version": RELEASE,
            "maturity": "alpha",
            "minKubeVersion": "1.33.0",
            "provider": { "name": "The Celery operator's authors" },
            "links": [{ "name": "Celery", "url": "https://docs.celeryq.dev" }],
            "keywords": ["celery", "queue", "worker", "redis", "rabbitmq", "flower"],
            // Webhooks that belong to the cluster are of one operator, which looks after all of it.
            "installModes": modes,
            "customresourcedefinitions": { "owned": [{
                "name": format!("celeries.{GROUP}"), "version": VERSION, "kind": "Celery", "displayName": "Celery",
                "description": "One application: its workers, beat and Flower, and the broker that they share",
            }] },
            "install": {
                "strategy": "deployment",
                "spec": {
                    "clusterPermissions": permissions(watched),
                    "permissions": permissions(own),
                    "deployments": [deployment(&installation)],
                },
            },
            "webhookdefinitions": definitions(&installation),
        },
    }))
}

fn deployment(installation: &Installation) -> Value {
    let objects = manager(installation, IMAGE);
    let found = objects.iter().find(|object| object["kind"] == "Deployment");
    let mut deployment = found.cloned().unwrap_or_default();
    let arguments = &mut deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    if let Some(arguments) = arguments.as_array_mut() {
        arguments.push(json!(format!("--certificate-files={CERTIFICATES}")));
        arguments.push(json!(format!("--webhook-service={SERVICE}")));
    }
    json!({ "name": NAME, "label": installation.labels(), "spec": deployment["spec"] })
}

/// The webhooks in OLM's words.
fn definitions(installation: &Installation) -> Vec<Value> {
    let of = |configuration: &Value| {
        let webhook = &configuration["webhooks"][0];
        let is_mutating = configuration["kind"] == "MutatingWebhookConfiguration";
        let mut definition = json!({
            "type": if is_mutating { "MutatingAdmissionWebhook" } else { "ValidatingAdmissionWebhook" },
            "deploymentName": NAME,
            "containerPort": 443,
            "targetPort": "webhooks",
            "generateName": webhook["name"],
            "webhookPath": webhook["clientConfig"]["service"]["path"],
            "failurePolicy": "Ignore",
        });
        for same in ["admissionReviewVersions", "matchPolicy", "rules", "sideEffects", "timeoutSeconds"] {
            definition[same] = webhook[same].clone();
        }
        if is_mutating {
            definition["reinvocationPolicy"] = webhook["reinvocationPolicy"].clone();
        }
        definition
    };
    webhooks(installation, &Destination::Service).iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundle_says_what_the_manifests_say() {
        let version = version().unwrap();
        let spec = &version["spec"];
        let deployment = &spec["install"]["spec"]["deployments"][0]["spec"];
        let arguments = deployment["template"]["spec"]["containers"][0]["args"].to_string();
        assert!(arguments.contains("\"run\"") && arguments.contains(CERTIFICATES), "{arguments}");
        let types: Vec<&Value> =
            spec["webhookdefinitions"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
        assert_eq!(types, ["MutatingAdmissionWebhook", "ValidatingAdmissionWebhook"]);
        let examples = version["metadata"]["annotations"]["alm-examples"].as_str().unwrap();
        let examples: Value = serde_json::from_str(examples).unwrap();
        assert_eq!(examples[0]["kind"], "Celery");
    }
}
