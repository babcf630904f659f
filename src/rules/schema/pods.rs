// SPDX-License-Identifier: Apache-2.0
//! What was meant by a field of a pod that somebody wrote beside the fields of a component. What all components share
//! has many of them, but there it would move every pod: the component's own `podTemplate` is what was asked for.

use serde_json::Value;

use crate::names;
use crate::rules::path;

/// Fields of a pod, as they are called there, and by what other names people know them.
const FIELDS: &[(&str, &[&str])] = &[
    ("nodeSelector", &["nodeSelectors"]),
    ("tolerations", &["toleration"]),
    ("affinity", &["nodeAffinity", "podAffinity", "podAntiAffinity"]),
    ("topologySpreadConstraints", &["topologySpread"]),
    ("serviceAccountName", &[]),
    ("automountServiceAccountToken", &[]),
    ("priorityClassName", &["priorityClass"]),
    ("initContainers", &["extraInitContainers"]),
    ("imagePullSecrets", &["imagePullSecret", "pullSecrets"]),
    ("securityContext", &["podSecurityContext"]),
    ("runtimeClassName", &["runtimeClass"]),
    ("schedulerName", &[]),
    ("hostAliases", &[]),
    ("hostNetwork", &[]),
    ("dnsPolicy", &[]),
    ("dnsConfig", &[]),
    ("enableServiceLinks", &[]),
    ("shareProcessNamespace", &[]),
];

/// Fields of the pod's metadata.
const METADATA: &[(&str, &[&str])] = &[("annotations", &["podAnnotations"]), ("labels", &["podLabels"])];

/// Fields of the operator's own container.
const CONTAINER: &[(&str, &[&str])] =
    &[("securityContext", &["containerSecurityContext"]), ("imagePullPolicy", &["pullPolicy"])];

/// Who annotates a service account, since nobody makes one here.
const ACCOUNT: &str = "create and annotate the ServiceAccount yourself, and name it in";

/// What to write instead of such a field of a component, or of what all of them share. A field that exists there never
/// gets here.
pub(super) fn meant(at: &str, name: &str, value: &Value) -> Option<String> {
    let component = path::pattern(at);
    let container = match component.as_str() {
        "spec.workerSpec" | "spec.workerPools[]" => Some(names::WORKER_CONTAINER),
        "spec.beatSpec" => Some(names::BEAT_CONTAINER),
        "spec.flowerSpec" => Some(names::FLOWER_CONTAINER),
        "spec.common" | "spec" => None,
        _ => return None,
    };
    let account = if container.is_some() {
        format!("{at}.podTemplate.spec.serviceAccountName")
    } else {
        "spec.common.serviceAccountName".to_owned()
    };
    match name {
        "serviceAccountAnnotations" => return Some(format!("{ACCOUNT} {account}")),
        "serviceAccount" if value.is_object() => return Some(format!("{ACCOUNT} {account}")),
        "serviceAccount" => return Some(format!("use {account}")),
        _ => {}
    }
    if at == "spec" {
        return None;
    }
    if let Some(field) = known(FIELDS, name) {
        // What all components share may have it, under the name that is meant.
        let is_told = container.is_some() || field == name;
        return is_told.then(|| format!("use {at}.podTemplate.spec.{field}"));
    }
    let container = container?;
    if let Some(field) = known(METADATA, name) {
        return Some(format!("use {at}.podTemplate.metadata.{field}"));
    }
    let field = known(CONTAINER, name)?;
    Some(format!("use {at}.podTemplate.spec.containers: [{{name: {container}, {field}: …}}]"))
}

fn known(fields: &[(&'static str, &[&str])], name: &str) -> Option<&'static str> {
    fields.iter().find(|(field, others)| *field == name || others.contains(&name)).map(|(field, _)| *field)
}
