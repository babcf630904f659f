// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about settings.

use super::*;
use crate::celery::closest::tests::measured;

/// What each of them costs is counted: an object may have 256 of them, and a request has three seconds.
#[test]
fn a_right_name_is_looked_for_as_often_as_somebody_mends_one() {
    let judged = |count: usize| {
        let settings: Vec<String> = (0..count).map(|at| format!("task_acks_late{at:03}: 1")).collect();
        let object = shop(&format!("spec: {{common: {{config: {{{}}}}}}}", settings.join(", ")));
        let mut findings = Vec::new();
        let times = measured(|| findings = check(&object, None, &Facts::default()).expect("a Celery"));
        let told: Vec<_> = findings.into_iter().filter(|finding| finding.rule == "C18").collect();
        let meant = told.iter().filter(|finding| finding.fix == "did you mean task_acks_late?").count();
        (told.len(), meant, times)
    };
    let (few, many) = (judged(16), judged(256));
    assert_eq!((few.0, few.1, many.0, many.1), (16, 16, 256, 16));
    assert_eq!(few.2, many.2, "those that say no name cost no measurement");
    assert!((16..=64).contains(&few.2), "{} measurements for 16 settings", few.2);
}

#[test]
fn settings_are_judged_by_the_release() {
    let at = |version: &str, setting: &str| {
        of_common("C18", &format!("celeryVersion: '{version}', config: {{{setting}}}"))
            .first()
            .map(|(severity, _)| *severity)
    };
    for (version, setting, expected) in [
        ("5.5", "worker_soft_shutdown_timeout: 10", None),
        ("5.4", "worker_soft_shutdown_timeout: 10", Some(Severity::Deny)),
        ("4.4", "worker_soft_shutdown_timeout: 10", Some(Severity::Warn)),
        ("6.0", "no_such: 1", Some(Severity::Warn)),
        ("5.5", "worker_prefetch_multiplier: two", Some(Severity::Deny)),
        ("5.5", "worker_prefetch_multiplier: $(TWO)", None),
        ("5.5", "timezone: UTC", Some(Severity::Deny)),
        ("5.5", "task_acks_late: 'yes'", None),
        ("5.5", "task_routes: {a: b}", None),
        // Celery reads them and does not declare them.
        ("5.2", "redis_backend_health_check_interval: 30", None),
        ("5.6", "result_backend_thread_safe: true", None),
        ("5.6", "dynamodb_endpoint_url: 'http://db:8000'", None),
        ("5.6", "result_backend_thread_safe: perhaps", Some(Severity::Deny)),
        ("5.6", "redis_backend_health_check: 30", Some(Severity::Deny)),
    ] {
        assert_eq!(at(version, setting), expected, "{version} {setting}");
    }
    assert_eq!(of_common("C18", "config: {worker_soft_shutdown_timeout: 10}"), []);
}

#[test]
fn fields_and_settings_do_not_say_the_same() {
    for (overlay, expected) in [
        ("{common: {config: {broker_url: 'redis://cache'}}}", 1),
        ("{common: {broker: null, config: {broker_url: 'redis://cache'}}}", 0),
        ("{common: {config: {broker_transport_options: {}}}}", 0),
        ("{common: {config: {broker_transport: memory}}}", 1),
        ("{common: {config: {broker_vhost: '3', broker_password: hush}}}", 2),
        ("{common: {config: {broker_transport: null}}}", 0),
        ("{common: {broker: null, config: {broker_transport: memory}}}", 0),
        ("{workerSpec: {args: ['--', broker_transport=memory]}}", 1),
        ("{beatSpec: {args: ['--', 'broker.url=redis://other']}}", 1),
        ("{common: {broker: null}, workerSpec: {args: ['--', broker_transport=memory]}}", 0),
        ("{common: {broker: {transportOptions: {}}, config: {broker_transport_options: {}}}}", 1),
        ("{common: {resultBackend: {url: 'rpc://'}, config: {result_backend: 'rpc://'}}}", 1),
        (
            "{common: {config: {task_time_limit: 9}}, workerSpec: {timeLimit: 8}, workerPools: [{name: a, timeLimit: 9}]}",
            1,
        ),
        // Where a pool leaves the field out, the setting is for that one.
        ("{common: {config: {task_time_limit: 9}}, workerPools: [{name: a, timeLimit: 9}]}", 0),
        ("{common: {config: {task_time_limit: 9}}, workerPools: [{name: a}]}", 0),
    ] {
        assert_eq!(of_rule("C19", &format!("spec: {overlay}")).len(), expected, "{overlay}");
    }
}

#[test]
fn parts_of_a_broker_beside_it_are_told() {
    let at = |name: &str| format!("spec.common.config.{name}");
    assert_eq!(of_common("C19", "config: {broker_transport: memory}"), deny(&at("broker_transport")));
    assert_eq!(of_common("C19", "config: {broker_vhost: '3'}"), warn(&at("broker_vhost")));
    let args = "spec: {workerSpec: {args: ['--', broker.port=6380]}}";
    assert_eq!(of_rule("C19", args), warn("spec.workerSpec.args[1]"));
}

#[test]
fn ways_to_log_in_and_time_to_connect_are_those_of_amqp() {
    for (setting, is_told) in [
        ("broker_login_method: plain", true),
        ("broker_login_method: PLAIN", false),
        ("broker_login_method: EXTERNAL", false),
        ("broker_connection_timeout: -1", true),
        ("broker_connection_timeout: 4", false),
    ] {
        let told = of_common("C44", &format!("broker: {{url: 'amqp://app@mq'}}, config: {{{setting}}}"));
        assert_eq!(!told.is_empty(), is_told, "{setting}");
        assert_eq!(of_common("C44", &format!("config: {{{setting}}}")), [], "{setting}");
    }
}

#[test]
fn values_that_end_a_worker_are_told_at_their_place() {
    let at = |path: &str| deny(&format!("spec.common.config.{path}"));
    for (config, expected) in [
        ("worker_max_tasks_per_child: 0", at("worker_max_tasks_per_child")),
        ("task_annotations: {shop.mail: {rate_limit: 1/x}}", at("task_annotations[shop.mail].rate_limit")),
        ("task_routes: [[shop.mail, {queue: a}]]", at("task_routes[0][0]")),
        ("accept_content: []", at("accept_content")),
        ("task_default_rate_limit: $(RATE)", vec![]),
        ("task_default_exchange_type: directt", at("task_default_exchange_type")),
        ("task_default_exchange_type: x-delayed-message", vec![]),
        ("task_default_delivery_mode: '1'", at("task_default_delivery_mode")),
        ("task_default_delivery_mode: 1", vec![]),
        // One broker has no order, and Redis no heartbeat.
        ("broker_failover_strategy: random", vec![]),
        ("broker_heartbeat_checkrate: 0", vec![]),
        ("worker_redirect_stdouts_level: loud", at("worker_redirect_stdouts_level")),
        ("worker_redirect_stdouts_level: loud, worker_redirect_stdouts: false", vec![]),
        // Another rule tells of a value of the wrong kind.
        ("task_protocol: two", vec![]),
    ] {
        assert_eq!(of_common("C44", &format!("config: {{{config}}}")), expected, "{config}");
    }
    let with = |url: &str, config: &str| {
        of_common("C44", &format!("broker: {{url: '{url}'}}, config: {{{config}}}"))
    };
    let several = "amqp://app@a;amqp://app@b";
    assert_eq!(with(several, "broker_failover_strategy: random"), at("broker_failover_strategy"));
    assert_eq!(with(several, "broker_failover_strategy: shuffle"), []);
    assert_eq!(with(several, "broker_heartbeat_checkrate: 0"), at("broker_heartbeat_checkrate"));
    assert_eq!(with(several, "broker_connection_timeout: 0"), at("broker_connection_timeout"));
    let control = |durable: bool, exclusive: bool| {
        let config = format!("control_queue_durable: {durable}, control_queue_exclusive: {exclusive}");
        of_common("C44", &format!("celeryVersion: '5.7', config: {{{config}}}"))
    };
    assert_eq!(control(true, true), deny("spec.common.config.control_queue_exclusive"));
    assert_eq!(control(true, false), []);
    assert_eq!(control(false, true), []);
    let durable = |version: &str| {
        of_common("C44", &format!("celeryVersion: '{version}', config: {{control_queue_durable: true}}"))
    };
    assert_eq!(durable("5.7"), warn("spec.common.config.control_queue_durable"));
    assert_eq!(durable("5.6"), []);
    let unknown = of_common("C44", "config: {control_queue_durable: true}");
    assert_eq!(unknown, warn("spec.common.config.control_queue_durable"));
    let old = of_common("C44", "celeryVersion: '4.4', config: {worker_max_tasks_per_child: 0}");
    assert_eq!(old, warn("spec.common.config.worker_max_tasks_per_child"));
}

#[test]
fn settings_that_an_option_settles_have_no_effect() {
    for (rule, overlay, expected) in [
        ("C45", "{common: {config: {worker_pool: solo}}}", 1),
        // There the field wins, of which another rule tells.
        ("C45", "{common: {config: {worker_pool: solo}}, workerSpec: {pool: solo}}", 0),
        ("C45", "{common: {celeryVersion: '4.4', config: {worker_pool: solo}}}", 0),
        ("C45", "{common: {config: {beat_scheduler: 'a:B'}}, beatSpec: {}}", 1),
        ("C45", "{common: {config: {beat_scheduler: 'a:B'}}}", 0),
        ("C45", "{common: {config: {worker_state_db: /tmp/state}}}", 0),
        ("W52", "{workerSpec: {args: ['--', worker.pool=solo]}}", 1),
        ("W52", "{workerSpec: {args: ['--', task.acks_late=true]}}", 0),
        ("W52", "{workerSpec: {concurrency: 2, args: ['--', worker_concurrency=4]}}", 1),
        ("W52", "{workerSpec: {args: ['--time-limit=9', '--', task.time_limit=4]}}", 1),
        ("W52", "{workerSpec: {args: ['--', worker_concurrency=4]}}", 0),
        ("W52", "{workerSpec: {disablePrefetch: true, args: ['--', worker.disable_prefetch=false]}}", 0),
        ("C45", "{common: {config: {beat_max_loop_interval: 9}}, beatSpec: {maxInterval: 5}}", 1),
        ("C45", "{common: {config: {beat_max_loop_interval: 9}}, beatSpec: {}}", 0),
    ] {
        assert_eq!(of_rule(rule, &format!("spec: {overlay}")).len(), expected, "{overlay}");
    }
}

#[test]
fn settings_of_packages_are_taken() {
    let redbeat = "{common: {env: [{name: URL, value: a}], config: {redbeat_key_prefix: shop, redbeat_redis_url: $(URL)}}";
    for (beat, expected) in [
        ("}", vec![]),
        (", beatSpec: {scheduler: 'redbeat.schedulers:RedBeatScheduler'}}", vec![]),
        (", beatSpec: {args: [-S, redbeat.RedBeatScheduler]}}", vec![]),
        (", beatSpec: {env: [{name: CELERY_BEAT_SCHEDULER, value: redbeat.RedBeatScheduler}]}}", vec![]),
        (", beatSpec: {}}", vec!["C48", "C48"]),
        (", beatSpec: {scheduler: django}}", vec!["C48", "C48"]),
    ] {
        let findings = found(&shop(&format!("spec: {redbeat}{beat}")), None);
        let ids: Vec<&str> = findings.into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, expected, "{beat}");
    }
    assert_eq!(of_common("C18", "config: {redbeat_redis_ulr: a}").len(), 1);
    let scheduler = "beatSpec: {scheduler: redbeat.RedBeatScheduler";
    let path = "spec.beatSpec.scheduler";
    let of = |id: &str, common: &str, beat: &str| {
        of_rule(id, &format!("spec: {{common: {{{common}}}, {scheduler}{beat}}}}}"))
    };
    assert_eq!(of("C48", "", ""), warn(path));
    assert_eq!(of("C48", "broker: null", ""), []);
    assert_eq!(of("C48", "", ", args: ['--', redbeat.redis_url=(string)redis://cache]"), []);
    let lock = "config: {redbeat_lock_timeout: 100";
    assert_eq!(of("C116", &format!("{lock}}}"), "").len(), 1);
    assert_eq!(of("C116", &format!("{lock}}}"), ", maxInterval: 60"), []);
    assert_eq!(of("C116", &format!("{lock}, beat_max_loop_interval: 60}}"), ""), []);
    assert_eq!(of("C116", &format!("{lock}}}"), ", args: ['--max-interval=5']"), []);
}

#[test]
fn messages_are_accepted_in_the_form_in_which_they_are_sent() {
    for (config, expected) in [
        ("task_serializer: pickle", vec![("C47", "task_serializer")]),
        ("accept_content: [yaml]", vec![("C47", "accept_content")]),
        ("accept_content: [application/json]", vec![]),
        ("task_serializer: own", vec![("C46", "task_serializer")]),
        ("task_serializer: $(FORM)", vec![("W51", "task_serializer")]),
        ("accept_content: [json, jsn]", vec![("C46", "accept_content[1]")]),
        ("result_serializer: jsno", vec![("C46", "result_serializer")]),
        ("task_compression: gzpi", vec![("C46", "task_compression")]),
        ("task_compression: gzip", vec![]),
        ("result_serializer: pickle", vec![("C47", "result_serializer")]),
        ("result_serializer: yaml, result_accept_content: [json]", vec![("C47", "result_accept_content")]),
        ("result_serializer: yaml, result_accept_content: [json, yaml]", vec![]),
        ("result_serializer: yaml, accept_content: [json, yaml]", vec![]),
        ("result_serializer: yaml, result_accept_content: null", vec![("C47", "result_serializer")]),
    ] {
        let expected: Vec<(&str, String)> =
            expected.into_iter().map(|(id, at)| (id, format!("spec.common.config.{at}"))).collect();
        let found = found(&shop(&format!("spec: {{common: {{config: {{{config}}}}}}}")), None);
        assert_eq!(found, expected, "{config}");
    }
}

#[test]
fn pickle_goes_with_a_user_that_is_not_root() {
    let path = "spec.common.config.accept_content";
    let of = |common: &str| of_common("C75", &format!("config: {{accept_content: [json, pickle]}}{common}"));
    assert_eq!(of(""), warn(path));
    assert_eq!(of(", securityContext: {runAsUser: 0}"), deny(path));
    assert_eq!(of(", securityContext: {runAsUser: 7}, containerSecurityContext: {runAsUser: 0}"), deny(path));
    assert_eq!(of(", securityContext: {runAsNonRoot: true}"), []);
    assert_eq!(of(", containerSecurityContext: {runAsUser: 7}"), []);
    assert_eq!(of(", securityContext: {runAsUser: 0}, env: [{name: C_FORCE_ROOT, value: '1'}]"), []);
    assert_eq!(of_common("C75", "config: {accept_content: [json]}, securityContext: {runAsUser: 0}"), []);
}

#[test]
fn limits_below_zero_are_refused_wherever_they_stand() {
    let worker = |spec: &str| of_rule("W57", &format!("spec: {{workerSpec: {{{spec}}}}}"));
    assert_eq!(worker("softTimeLimit: -0.5"), deny("spec.workerSpec.softTimeLimit"));
    assert_eq!(worker("args: [--time-limit, '-5']"), deny("spec.workerSpec.args[1]"));
    assert_eq!(of_common("W57", "config: {task_time_limit: -5}"), deny("spec.common.config.task_time_limit"));
    assert_eq!(worker("timeLimit: 0, softTimeLimit: 0"), []);
}

#[test]
fn limits_among_settings_are_compared() {
    let path = "spec.common.config.task_soft_time_limit";
    assert_eq!(of_common("W35", "config: {task_time_limit: 60, task_soft_time_limit: 60}"), warn(path));
    assert_eq!(of_common("W35", "config: {task_time_limit: 60, task_soft_time_limit: 50}"), []);
    let pools = "workerPools: [{name: a}, {name: b, timeLimit: 99}]";
    let config = "common: {config: {task_soft_time_limit: 70}}";
    assert_eq!(of_rule("W35", &format!("spec: {{{config}, {pools}}}")), []);
}

#[test]
fn memory_of_a_child_is_counted_in_kibibytes() {
    for (value, expected) in [("200", 1), ("'200'", 1), ("0", 0), ("-1", 0), ("200000", 0)] {
        let found = of_common("C49", &format!("config: {{worker_max_memory_per_child: {value}}}"));
        assert_eq!(found.len(), expected, "{value}");
    }
}

#[test]
fn what_only_the_application_can_set_is_told_so() {
    let only = "cannot be set on the command line of Celery";
    for (overlay, message, fix) in [
        ("{common: {config: {timezone: UTC}}}", only, "set it in the application"),
        ("{common: {config: {CELERY_TIMEZONE: UTC}}}", only, "set timezone in the application"),
        ("{common: {config: {security_key_password: hush}}}", only, "set it in the application"),
        ("{workerSpec: {args: ['--', timezone=UTC]}}", only, "set it in the application"),
        (
            "{workerSpec: {args: ['--', enable_utc=true]}}",
            "has no type on the command line of Celery",
            "write it, as in enable_utc=(bool)true",
        ),
        (
            "{workerSpec: {args: ['--', redis.backend_health_check_interval=30]}}",
            "has no type on the command line of Celery",
            "write it, as in redis.backend_health_check_interval=(int)30",
        ),
        ("{workerSpec: {args: ['--', nosuch=1]}}", "has no namespace", "write it as worker.lost_wait=20"),
    ] {
        let told: Vec<_> = findings(&format!("spec: {overlay}"))
            .into_iter()
            .map(|finding| (finding.message, finding.fix))
            .collect();
        assert_eq!(told, [(message.to_owned(), fix.to_owned())], "{overlay}");
    }
    assert_eq!(findings("spec: {workerSpec: {args: ['--', enable_utc=(bool)true]}}"), []);
}
