// SPDX-License-Identifier: Apache-2.0
//! Values: what each does, and which are refused.

use serde_json::{Value, json};

use crate::helm::{beside, chart, refused, rendered};
use crate::objects::{is_hook, one};

fn operator(values: &[&str]) -> Vec<Value> {
    let arguments: Vec<&str> = values.iter().flat_map(|value| ["--set", value]).collect();
    rendered(&chart("celery-operator"), &arguments)
}

fn pod(objects: &[Value]) -> Value {
    one(objects, "Deployment", "")["spec"]["template"]["spec"].clone()
}

fn container(objects: &[Value]) -> Value {
    pod(objects)["containers"][0].clone()
}

/// Every leaf of a value, as a path.
fn leaves(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    match value.as_object().filter(|object| !object.is_empty()) {
        Some(object) => {
            for (name, value) in object {
                let name = name.replace('.', "\\.");
                leaves(value, &if path.is_empty() { name } else { format!("{path}.{name}") }, found);
            }
        }
        None => found.push((path.to_owned(), value.clone())),
    }
}

fn read(file: &str) -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// What has to be set beside a value for it to count.
fn needed(path: &str) -> Option<&'static str> {
    match path {
        "metrics.serviceMonitor.labels.team" | "metrics.serviceMonitor.interval" => {
            Some("metrics.serviceMonitor.enabled=true")
        }
        "metrics.rules.labels.team" => Some("metrics.rules.enabled=true"),
        "metrics.dashboard.labels.team" => Some("metrics.dashboard.enabled=true"),
        "certificates.issuerRef.kind" | "certificates.issuerRef.group" => {
            Some("certificates.issuerRef.name=ca")
        }
        _ => None,
    }
}

/// A file that is copied into the chart, and may not be there yet.
fn copied(path: &str) -> &'static str {
    match path.split('.').nth(1) {
        Some("rules") => "rules.yaml",
        Some("dashboard") => "celery-operator.json",
        _ => "",
    }
}

#[test]
fn full_values_name_every_value() {
    let full = read(&beside("full.yaml"));
    let standard = read(&chart("celery-operator").join("values.yaml").display().to_string());
    let mut values = Vec::new();
    leaves(&standard, "", &mut values);
    for (path, _) in values {
        let pointer = format!("/{}", path.replace('.', "/"));
        let is_open = ["resources", "podSecurityContext", "securityContext", "metrics.dashboard.labels"];
        if !is_open.iter().any(|open| path.starts_with(open)) {
            assert!(full.pointer(&pointer).is_some(), "full.yaml lacks {path}");
        }
    }
}

#[test]
fn every_value_changes_what_is_rendered() {
    let chart = chart("celery-operator");
    let mut values = Vec::new();
    leaves(&read(&beside("full.yaml")), "", &mut values);
    for (path, value) in values {
        if !chart.join("files").join(copied(&path)).exists() {
            continue;
        }
        let beside: Vec<&str> = needed(&path).into_iter().flat_map(|needed| ["--set", needed]).collect();
        let set = format!("{path}={value}");
        let changed = rendered(&chart, &[&beside[..], &["--set-json", &set]].concat());
        assert_ne!(changed, rendered(&chart, &beside), "{set}");
    }
}

/// The texts beside the values and the schema say the same of what is there without them.
#[test]
fn the_schema_knows_every_value_and_its_default() {
    for name in ["celery-operator", "celery-operator-crds", "celery-stack"] {
        let standard = read(&chart(name).join("values.yaml").display().to_string());
        let schema = read(&chart(name).join("values.schema.json").display().to_string());
        check_defaults(&schema, &standard, name);
    }
}

fn check_defaults(schema: &Value, value: &Value, path: &str) {
    assert!(path.contains('.') == schema["description"].is_string(), "{path} is not described");
    if let Some(default) = schema.get("default") {
        assert_eq!(default, value, "{path}");
    }
    let (Some(properties), Some(values)) = (schema["properties"].as_object(), value.as_object()) else {
        return;
    };
    assert_eq!(schema["additionalProperties"], false, "{path}");
    for name in values.keys() {
        assert!(properties.contains_key(name), "the schema lacks {path}.{name}");
    }
    for (name, schema) in properties {
        check_defaults(schema, &value[name], &format!("{path}.{name}"));
    }
}

#[test]
fn what_monitoring_needs_is_rendered_where_it_is_asked_for() {
    let kinds = ["ServiceMonitor", "PrometheusRule", "ConfigMap"];
    assert!(!operator(&[]).iter().any(|object| kinds.iter().any(|kind| object["kind"] == *kind)));
    let all = ["serviceMonitor", "rules", "dashboard"].map(|part| format!("metrics.{part}.enabled=true"));
    let objects = operator(&all.each_ref().map(String::as_str));
    let monitor = &one(&objects, "ServiceMonitor", "")["spec"];
    let service = one(&objects, "Service", "-metrics");
    for (name, value) in monitor["selector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(&service["metadata"]["labels"][name], value, "{name}");
    }
    assert_eq!(monitor["endpoints"][0]["port"], service["spec"]["ports"][0]["name"]);
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/config");
    if let Ok(text) = std::fs::read_to_string(format!("{config}/prometheus/rules.yaml")) {
        let rules: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(one(&objects, "PrometheusRule", "")["spec"], rules["spec"]);
    }
    if let Ok(text) = std::fs::read_to_string(format!("{config}/grafana/celery-operator.json")) {
        let shown =
            one(&objects, "ConfigMap", "-dashboard")["data"]["celery-operator.json"].as_str().unwrap();
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(shown), read(&text));
    }
}

#[test]
fn what_is_no_value_is_refused() {
    for (value, why) in [
        ("watchNamespace=web", "watchNamespace"),
        ("image.name=x", "name"),
        ("replicas=two", "replicas"),
        ("webhooks.failurePolicy=fail", "failurePolicy"),
        ("watchNamespaces={Web}", "watchNamespaces"),
        ("webhooks.timeoutSeconds=31", "timeoutSeconds"),
        ("fullnameOverride=1a", "fullnameOverride"),
        ("certificates.issuerRef.kind=Issuer", "issuerRef"),
    ] {
        let said = refused(&chart("celery-operator"), &["--set", value]);
        assert!(said.contains(why), "{value}: {said}");
    }
    let said = refused(&chart("celery-operator-crds"), &["--set", "keeps=true"]);
    assert!(said.contains("keeps"), "{said}");
}

#[test]
fn names_follow_the_release() {
    let name = |release: &str| {
        let output = crate::helm::helm()
            .args(["template", release])
            .arg(chart("celery-operator"))
            .args(["--show-only", "templates/deployment.yaml"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        if output.status.success() {
            crate::helm::documents(&text)[0]["metadata"]["name"].as_str().unwrap().to_owned()
        } else {
            crate::helm::said(&output)
        }
    };
    assert_eq!(name("celery-operator"), "celery-operator");
    assert_eq!(name("team"), "team-celery-operator");
    assert_eq!(name("a.b"), "a-b-celery-operator");
    assert_eq!(name("my-celery-operator-two"), "my-celery-operator-two");
    assert!(name("1a").contains("set fullnameOverride"), "{}", name("1a"));
    let long = name(&"a".repeat(53));
    assert!(long.len() <= 50 && !long.ends_with('-'), "{long}");
}

#[test]
fn one_value_restricts_flags_roles_and_webhooks() {
    let objects = operator(&["watchNamespaces={web,mail}"]);
    let arguments = container(&objects)["args"].to_string();
    assert!(arguments.contains(r#""--watch-namespace=web","--watch-namespace=mail""#), "{arguments}");
    let everywhere = one(&objects, "ClusterRole", "celery-operator.celery-system");
    assert_eq!(everywhere["rules"].as_array().unwrap().len(), 1);
    for kind in ["Mutating", "Validating"] {
        let kind = format!("{kind}WebhookConfiguration");
        let configuration = objects.iter().find(|it| it["kind"] == kind.as_str() && !is_hook(it)).unwrap();
        let selector = &configuration["webhooks"][0]["namespaceSelector"]["matchExpressions"][0];
        assert_eq!(selector["values"], json!(["web", "mail"]));
    }
}

#[test]
fn certificates_of_somebody_else_are_mounted() {
    for (values, secret) in [
        (vec!["certificates.secretName=mine"], "mine"),
        (vec!["certificates.issuerRef.name=ca"], "celery-operator-webhook-tls"),
        (vec!["certificates.issuerRef.name=ca", "certificates.secretName=mine"], "mine"),
    ] {
        let objects = operator(&values);
        assert_eq!(pod(&objects)["volumes"][0]["secret"]["secretName"], secret);
        let arguments = container(&objects)["args"].to_string();
        let folder = container(&objects)["volumeMounts"][0]["mountPath"].as_str().unwrap().to_owned();
        assert!(arguments.contains(&format!("--certificate-files={folder}")), "{arguments}");
        let certificate = objects.iter().find(|object| object["kind"] == "Certificate");
        assert_eq!(certificate.is_some(), values[0].contains("issuerRef"));
        if let Some(certificate) = certificate {
            assert_eq!(certificate["spec"]["secretName"], secret);
            assert_eq!(certificate["spec"]["dnsNames"][0], "celery-operator-webhook.celery-system.svc");
        }
    }
}

#[test]
fn who_a_pod_runs_as_can_be_left_to_the_cluster() {
    let objects = operator(&["podSecurityContext.runAsUser=null", "podSecurityContext.fsGroup=null"]);
    assert_eq!(
        pod(&objects)["securityContext"],
        json!({"runAsNonRoot": true, "runAsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}})
    );
}

#[test]
fn the_configurations_go_first_and_no_pod_runs_for_it() {
    let objects = operator(&[]);
    let hooks: Vec<&Value> = objects.iter().filter(|object| is_hook(object)).collect();
    assert_eq!(hooks.len(), 2);
    for hook in hooks {
        assert_eq!(hook["metadata"]["annotations"]["helm.sh/hook"], "pre-delete");
        assert_eq!(hook["webhooks"], json!([]));
        let of_release = |it: &&Value| it["kind"] == hook["kind"] && !is_hook(it);
        let shadowed = objects.iter().find(of_release).unwrap();
        assert_eq!(shadowed["metadata"]["name"], hook["metadata"]["name"]);
    }
}
