// SPDX-License-Identifier: Apache-2.0
//! The CustomResourceDefinition: the derived schema plus what only Kubernetes understands.
//!
//! Added to the derived schema: list types (what people merge is a map), CEL rules (the static half of the rules, so
//! that it holds with the webhook away), bounds for every list and text (CEL costs and hostile sizes), and the removal
//! of what makes it large: descriptions of embedded Kubernetes types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;
use serde_json::{Map, Value, json};

use super::{Celery, limits};

/// Fields whose schema is Kubernetes' own: kept whole, without descriptions.
const EMBEDDED: &[&str] = &[
    "imagePullSecrets",
    "volumeMounts",
    "volumes",
    "rolloutStrategy",
    "resources",
    "env",
    "envFrom",
    "tolerations",
    "affinity",
    "topologySpreadConstraints",
    "securityContext",
    "containerSecurityContext",
    "initContainers",
    "dnsConfig",
    "sidecars",
    "lifecycle",
    "behavior",
];

/// The generation that a status speaks of before there is one.
const UNSEEN: i64 = -1;

/// Lists that are maps: where, and by which keys.
const MAPS: &[(&str, &[&str], usize)] = &[
    ("/spec/properties/workerPools", &["name"], limits::POOLS),
    ("/spec/properties/scaleTargetRef", &["kind", "pool"], limits::SCALE_TARGETS),
    ("/spec/properties/scaleTargetRef/items/properties/metrics", &["name"], limits::METRICS),
    ("/status/properties/conditions", &["type"], 32),
    ("/status/properties/pools", &["name"], 64),
];

/// Patterns of texts: where, the pattern, the longest text.
const PATTERNS: &[(&str, &str, usize)] = &[
    ("/spec/properties/common/properties/appName", "^[a-z]([a-z0-9-]*[a-z0-9])?$", 63),
    ("/spec/properties/workerPools/items/properties/name", "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", 63),
    (
        "/spec/properties/flowerSpec/properties/urlPrefix",
        "^/*[A-Za-z0-9._~-][A-Za-z0-9._~/-]*$",
        limits::TEXT,
    ),
];

const ONE_NUMBER: &str = "has(self.minAvailable) != has(self.maxUnavailable)";
const ONE_NUMBER_SAID: &str = "must set exactly one of minAvailable, maxUnavailable";
const SOFT_FITS: &str = "!has(self.mode) || self.mode != 'Soft' || !has(self.softTimeoutSeconds) || self.softTimeoutSeconds + 5 <= (has(self.timeoutSeconds) ? self.timeoutSeconds : 600)";
const SOFT_FITS_SAID: &str = "must be at least 5 below timeoutSeconds";

/// CEL rules: where, the field blamed, the expression, the message. Each is the static half of a rule of the catalogue.
#[rustfmt::skip]
const CEL: &[(&str, &str, &str, &str)] = &[
    // metadata has no schema of its own, so no field can be blamed.
    ("", "", "size(self.metadata.name) <= 63", "metadata.name must have at most 63 characters: it is a label value"),
    ("", ".spec.common.appName",
        "(has(self.spec.common.appName) ? self.spec.common.appName : self.metadata.name) == (has(oldSelf.spec.common.appName) ? oldSelf.spec.common.appName : oldSelf.metadata.name)",
        "field is immutable; create a new Celery for another name"),
    ("", ".spec.common.appName",
        "has(self.spec.common.appName) || self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')",
        "must be set: metadata.name cannot serve as the prefix of names"),
    ("", ".spec.common.appName",
        "size(has(self.spec.common.appName) ? self.spec.common.appName : self.metadata.name) <= 49",
        "names made from it would be longer than 63 characters; use at most 49"),
    ("", ".spec.workerPools",
        "!has(self.spec.workerPools) || self.spec.workerPools.all(p, size(has(self.spec.common.appName) ? self.spec.common.appName : self.metadata.name) + size(p.name) <= 55)",
        "a name made from appName and the name of the pool would be longer than 63 characters"),
    ("/spec/properties/workerSpec/properties/podDisruptionBudget", "", ONE_NUMBER, ONE_NUMBER_SAID),
    ("/spec/properties/workerPools/items/properties/podDisruptionBudget", "", ONE_NUMBER, ONE_NUMBER_SAID),
    ("/spec/properties/workerSpec/properties/gracefulShutdown", ".softTimeoutSeconds", SOFT_FITS, SOFT_FITS_SAID),
    ("/spec/properties/workerPools/items/properties/gracefulShutdown", ".softTimeoutSeconds", SOFT_FITS, SOFT_FITS_SAID),
    ("/spec", "", "has(self.workerSpec) || (has(self.workerPools) && size(self.workerPools) > 0) || has(self.beatSpec) || has(self.flowerSpec)",
        "nothing to run: set workerSpec, workerPools, beatSpec or flowerSpec"),
    ("/spec", ".common.celeryApp",
        "!(has(self.workerSpec) || (has(self.workerPools) && size(self.workerPools) > 0) || has(self.beatSpec)) || has(self.common.celeryApp)",
        "must be set: without it the worker runs an empty app and discards every task"),
    ("/spec/properties/common/properties/broker", "",
        "[has(self.url), has(self.urlSecretRef), has(self.redis), has(self.rabbitmq), has(self.sqs)].filter(set, set).size() == 1",
        "must set exactly one of url, urlSecretRef, redis, rabbitmq, sqs"),
    ("/spec/properties/workerPools/items", ".name", "self.name != 'default'", "is reserved for workerSpec"),
    ("/spec/properties/beatSpec/properties/persistence", "", "!has(self.existingClaim) || !has(self.size)",
        "set only one of existingClaim, size"),
    ("/spec/properties/flowerSpec", ".nodePort", "!has(self.nodePort) || self.serviceType in ['NodePort', 'LoadBalancer']",
        "a Service inside the cluster has no port on the nodes"),
    ("/spec/properties/flowerSpec", ".loadBalancerSourceRanges", "!has(self.loadBalancerSourceRanges) || self.serviceType == 'LoadBalancer'",
        "applies only to serviceType LoadBalancer; set that, or remove it"),
    ("/spec/properties/flowerSpec", ".replicas", "!has(self.persistence) || self.replicas <= 1",
        "two pods would corrupt one history file; use 1, or remove persistence"),
    ("/spec/properties/flowerSpec/properties/persistence", "", "!has(self.existingClaim) || !has(self.size)",
        "set only one of existingClaim, size"),
    ("/spec/properties/flowerSpec/properties/auth", "",
        "[has(self.basic), has(self.oauth), has(self.allowUnauthenticated) && self.allowUnauthenticated].filter(set, set).size() == 1",
        "must set exactly one of basic, oauth, allowUnauthenticated: true"),
    ("/spec/properties/common/properties/broker/properties/redis", "", "has(self.host) != has(self.sentinel)",
        "must set exactly one of host, sentinel"),
    ("/spec/properties/common/properties/resultBackend", "", "has(self.url) != has(self.urlSecretRef)",
        "must set exactly one of url, urlSecretRef"),
    ("/spec/properties/scaleTargetRef/items", ".maxReplicas", "!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",
        "must be at least minReplicas"),
    ("/spec/properties/scaleTargetRef/items", ".minReplicas",
        "!has(self.minReplicas) || self.minReplicas > 0 || self.metrics.exists(m, m.name == 'task_queue_length')",
        "scaling to zero needs a task_queue_length metric"),
    ("/spec/properties/scaleTargetRef/items", ".fallback",
        "!has(self.fallback) || self.metrics.exists(m, m.name == 'task_queue_length')",
        "fallback works only with task_queue_length; remove it, or add that metric"),
    ("/spec/properties/scaleTargetRef/items", ".metrics",
        "self.kind != 'flower' || !self.metrics.exists(m, m.name == 'task_queue_length')",
        "Flower has no queue; use cpu or memory"),
    ("/spec/properties/scaleTargetRef/items/properties/metrics/items", ".target.type",
        "self.name != 'task_queue_length' || self.target.type != 'Utilization'",
        "a queue has no utilization; use AverageValue"),
    ("/spec/properties/scaleTargetRef/items/properties/metrics/items/properties/target", "",
        "self.type == 'Utilization' ? (has(self.averageUtilization) && !has(self.averageValue)) : (has(self.averageValue) && !has(self.averageUtilization))",
        "Utilization goes with averageUtilization, AverageValue with averageValue, and only one of them is set"),
];

/// The definition as it is installed.
#[must_use]
pub fn definition() -> CustomResourceDefinition {
    let mut crd = Celery::crd();
    crd.metadata.labels =
        Some([("app.kubernetes.io/name".to_owned(), "celery-operator".to_owned())].into_iter().collect());
    for version in &mut crd.spec.versions {
        let Some(schema) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut())
        else {
            continue;
        };
        // A round trip through JSON: schemas are edited by path, which the typed form does not offer.
        let edited = serde_json::to_value(&*schema).map(completed).and_then(serde_json::from_value);
        if let Ok(edited) = edited {
            *schema = edited;
        }
    }
    crd
}

fn completed(mut schema: Value) -> Value {
    for name in EMBEDDED {
        every_property(&mut schema, name, &mut |property| {
            strip_inner_descriptions(property);
        });
    }
    for (path, keys, max_items) in MAPS {
        if let Some(list) = place(&mut schema, path) {
            list.insert("x-kubernetes-list-type".to_owned(), json!("map"));
            list.insert("x-kubernetes-list-map-keys".to_owned(), json!(keys));
            list.insert("maxItems".to_owned(), json!(max_items));
        }
    }
    for (path, field, rule, message) in CEL {
        if let Some(object) = place(&mut schema, path) {
            let mut validation = json!({ "rule": rule, "message": message });
            if !field.is_empty() {
                validation["fieldPath"] = json!(field);
            }
            let list = object.entry("x-kubernetes-validations").or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.push(validation);
            }
        }
    }
    for (path, pattern, max_length) in PATTERNS {
        if let Some(text) = place(&mut schema, path) {
            text.insert("pattern".to_owned(), json!(pattern));
            text.insert("maxLength".to_owned(), json!(max_length));
        }
    }
    if let Some(metrics) = place(&mut schema, "/spec/properties/scaleTargetRef/items/properties/metrics") {
        metrics.insert("minItems".to_owned(), json!(1));
    }
    bounded(&mut schema);
    if let Some(status) = place(&mut schema, "/status") {
        // What nobody has looked at yet is not ready: kstatus takes a missing status for one that has nothing to say.
        status.insert("default".to_owned(), json!({"observedGeneration": UNSEEN}));
    }
    schema
}

/// The object at a pointer below the root's `properties`; the empty path is the root itself.
fn place<'a>(schema: &'a mut Value, path: &str) -> Option<&'a mut Map<String, Value>> {
    let pointer = if path.is_empty() { String::new() } else { format!("/properties{path}") };
    schema.pointer_mut(&pointer)?.as_object_mut()
}

/// Calls `edit` for every property of this name, at any depth.
fn every_property(schema: &mut Value, name: &str, edit: &mut dyn FnMut(&mut Value)) {
    match schema {
        Value::Object(object) => {
            for (key, child) in object.iter_mut() {
                if key == "properties"
                    && let Some(property) = child.get_mut(name)
                {
                    edit(property);
                }
                every_property(child, name, edit);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|child| every_property(child, name, edit)),
        _ => {}
    }
}

/// Removes descriptions below a property; its own stays.
fn strip_inner_descriptions(property: &mut Value) {
    let own = property.get("description").cloned();
    strip_descriptions(property);
    if let (Some(own), Some(object)) = (own, property.as_object_mut()) {
        object.insert("description".to_owned(), own);
    }
}

/// Removes every description from a schema.
pub(crate) fn strip_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            // A property may itself be called "description": then the value is a schema, not a text.
            if object.get("description").is_some_and(Value::is_string) {
                object.remove("description");
            }
            object.values_mut().for_each(strip_descriptions);
        }
        Value::Array(list) => list.iter_mut().for_each(strip_descriptions),
        _ => {}
    }
}

/// Gives every list and every text an upper bound, and takes `nullable` away (the API server then drops a written null
/// before anybody sees it) and formats that are Rust's.
fn bounded(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.remove("nullable");
            // Not among the formats that Kubernetes knows: every install would be told so. The bound says the same.
            if object.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
                object.remove("format");
            }
            if let Some(words) = object.get_mut("enum").and_then(Value::as_array_mut) {
                words.retain(|word| !word.is_null());
            }
            // Defaults of the Rust types say "may be absent"; only those that are values are meant for users.
            if object.get("default").is_some_and(is_empty) {
                object.remove("default");
            }
            match object.get("type").and_then(Value::as_str) {
                Some("array") => {
                    object.entry("maxItems").or_insert_with(|| json!(limits::ITEMS));
                }
                Some("string") if !object.contains_key("enum") && !object.contains_key("format") => {
                    object.entry("maxLength").or_insert_with(|| json!(limits::TEXT));
                }
                Some("object") if object.contains_key("additionalProperties") => {
                    object.entry("maxProperties").or_insert_with(|| json!(limits::ITEMS));
                }
                _ => {}
            }
            object.values_mut().for_each(bounded);
        }
        Value::Array(list) => list.iter_mut().for_each(bounded),
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size at which a client-side `kubectl apply` still fits the definition into its annotation, with reserve.
    const MAX_BYTES: usize = 250_000;

    fn schema() -> Value {
        let crd = serde_json::to_value(definition()).expect("serialises");
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
    }

    #[test]
    fn the_numbers_of_a_soft_shutdown_are_those_of_the_operator() {
        use crate::api::GracefulShutdown;
        let (grace, reserve) = (GracefulShutdown::TIMEOUT_SECONDS, GracefulShutdown::LEAST_RESERVE_SECONDS);
        let limit = format!("(has(self.timeoutSeconds) ? self.timeoutSeconds : {grace})");
        assert!(
            SOFT_FITS.ends_with(&format!("self.softTimeoutSeconds + {reserve} <= {limit}")),
            "{SOFT_FITS}"
        );
        assert_eq!(SOFT_FITS_SAID, format!("must be at least {reserve} below timeoutSeconds"));
        let pool = &schema()["properties"]["spec"]["properties"]["workerSpec"]["properties"];
        let field = &pool["gracefulShutdown"]["properties"]["timeoutSeconds"];
        let told = field["description"].as_str().expect("a description");
        assert!(told.contains(&format!("absent: {grace}")), "{told}");
    }

    #[test]
    fn fits_into_an_annotation() {
        let compact = serde_json::to_string(&definition()).expect("serialises");
        // The API server escapes these three as \u00XX.
        let escaped = compact.chars().filter(|c| "<>&".contains(*c)).count() * 5;
        assert!(compact.len() + escaped <= MAX_BYTES, "{} bytes", compact.len() + escaped);
    }

    #[test]
    fn every_edit_found_its_place() {
        let mut schema = schema();
        for (path, ..) in MAPS {
            assert!(place(&mut schema, path).is_some_and(|list| list["type"] == "array"), "{path}");
        }
        for (path, ..) in PATTERNS {
            assert!(place(&mut schema, path).is_some_and(|text| text["type"] == "string"), "{path}");
        }
        for (path, ..) in CEL {
            assert!(place(&mut schema, path).is_some_and(|object| object["type"] == "object"), "{path}");
        }
    }

    #[test]
    fn every_list_and_text_is_bounded() {
        fn check(schema: &Value, path: &str) {
            if let Some(object) = schema.as_object() {
                let bound = |key: &str| object.contains_key(key);
                match object.get("type").and_then(Value::as_str) {
                    Some("array") => assert!(bound("maxItems"), "{path}"),
                    Some("string") => {
                        assert!(bound("maxLength") || bound("enum") || bound("format"), "{path}");
                    }
                    _ => {}
                }
                assert!(!bound("nullable"), "{path}");
                object.iter().for_each(|(key, child)| check(child, &format!("{path}/{key}")));
            }
        }
        check(&schema(), "");
    }

    #[test]
    fn words_and_bounds_are_in_the_schema() {
        let schema = schema();
        let at = |pointer: &str| schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).clone();
        let target = "/properties/spec/properties/scaleTargetRef/items/properties";
        assert_eq!(at(&format!("{target}/kind/enum")), json!(["worker", "flower"]));
        assert_eq!(at(&format!("{target}/minReplicas/default")), json!(1));
        assert_eq!(at(&format!("{target}/maxReplicas/minimum")).as_f64(), Some(1.0));
        assert_eq!(
            at("/properties/spec/properties/flowerSpec/properties/servicePort/maximum").as_f64(),
            Some(65535.0)
        );
        assert_eq!(at("/properties/spec/properties/common/required"), json!(["image"]));
        assert_eq!(
            at(&format!(
                "{target}/metrics/items/properties/target/properties/averageValue/x-kubernetes-int-or-string"
            )),
            json!(true)
        );
    }
}
