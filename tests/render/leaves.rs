// SPDX-License-Identifier: Apache-2.0
//! Every leaf of the spec changes something that is rendered, or stands here with the reason why not: no option may do
//! nothing without a word.
//!
//! The leaves come out of the schema. Each is left out and set to two values, in one context after the other, until
//! two renderings differ.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use celery_operator::api::{Celery, crd};
use celery_operator::build::{self, Capabilities};
use celery_operator::resolve::{self, SecretData, Sources};
use serde_json::{Value, json};

/// Leaves that nothing is rendered of, each with the reason. A pool's leaf stands for `workerSpec` and `workerPools[]`.
const NOT_RENDERED: &[(&str, &str)] = &[
    (
        "flowerSpec.auth.allowUnauthenticated",
        "says that a Flower without a password is meant; the rules ask for it",
    ),
    ("flowerSpec.version", "tells the rules which options Flower knows"),
    ("pool.userOptions[]", "tells the rules which arguments the application adds"),
    ("beatSpec.userOptions[]", "tells the rules which arguments the application adds"),
];

/// What a leaf is set to where a text or a number of its own kind would not do.
fn values(leaf: &str) -> Option<[Value; 2]> {
    let urls = |scheme: &str| Some(["a", "b"].map(|host| json!(format!("{scheme}://{host}"))));
    match leaf {
        "common.broker.url" | "common.resultBackend.url" => urls("redis"),
        "common.broker.scheme" => Some([json!("redis"), json!("sqs")]),
        "common.broker.rabbitmq.managementUrl" => urls("http"),
        "common.config{}" => Some([json!(true), json!(false)]),
        "flowerSpec.serviceType" => Some([json!("NodePort"), json!("LoadBalancer")]),
        _ if leaf.ends_with("rolloutStrategy.type") => Some([json!("Recreate"), json!("RollingUpdate")]),
        "common.broker.transportOptions" => Some([json!({"sep": "a"}), json!({"sep": "b"})]),
        _ if leaf.ends_with(".podTemplate") => {
            Some(["a", "b"].map(|host| json!({"spec": {"hostname": host}})))
        }
        _ => None,
    }
}

const QUEUE: &str = "[{kind: worker, maxReplicas: 5, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]";

/// What is laid over the small object that has every component. A null takes a field away.
fn contexts() -> Vec<Value> {
    let probes = |probe: &str| {
        let probes = format!("{{startup: {probe}, readiness: {probe}, liveness: {probe}}}");
        format!(
            "{{common: {{celeryVersion: '5.7'}}, beatSpec: {{probes: {probes}}}, workerSpec: {{probes: {probes}}}, \
               workerPools: [{{name: mail, probes: {probes}}}]}}"
        )
    };
    let both = |part: &str| format!("{{workerSpec: {{{part}}}, workerPools: [{{name: mail, {part}}}]}}");
    let typed =
        |broker: &str| format!("{{common: {{broker: {{url: null, {broker}}}}}, scaleTargetRef: {QUEUE}}}");
    let redis = "passwordSecretRef: {name: cache, key: password}, tls: {caSecretRef: {name: ca, key: ca}}";
    let rabbitmq = "host: mq, tls: {caSecretRef: {name: ca, key: ca}}, managementUrl: 'http://mq', \
                    usernameSecretRef: {name: mq, key: user}, passwordSecretRef: {name: mq, key: password}";
    let counted = QUEUE.replace("maxReplicas", "includeUnacked: true, maxReplicas");
    let sqs = "region: eu-west-1, accountId: '1', queueUrls: {other: 'https://a'}";
    let fallback = QUEUE.replace("maxReplicas", "fallback: {failureThreshold: 3, replicas: 2}, maxReplicas");
    let cpu = "{name: cpu, target: {type: Utilization, averageUtilization: 50}}";
    let value = "{name: memory, target: {type: AverageValue, averageValue: 50}}";
    let all = [
        "{}".to_owned(),
        probes("{type: Custom, command: [check]}"),
        probes("{type: Heartbeat}"),
        both("gracefulShutdown: {mode: Soft, timeoutSeconds: 60}"),
        both("rolloutStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}"),
        format!("{{scaleTargetRef: {QUEUE}}}"),
        format!("{{common: {{broker: {{url: 'amqp://mq'}}}}, scaleTargetRef: {fallback}}}"),
        format!("{{scaleTargetRef: [{{kind: worker, maxReplicas: 5, metrics: [{cpu}]}}]}}"),
        format!("{{scaleTargetRef: [{{kind: worker, maxReplicas: 5, metrics: [{value}]}}]}}"),
        "{common: {broker: {url: null, urlSecretRef: {name: broker, key: url}}}}".to_owned(),
        "{common: {resultBackend: {urlSecretRef: {name: backend, key: url}}}}".to_owned(),
        typed(&format!("redis: {{host: cache, {redis}}}")),
        typed(&format!("redis: {{sentinel: {{masterName: main, addresses: [a]}}, {redis}}}")),
        typed(&format!("rabbitmq: {{{rabbitmq}}}")).replace(QUEUE, &counted),
        typed("rabbitmq: {host: mq, managementUrlSecretRef: {name: mq, key: url}}").replace(QUEUE, &counted),
        typed(&format!("sqs: {{{sqs}}}")),
        "{flowerSpec: {serviceType: LoadBalancer}}".to_owned(),
        "{flowerSpec: {ingress: {host: flower, tlsSecretName: flower}}}".to_owned(),
        "{flowerSpec: {auth: {basic: null, oauth: {provider: google}}}}".to_owned(),
        "{common: {volumes: [{name: data, emptyDir: {}}]}}".to_owned(),
    ];
    all.iter()
        .map(|text| serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")))
        .collect()
}

/// A small object with every component.
fn base() -> Value {
    json!({
        "common": {"image": "shop:1", "appName": "shop", "celeryApp": "shop", "broker": {"url": "redis://cache"}},
        "workerSpec": {}, "workerPools": [{"name": "mail"}], "beatSpec": {}, "flowerSpec": {},
    })
}

/// A leaf and the schemas on the way to it.
struct Leaf<'s> {
    path: String,
    steps: Vec<(Step, &'s Value)>,
}

/// One step down.
#[derive(Clone)]
enum Step {
    Field(String),
    Item,
    Key,
}

fn leaves<'s>(schema: &'s Value, path: &str, steps: &[(Step, &'s Value)], found: &mut Vec<Leaf<'s>>) {
    let mut down = |step: Step, below: &'s Value, path: String| {
        let steps: Vec<_> = steps.iter().cloned().chain([(step, below)]).collect();
        leaves(below, &path, &steps, found);
    };
    if let Some(fields) = schema["properties"].as_object() {
        for (name, below) in fields {
            let dot = if path.is_empty() { "" } else { "." };
            down(Step::Field(name.clone()), below, format!("{path}{dot}{name}"));
        }
    } else if schema["items"].is_object() {
        down(Step::Item, &schema["items"], format!("{path}[]"));
    } else if schema["additionalProperties"].is_object() {
        down(Step::Key, &schema["additionalProperties"], format!("{path}{{}}"));
    } else {
        found.push(Leaf { path: path.to_owned(), steps: steps.to_vec() });
    }
}

/// A value that a schema takes, one of two.
fn sample(schema: &Value, second: bool) -> Value {
    let number = 2 + u8::from(second);
    if let Some(words) = schema["enum"].as_array() {
        return words[usize::from(second) % words.len()].clone();
    }
    if schema["x-kubernetes-int-or-string"] == true {
        return json!(number);
    }
    match schema["type"].as_str() {
        Some("boolean") => json!(second),
        Some("integer") if schema["maximum"] == 0.0 => json!(0),
        Some("integer" | "number") => json!(number),
        Some("string") if schema["format"] == "date-time" => json!(format!("2026-01-0{number}T00:00:00Z")),
        Some("string") => json!(if second { "leaf-b" } else { "leaf-a" }),
        Some("array") => json!([]),
        Some("object") if schema["properties"].is_object() => completed(json!({}), schema),
        _ => json!({ "leaf": number }),
    }
}

/// An object with what its schema requires.
fn completed(mut object: Value, schema: &Value) -> Value {
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if object.get(name).is_none() {
            object[name] = sample(&schema["properties"][name], false);
        }
    }
    object
}

/// Sets a leaf, or takes it out; what is missing on the way is made.
fn set(target: &mut Value, steps: &[(Step, &Value)], value: Option<&Value>) {
    let Some(((step, schema), rest)) = steps.split_first() else { return };
    let (name, inside) = match step {
        Step::Field(name) => (name.as_str(), false),
        // A key of `config` is the name of a setting; elsewhere any will do.
        Step::Key => ("task_acks_late", false),
        Step::Item => ("", true),
    };
    if inside {
        if !target.is_array() {
            *target = json!([]);
        }
        let list = target.as_array_mut().unwrap();
        match (rest, value) {
            ([], Some(value)) => *list = vec![value.clone()],
            ([], None) => list.clear(),
            _ => {
                if list.is_empty() {
                    list.push(completed(json!({}), schema));
                }
                set(&mut list[0], rest, value);
            }
        }
        return;
    }
    if !target.is_object() {
        *target = json!({});
    }
    let fields = target.as_object_mut().unwrap();
    match (rest, value) {
        ([], Some(value)) => drop(fields.insert(name.to_owned(), value.clone())),
        ([], None) => drop(fields.remove(name)),
        _ => {
            let is_object = schema["properties"].is_object();
            let below = fields
                .entry(name)
                .or_insert_with(|| if is_object { completed(json!({}), schema) } else { Value::Null });
            set(below, rest, value);
        }
    }
}

/// What is rendered of a spec; `None` when it is no spec.
fn rendered(spec: &Value) -> Option<String> {
    let celery: Celery = serde_json::from_value(json!({
        "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
        "metadata": {"name": "shop", "namespace": "web", "uid": "u"}, "spec": spec,
    }))
    .ok()?;
    // Every Secret that is named has every key that a leaf may name, each with a text of its own.
    let keys = ["leaf-a", "leaf-b", "url", "user", "password"];
    let data = |name: &str| -> SecretData {
        keys.iter().map(|key| ((*key).to_owned(), format!("redis://{name}.{key}"))).collect()
    };
    let named = resolve::secrets(&celery.spec);
    let secrets: BTreeMap<_, _> = named.into_iter().map(|name| (name.clone(), Some(data(&name)))).collect();
    let resolved = resolve::resolved(&celery, &Sources { secrets });
    let children = build::children(&resolved, Capabilities { keda: true, monitors: true });
    Some(children.manifests.iter().map(|manifest| manifest.body.to_string()).collect())
}

/// Whether a leaf makes a difference to a spec: when it is set, or between its two values.
fn matters_to(spec: &Value, leaf: &Leaf<'_>, values: &[Value; 2]) -> bool {
    let variant = |value: Option<&Value>| {
        let mut spec = spec.clone();
        set(&mut spec, &leaf.steps, value);
        rendered(&spec)
    };
    let first = variant(Some(&values[0]));
    let differs = |other: Option<String>| first.is_some() && other.is_some() && first != other;
    differs(variant(None)) || differs(variant(Some(&values[1])))
}

/// Whether a leaf makes a difference in any context.
fn matters(leaf: &Leaf<'_>, contexts: &[Value]) -> bool {
    let (_, schema) = leaf.steps.last().unwrap();
    let values = values(&leaf.path).unwrap_or_else(|| [false, true].map(|second| sample(schema, second)));
    // Most leaves show in the least there is, which is quicker.
    let base = base();
    let mut small = json!({"common": base["common"]});
    let component =
        leaf.path.split(['.', '[']).next().filter(|first| *first != "common").unwrap_or("workerSpec");
    small[component] = base[component].clone();
    let all = contexts.iter().map(|context| {
        let mut spec = base.clone();
        json_patch::merge(&mut spec, context);
        spec
    });
    [small].into_iter().chain(all).any(|spec| matters_to(&spec, leaf, &values))
}

/// Leaves of pools are alike.
fn listed(path: &str) -> Option<&'static (&'static str, &'static str)> {
    let pool = path.strip_prefix("workerSpec.").or_else(|| path.strip_prefix("workerPools[]."));
    let path = pool.map_or_else(|| path.to_owned(), |leaf| format!("pool.{leaf}"));
    NOT_RENDERED.iter().find(|(listed, _)| *listed == path)
}

#[test]
fn every_leaf_of_the_spec_is_rendered_or_listed_with_its_reason() {
    let definition = serde_json::to_value(crd::definition()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut found = Vec::new();
    leaves(schema, "", &[], &mut found);
    assert!(found.len() > 1500, "{} leaves", found.len());
    // What lies deep in a pool is the same in both places, and read by the same lines.
    let same = &schema["properties"]["workerPools"]["items"]["properties"];
    found.retain(|leaf| {
        let Some(name) =
            leaf.path.strip_prefix("workerPools[].").and_then(|path| path.split(['.', '[']).next())
        else {
            return true;
        };
        leaf.steps.len() <= 4 || same[name] != schema["properties"]["workerSpec"]["properties"][name]
    });
    let contexts = contexts();
    let silent: Vec<String> = thread::scope(|scope| {
        let halves = found.chunks(found.len().div_ceil(2)).map(|leaves| {
            let contexts = &contexts;
            scope.spawn(move || {
                let silent = leaves.iter().filter(|leaf| !matters(leaf, contexts));
                silent.map(|leaf| leaf.path.clone()).collect::<Vec<_>>()
            })
        });
        let halves: Vec<_> = halves.collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let unlisted: Vec<&String> = silent.iter().filter(|path| listed(path).is_none()).collect();
    assert!(unlisted.is_empty(), "these fields do nothing: {unlisted:#?}");
    // A leaf that is rendered after all is no longer an exception.
    let used: BTreeSet<&str> = silent.iter().filter_map(|path| listed(path)).map(|(path, _)| *path).collect();
    let all: BTreeSet<&str> = NOT_RENDERED.iter().map(|(path, _)| *path).collect();
    assert_eq!(used, all);
}
