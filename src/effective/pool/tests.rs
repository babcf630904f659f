// SPDX-License-Identifier: Apache-2.0
//! Which source wins where several say something of a worker.

use serde_json::{Value, json};

use super::*;
use crate::celery::command::Command;
use crate::effective;

/// Asks the pool `mail` of these fields, beside these shared ones.
fn of<T>(worker: &Value, common: &Value, ask: impl Fn(Pool<'_>) -> T) -> T {
    let worker: WorkerSpec = serde_json::from_value(worker.clone()).expect("a pool");
    let common: Common = serde_json::from_value(common.clone()).expect("a common part");
    let said = Command::Worker.reading(&worker.args, effective::celery(&common).newest());
    ask(Pool { name: "mail", worker: &worker, common: &common, said: &said })
}

fn env(name: &str, value: &str) -> Value {
    json!([{"name": name, "value": value}])
}

fn hidden(name: &str) -> Value {
    json!([{"name": name, "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}])
}

#[test]
fn the_implementation_comes_from_the_strongest_source() {
    use WorkerPoolKind::{Gevent, Prefork, Solo, Threads};
    for (worker, common, expected) in [
        (json!({}), json!({}), Effective::Is(Prefork)),
        (json!({"pool": "solo"}), json!({}), Effective::Is(Solo)),
        (json!({"pool": "solo", "args": ["-P", "threads"]}), json!({}), Effective::Is(Threads)),
        (json!({"pool": "solo", "args": ["--pool=processes"]}), json!({}), Effective::Is(Prefork)),
        (json!({"pool": "solo", "args": ["-P", "$(POOL)"]}), json!({}), Effective::Unclear),
        (json!({"pool": "$(POOL)"}), json!({}), Effective::Unclear),
        (json!({"env": env("CELERY_WORKER_POOL", "solo")}), json!({}), Effective::Is(Solo)),
        (json!({}), json!({"env": env("CELERY_WORKER_POOL", "solo")}), Effective::Is(Solo)),
        (
            json!({"env": env("CELERY_WORKER_POOL", "gevent")}),
            json!({"env": env("CELERY_WORKER_POOL", "solo")}),
            Effective::Is(Gevent),
        ),
        (json!({"env": env("CELERY_WORKER_POOL", "")}), json!({}), Effective::Is(Prefork)),
        (json!({"env": hidden("CELERY_WORKER_POOL")}), json!({}), Effective::Unclear),
        (json!({"pool": "gevent", "env": hidden("CELERY_WORKER_POOL")}), json!({}), Effective::Is(Gevent)),
        // Celery 4 reads no such variable.
        (
            json!({"env": env("CELERY_WORKER_POOL", "solo")}),
            json!({"celeryVersion": "4.4"}),
            Effective::Is(Prefork),
        ),
        // The command line has said prefork by then.
        (json!({}), json!({"config": {"worker_pool": "solo"}}), Effective::Is(Prefork)),
    ] {
        assert_eq!(of(&worker, &common, |pool| pool.implementation()), expected, "{worker} {common}");
    }
}

#[test]
fn the_number_of_tasks_comes_from_the_strongest_source() {
    let cpus = |limit: &str, request: &str| json!({"limits": {"cpu": limit}, "requests": {"cpu": request}});
    let variable = |value: &str| env("CELERY_WORKER_CONCURRENCY", value);
    for (worker, common, expected, chosen) in [
        (json!({}), json!({}), Effective::Is(1), Some(1)),
        (json!({"resources": cpus("1500m", "4")}), json!({}), Effective::Is(2), Some(2)),
        (json!({"resources": {"requests": {"cpu": "3"}}}), json!({}), Effective::Is(3), Some(3)),
        (json!({"resources": cpus("many", "4")}), json!({}), Effective::Is(1), Some(1)),
        (json!({"resources": cpus("1e9", "4")}), json!({}), Effective::Is(1024), Some(1024)),
        (json!({"pool": "solo", "resources": cpus("8", "8")}), json!({}), Effective::Is(1), Some(1)),
        (
            json!({"env": env("CELERY_WORKER_POOL", "solo"), "resources": cpus("8", "8")}),
            json!({}),
            Effective::Is(1),
            Some(1),
        ),
        (json!({"concurrency": 4}), json!({}), Effective::Is(4), None),
        (json!({"concurrency": "4"}), json!({}), Effective::Is(4), None),
        (json!({"concurrency": "auto"}), json!({}), Effective::Unclear, None),
        // All cpus of the node, whichever that will be.
        (json!({"concurrency": 0}), json!({}), Effective::Unclear, None),
        (json!({"concurrency": 4, "args": ["-c", "0"]}), json!({}), Effective::Unclear, None),
        (json!({"concurrency": 4, "args": ["-c", "6"]}), json!({}), Effective::Is(6), None),
        (json!({"concurrency": 4, "args": ["-c", "$(TASKS)"]}), json!({}), Effective::Unclear, None),
        (json!({"args": ["--autoscale=8,2"]}), json!({}), Effective::Unclear, None),
        (json!({"env": env("CELERY_WORKER_AUTOSCALE", "8,2")}), json!({}), Effective::Unclear, None),
        (json!({"env": variable("16")}), json!({}), Effective::Is(16), None),
        (json!({"env": variable("16"), "concurrency": 4}), json!({}), Effective::Is(4), None),
        (json!({"env": variable("$(TASKS)")}), json!({}), Effective::Unclear, None),
        (json!({"env": hidden("CELERY_WORKER_CONCURRENCY")}), json!({}), Effective::Unclear, None),
        (json!({"env": variable("16")}), json!({"celeryVersion": "4.4"}), Effective::Is(1), Some(1)),
        (json!({}), json!({"config": {"worker_concurrency": 3}}), Effective::Is(3), None),
        (
            json!({"args": ["--", "worker.concurrency=5"]}),
            json!({"config": {"worker_concurrency": 3}}),
            Effective::Is(5),
            None,
        ),
        (
            json!({"env": variable("16")}),
            json!({"config": {"worker_concurrency": 3}}),
            Effective::Is(16),
            None,
        ),
    ] {
        let found = of(&worker, &common, |pool| (pool.concurrency(), pool.chosen_concurrency()));
        assert_eq!(found, (expected, chosen), "{worker} {common}");
    }
}

#[test]
fn queues_are_those_that_are_left() {
    let is = |names: &[&str]| Effective::Is(names.iter().map(ToString::to_string).collect::<Vec<_>>());
    for (worker, expected) in [
        (json!({}), Effective::Absent),
        (json!({"queues": ["a", "b"]}), is(&["a", "b"])),
        (json!({"queues": ["a", "a"]}), is(&["a"])),
        (json!({"queues": ["a"], "args": ["-Q", "b,c,b"]}), is(&["b", "c"])),
        (json!({"queues": ["a", "b"], "excludeQueues": ["b"]}), is(&["a"])),
        (json!({"queues": ["a", "b"], "excludeQueues": ["b"], "args": ["-X", "a"]}), is(&["b"])),
        (json!({"queues": ["a"], "excludeQueues": ["a"]}), is(&[])),
        (json!({"excludeQueues": ["a"]}), Effective::Absent),
        // The option is there, so the field is not written, and it selects nothing.
        (json!({"queues": ["a"], "args": ["--queues="]}), Effective::Absent),
        (json!({"queues": ["a"], "args": ["-Q", "$(QUEUES)"]}), Effective::Unclear),
        (json!({"queues": ["a", "$(QUEUE)"]}), Effective::Unclear),
        (json!({"queues": ["a"], "args": ["-X", "$(QUEUES)"]}), Effective::Unclear),
        (json!({"args": ["-X", "$(QUEUES)"]}), Effective::Absent),
        (json!({"env": env("CELERY_WORKER_QUEUES", "a,b")}), is(&["a", "b"])),
        (json!({"queues": ["a"], "env": env("CELERY_WORKER_EXCLUDE_QUEUES", "b")}), is(&["a"])),
        (json!({"queues": ["a", "b"], "env": hidden("CELERY_WORKER_EXCLUDE_QUEUES")}), Effective::Unclear),
    ] {
        assert_eq!(of(&worker, &json!({}), |pool| pool.queues()), expected, "{worker}");
    }
}

#[test]
fn the_default_queue_is_a_setting() {
    for (worker, common, expected) in [
        (json!({}), json!({}), Some("celery")),
        (json!({}), json!({"config": {"task_default_queue": "mail"}}), Some("mail")),
        (json!({}), json!({"config": {"task_default_queue": "$(QUEUE)"}}), None),
        (
            json!({"args": ["--", "task.default_queue=post"]}),
            json!({"config": {"task_default_queue": "mail"}}),
            Some("post"),
        ),
    ] {
        let expected = expected.map_or(Effective::Unclear, |queue| Effective::Is(queue.to_owned()));
        assert_eq!(of(&worker, &common, |pool| pool.default_queue()), expected, "{worker} {common}");
    }
}

#[test]
fn the_node_has_the_name_that_celery_takes() {
    let is = |name: &str| Effective::Is(name.to_owned());
    let variable = || env("CELERY_WORKER_HOSTNAME", "c@%h");
    for (worker, common, expected) in [
        (json!({}), json!({}), is("mail@%h")),
        (json!({"nodeName": "a@%h"}), json!({}), is("a@%h")),
        (json!({"nodeName": "a@%h", "args": ["-n", "b@%h"]}), json!({}), is("b@%h")),
        (json!({"nodeName": "a@%h", "args": ["-n", "$(NAME)"]}), json!({}), Effective::Unclear),
        (json!({"nodeName": "$(NAME)@%h"}), json!({}), Effective::Unclear),
        (json!({"env": variable()}), json!({}), is("c@%h")),
        (json!({"env": variable(), "nodeName": "a@%h"}), json!({}), is("a@%h")),
        (json!({"env": variable()}), json!({"celeryVersion": "4.4"}), is("mail@%h")),
        (json!({"env": hidden("CELERY_WORKER_HOSTNAME")}), json!({}), Effective::Unclear),
    ] {
        assert_eq!(of(&worker, &common, |pool| pool.node_name()), expected, "{worker} {common}");
    }
}

#[test]
fn every_spelling_of_an_argument_is_read() {
    let named = |text: &str| {
        let args: Vec<&str> = text.split_whitespace().collect();
        of(&json!({ "args": args }), &json!({}), |pool| pool.node_name())
    };
    for text in ["-n a@%h", "-na@%h", "--hostname a@%h", "--hostname=a@%h", "-n b -n a@%h", "-n a@%h -- -n c"]
    {
        assert_eq!(named(text), Effective::Is("a@%h".to_owned()), "{text}");
    }
    assert_eq!(named("-c 4 -- -n a"), Effective::Is("mail@%h".to_owned()));
}

#[test]
fn a_limit_comes_from_the_strongest_source() {
    let name = "CELERY_WORKER_TIME_LIMIT";
    for (worker, common, expected) in [
        (json!({}), json!({}), Effective::Absent),
        (json!({"timeLimit": 60, "args": ["--time-limit=90"]}), json!({}), Effective::Is(90.0)),
        (json!({"timeLimit": 60, "args": ["--time-limit=$(A)"]}), json!({}), Effective::Unclear),
        (json!({"timeLimit": 60, "env": env(name, "90")}), json!({}), Effective::Is(60.0)),
        (json!({"env": env(name, "90")}), json!({"config": {"task_time_limit": 60}}), Effective::Is(90.0)),
        (json!({"env": env(name, "")}), json!({"config": {"task_time_limit": 60}}), Effective::Is(60.0)),
        (json!({"env": env(name, "soon")}), json!({}), Effective::Unclear),
        (json!({"env": env(name, "90")}), json!({"celeryVersion": "4.4"}), Effective::Absent),
        (json!({}), json!({"config": {"task_time_limit": null}}), Effective::Absent),
        (
            json!({"args": ["--", "task.time_limit=30"]}),
            json!({"config": {"task_time_limit": 60}}),
            Effective::Is(30.0),
        ),
    ] {
        assert_eq!(of(&worker, &common, |pool| pool.time_limit()), expected, "{worker} {common}");
    }
    let soft = json!({"softTimeLimit": 5, "timeLimit": 6});
    assert_eq!(of(&soft, &json!({}), |pool| pool.soft_time_limit()), Effective::Is(5.0));
    let setting = json!({"config": {"task_soft_time_limit": 7}});
    assert_eq!(of(&json!({}), &setting, |pool| pool.soft_time_limit()), Effective::Is(7.0));
}

#[test]
fn a_heartbeat_is_sent_unless_somebody_forbids_it() {
    let off = |value: &str| env("CELERY_WORKER_WITHOUT_HEARTBEAT", value);
    for (worker, expected) in [
        (json!({}), Effective::Is(true)),
        (json!({"heartbeat": false}), Effective::Is(false)),
        (json!({"heartbeat": true, "args": ["--without-heartbeat"]}), Effective::Is(false)),
        (json!({"heartbeat": true, "env": off("True")}), Effective::Is(false)),
        (json!({"env": off("0")}), Effective::Is(true)),
        (json!({"env": off("")}), Effective::Is(true)),
        (json!({"env": off("$(A)")}), Effective::Unclear),
    ] {
        assert_eq!(of(&worker, &json!({}), |pool| pool.sends_heartbeat()), expected, "{worker}");
    }
}
