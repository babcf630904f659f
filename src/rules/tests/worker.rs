// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about the fields of a worker pool.

use super::*;

fn worker(id: &str, fields: &str) -> Vec<(Severity, String)> {
    of_rule(id, &format!("spec: {{workerPools: [{{name: mail, {fields}}}]}}"))
}

fn at(field: &str) -> String {
    format!("spec.workerPools[0].{field}")
}

#[test]
fn words_of_beat_are_judged_too() {
    assert_eq!(of_rule("W20", "spec: {beatSpec: {logLevel: trace}}"), deny("spec.beatSpec.logLevel"));
    for level in ["DEBUG", "info", "FATAL"] {
        assert_eq!(worker("W20", &format!("logLevel: {level}")), [], "{level}");
    }
}

#[test]
fn a_custom_pool_may_get_its_class_from_anywhere() {
    assert_eq!(worker("W18", "pool: custom"), deny(&at("env")));
    for fields in [
        "pool: custom, envFrom: [{configMapRef: {name: pools}}]",
        "pool: custom, podTemplate: {spec: {containers: [{name: celery}]}}",
        "pool: prefork",
    ] {
        assert_eq!(worker("W18", fields), [], "{fields}");
    }
    let shared = "spec: {common: {env: [{name: CELERY_CUSTOM_WORKER_POOL, value: 'a:b'}]}, workerSpec: {pool: custom}}";
    assert_eq!(of_rule("W18", shared), []);
}

#[test]
fn what_arguments_say_is_not_guessed() {
    for (id, fields) in [
        ("W19", "pool: solo, args: [-c, '1'], concurrency: 4"),
        ("W36", "pool: solo, args: [--pool=prefork], timeLimit: 5"),
        ("W37", "pool: solo, args: [-Pprefork], maxTasksPerChild: 5"),
        ("W46", "pool: gevent, args: [--concurrency=100]"),
        ("W46", "pool: threads, args: ['--autoscale=10,1']"),
        ("W46", "pool: gevent, env: [{name: CELERY_WORKER_CONCURRENCY, value: '100'}]"),
        ("W36", "env: [{name: CELERY_WORKER_POOL, value: prefork}], timeLimit: 5"),
        (
            "W34",
            "env: [{name: CELERY_WORKER_CONCURRENCY, value: '1'}], resources: {limits: {cpu: 8, memory: 128Mi}}",
        ),
        // All cpus of the node, how many that may be.
        ("W34", "concurrency: 0, resources: {limits: {memory: 104Mi}}"),
        (
            "W33",
            "args: [-c, '1'], concurrency: 9, maxMemoryPerChild: 200Mi, resources: {limits: {memory: 1Gi}}",
        ),
        ("W34", "args: [-c, '1'], concurrency: 90, resources: {limits: {memory: 1Gi}}"),
    ] {
        assert_eq!(worker(id, fields), [], "{id} {fields}");
    }
}

#[test]
fn a_variable_says_what_nobody_else_does() {
    let with = |variable: &str, value: &str, fields: &str| {
        format!("env: [{{name: CELERY_WORKER_{variable}, value: {value:?}}}], {fields}")
    };
    let limit = at("timeLimit");
    assert_eq!(worker("W36", &with("POOL", "solo", "timeLimit: 5")), warn(&limit));
    assert_eq!(worker("W36", &with("POOL", "$(POOL)", "timeLimit: 5")), []);
    assert_eq!(worker("W36", &with("POOL", "solo", "pool: prefork, timeLimit: 5")), []);
    let small = "resources: {limits: {memory: 128Mi}}";
    assert_eq!(worker("W34", &with("CONCURRENCY", "8", small)), warn(&at("resources.limits.memory")));
    assert_eq!(worker("W34", &with("CONCURRENCY", "8", &format!("concurrency: 1, {small}"))), []);
}

#[test]
fn threads_do_not_grow() {
    let of = |pool: &str| worker("W85", &format!("pool: {pool}, args: ['--autoscale=3,1']"));
    assert_eq!(of("threads"), deny(&at("args[0]")));
    for pool in ["solo", "gevent", "eventlet", "prefork"] {
        assert_eq!(of(pool), [], "{pool}");
    }
    let of = |bounds: &str| worker("W85", &format!("pool: threads, args: ['--autoscale={bounds}']"));
    for bounds in ["4", "4,0", "2,1"] {
        assert_eq!(of(bounds), deny(&at("args[0]")), "{bounds}");
    }
    for bounds in ["4,4", "1,1", "$(MOST),1"] {
        assert_eq!(of(bounds), [], "{bounds}");
    }
}

#[test]
fn variables_in_a_url_leave_its_scheme() {
    let disabled = |url: &str| {
        of_rule(
            "W40",
            &format!("spec: {{common: {{broker: {{url: {url:?}}}}}, workerSpec: {{disablePrefetch: true}}}}"),
        )
    };
    assert_eq!(disabled("amqp://$(HOST):$(PORT)"), warn("spec.workerSpec.disablePrefetch"));
    for url in ["redis://$(HOST):$(PORT)/0", "$(URL)", "$(SCHEME)://mq"] {
        assert_eq!(disabled(url), [], "{url}");
    }
}

#[test]
fn kinds_of_pools_have_limits_of_their_own() {
    assert_eq!(worker("W36", "pool: threads, concurrency: 2, softTimeLimit: 5"), warn(&at("softTimeLimit")));
    assert_eq!(worker("W36", "pool: gevent, concurrency: 2, timeLimit: 5"), []);
    assert_eq!(worker("W36", "pool: gevent, concurrency: 2, softTimeLimit: 5"), warn(&at("softTimeLimit")));
    assert_eq!(worker("W36", "pool: eventlet, concurrency: 2, timeLimit: 5"), warn(&at("timeLimit")));
    assert_eq!(worker("W35", "pool: gevent, concurrency: 2, timeLimit: 5, softTimeLimit: 9"), []);
    let setting = |id: &str, name: &str, pools: &str| {
        of_rule(id, &format!("spec: {{common: {{config: {{{name}: 5}}}}, {pools}}}"))
    };
    let config = |name: &str| warn(&format!("spec.common.config.{name}"));
    let threads = "workerSpec: {pool: threads, concurrency: 2}";
    for (id, name) in [
        ("W36", "task_time_limit"),
        ("W36", "task_soft_time_limit"),
        ("W37", "worker_max_tasks_per_child"),
        ("W37", "worker_max_memory_per_child"),
    ] {
        assert_eq!(setting(id, name, threads), config(name), "{name}");
        // Of several pools one can follow.
        assert_eq!(setting(id, name, &format!("{threads}, workerPools: [{{name: a}}]")), [], "{name}");
    }
    assert_eq!(setting("W36", "task_time_limit", "workerSpec: {pool: gevent, concurrency: 2}"), []);
    let prefetch = |url: &str| {
        of_common("W40", &format!("broker: {{url: '{url}'}}, config: {{worker_disable_prefetch: true}}"))
    };
    assert_eq!(prefetch("amqp://app@mq"), config("worker_disable_prefetch"));
    assert_eq!(prefetch("redis://cache"), []);
    assert_eq!(worker("W37", "pool: solo, maxMemoryPerChild: 200Mi"), warn(&at("maxMemoryPerChild")));
    assert_eq!(worker("W32", "pool: solo, maxMemoryPerChild: 1Mi"), []);
    assert_eq!(worker("W35", "pool: solo, timeLimit: 5, softTimeLimit: 9"), []);
    assert_eq!(worker("W46", "pool: threads"), warn(&at("concurrency")));
    assert_eq!(worker("W46", "pool: solo"), []);
    assert_eq!(worker("W19", "pool: solo, concurrency: auto"), []);
}

#[test]
fn memory_is_reckoned_with_the_derived_concurrency_too() {
    let with =
        |cpu: &str, memory: &str| worker("W34", &format!("resources: {{limits: {{{cpu}memory: {memory}}}}}"));
    let path = at("resources.limits.memory");
    assert_eq!(with("", "104Mi"), []);
    assert_eq!(with("", "103Mi"), warn(&path));
    assert_eq!(with("cpu: 1500m, ", "143Mi"), warn(&path));
    assert_eq!(with("cpu: 1500m, ", "144Mi"), []);
    // Of what cannot start at all another rule tells.
    assert_eq!(with("", "1Mi"), []);
    assert_eq!(worker("W34", "pool: threads, concurrency: 50, resources: {limits: {memory: 64Mi}}"), []);
    let children = "maxMemoryPerChild: 200Mi, resources: {limits: {cpu: 6, memory: 1Gi}}";
    assert_eq!(worker("W33", children), warn(&at("maxMemoryPerChild")));
}

#[test]
fn containers_of_one_pod_differ() {
    let init = |name: &str| format!("initContainers: [{{name: {name}, image: 'a:1'}}]");
    let sidecar = |name: &str| format!("sidecars: [{{name: {name}, image: 'a:1'}}]");
    let found = |init: &str, worker: &str, more: &str| {
        of_rule("W45", &format!("spec: {{common: {{{init}}}, workerSpec: {{{worker}}}{more}}}"))
    };
    assert_eq!(found(&init("celery"), "", ""), deny("spec.common.initContainers[0].name"));
    assert_eq!(found(&init("flower"), "", ", flowerSpec: {}"), deny("spec.common.initContainers[0].name"));
    assert_eq!(found(&init("flower"), "", ""), []);
    assert_eq!(found(&init("a"), &sidecar("a"), ""), deny("spec.workerSpec.sidecars[0].name"));
    assert_eq!(found(&init("a"), &sidecar("flower"), ", flowerSpec: {}"), []);
    let pools = format!(", workerPools: [{{name: mail, {}}}]", sidecar("a"));
    assert_eq!(found("", &sidecar("a"), &pools), []);
}

#[test]
fn heartbeats_and_prefetching_depend_on_others() {
    let flower = "spec: {workerSpec: {heartbeat: false}, flowerSpec: {}}";
    assert_eq!(of_rule("W42", flower), warn("spec.workerSpec.heartbeat"));
    assert_eq!(of_rule("W42", "spec: {workerSpec: {heartbeat: false}}"), []);
    let variable = "env: [{name: CELERY_WORKER_WITHOUT_HEARTBEAT, value: 'true'}]";
    let spec = format!("spec: {{flowerSpec: {{}}, workerSpec: {{{variable}}}}}");
    assert_eq!(of_rule("W42", &spec), warn("spec.workerSpec.env[0].value"));
    let broker = |broker: &str| {
        of_rule(
            "W40",
            &format!("spec: {{common: {{broker: {{{broker}}}}}, workerSpec: {{disablePrefetch: true}}}}"),
        )
    };
    assert_eq!(broker("url: null, urlSecretRef: {name: a, key: b}"), []);
    assert_eq!(broker("url: null, urlSecretRef: {name: a, key: b}, scheme: amqp").len(), 1);
    assert_eq!(broker("url: null, redis: {host: cache}"), []);
    assert_eq!(broker("url: null, rabbitmq: {host: mq}").len(), 1);
}

#[test]
fn the_memory_of_a_child_may_stand_in_the_arguments() {
    let with = |kibibytes: u32, more: &str| format!("args: ['--max-memory-per-child={kibibytes}'], {more}");
    assert_eq!(worker("W32", &with(65535, "concurrency: 1")), warn(&at("args[0]")));
    assert_eq!(worker("W32", &with(65536, "concurrency: 1")), []);
    assert_eq!(worker("W32", &with(0, "concurrency: 1")), []);
    assert_eq!(worker("W32", &with(1, "pool: solo")), []);
    assert_eq!(worker("W32", &with(65536, "maxMemoryPerChild: 1Mi")), [], "the arguments win");
    assert_eq!(worker("W32", "args: ['--max-memory-per-child', $(KIB)], maxMemoryPerChild: 1Mi"), []);
    let memory = "concurrency: 4, resources: {limits: {memory: 1Gi}}";
    assert_eq!(worker("W33", &with(307_200, memory)), warn(&at("args[0]")));
}

#[test]
fn a_limit_of_zero_is_no_limit() {
    for spec in [
        "pool: solo, timeLimit: 0",
        "pool: threads, concurrency: 4, args: ['--soft-time-limit=0']",
        "timeLimit: 0, softTimeLimit: 50",
    ] {
        assert_eq!(found(&shop(&format!("spec: {{workerSpec: {{{spec}}}}}")), None), [], "{spec}");
    }
    assert_eq!(of_rule("W36", "spec: {workerSpec: {pool: solo, timeLimit: 0.5}}").len(), 1);
    assert_eq!(of_rule("W35", "spec: {workerSpec: {timeLimit: 1, softTimeLimit: 1}}").len(), 1);
}

#[test]
fn a_text_for_a_number_of_tasks_and_units_of_memory_are_told_with_what_to_write() {
    for (fields, told) in [
        ("concurrency: '4'", "concurrency: Invalid value: \"4\": is a string; write 4 without quotes [W15]"),
        ("concurrency: many", "is not a number of tasks; use 1 or more, or auto with Celery 5.7 [W15]"),
        ("maxMemoryPerChild: 200MB", "\"200MB\": is not a quantity; write 200Mi [K07]"),
        ("maxMemoryPerChild: lots", "is not a quantity; use one such as 512Mi [K07]"),
        ("resources: {limits: {memory: 512MB}}", "is not a quantity; write 512Mi [K07]"),
        ("resources: {limits: {cpu: 2MB}}", "is not a quantity; use one such as 500m, 2 or 512Mi [K07]"),
        ("maxMemoryPerChild: 200000", "uses; use 200000Ki, a plain number is bytes [W32]"),
        ("maxMemoryPerChild: 2000", "uses; use 64Mi or more [W32]"),
    ] {
        let object = shop(&format!("spec: {{workerSpec: {{{fields}}}}}"));
        let findings = check(&object, None, &surroundings()).expect("a Celery");
        let all: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|line| line.ends_with(told)), "{fields}: {all:#?}");
    }
}

#[test]
fn options_that_are_gone_are_told_with_their_fields() {
    for (word, told) in [
        ("--maxtasksperchild=10", "set maxTasksPerChild: 10 ["),
        ("--maxmemperchild=200000", "set maxMemoryPerChild: 200000Ki ["),
        ("--maxtasksperchild=x", "set maxTasksPerChild ["),
    ] {
        let object =
            shop(&format!("spec: {{common: {{celeryVersion: '5.5'}}, workerSpec: {{args: ['{word}']}}}}"));
        let findings = check(&object, None, &surroundings()).expect("a Celery");
        let all: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|line| line.contains(told)), "{word}: {all:#?}");
    }
}

#[test]
fn queues_that_nobody_makes_are_told() {
    let of = |id: &str, config: &str, worker: &str| {
        of_rule(id, &format!("spec: {{common: {{config: {{{config}}}}}, workerSpec: {{{worker}}}}}"))
    };
    let none = "task_create_missing_queues: false";
    let declared = "task_create_missing_queues: false, task_queues: {mail: {}}";
    assert_eq!(of("W80", declared, "queues: [mail]"), []);
    assert_eq!(of("W80", declared, "args: [-Q, 'mail,mial']"), deny("spec.workerSpec.args[1]"));
    assert_eq!(of("W80", declared, "queues: [mial], args: [-Q, mail]"), []);
    let alias = "task_create_missing_queues: false, task_queues: {mail: {alias: post}}";
    assert_eq!(of("W80", alias, "queues: [post]"), []);
    assert_eq!(of("W80", none, "queues: [mail]"), warn("spec.workerSpec.queues[0]"));
    assert_eq!(of("W80", none, "queues: [celery]"), []);
    assert_eq!(of("W80", none, "excludeQueues: [mail]"), []);
    assert_eq!(of("W80", "task_queues: {mail: {}}", "queues: [mial]"), []);
    assert_eq!(of("W80", none, "queues: [mail], args: ['--', task.create_missing_queues=true]"), []);
    let path = "spec.workerSpec.excludeQueues";
    assert_eq!(of("W26", "task_queues: {mail: {}}", "excludeQueues: [mail]"), deny(path));
    assert_eq!(of("W26", "task_queues: {mail: {}, news: {}}", "excludeQueues: [mail]"), []);
    assert_eq!(of("W26", "task_queues: {mail: {}}", "excludeQueues: [celery]"), []);
    assert_eq!(of("W26", "task_queues: {}", "excludeQueues: [celery]"), warn(path));
    assert_eq!(of("W26", "task_default_queue: mail", "excludeQueues: [mail]"), warn(path));
    assert_eq!(of("W26", "task_default_queue: mail", "excludeQueues: [celery]"), []);
}

#[test]
fn processes_are_called_prefork_in_the_field() {
    let told = findings("spec: {workerSpec: {pool: processes}}");
    assert!(told.iter().any(|one| one.rule == "W17" && one.fix == "use prefork"), "{told:?}");
}
