// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about shutdown and probes.

use super::*;

#[test]
fn of_celery_4_a_soft_shutdown_is_only_warned_of() {
    let at = |version: &str, mode: &str| {
        let spec = format!(
            "spec: {{common: {{celeryVersion: '{version}'}}, workerPools: [{{name: a, gracefulShutdown: {{mode: {mode}}}}}]}}"
        );
        of_rule("G04", &spec)
    };
    let path = "spec.workerPools[0].gracefulShutdown.mode";
    assert_eq!(at("4.4", "Soft"), warn(path));
    assert_eq!(at("5.4.0", "Soft"), deny(path));
    assert_eq!(at("5.4", "Cold"), []);
    assert_eq!(at("5.10", "Soft"), []);
}

#[test]
fn soft_timeouts_count_in_the_soft_mode_only() {
    let at = |id: &str, shutdown: &str| {
        of_rule(id, &format!("spec: {{workerSpec: {{gracefulShutdown: {{{shutdown}}}}}}}"))
    };
    let path = "spec.workerSpec.gracefulShutdown.softTimeoutSeconds";
    assert_eq!(at("G02", "mode: Soft, softTimeoutSeconds: 596"), deny(path));
    assert_eq!(at("G02", "mode: Soft, softTimeoutSeconds: 595"), []);
    assert_eq!(at("G02", "mode: Warm, timeoutSeconds: 20, softTimeoutSeconds: 30"), []);
    assert_eq!(at("G08", "mode: Cold, softTimeoutSeconds: 30"), warn(path));
    assert_eq!(at("G08", "softTimeoutSeconds: 30"), warn(path));
    assert_eq!(at("G08", "mode: Soft, softTimeoutSeconds: 30"), []);
    assert_eq!(at("G08", "mode: soft, softTimeoutSeconds: 30"), [], "the mode is told");
    // One cause, one finding: the bound is told, and nothing is reckoned with it.
    assert_eq!(at("G02", "mode: Soft, softTimeoutSeconds: -1").len(), 1);
    assert_eq!(at("G02", "mode: Soft, timeoutSeconds: 0, softTimeoutSeconds: 3"), []);
}

#[test]
fn modes_that_stop_tasks_need_child_processes() {
    for (pool, mode, expected) in [
        ("solo", "Soft", 1),
        ("gevent", "Cold", 1),
        ("eventlet", "Soft", 1),
        ("prefork", "Soft", 0),
        ("custom", "Cold", 0),
        ("solo", "Warm", 0),
    ] {
        let spec = format!("spec: {{workerSpec: {{pool: {pool}, gracefulShutdown: {{mode: {mode}}}}}}}");
        assert_eq!(of_rule("G05", &spec).len(), expected, "{pool} {mode}");
        let silent = usize::from(expected == 0 && mode != "Warm");
        assert_eq!(of_rule("G06", &spec).len(), silent, "{pool} {mode}");
    }
    // Arguments decide, which are not read here.
    assert_eq!(
        of_rule(
            "G05",
            "spec: {workerSpec: {pool: solo, args: [-P, prefork], gracefulShutdown: {mode: Soft}}}"
        ),
        []
    );
}

#[test]
fn the_variable_that_remaps_signals_is_seen_wherever_it_stands() {
    let variable = |value: &str| format!("env: [{{name: A}}, {{name: REMAP_SIGTERM, value: {value}}}]");
    let common = |value: &str, rest: &str| format!("spec: {{common: {{{}}}{rest}}}", variable(value));
    assert_eq!(of_rule("G07", &common("SIGFOO", "")), deny("spec.common.env[1].value"));
    assert_eq!(of_rule("G07", &common("SIGTERM", "")), warn("spec.common.env[1].value"));
    assert_eq!(of_rule("G07", &common("$(SIGNAL)", "")), []);
    let beat = format!("spec: {{beatSpec: {{{}}}}}", variable("sigquit"));
    assert_eq!(of_rule("G07", &beat), deny("spec.beatSpec.env[1].value"));
    let name = "spec.common.env[1].name";
    assert_eq!(of_rule("G08", &common("SIGQUIT", "")), warn(name));
    let written = ", workerPools: [{name: a, gracefulShutdown: {mode: Warm}}]";
    assert_eq!(of_rule("G08", &common("SIGQUIT", written)), deny(name));
    let cold = ", workerSpec: {gracefulShutdown: {mode: Cold}}";
    assert_eq!(of_rule("G08", &common("SIGQUIT", cold)), []);
    let undone = format!(", workerSpec: {{{}}}", variable("''"));
    assert_eq!(of_rule("G08", &common("SIGQUIT", &undone)), []);
}

#[test]
fn init_processes_that_signal_the_whole_group() {
    let at = |command: &str, env: &str| {
        let spec = format!("spec: {{common: {{command: [{command}], env: [{env}]}}}}");
        of_rule("G09", &spec).len()
    };
    for (command, env, expected) in [
        ("dumb-init, celery", "", 1),
        ("dumb-init, --single-child, celery", "", 0),
        ("dumb-init, celery", "{name: DUMB_INIT_SETSID, value: '0'}", 0),
        ("dumb-init, celery", "{name: DUMB_INIT_SETSID, value: '1'}", 1),
        ("tini, -vg, --, celery", "", 1),
        ("tini, --, celery, -g", "", 0),
        ("celery", "", 0),
    ] {
        assert_eq!(at(command, env), expected, "{command} {env}");
    }
}

#[test]
fn tasks_that_brokers_give_out_again() {
    let at = |id: &str, broker: &str, worker: &str| {
        let spec = format!("spec: {{common: {{broker: {{{broker}}}}}, workerSpec: {{{worker}}}}}");
        of_rule(id, &spec)
    };
    let long = "timeLimit: 2000";
    let path = "spec.workerSpec.timeLimit";
    assert_eq!(at("G10", "url: 'sqs://'", long), warn(path));
    assert_eq!(at("G10", "url: null, sqs: {region: eu-west-1}", long), warn(path));
    assert_eq!(at("G10", "transportOptions: {visibility_timeout: 1000}", long), warn(path));
    assert_eq!(at("G10", "url: null, urlSecretRef: {name: a, key: b}, scheme: SQS", long), warn(path));
    assert_eq!(at("G10", "url: null, urlSecretRef: {name: a, key: b}", long), []);
    assert_eq!(at("G10", "transportOptions: {visibility_timeout: x}", long), []);
    assert_eq!(at("G10", "url: 'amqp://app@mq'", long), []);
    // SQS takes digits in quotes, Redis does not, which another rule tells.
    let quoted = |seconds: u32| format!("transportOptions: {{visibility_timeout: '{seconds}'}}");
    let sqs = "url: null, sqs: {region: eu-west-1}";
    assert_eq!(at("G10", &format!("{sqs}, {}", quoted(1999)), long), warn(path));
    assert_eq!(at("G10", &format!("{sqs}, {}", quoted(2000)), long), []);
    assert_eq!(at("G10", &quoted(1999), long), []);
    let told = lines(&format!("spec: {{common: {{broker: {{{sqs}}}}}, workerSpec: {{{long}}}}}")).concat();
    assert!(told.contains("VisibilityTimeout of old queues"), "{told}");
    assert_eq!(
        at("G10", "url: 'sqs://'", "gracefulShutdown: {timeoutSeconds: 3000}"),
        warn("spec.workerSpec.gracefulShutdown.timeoutSeconds")
    );
    assert_eq!(at("G10", "transportOptions: {visibility_timeout: 60}", ""), []);
    let by_setting = |seconds: u32| {
        let config = format!("broker_transport_options: {{visibility_timeout: {seconds}}}");
        of_rule(
            "G10",
            &format!("spec: {{common: {{config: {{{config}}}}}, workerSpec: {{timeLimit: 5000}}}}"),
        )
    };
    assert_eq!(by_setting(4000), warn(path));
    assert_eq!(by_setting(5000), []);
    assert_eq!(at("G11", "url: null, rabbitmq: {host: mq}", long), warn(path));
    assert_eq!(at("G11", "url: 'redis://cache'", long), []);
    assert_eq!(at("G11", "url: 'amqp://app@mq'", "pool: solo, timeLimit: 2000"), []);
}

#[test]
fn pings_that_nobody_answers_and_pings_that_take_too_long() {
    let at = |id: &str, broker: &str, worker: &str| {
        of_rule(id, &format!("spec: {{common: {{broker: {{{broker}}}}}, workerSpec: {{{worker}}}}}"))
    };
    let ping = "probes: {readiness: {type: Ping, periodSeconds: 10}}";
    for (broker, expected) in [
        ("url: 'sqla+postgresql://db/x'", 1),
        ("url: 'sqs://', transportOptions: {supports_fanout: true}", 0),
        ("url: 'amqp://app@mq'", 0),
        ("url: 'mongodb://db/x'", 0),
        ("url: 'pyro://ns/x'", 1),
        // It is SQS alone that looks at this option.
        ("url: 'kafka://mq', transportOptions: {supports_fanout: true}", 1),
        ("url: null, scheme: sqs, urlSecretRef: {name: a, key: b}", 1),
        ("url: null, urlSecretRef: {name: a, key: b}", 0),
    ] {
        assert_eq!(at("G13", broker, ping).len(), expected, "{broker}");
        assert_eq!(at("G14", broker, ping).len(), 1 - expected, "{broker}");
    }
    let deaf = |config: &str, args: &str| {
        let worker = format!("{{probes: {{startup: {{type: Ping}}}}, args: [{args}]}}");
        of_rule("G13", &format!("spec: {{common: {{config: {{{config}}}}}, workerSpec: {worker}}}"))
    };
    let startup = deny("spec.workerSpec.probes.startup.type");
    assert_eq!(deaf("worker_enable_remote_control: false", ""), startup);
    assert_eq!(deaf("", "--, worker.enable_remote_control=off"), startup);
    assert_eq!(deaf("worker_enable_remote_control: true", ""), []);
    assert_eq!(deaf("worker_enable_remote_control: false", "--, worker.enable_remote_control=on"), []);
    let readiness = "spec.workerSpec.probes.readiness";
    assert_eq!(at("G14", "", ping), warn(&format!("{readiness}.periodSeconds")));
    assert_eq!(at("G14", "", "probes: {readiness: {type: Ping, periodSeconds: 30}}"), []);
    assert_eq!(at("G14", "", "probes: {startup: {type: Ping, periodSeconds: 10}}"), []);
    let slow = "resources: {limits: {cpu: 200m}}, probes: {startup: {type: Ping, timeoutSeconds: ";
    assert_eq!(at("G14", "", &format!("{slow} 10}}}}")).len(), 1);
    assert_eq!(at("G14", "", &format!("{slow} 15}}}}")), []);
    assert_eq!(at("G15", "", "pool: solo, probes: {liveness: {type: Ping}}"), []);
    assert_eq!(at("G12", "", "pool: solo, probes: {liveness: {type: Ping}}").len(), 1);
}

#[test]
fn probes_say_what_they_need() {
    let at = |id: &str, probe: &str| {
        of_rule(id, &format!("spec: {{beatSpec: {{probes: {{liveness: {probe}}}}}}}"))
    };
    let path = "spec.beatSpec.probes.liveness";
    assert_eq!(at("G21", "{type: Custom}"), deny(&format!("{path}.command")));
    assert_eq!(at("G21", "{}"), deny(&format!("{path}.type")));
    assert_eq!(at("G21", "{type: None, periodSeconds: -1}"), deny(&format!("{path}.periodSeconds")));
    assert_eq!(
        at("G17", "{type: Custom, command: [a, b, '--key=$(KEY)']}"),
        warn(&format!("{path}.command[2]"))
    );
    assert_eq!(at("G17", "{type: Custom, command: [/bin/sh, -c, 'test $(date +%s) -gt 3']}"), []);
    let env = |variable: &str, command: &str| {
        let probe = format!("probes: {{startup: {{type: Custom, command: [{command}]}}}}");
        let spec = format!("common: {{env: [{variable}]}}, workerSpec: {{{probe}}}");
        of_rule("G17", &format!("spec: {{{spec}}}"))
    };
    let at_word = |index: u32| warn(&format!("spec.workerSpec.probes.startup.command[{index}]"));
    let (value, reference) = ("{name: KEY, value: a}", "{name: KEY, valueFrom: {fieldRef: {fieldPath: a}}}");
    assert_eq!(env(value, "check, $(KEY)"), []);
    assert_eq!(env(reference, "check, $(KEY)"), at_word(1));
    assert_eq!(env(value, "sh, -c, 'check $(KEY)'"), []);
    assert_eq!(env(reference, "sh, -c, 'check $(KEY)'"), at_word(2));
    assert_eq!(env("", "check, $$(KEY)"), []);
    assert_eq!(env("", "timeout, '9', sh, -c, 'check $(date) $(hostname)'"), []);
    assert_eq!(env("", "timeout, '9', sh, -c, 'check $(KEY)'"), at_word(4));
    let solo = |rest: &str| {
        of_rule(
            "G18",
            &format!(
                "spec: {{workerSpec: {{pool: solo, probes: {{liveness: {{type: Heartbeat}}}}, {rest}}}}}"
            ),
        )
    };
    assert_eq!(solo("timeLimit: 300"), deny("spec.workerSpec.probes.liveness.maxAgeSeconds"));
    assert_eq!(solo("timeLimit: 299"), []);
    assert_eq!(solo("softTimeLimit: 900"), []);
}

#[test]
fn time_limits_count_in_the_arguments_too() {
    let at = |id: &str, broker: &str, worker: &str| {
        of_rule(id, &format!("spec: {{common: {{broker: {{url: '{broker}'}}}}, workerSpec: {{{worker}}}}}"))
    };
    let (redis, rabbitmq) = ("redis://cache", "amqp://app@mq");
    let long = "args: ['--time-limit=7200']";
    assert_eq!(at("G03", redis, long), warn("spec.workerSpec.gracefulShutdown.timeoutSeconds"));
    assert_eq!(at("G03", redis, &format!("{long}, gracefulShutdown: {{timeoutSeconds: 7200}}")), []);
    let setting = "spec: {common: {config: {task_time_limit: 7200}}}";
    assert_eq!(of_rule("G03", setting), warn("spec.workerSpec.gracefulShutdown.timeoutSeconds"));
    assert_eq!(at("G10", redis, long), warn("spec.workerSpec.args[0]"));
    assert_eq!(at("G10", redis, "args: ['--time-limit', '7200']"), warn("spec.workerSpec.args[1]"));
    assert_eq!(at("G11", rabbitmq, long), warn("spec.workerSpec.args[0]"));
    for id in ["G03", "G10", "G11"] {
        let broker = if id == "G11" { rabbitmq } else { redis };
        assert_eq!(at(id, broker, "args: ['--time-limit=60'], timeLimit: 7200"), [], "{id}: arguments win");
        assert_eq!(at(id, broker, "args: ['--time-limit=$(LIMIT)'], timeLimit: 7200"), [], "{id}");
        assert_eq!(at(id, broker, &format!("{long}, pool: solo")), [], "{id}");
    }
}

#[test]
fn a_heartbeat_has_an_age_and_a_shell_its_variables() {
    let at = |id: &str, probe: &str| {
        of_rule(id, &format!("spec: {{workerSpec: {{probes: {{liveness: {probe}}}}}}}"))
    };
    let path = "spec.workerSpec.probes.liveness";
    assert_eq!(at("G21", "{type: Heartbeat, maxAgeSeconds: 0}"), deny(&format!("{path}.maxAgeSeconds")));
    assert_eq!(at("G21", "{type: Heartbeat, maxAgeSeconds: -1}").len(), 1);
    assert_eq!(at("G21", "{type: Heartbeat, maxAgeSeconds: 1}"), []);
    assert_eq!(at("G21", "{type: Custom, command: [a], maxAgeSeconds: 0}"), []);
    let script = |script: &str| at("G17", &format!("{{type: Custom, command: [sh, -c, '{script}']}}"));
    assert_eq!(script("check $(HOSTNAME)"), warn(&format!("{path}.command[2]")));
    for good in ["check $HOSTNAME", "check $(hostname)", "check $((A + 1))", "check $(", "check $()"] {
        assert_eq!(script(good), [], "{good}");
    }
}

#[test]
fn of_two_rules_that_see_one_mistake_one_speaks() {
    let solo = |broker: &str| {
        format!(
            "spec: {{common: {{broker: {{url: '{broker}'}}}}, workerSpec: {{pool: solo, probes: {{startup: {{type: Ping}}}}}}}}"
        )
    };
    assert_eq!(of_rule("G12", &solo("sqs://")), []);
    assert_eq!(of_rule("G13", &solo("sqs://")).len(), 1);
    assert_eq!(of_rule("G12", &solo("redis://cache")).len(), 1);
    let stop = |version: &str, mode: &str| {
        format!(
            "spec: {{common: {{celeryVersion: '{version}'}}, workerSpec: {{pool: solo, gracefulShutdown: {{mode: {mode}}}}}}}"
        )
    };
    for (version, mode, version_speaks, pool_speaks) in
        [("5.4", "Soft", 1, 0), ("5.5", "Soft", 0, 1), ("5.4", "Cold", 0, 1), ("5.4", "Warm", 0, 0)]
    {
        assert_eq!(of_rule("G04", &stop(version, mode)).len(), version_speaks, "{version} {mode}");
        assert_eq!(of_rule("G05", &stop(version, mode)).len(), pool_speaks, "{version} {mode}");
    }
}

#[test]
fn what_sleeps_before_the_stop_sleeps_less_than_there_is_time() {
    let at = |command: &str, grace: u32| {
        let spec = format!(
            "spec: {{workerSpec: {{gracefulShutdown: {{timeoutSeconds: {grace}}}, lifecycle: {{preStop: {{exec: {{command: [{command}]}}}}}}}}}}"
        );
        of_rule("G22", &spec).len()
    };
    for (command, grace, expected) in [
        ("sleep, '30'", 30, 1),
        ("sleep, '30'", 31, 0),
        ("/bin/sleep, 10m", 600, 1),
        ("sh, -c, sleep 60", 60, 1),
        ("sh, -c, 'sleep 60 &'", 60, 0),
        ("sleep, forever", 30, 0),
        ("sleep", 30, 0),
        ("./drain, '900'", 30, 0),
        ("sleep, '30'", 0, 0),
    ] {
        assert_eq!(at(command, grace), expected, "{command} {grace}");
    }
}

#[test]
fn no_other_signal_ends_a_worker() {
    let signal = "lifecycle: {stopSignal: SIGQUIT}";
    let laid_over =
        |name: &str| format!("podTemplate: {{spec: {{containers: [{{name: {name}, {signal}}}]}}}}");
    let at = "podTemplate.spec.containers[0].lifecycle.stopSignal";
    for (spec, expected) in [
        (
            format!("workerPools: [{{name: mail, {signal}}}]"),
            deny("spec.workerPools[0].lifecycle.stopSignal"),
        ),
        (format!("workerSpec: {{{}}}", laid_over("celery")), deny(&format!("spec.workerSpec.{at}"))),
        (format!("common: {{{}}}", laid_over("celery")), deny(&format!("spec.common.{at}"))),
        (format!("workerSpec: {{{}}}", laid_over("log")), vec![]),
        (format!("workerSpec: null, beatSpec: {{}}, common: {{{}}}", laid_over("celery")), vec![]),
    ] {
        assert_eq!(of_rule("G31", &format!("spec: {{{spec}}}")), expected, "{spec}");
    }
}

#[test]
fn the_longest_task_is_told_as_a_number() {
    let fixes = |args: &str| {
        let found = findings(&format!("spec: {{workerSpec: {{args: [{args}]}}}}"));
        found.into_iter().filter(|it| it.rule == "G03").map(|it| it.fix).collect::<Vec<_>>()
    };
    assert_eq!(fixes("'--time-limit=1e3'"), ["use 1000 or more"]);
    assert_eq!(fixes("'--time-limit=900.5'"), ["use 901 or more"]);
    let setting = findings("spec: {common: {config: {task_time_limit: 1800}}}");
    let fixes_of_setting: Vec<&str> =
        setting.iter().filter(|it| it.rule == "G03").map(|it| it.fix.as_str()).collect();
    assert_eq!(fixes_of_setting, ["use 1800 or more"]);
    // No number is as long.
    assert_eq!(fixes("'--time-limit=inf'"), [""; 0]);
}
