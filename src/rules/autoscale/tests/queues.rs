// SPDX-License-Identifier: Apache-2.0
//! The cases of rules about the queues that an autoscaler looks into.

use super::*;

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
