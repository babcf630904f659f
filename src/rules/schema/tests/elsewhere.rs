// SPDX-License-Identifier: Apache-2.0
//! Fields and whole parts that stand in the wrong place, or are left empty where being there means on.

use serde_json::json;

use super::*;

#[test]
fn a_field_of_the_same_name_in_another_place_is_meant() {
    for (overlay, path, fix) in [
        ("{args: [-E]}", "args", "did you mean spec.workerSpec.args?"),
        ("{concurrency: 4}", "concurrency", "did you mean spec.workerSpec.concurrency?"),
        ("{resources: {}}", "resources", "did you mean spec.workerSpec.resources?"),
        ("{queues: [a]}", "queues", "did you mean spec.workerSpec.queues?"),
        (
            "{workerSpec: null, workerPools: [{name: a}], queues: [a]}",
            "queues",
            "did you mean spec.workerPools[].queues?",
        ),
        ("{replicaCount: 2}", "replicaCount", "did you mean spec.workerSpec.numOfWorkers?"),
        ("{scheduler: a.B}", "scheduler", "did you mean spec.beatSpec.scheduler?"),
        (
            "{persistence: {}}",
            "persistence",
            "did you mean spec.beatSpec.persistence or spec.flowerSpec.persistence?",
        ),
        ("{urlPrefix: /a}", "urlPrefix", "did you mean spec.flowerSpec.urlPrefix?"),
        ("{url: 'redis://cache'}", "url", "did you mean spec.common.broker.url?"),
        ("{envFrom: []}", "envFrom", "did you mean spec.common.envFrom?"),
        ("{common: {url: 'redis://cache'}}", "common.url", "did you mean broker.url?"),
        ("{common: {urlSecretRef: {}}}", "common.urlSecretRef", "did you mean broker.urlSecretRef?"),
        ("{common: {scheme: redis}}", "common.scheme", "did you mean broker.scheme?"),
        (
            "{common: {transportOptions: {}}}",
            "common.transportOptions",
            "did you mean broker.transportOptions?",
        ),
        ("{common: {replicas: 2}}", "common.replicas", "did you mean spec.workerSpec.numOfWorkers?"),
        ("{common: {numOfWorkers: 2}}", "common.numOfWorkers", "did you mean spec.workerSpec.numOfWorkers?"),
        ("{common: {logLevel: INFO}}", "common.logLevel", "did you mean spec.workerSpec.logLevel?"),
        ("{common: {args: [-E]}}", "common.args", "did you mean spec.workerSpec.args?"),
        ("{common: {resources: {}}}", "common.resources", "did you mean spec.workerSpec.resources?"),
        ("{common: {concurrency: 4}}", "common.concurrency", "did you mean spec.workerSpec.concurrency?"),
        ("{common: {loglevel: INFO}}", "common.loglevel", "did you mean spec.workerSpec.logLevel?"),
        ("{common: {resouces: {}}}", "common.resouces", "did you mean spec.workerSpec.resources?"),
        ("{common: {resultbackend: {}}}", "common.resultbackend", "did you mean resultBackend?"),
        ("{common: {podSecurityContext: {}}}", "common.podSecurityContext", "did you mean securityContext?"),
        ("{common: {limits: {}}}", "common.limits", "use spec.workerSpec.resources"),
        ("{worker: {}}", "worker", "did you mean workerSpec?"),
        ("{name: a}", "name", "did you mean metadata.name?"),
        ("{workerSpec: {name: a}}", "workerSpec.name", "use workerPools, whose items have names"),
        (
            "{scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 1}}], replicas: 2}]}",
            "scaleTargetRef[0].replicas",
            "use minReplicas and maxReplicas",
        ),
        (
            "{scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 1}}], name: a}]}",
            "scaleTargetRef[0].name",
            "use kind, and pool for one of workerPools",
        ),
        (
            "{common: {envFrom: [{name: a}]}}",
            "common.envFrom[0].name",
            "did you mean configMapRef.name or secretRef.name?",
        ),
        ("{common: {secrets: [a]}}", "common.secrets", "use envFrom"),
        (
            "{common: {broker: {host: cache}}}",
            "common.broker.host",
            "did you mean rabbitmq.host or redis.host?",
        ),
        ("{common: {broker: {vhost: a}}}", "common.broker.vhost", "did you mean rabbitmq.vhost?"),
        ("{workerSpec: {limits: {}}}", "workerSpec.limits", "did you mean resources.limits?"),
        ("{workerSpec: {resources: {memory: 1Gi}}}", "workerSpec.resources.memory", "use limits.memory"),
        ("{flowerSpec: {host: a.b}}", "flowerSpec.host", "did you mean ingress.host?"),
        (
            "{workerSpec: {env: [{name: A, secretKeyRef: {name: a, key: b}}]}}",
            "workerSpec.env[0].secretKeyRef",
            "did you mean valueFrom.secretKeyRef?",
        ),
        (
            "{common: {env: [{name: A, fieldRef: {}}]}}",
            "common.env[0].fieldRef",
            "did you mean valueFrom.fieldRef?",
        ),
    ] {
        let told = format!("spec.{path}: Forbidden: there is no such field; {fix} [S01]");
        assert_eq!(found(&format!("spec: {overlay}")), [told]);
    }
    // A name or a key may be that of anything.
    let [told] = &found("spec: {flowerSpec: {key: a}}")[..] else { panic!("one finding") };
    assert!(!told.contains("SecretRef.key"), "{told}");
    for (overlay, path, fix) in [
        ("metadata: {common: {}}", "metadata.common", "did you mean spec.common?"),
        ("metadata: {image: a}", "metadata.image", "did you mean spec.common.image?"),
        ("labels: {}", "labels", "did you mean metadata.labels?"),
    ] {
        assert_eq!(found(overlay), [format!("{path}: Forbidden: there is no such field; {fix} [S01]")]);
    }
}

#[test]
fn a_spec_within_the_metadata_is_told_once() {
    let mut object = example::object("{}").expect("is YAML");
    let spec = object["spec"].take();
    object.as_object_mut().expect("a mapping").remove("spec");
    object["metadata"]["spec"] = spec;
    let reading = reading(&object, &|_| None);
    let rules = crate::rules::check(&reading.object, None, &Facts::default()).unwrap_or_default();
    let all: Vec<String> = reading.with(rules).iter().map(ToString::to_string).collect();
    let told = "metadata.spec: Forbidden: there is no such field; move it out of metadata: spec begins in the column \
                of metadata [S01]";
    assert_eq!(all, [told]);
}

#[test]
fn what_is_on_by_being_there_is_not_left_empty() {
    let mut object = example::object("spec: {beatSpec: {}}").expect("is YAML");
    object["spec"]["flowerSpec"] = json!(null);
    let told = |text: Option<&str>| {
        let written = |path: &str| text.filter(|_| path == "spec.flowerSpec").map(str::to_owned);
        reading(&object, &written).findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let text = "spec.flowerSpec: Forbidden: is empty, as if it were not there; write flowerSpec: {}, or remove it [S02]";
    assert_eq!(told(Some("")), [text]);
    // Who writes null may mean it.
    assert_eq!(told(Some("null")), [""; 0]);
    assert_eq!(told(None), [""; 0]);
}
