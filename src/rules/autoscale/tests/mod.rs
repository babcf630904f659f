// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about autoscalers.

mod queues;

use serde_json::{Value, json};

use crate::rules::{Facts, Finding, Severity, catalogue, check};

/// A worker pool that consumes `mail` and is scaled by this; more of the spec may be laid over it.
fn shop(target: &str, overlay: &str) -> Value {
    let mut object = json!({
        "apiVersion": "celeryproject.org/v1alpha1",
        "kind": "Celery",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {
            "common": {"image": "shop:1", "celeryApp": "shop", "broker": {"url": "redis://cache"}},
            "workerSpec": {"queues": ["mail"]},
            "scaleTargetRef": [{"kind": "worker", "maxReplicas": 3, "metrics": [
                {"name": "task_queue_length", "target": {"type": "AverageValue", "averageValue": 5}}]}],
        },
    });
    let yaml = |text: &str| serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    json_patch::merge(&mut object["spec"]["scaleTargetRef"][0], &yaml(target));
    json_patch::merge(&mut object["spec"], &yaml(overlay));
    object
}

fn findings(target: &str, overlay: &str) -> Vec<Finding> {
    let mut found = check(&shop(target, overlay), None, &Facts::default()).expect("has the form of a Celery");
    // That the broker is not known is told apart from what follows from it.
    found.retain(|finding| finding.rule != "B56");
    found
}

/// Ids, with a `?` behind those of warnings.
fn ids(target: &str, overlay: &str) -> Vec<String> {
    let id = |finding: Finding| match finding.severity {
        Severity::Deny => finding.rule.to_owned(),
        Severity::Warn => format!("{}?", finding.rule),
    };
    findings(target, overlay).into_iter().map(id).collect()
}

#[track_caller]
fn at(target: &str, overlay: &str, id: &str, path: &str) {
    let found = findings(target, overlay);
    let found: Vec<(&str, &str)> = found.iter().map(|it| (it.rule, it.path.as_str())).collect();
    assert_eq!(found, [(id, path)], "{target} {overlay}");
}

const CPU: &str = "metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]";
const CPU_AMOUNT: &str = "metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]";
const BOTH: &str = "metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}},
                              {name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]";
const SECRET: &str = "common: {broker: {url: null, urlSecretRef: {name: broker, key: url}}}";
const RABBITMQ: &str = "common: {broker: {url: 'amqp://app@mq'}}";

#[test]
fn a_plain_queue_autoscaler_has_nothing_to_be_told() {
    for overlay in ["{}", SECRET, RABBITMQ] {
        assert_eq!(ids("{}", overlay), [""; 0], "{overlay}");
    }
}

#[test]
fn warnings_fit_into_a_line() {
    let mut seen = 0;
    for rule in catalogue::rules().filter(|rule| rule.id.starts_with('A') || rule.id == "W39") {
        let spec = rule.example.bad.strip_prefix("spec: ").expect("an example of a spec");
        let object = shop("{}", spec);
        let facts = Facts { keda: Some(false), ..Facts::default() };
        for warning in check(&object, None, &facts).expect("a Celery") {
            if warning.severity == Severity::Warn {
                let value = warning.value.as_ref().map(|value| format!("{value:?} ")).unwrap_or_default();
                let line = format!(
                    "{}: {value}{}; {} [{}]",
                    warning.path, warning.message, warning.fix, warning.rule
                );
                assert!(line.chars().count() <= 120, "{} characters: {line}", line.chars().count());
                seen += 1;
            }
        }
    }
    assert!(seen > 12, "only {seen} warnings were looked at");
}

#[test]
fn a_pool_that_is_to_be_renamed_is_told_once() {
    let pools = "workerPools: [{name: io_bound, queues: [a]}, {name: slow, queues: [b]}]";
    assert_eq!(ids("pool: io-bound", pools), ["T06"]);
    assert_eq!(ids("pool: io_bound", pools), ["T06"]);
    let other = findings("pool: other", pools);
    let other = other.iter().find(|it| it.rule == "A27");
    assert_eq!(other.map(|it| (it.rule, it.fix.as_str())), Some(("A27", "use default or slow")));
}

#[test]
fn flower_without_a_broker_has_one_mistake() {
    let overlay = "{flowerSpec: {}, common: {broker: null}}";
    assert!(!ids("kind: flower", overlay).contains(&"B02".to_owned()));
    assert!(ids("{}", overlay).contains(&"B02".to_owned()));
}

#[test]
fn requests_are_needed_where_kubernetes_or_keda_looks() {
    let missing = "spec.workerSpec.resources.requests.cpu";
    at(CPU, "{}", "A08", missing);
    at(CPU, "workerSpec: {resources: {requests: {memory: 1Gi}}}", "A08", missing);
    at(BOTH, "{}", "A08", missing);
    assert_eq!(ids(CPU_AMOUNT, "{}"), [""; 0]);
    for enough in [
        "workerSpec: {resources: {requests: {cpu: 1}}}",
        "workerSpec: {resources: {limits: {cpu: 1}}}",
        "workerSpec: {podTemplate: {spec: {containers: [{name: celery, resources: {requests: {cpu: 1}}}]}}}",
        "common: {podTemplate: {spec: {containers: [{name: celery, resources: {limits: {cpu: 1}}}]}}}",
        "common: {podTemplate: {spec: {resources: {requests: {cpu: 1}}}}}",
    ] {
        assert_eq!(ids(CPU, enough), [""; 0], "{enough}");
        assert_eq!(ids(BOTH, enough), [""; 0], "{enough}");
    }
    let pool = "workerPools: [{name: slow, queues: [orders]}]";
    at(&format!("{{pool: slow, {CPU}}}"), pool, "A08", "spec.workerPools[0].resources.requests.cpu");
}

#[test]
fn containers_beside_the_worker_count_for_kubernetes_and_not_for_keda() {
    let beside = |rest: &str| format!("workerSpec: {{resources: {{requests: {{cpu: 1}}}}, {rest}}}");
    let sidecar = beside("sidecars: [{name: proxy, image: p}]");
    at(CPU, &sidecar, "A08", "spec.workerSpec.sidecars[0].resources.requests.cpu");
    assert_eq!(ids(BOTH, &sidecar), [""; 0]);
    assert_eq!(ids(CPU_AMOUNT, &sidecar), [""; 0]);
    assert_eq!(
        ids(CPU, &beside("sidecars: [{name: proxy, image: p, resources: {requests: {cpu: 1m}}}]")),
        [""; 0]
    );
    let laid_over = beside("podTemplate: {spec: {containers: [{name: proxy, image: p}]}}");
    at(CPU, &laid_over, "A08", "spec.workerSpec.podTemplate.spec.containers[0].resources.requests.cpu");
    let completed = beside(
        "sidecars: [{name: proxy, image: p}], podTemplate: {spec: {containers: [{name: proxy, resources: {requests: {cpu: 1m}}}]}}",
    );
    assert_eq!(ids(CPU, &completed), [""; 0]);
    let init = |policy: &str| {
        format!("{{common: {{initContainers: [{{name: vpn, image: v{policy}}}]}}, {}}}", beside("args: []"))
    };
    assert_eq!(ids(CPU, &init("")), [""; 0]);
    at(CPU, &init(", restartPolicy: Always"), "A08", "spec.common.initContainers[0].resources.requests.cpu");
}

#[test]
fn flower_has_requests_unless_others_are_written() {
    let flower = format!("{{kind: flower, {CPU}}}");
    let found = |overlay: &str| ids(&flower, overlay).contains(&"A08".to_owned());
    assert!(!found("flowerSpec: {}"));
    assert!(found("flowerSpec: {resources: {requests: {memory: 1Gi}}}"));
    assert!(!found("flowerSpec: {resources: {requests: {cpu: 1}}}"));
}

#[test]
fn a_target_beyond_the_limit_is_never_reached() {
    let percent = |percent: u32| {
        format!("metrics: [{{name: cpu, target: {{type: Utilization, averageUtilization: {percent}}}}}]")
    };
    let one = "workerSpec: {resources: {limits: {cpu: 1}}}";
    assert_eq!(ids(&percent(100), one), [""; 0]);
    assert_eq!(ids(&percent(101), one), ["A09?"]);
    let two = "workerSpec: {resources: {requests: {cpu: 500m}, limits: {cpu: 1}}}";
    assert_eq!(ids(&percent(200), two), [""; 0]);
    assert_eq!(ids(&percent(201), two), ["A09?"]);
    assert_eq!(ids(&percent(900), "workerSpec: {resources: {requests: {cpu: 500m}}}"), [""; 0]);
}

#[test]
fn memory_is_a_measure_only_where_it_falls_again() {
    let memory = "metrics: [{name: memory, target: {type: Utilization, averageUtilization: 80}}]";
    let pool = |rest: &str| format!("workerSpec: {{resources: {{requests: {{memory: 1Gi}}}}{rest}}}");
    assert_eq!(ids(memory, &pool("")), ["A12?"]);
    assert_eq!(ids(memory, &pool(", pool: prefork")), ["A12?"]);
    assert_eq!(ids(memory, &pool(", args: ['-P', solo]")), [""; 0]);
    assert!(!ids(memory, &pool(", pool: gevent, concurrency: 100")).contains(&"A12?".to_owned()));
    assert!(!ids(&format!("{{kind: flower, {memory}}}"), "flowerSpec: {}").contains(&"A12?".to_owned()));
}

#[test]
fn a_way_to_zero_is_seen_whichever_field_opens_it() {
    assert_eq!(ids("idleReplicas: 0", "{}"), ["A18?"]);
    assert_eq!(ids("minReplicas: 0", RABBITMQ), ["A19?"]);
    assert_eq!(ids("idleReplicas: 0", RABBITMQ), ["A19?"]);
    // What a Secret holds is not known; SQS counts what is in flight.
    assert_eq!(ids("minReplicas: 0", SECRET), [""; 0]);
    assert_eq!(ids("minReplicas: 0", "common: {broker: {url: null, sqs: {region: eu-west-1}}}"), [""; 0]);
    assert_eq!(ids("minReplicas: 0", "common: {broker: {url: null, redis: {host: cache}}}"), ["A18?"]);
}

#[test]
fn the_last_pod_waits_for_the_longest_task() {
    let limit = |seconds: f32| {
        format!(
            "{{{SECRET}, workerSpec: {{timeLimit: {seconds}, gracefulShutdown: {{timeoutSeconds: 9000}}}}}}"
        )
    };
    assert_eq!(ids("minReplicas: 0", &limit(300.0)), [""; 0]);
    assert_eq!(ids("minReplicas: 0", &limit(300.5)), ["A20?"]);
    assert_eq!(ids("{minReplicas: 0, cooldownPeriod: 301}", &limit(300.5)), [""; 0]);
    assert_eq!(ids("cooldownPeriod: 10", &limit(300.5)), [""; 0]);
    // What is counted keeps the pod, and a warm stop lets the rest end.
    let counted = "{minReplicas: 0, includeUnacked: true}";
    assert_eq!(ids(counted, &limit(9000.0)), [""; 0]);
    assert!(ids(counted, &limit(9001.0)).contains(&"A20?".to_owned()));
    let cold = limit(9000.0).replace("{timeoutSeconds", "{mode: Cold, timeoutSeconds");
    assert!(ids(counted, &cold).contains(&"A20?".to_owned()));
}

#[test]
fn a_fallback_below_the_fewest_pods_is_never_seen() {
    let of = |rest: &str| ids(&format!("fallback: {{failureThreshold: 3, {rest}}}"), RABBITMQ);
    assert_eq!(of("replicas: 0"), ["A37?"]);
    assert_eq!(of("replicas: 0, behavior: currentReplicasIfHigher"), ["A37?"]);
    assert_eq!(of("replicas: 0, behavior: currentReplicas"), [""; 0]);
    assert_eq!(of("replicas: 1"), [""; 0]);
    let to_zero = ids("{minReplicas: 0, fallback: {failureThreshold: 3, replicas: 0}}", RABBITMQ);
    assert!(!to_zero.contains(&"A37?".to_owned()), "{to_zero:?}");
    // With Redis the whole fallback has no effect.
    assert_eq!(ids("fallback: {failureThreshold: 3, replicas: 0}", "{}"), ["A23?"]);
}

#[test]
fn a_fallback_needs_a_queue_and_a_broker_that_is_looked_into_anew() {
    let fallback = "fallback: {failureThreshold: 3, replicas: 2}";
    assert_eq!(ids(fallback, RABBITMQ), [""; 0]);
    assert_eq!(ids(fallback, "{}"), ["A23?"]);
    assert_eq!(ids(&format!("{{{fallback}, {CPU_AMOUNT}}}"), RABBITMQ), ["A23"]);
    at(
        "fallback: {failureThreshold: 3, replicas: -1}",
        RABBITMQ,
        "A23",
        "spec.scaleTargetRef[0].fallback.replicas",
    );
    let path = "spec.scaleTargetRef[0].fallback";
    at("fallback: {failureThreshold: 3}", RABBITMQ, "A23", &format!("{path}.replicas"));
    at("fallback: {replicas: 3}", "{}", "A23", &format!("{path}.failureThreshold"));
    assert_eq!(ids("fallback: {}", RABBITMQ), ["A23", "A23"]);
    let other = "fallback: {failureThreshold: 3, replicas: 2, behavior: Static}";
    at(other, RABBITMQ, "A23", "spec.scaleTargetRef[0].fallback.behavior");
}

#[test]
fn credentials_of_the_users_own_have_a_name() {
    let name = "spec.scaleTargetRef[0].triggerAuthenticationRef.name";
    at("triggerAuthenticationRef: {}", "{}", "A29", name);
    at("triggerAuthenticationRef: {name: Broker_1}", "{}", "A29", name);
    assert_eq!(ids("triggerAuthenticationRef: {name: broker}", "{}"), [""; 0]);
}

#[test]
fn fields_without_an_effect_are_told_one_by_one() {
    let all = format!(
        "{{{CPU_AMOUNT}, pollingInterval: 5, cooldownPeriod: 60, idleReplicas: 0, activationValue: 1, queues: [mail],
           includeUnacked: true, prioritySteps: [0], triggerAuthenticationRef: {{name: broker}}}}"
    );
    assert_eq!(ids(&all, "{}"), ["A34?"; 8]);
    assert_eq!(ids("prioritySteps: [0, 3]", RABBITMQ), ["A34?"]);
    assert_eq!(ids("prioritySteps: [0, 3]", SECRET), [""; 0]);
}

#[test]
fn behavior_is_read_as_kubernetes_reads_it() {
    let path = |rest: &str| format!("spec.scaleTargetRef[0].behavior.{rest}");
    for (behavior, rest) in [
        ("scaleDown: {stabilizationWindowSeconds: -1}", "scaleDown.stabilizationWindowSeconds"),
        ("scaleUp: {stabilizationWindowSeconds: 3601}", "scaleUp.stabilizationWindowSeconds"),
        ("scaleUp: {selectPolicy: max}", "scaleUp.selectPolicy"),
        ("scaleUp: {policies: []}", "scaleUp.policies"),
        ("scaleUp: {policies: [{type: Pod, value: 1, periodSeconds: 60}]}", "scaleUp.policies[0].type"),
        ("scaleUp: {policies: [{type: Pods, value: 0, periodSeconds: 60}]}", "scaleUp.policies[0].value"),
        (
            "scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 1801}]}",
            "scaleUp.policies[0].periodSeconds",
        ),
    ] {
        at(&format!("behavior: {{{behavior}}}"), "{}", "A35", &path(rest));
    }
    assert_eq!(ids("behavior: {scaleUp: {stabilizationWindowSeconds: 0}}", "{}"), [""; 0]);
    assert_eq!(ids("behavior: {scaleDown: {stabilizationWindowSeconds: 0}}", "{}"), ["A21?"]);
}

/// The webhook sees an object before the schema does.
#[test]
fn what_the_schema_refuses_for_its_size_is_not_judged() {
    let many = vec![json!("q"); 300];
    let mut object = shop("{}", "{}");
    object["spec"]["scaleTargetRef"][0]["queues"] = json!(many);
    assert_eq!(check(&object, None, &Facts::default()).expect("a Celery"), []);
    let mut object = shop("{}", "{}");
    object["spec"]["workerSpec"] = json!({"args": ["-Q", "a,".repeat(1_000_000)]});
    assert_eq!(check(&object, None, &Facts::default()).expect("a Celery"), []);
}
