// SPDX-License-Identifier: Apache-2.0
//! The table of settings, and their values on the way to a word of the command line and back.

use serde_json::json;

use super::*;

#[test]
fn every_setting_is_there() {
    let in_release = |release| settings().iter().filter(|setting| setting.is_in(release)).count();
    assert_eq!(
        Release::ALL[1..].iter().map(|r| in_release(*r)).collect::<Vec<_>>(),
        [169, 175, 180, 186, 194, 207]
    );
}

#[test]
fn names_are_looked_up_by_release() {
    assert_eq!(setting("task_acks_late", Release::V5_2).expect("a setting").old, "CELERY_ACKS_LATE");
    assert_eq!(setting("worker_soft_shutdown_timeout", Release::V5_4), Err(Unknown::TooNew(Release::V5_5)));
    assert!(setting("worker_soft_shutdown_timeout", Release::V5_5).is_ok());
    assert_eq!(setting("worker_concurrency", Release::V5_6).expect("a setting").kind, SettingKind::Whole);
    assert_eq!(setting("worker_concurrency", Release::V5_7).expect("a setting").kind, SettingKind::Any);
    for (written, meant) in [
        ("task_ack_late", Some("task_acks_late")),
        ("task.acks_late", Some("task_acks_late")),
        ("CELERYD_CONCURRENCY", Some("worker_concurrency")),
        ("CELERY_ACCEPT_CONTENT", Some("accept_content")),
        ("CELERY_TASK_ACKS_LATE", Some("task_acks_late")),
        ("TASK_ACKS_LATE", Some("task_acks_late")),
        ("acks_late", Some("task_acks_late")),
        ("redis_backend_health_check_intervall", Some("redis_backend_health_check_interval")),
        ("DYNAMODB_ENDPOINT_URL", Some("dynamodb_endpoint_url")),
        ("backend", None),
        ("nosuch_key", None),
        ("", None),
    ] {
        assert_eq!(setting(written, Release::V5_7), Err(Unknown::Name), "{written}");
        assert_eq!(super::meant(written, Release::V5_7), meant, "{written}");
    }
}

#[test]
fn values_become_words() {
    for (name, value, expected) in [
        ("task_acks_late", json!(true), "task.acks_late=true"),
        ("task_acks_late", json!("off"), "task.acks_late=off"),
        ("worker_prefetch_multiplier", json!(1), "worker.prefetch_multiplier=1"),
        ("worker_concurrency", json!(3), "worker.concurrency=(json)3"),
        ("worker_concurrency", json!("auto"), "worker.concurrency=auto"),
        ("result_expires", json!(3600), "result.expires=3600"),
        ("result_expires", json!(null), "result.expires=(json)null"),
        ("task_default_queue", json!("a b"), "task.default_queue=a b"),
        ("worker_log_format", json!("(a) b"), "worker.log_format=(string)(a) b"),
        ("task_default_rate_limit", json!(10), "task.default_rate_limit=(json)10"),
        ("result_compression", json!("gzip"), "result.compression=(string)gzip"),
        ("beat_cron_starting_deadline", json!(60), "beat.cron_starting_deadline=(int)60"),
        ("enable_utc", json!(false), "enable.utc=(bool)false"),
        ("accept_content", json!(["json"]), "accept.content=(list)[\"json\"]"),
        ("broker_transport_options", json!({"a": 1}), "broker.transport_options=(dict){\"a\":1}"),
        ("broker_use_ssl", json!({"cert_reqs": 2}), "broker.use_ssl=(dict){\"cert_reqs\":2}"),
        ("task_routes", json!([["a", {}]]), "task.routes=(json)[[\"a\",{}]]"),
        ("result_backend_thread_safe", json!(true), "result.backend_thread_safe=(bool)true"),
        ("redis_backend_health_check_interval", json!(30), "redis.backend_health_check_interval=(float)30"),
        ("dynamodb_endpoint_url", json!("http://db:8000"), "dynamodb.endpoint_url=(string)http://db:8000"),
    ] {
        assert_eq!(word(name, &value, Release::V5_7).expect(name), expected);
    }
    for (name, value, refusal) in [
        ("timezone", json!("UTC"), Refusal::Unreachable),
        ("imports", json!(["a"]), Refusal::Unreachable),
        ("security_key_password", json!("hush"), Refusal::Unreachable),
        ("task_acks_late", json!("maybe"), Refusal::Value("true or false")),
        ("task_acks_late", json!(2), Refusal::Value("true or false")),
        ("worker_prefetch_multiplier", json!(1.5), Refusal::Value("a whole number")),
        ("task_default_queue", json!(["a"]), Refusal::Value("a string")),
        ("task_default_queue", json!("a\0"), Refusal::Value("a value without a NUL")),
        ("broker_transport_options", json!("{bad}"), Refusal::Value("a table of names and values")),
        ("accept_content", json!("json"), Refusal::Value("a list")),
        ("result_backend_thread_safe", json!("perhaps"), Refusal::Value("true or false")),
        ("nosuch", json!(1), Refusal::Unknown(Unknown::Name)),
    ] {
        assert_eq!(word(name, &value, Release::V5_7), Err(refusal), "{name}");
    }
    assert_eq!(word("worker_concurrency", &json!(3), Release::V5_6).expect("valid"), "worker.concurrency=3");
    assert_eq!(
        word("worker_concurrency", &json!("auto"), Release::V5_6),
        Err(Refusal::Value("a whole number"))
    );
}

#[test]
fn words_are_read_as_celery_reads_them() {
    let read =
        |word: &str| reading(word, Release::V5_7).map(|(setting, value)| (setting.name.as_str(), value));
    for (word, name, value) in [
        ("task.acks_late=True", "task_acks_late", Value::Flag(true)),
        ("TASK_ACKS_LATE=0", "task_acks_late", Value::Flag(false)),
        (".prefetch_multiplier= 1_0 ", "worker_prefetch_multiplier", Value::Whole(10)),
        ("worker.concurrency=3", "worker_concurrency", Value::Text("3".to_owned())),
        ("result.expires=inf", "result_expires", Value::Number(f64::INFINITY)),
        ("broker.transport_options=", "broker_transport_options", Value::Json(json!({}))),
        ("broker.transport_options=(dict)[1]", "broker_transport_options", Value::Json(json!([1]))),
        ("worker.log_format=(a b", "worker_log_format", Value::Text("(a b".to_owned())),
        ("enable.utc=(bool)no", "enable_utc", Value::Flag(false)),
        ("task.time_limit=$(LIMIT)", "task_time_limit", Value::Unread("$(LIMIT)".to_owned())),
    ] {
        assert_eq!(read(word), Ok((name, value)), "{word}");
    }
    for (word, fault) in [
        ("task.acks_late", Fault::NotASetting),
        ("=1", Fault::NotASetting),
        ("timezone=UTC", Fault::NotASetting),
        ("nosuch.key=1", Fault::Unknown(Unknown::Name)),
        ("nosuch.key=(int)1", Fault::Unknown(Unknown::Name)),
        ("task.ack_late=true", Fault::Unknown(Unknown::Name)),
        ("task.acks_late=maybe", Fault::Value("true or false")),
        ("task.acks_late=(flag)true", Fault::Cast),
        ("enable.utc=no", Fault::CastNeeded),
        ("result.compression=gzip", Fault::CastNeeded),
        ("broker.transport_options={}", Fault::CastNeeded),
        ("broker.transport_options=(dict){bad}", Fault::Value("what its cast says")),
    ] {
        assert_eq!(read(word), Err(fault), "{word}");
    }
    assert_eq!(
        reading("worker.soft_shutdown_timeout=1", Release::V5_4),
        Err(Fault::Unknown(Unknown::TooNew(Release::V5_5)))
    );
}
