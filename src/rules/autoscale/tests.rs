// SPDX-License-Identifier: Apache-2.0
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
    check(&shop(target, overlay), None, &Facts::default()).expect("has the form of a Celery")
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

/// Longer ones are cut, and the way out is at their end.
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
                assert!(line.chars().count() <= 118, "{} characters: {line}", line.chars().count());
                seen += 1;
            }
        }
    }
    assert!(seen > 12, "only {seen} warnings were looked at");
}

#[test]
fn brokers_that_no_autoscaler_can_look_into_are_told() {
    let name = "spec.scaleTargetRef[0].metrics[0].name";
    for url in ["sentinel://a:26379", "sqs://", "mongodb://db/tasks", "redis+socket:///run/redis.sock"] {
        at("{}", &format!("common: {{broker: {{url: '{url}'}}}}"), "A14", name);
    }
    for url in
        ["redis://cache", "rediss://cache:6380?ssl_cert_reqs=required", "amqps://app@mq", "pyamqp://app@mq"]
    {
        assert_eq!(ids("{}", &format!("common: {{broker: {{url: '{url}'}}}}")), [""; 0], "{url}");
    }
    let behind = |scheme: &str| {
        format!(
            "common: {{broker: {{url: null, scheme: {scheme}, urlSecretRef: {{name: broker, key: url}}}}}}"
        )
    };
    for scheme in ["kafka", "sqs", "sentinel", "MongoDB"] {
        at("{}", &behind(scheme), "A14", name);
    }
    for scheme in ["redis", "rediss", "amqps", "REDIS"] {
        assert_eq!(ids("{}", &behind(scheme)), [""; 0], "{scheme}");
    }
    for typed in [
        "redis: {host: cache}",
        "redis: {sentinel: {masterName: main, addresses: ['a:26379']}}",
        "rabbitmq: {host: mq}",
        "sqs: {region: eu-west-1}",
    ] {
        let overlay = format!("common: {{broker: {{url: null, {typed}}}}}");
        assert!(!ids("{}", &overlay).contains(&"A14".to_owned()), "{typed}");
    }
    assert!(findings("{}", "common: {broker: {url: 'sqs://'}}")[0].fix.contains("spec.common.broker.sqs"));
    assert!(findings("{}", "common: {broker: {url: 'sentinel://a'}}")[0].fix.contains("redis.sentinel"));
    // Two pools, one broker, one finding.
    let mut second = shop("{}", "workerPools: [{name: mail, queues: [a]}]");
    let mut target = second["spec"]["scaleTargetRef"][0].clone();
    target["pool"] = json!("mail");
    second["spec"]["scaleTargetRef"].as_array_mut().expect("a list").push(target);
    second["spec"]["common"]["broker"]["url"] = json!("mongodb://db/tasks");
    let found = check(&second, None, &Facts::default()).expect("a Celery");
    assert_eq!(found.iter().filter(|finding| finding.rule == "A14").count(), 1);
}

#[test]
fn an_sqs_url_without_a_region_is_told_where_nobody_follows_its_queues() {
    let sqs = |rest: &str| format!("{{scaleTargetRef: null, common: {{broker: {{url: 'sqs://'}}{rest}}}}}");
    assert_eq!(ids("{}", &sqs("")), ["B39?"]);
    let options =
        "{scaleTargetRef: null, common: {broker: {url: 'sqs://', transportOptions: {region: eu-west-1}}}}";
    assert_eq!(ids("{}", options), [""; 0]);
    assert_eq!(ids("{}", &sqs(", config: {broker_transport_options: {region: eu-west-1}}")), [""; 0]);
    assert_eq!(ids("{}", &sqs(", env: [{name: AWS_DEFAULT_REGION, value: eu-west-1}]")), [""; 0]);
    let of_a_pool = "{scaleTargetRef: null, common: {broker: {url: 'sqs://'}},
                      workerSpec: {env: [{name: AWS_DEFAULT_REGION, value: eu-west-1}]}}";
    assert_eq!(ids("{}", of_a_pool), [""; 0]);
}

#[test]
fn flower_without_a_broker_has_one_mistake() {
    let overlay = "{flowerSpec: {}, common: {broker: null}}";
    assert!(!ids("kind: flower", overlay).contains(&"B02".to_owned()));
    assert!(ids("{}", overlay).contains(&"B02".to_owned()));
}

#[test]
fn queues_are_compared_with_those_of_their_own_pool() {
    let pools = "workerPools: [{name: slow, queues: [orders]}]";
    at("{pool: slow, queues: [mail]}", pools, "A16", "spec.scaleTargetRef[0].queues[0]");
    assert_eq!(ids("{pool: slow, queues: [orders]}", pools), [""; 0]);
    let args = "workerSpec: {queues: null, args: [--queues, 'mail,orders']}";
    assert_eq!(ids("queues: [orders]", args), [""; 0]);
    at("queues: [other]", args, "A16", "spec.scaleTargetRef[0].queues[0]");
    at(
        "queues: [mail]",
        "workerSpec: {excludeQueues: [mail], queues: [mail, a]}",
        "A16",
        "spec.scaleTargetRef[0].queues[0]",
    );
}

#[test]
fn queues_of_a_pool_that_names_none_are_a_warning() {
    for pool in [
        "workerSpec: {queues: null}",
        "workerSpec: {queues: null, args: ['-Q', '$(QUEUES)'], env: [{name: QUEUES, value: a}]}",
    ] {
        assert_eq!(ids("queues: [mail, orders]", pool), ["A16?"], "{pool}");
        assert_eq!(ids("{}", pool), ["A17?"], "{pool}");
    }
    at("pool: slow", "workerPools: [{name: slow}]", "A17", "spec.workerPools[0].queues");
}

#[test]
fn names_that_keda_would_read_differently_are_refused() {
    for (queues, id) in
        [("['mail ']", "A32"), ("['']", "A32"), ("[mail, mail]", "A32?"), ("[\"\\tmail\"]", "A32")]
    {
        assert_eq!(ids(&format!("queues: {queues}"), "{}"), [id], "{queues}");
    }
}

#[test]
fn as_many_lists_as_one_object_holds_may_be_followed() {
    let names = |count: usize| {
        let names: Vec<String> = (0..count).map(|index| format!("q{index}")).collect();
        names.join(", ")
    };
    let typed = |count: usize| format!("workerSpec: {{queues: [{}]}}", names(count));
    // Four lists for each queue of a Redis, fewer where fewer priorities are counted, one elsewhere.
    assert_eq!(ids("{}", &typed(25)), [""; 0]);
    assert_eq!(ids("{}", &typed(26)), ["A31"]);
    assert_eq!(ids("prioritySteps: [0, 9]", &typed(50)), [""; 0]);
    assert_eq!(ids("prioritySteps: [0, 9]", &typed(51)), ["A31"]);
    for broker in [RABBITMQ, SECRET] {
        assert_eq!(ids("{}", &format!("{{{broker}, {}}}", typed(100))), [""; 0]);
        assert_eq!(ids("{}", &format!("{{{broker}, {}}}", typed(101))), ["A31"]);
    }
    let args = format!("workerSpec: {{queues: null, args: ['-Q', '{}']}}", names(26).replace(", ", ","));
    at("{}", &args, "A31", "spec.workerSpec.args");
    // What is followed counts, not what is consumed.
    assert_eq!(ids("queues: [q3]", &typed(200)), [""; 0]);
    at(&format!("queues: [{}]", names(26)), &typed(200), "A31", "spec.scaleTargetRef[0].queues");
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
}

#[test]
fn unacknowledged_tasks_are_counted_where_somebody_can() {
    let unacked = "includeUnacked: true";
    let user = "usernameSecretRef: {name: mq, key: user}";
    let rabbitmq =
        |rest: &str| format!("common: {{broker: {{url: null, rabbitmq: {{host: mq, {user}{rest}}}}}}}");
    assert_eq!(ids(unacked, "{}"), [""; 0]);
    assert_eq!(ids(unacked, SECRET), [""; 0]);
    assert_eq!(ids(unacked, &rabbitmq("")), ["A26"]);
    assert_eq!(ids("includeUnacked: false", &rabbitmq("")), [""; 0]);
    assert_eq!(ids(unacked, &rabbitmq(", managementUrlSecretRef: {name: mq, key: url}")), [""; 0]);
    let pools = "workerPools: [{name: slow, queues: [orders]}]";
    assert_eq!(ids(unacked, pools), ["A25?"]);
    assert_eq!(ids(unacked, &format!("{{{pools}, {SECRET}}}")), [""; 0]);
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
fn priorities_in_use_are_counted() {
    let warned = |target: &str, overlay: &str| ids(target, overlay) == ["A24?"];
    // Tasks without a priority are in the first list.
    assert!(warned("prioritySteps: [3, 9]", "{}"));
    assert_eq!(ids("prioritySteps: [0]", "{}"), [""; 0]);
    let options = "common: {broker: {transportOptions: {priority_steps: [0, 5]}}}";
    // The scaler follows the broker where it names none itself.
    assert_eq!(ids("{}", options), [""; 0]);
    assert!(warned("prioritySteps: [0, 3]", options));
    assert_eq!(ids("prioritySteps: [0, 5]", options), [""; 0]);
    let setting = "common: {config: {broker_transport_options: {priority_steps: [0, 5]}}}";
    assert_eq!(ids("{}", setting), [""; 0]);
    assert!(warned("prioritySteps: [0, 3]", setting));
    let typed = "common: {broker: {url: null, redis: {host: cache, prioritySteps: [0, 5]}}}";
    assert_eq!(ids("{}", typed), [""; 0]);
    assert!(warned("prioritySteps: [0]", typed));
    // Priority 5 is put into the list of 3.
    let five = "common: {config: {task_default_priority: 5}}";
    assert!(warned("prioritySteps: [0]", five));
    assert_eq!(ids("prioritySteps: [3]", five), [""; 0]);
}

#[test]
fn a_priority_is_listed_once() {
    at("prioritySteps: [0, 3, 3]", "{}", "A33", "spec.scaleTargetRef[0].prioritySteps[2]");
    at("prioritySteps: [-1, 0]", "{}", "A33", "spec.scaleTargetRef[0].prioritySteps[0]");
}

#[test]
fn prefetching_hides_the_backlog_unless_it_is_off() {
    assert_eq!(ids("{}", "workerSpec: {prefetchMultiplier: 2}"), ["W39?"]);
    assert!(
        !ids("{}", "workerSpec: {prefetchMultiplier: 2, disablePrefetch: true}").contains(&"W39?".to_owned())
    );
    assert_eq!(ids(CPU_AMOUNT, "workerSpec: {prefetchMultiplier: 2}"), [""; 0]);
    let pools = "workerPools: [{name: slow, queues: [orders], prefetchMultiplier: 2}]";
    assert_eq!(ids("{}", pools), [""; 0]);
    at("pool: slow", pools, "W39", "spec.workerPools[0].prefetchMultiplier");
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
