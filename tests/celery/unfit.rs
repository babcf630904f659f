// SPDX-License-Identifier: Apache-2.0
//! Values that Celery cannot use, judged by workers that are started with them.

use celery_operator::celery::settings::{unfit, word};
use celery_operator::celery::version::{Target, Version};
use serde_json::{Value as Json, json};

use crate::ask::answers;
use crate::venv;

/// Values that no release can use.
fn bad() -> Vec<(&'static str, Json)> {
    let route = json!({"queue": "celery"});
    vec![
        ("worker_max_tasks_per_child", json!(0)),
        ("worker_max_tasks_per_child", json!(-1)),
        ("worker_concurrency", json!(-1)),
        ("worker_concurrency", json!(1.5)),
        ("worker_concurrency", json!(true)),
        ("task_default_rate_limit", json!("10/x")),
        ("task_default_rate_limit", json!("10/min")),
        ("task_default_rate_limit", json!("1/M")),
        ("task_default_rate_limit", json!("ten")),
        ("task_default_rate_limit", json!("/s")),
        ("task_default_rate_limit", json!("1/ m")),
        ("task_annotations", json!({"*": {"rate_limit": "1/x"}})),
        ("task_annotations", json!([{"judge.task": {"rate_limit": "1/x"}}])),
        ("task_annotations", json!({"judge.task": 7})),
        ("task_annotations", json!({"judge.task": null})),
        ("worker_redirect_stdouts_level", json!("loud")),
        ("worker_redirect_stdouts_level", json!(7)),
        ("worker_log_format", json!("%(message)")),
        ("worker_log_format", json!("plain %s")),
        ("worker_log_format", json!(null)),
        ("worker_log_format", json!(7)),
        ("worker_task_log_format", json!("plain")),
        ("worker_pool_start_method", json!("forkserver")),
        ("worker_consumer", json!(null)),
        ("worker_consumer", json!(7)),
        ("worker_timer", json!(7)),
        ("worker_agent", json!(7)),
        ("worker_state_db", json!(7)),
        ("result_serializer", json!("")),
        ("result_serializer", json!(null)),
        ("result_serializer", json!(7)),
        ("result_accept_content", json!([7])),
        ("accept_content", json!(null)),
        ("accept_content", json!([])),
        ("accept_content", json!([7])),
        ("broker_transport", json!(7)),
        ("broker_transport_options", json!(null)),
        ("broker_pool_limit", json!(-1)),
        ("task_protocol", json!(0)),
        ("task_protocol", json!(3)),
        ("task_protocol", json!(null)),
        ("task_serializer", json!(7)),
        ("task_default_delivery_mode", json!("2")),
        ("task_default_queue", json!(null)),
        ("task_default_queue", json!(7)),
        ("task_default_queue", json!("")),
        ("task_default_exchange", json!(7)),
        ("task_default_exchange_type", json!(7)),
        ("task_default_exchange_type", json!("directt")),
        ("task_queues", json!({"celery": "b"})),
        ("task_queues", json!({"celery": null})),
        ("task_queues", json!({"celery": []})),
        ("task_routes", json!({"judge.task": 7})),
        ("task_routes", json!({"judge.task": null})),
        ("task_routes", json!({"judge.task": ["celery"]})),
        ("task_routes", json!([["judge.task", route]])),
        ("task_routes", json!([null])),
        ("task_routes", json!(0)),
        ("task_publish_retry_policy", json!({"retries": 3})),
    ]
}

/// Values that look odd, and that Celery can use.
fn good() -> Vec<(&'static str, Json)> {
    let route = json!({"queue": "celery"});
    vec![
        ("worker_max_tasks_per_child", json!(1)),
        ("worker_max_tasks_per_child", json!(null)),
        ("worker_max_memory_per_child", json!(0)),
        ("worker_max_memory_per_child", json!(-1)),
        ("worker_concurrency", json!(0)),
        ("worker_concurrency", json!("auto")),
        ("worker_concurrency", json!("many")),
        ("worker_prefetch_multiplier", json!(-1)),
        ("task_default_rate_limit", json!("100")),
        ("task_default_rate_limit", json!("0.5/s")),
        ("task_default_rate_limit", json!("100/")),
        ("task_default_rate_limit", json!("")),
        ("task_default_rate_limit", json!(0)),
        ("task_annotations", json!({"judge.task": []})),
        ("task_annotations", json!([7])),
        ("task_annotations", json!({"*": {"rate_limit": "10/m"}})),
        ("worker_redirect_stdouts_level", json!("info")),
        ("worker_redirect_stdouts_level", json!("")),
        ("worker_log_format", json!("%(levelname)-8s %(message)s")),
        ("worker_log_format", json!("")),
        ("accept_content", json!(["application/json"])),
        ("result_accept_content", json!([])),
        ("task_default_delivery_mode", json!(2)),
        ("task_default_delivery_mode", json!("transient")),
        ("task_queues", json!({"celery": {}})),
        ("task_routes", json!([[["judge.task", route]]])),
        ("task_routes", json!([{"judge.task": route}])),
        ("task_routes", json!({"judge.*": "celery"})),
        ("task_routes", json!([])),
        ("task_publish_retry_policy", json!({"max_retries": 3, "interval_start": 0})),
        ("broker_pool_limit", json!(0)),
        ("task_time_limit", json!(0)),
        ("result_expires", json!(0)),
        ("redbeat_lock_timeout", json!(30)),
        ("task_default_exchange_type", json!("topic")),
        ("task_default_delivery_mode", json!(1)),
        ("redis_backend_health_check_interval", json!(30)),
        ("result_backend_thread_safe", json!(true)),
    ]
}

#[test]
fn workers_end_or_stay_mute_with_exactly_these_values() {
    for pins in venv::RELEASES {
        let Some(site) = venv::site(pins) else { continue };
        let version: Version = pins.version.parse().unwrap();
        let Target::Known(release) = Target::try_from(version).unwrap() else { panic!("{}", pins.version) };
        let cases: Vec<(&str, Json, String)> = (good().into_iter().chain(bad()))
            .filter_map(|(name, value)| Some((name, value.clone(), word(name, &value, release).ok()?)))
            .collect();
        let questions: Vec<Json> = cases.iter().map(|(_, _, word)| json!([word])).collect();
        let answers = answers(site.python(), &["unfit.py"], &questions);
        let wrong: Vec<String> = (cases.iter().zip(&answers[1..]))
            .filter(|((name, value, _), answer)| unfit(name, value).is_some() != (**answer != "done"))
            .map(|((name, value, _), answer)| format!("{name} {value}: ended at {answer}"))
            .collect();
        assert!(wrong.is_empty(), "{release}:\n{}", wrong.join("\n"));
        crate::say(&format!("{} {}: {} workers", pins.project, pins.version, cases.len()));
    }
}
