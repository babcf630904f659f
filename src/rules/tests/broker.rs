// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about the broker: other severities, other places, and what must pass.

use super::*;

const URL: &str = "spec.common.broker.url";

pub(super) fn broker(id: &str, broker: &str) -> Vec<(Severity, String)> {
    of_rule(id, &format!("spec: {{common: {{broker: {{{broker}}}}}}}"))
}

#[test]
fn a_broker_may_be_named_in_many_places() {
    let at = |rest: &str| of_rule("B01", &format!("spec: {{common: {{broker: null}}, {rest}}}"));
    assert_eq!(at("flowerSpec: {}"), warn("spec.common.broker"));
    assert_eq!(at("workerSpec: {env: [{name: BROKER_URL, value: x}]}"), []);
    assert_eq!(at("workerSpec: {envFrom: [{secretRef: {name: shop}}]}"), []);
    assert_eq!(of_common("B01", "broker: null, config: {broker_url: 'redis://cache'}"), []);
    // 4.x does not look at it.
    assert_eq!(
        of_common("B01", "broker: null, celeryVersion: '4.4', env: [{name: BROKER_URL, value: x}]"),
        warn("spec.common.broker")
    );
}

#[test]
fn tls_is_what_the_scheme_says() {
    for (url, id, expected) in [
        ("redis://cache:6380?ssl_cert_reqs=required", "B17", warn(URL)),
        ("sentinel://cache?ssl_cert_reqs=none", "B17", vec![]),
        ("rediss://cache", "B18", warn(URL)),
        ("rediss://cache:6380?ssl_cert_reqs=none", "B18", vec![]),
        ("rediss://shop.abc.0001.euw1.cache.amazonaws.com:6379", "B18", vec![]),
        ("rediss://clustercfg.shop.abc.cnn1.cache.amazonaws.com.cn.", "B18", vec![]),
        ("rediss://clustercfg.shop.abc.memorydb.eu-west-1.amazonaws.com:6379", "B18", vec![]),
        ("rediss://ec2-1.eu-west-1.compute.amazonaws.com:6379", "B18", warn(URL)),
        ("rediss://cache:6380?ssl_cert_reqs=none", "B15", vec![]),
        ("rediss://cache:6380?ssl_ca_certs=/ca.pem", "B15", vec![]),
        ("amqps://app@mq", "B18", vec![]),
        ("amqps://app@mq", "B15", vec![]),
        ("amqp://app@mq:5672", "B18", vec![]),
        ("amqp://app@mq:5671//", "B18", warn(URL)),
        ("amqp://app@b-1.mq.eu-west-1.amazonaws.com:5671", "B18", warn(URL)),
        ("amqps://app@shop.abc.0001.euw1.cache.amazonaws.com:5672", "B18", warn(URL)),
        ("redis://cache:6380", "B18", vec![]),
    ] {
        assert_eq!(broker(id, &format!("url: {url:?}")), expected, "{id} {url}");
    }
}

#[test]
fn tls_is_said_in_the_words_of_redis() {
    let at = "spec.common.config.broker_use_ssl";
    let of = |id: &str, url: &str, value: &str| {
        of_common(id, &format!("broker: {{url: '{url}'}}, config: {{broker_use_ssl: {value}}}"))
    };
    let table = "{ssl_cert_reqs: required, ssl_ca_certs: /etc/ca.pem}";
    assert_eq!(of("B15", "rediss://cache", table), []);
    assert_eq!(of("B15", "rediss://cache", "{}"), warn(URL));
    assert_eq!(of("B84", "redis://cache", "true"), deny(at));
    assert_eq!(of("B84", "rediss://cache", "'on'"), deny(at));
    assert_eq!(
        of("B84", "redis://cache", "{cert_reqs: 2, ssl_ca_certs: /a}"),
        deny(&format!("{at}.cert_reqs"))
    );
    assert_eq!(of("B84", "redis://cache", table), []);
    assert_eq!(of("B84", "redis://cache", "false"), []);
    // The URL wins.
    assert_eq!(of("B84", "rediss://cache?ssl_cert_reqs=required", "true"), []);
    assert_eq!(of("B84", "amqp://app@mq", "true"), []);
    assert_eq!(of("B84", "amqp://app@mq", "{ca_certs: /etc/ca.pem, cert_reqs: 2}"), []);
    for (url, option) in [
        ("redis://cache", "ssl_cert_reqs: CERT_REQUIRED"),
        ("rediss://cache", "ssl_cert_reqs: verify"),
        ("redis://cache", "ssl_ca_cert: /a"),
        ("redis://cache", "ssl: true"),
        ("redis://cache", "server_hostname: cache"),
        ("amqps://app@mq", "ssl_cert_reqs: required"),
        ("amqps://app@mq", "cert_reqs: required"),
        ("amqps://app@mq", "ssl_check_hostname: true"),
        ("amqp://app@mq", "check_hostname: true"),
        ("amqps://app@mq", "ssl: true"),
    ] {
        let name = option.split(':').next().unwrap_or_default();
        assert_eq!(of("B84", url, &format!("{{{option}}}")), deny(&format!("{at}.{name}")), "{option}");
    }
    assert_eq!(of("B84", "redis://cache", "{ssl_cert_reqs: $(CHECK)}"), []);
    assert_eq!(of("B84", "amqps://app@mq", "{cert_reqs: $(CHECK), server_hostname: mq}"), []);
    assert_eq!(of("B84", "amqps://app@mq", "{context: {check_hostname: true}}"), []);
    let told = findings(
        "spec: {common: {broker: {url: 'amqps://app@mq'}, config: {broker_use_ssl: {ssl_check_hostname: true}}}}",
    );
    assert!(told.iter().any(|it| it.rule == "B84" && it.fix.contains("server_hostname")), "{told:?}");
}

#[test]
fn an_autoscaler_has_tls_from_the_url_alone() {
    let of = |common: &str, metric: &str| {
        let metric = format!("{{name: {metric}, target: {{type: AverageValue, averageValue: 5}}}}");
        let target = format!("{{kind: worker, maxReplicas: 3, metrics: [{metric}]}}");
        of_rule(
            "B86",
            &format!(
                "spec: {{common: {{{common}}}, workerSpec: {{queues: [mail]}}, scaleTargetRef: [{target}]}}"
            ),
        )
    };
    let (at, queue) = ("spec.common.config.broker_use_ssl", "task_queue_length");
    let setting =
        |broker: &str, value: &str| format!("broker: {{{broker}}}, config: {{broker_use_ssl: {value}}}");
    let table = "{ssl_cert_reqs: required}";
    assert_eq!(of(&setting("url: 'redis://cache'", table), queue), warn(at));
    assert_eq!(of(&setting("url: null, redis: {host: cache}", table), queue), warn(at));
    assert_eq!(of(&setting("url: 'amqp://app@mq'", "true"), queue), warn(at));
    assert_eq!(of(&setting("url: null, redis: {host: cache, tls: {}}", table), queue), []);
    assert_eq!(of(&setting("url: 'rediss://cache'", table), queue), []);
    assert_eq!(of(&setting("url: 'redis://cache'", table), "cpu"), []);
}

#[test]
fn files_are_kept_where_other_pods_see_them() {
    let mounts = "volumes: [{name: a, emptyDir: {}}], volumeMounts: [{name: a, mountPath: /data}]";
    let of = |id: &str, field: &str, url: &str, rest: &str| {
        of_common(id, &format!("{field}: {{url: '{url}'}}, {rest}"))
    };
    let results = "spec.common.resultBackend.url";
    for url in ["db+sqlite://", "db+sqlite:///:memory:"] {
        assert_eq!(of("R10", "resultBackend", url, mounts), warn(results), "{url}");
    }
    assert_eq!(of("R10", "resultBackend", "db+sqlite:////data/a.db", mounts), []);
    assert_eq!(of("R10", "resultBackend", "db+sqlite:///a.db", mounts), []);
    assert_eq!(of("R10", "resultBackend", "db+sqlite:////tmp/a.db", mounts), warn(results));
    assert_eq!(of("R10", "resultBackend", "db+sqlite:///a.db", "config: {}"), warn(results));
    assert_eq!(of("R10", "resultBackend", "db+postgresql://db/a", "config: {}"), []);
    assert_eq!(of("B20", "broker", "sqla+sqlite://", mounts), deny(URL));
    assert_eq!(of("B21", "broker", "sqla+sqlite:////data/a.db", mounts), []);
    assert_eq!(of("B21", "broker", "sqla+sqlite:////tmp/a.db", mounts), deny(URL));
    assert_eq!(of("B21", "broker", "sqla+postgresql://db/a", "config: {}"), []);
    let folders = "transportOptions: {data_folder_in: /data/a, data_folder_out: /data/b}";
    let files =
        |rest: &str| of_common("B21", &format!("broker: {{url: 'filesystem://', {folders}}}, {rest}"));
    assert_eq!(files(mounts), []);
    assert_eq!(files("podTemplate: {}"), []);
    assert_eq!(files("config: {}").len(), 2);
}

#[test]
fn options_that_a_transport_needs() {
    let path = "spec.common.broker.transportOptions.master_name";
    let sentinel = "url: 'sentinel://a;sentinel://b'";
    assert_eq!(broker("B19", sentinel), warn(path));
    assert_eq!(broker("B19", &format!("{sentinel}, transportOptions: {{}}")), deny(path));
    assert_eq!(broker("B19", "url: null, urlSecretRef: {name: a, key: b}, scheme: sentinel"), warn(path));
    let typed = "url: null, redis: {sentinel: {masterName: a, addresses: [a]}}, transportOptions: {}";
    assert_eq!(broker("B19", typed), []);
    let setting = "config: {broker_transport_options: {master_name: main}}";
    assert_eq!(of_common("B19", &format!("broker: {{{sentinel}}}, {setting}")), []);
    let setting = "config: {broker_transport_options: {visibility_timeout: 60}}";
    let path = "spec.common.config.broker_transport_options.master_name";
    assert_eq!(of_common("B19", &format!("broker: {{{sentinel}}}, {setting}")), deny(path));
    assert_eq!(broker("B21", "url: 'filesystem://'").len(), 2);
    assert_eq!(broker("B38", "transportOptions: [a]").len(), 1);
    for line in lines("spec: {common: {broker: {url: 'filesystem://'}}}")
        .into_iter()
        .chain(lines(&format!("spec: {{common: {{broker: {{{sentinel}}}}}}}")))
    {
        assert!(line.chars().count() <= 120, "{line}");
    }
    for url in [
        "kafka://a",
        "azurestoragequeues://a",
        "azureservicebus://DefaultAzureCredential@a",
        "sqla+sqlite:///x",
        "etcd://a",
    ] {
        let warned = lines(&format!("spec: {{common: {{broker: {{url: {url:?}}}}}}}"));
        assert!(warned.iter().any(|line| line.contains("[B23]")), "{url}: {warned:?}");
        assert!(warned.iter().all(|line| line.chars().count() <= 120), "{warned:?}");
    }
}

#[test]
fn guest_is_known_at_home_only() {
    for (form, expected) in [
        ("url: 'amqp://guest:guest@mq'", 1),
        ("url: 'amqp://guest:guest@localhost'", 0),
        ("url: 'amqp://$(USER)@mq'", 0),
        ("url: 'amqps://mq?login_method=EXTERNAL'", 0),
        ("url: 'redis://cache'", 0),
        ("url: null, rabbitmq: {host: mq}", 1),
        ("url: null, rabbitmq: {host: mq, usernameSecretRef: {name: mq, key: user}}", 0),
        ("url: null, rabbitmq: {host: mq, passwordSecretRef: {name: mq, key: password}}", 1),
        ("url: null, redis: {host: cache, passwordSecretRef: {name: cache, key: password}}", 0),
    ] {
        assert_eq!(broker("B30", form).len(), expected, "{form}");
    }
    let external = "broker: {url: 'amqps://mq'}, config: {broker_login_method: EXTERNAL}";
    assert_eq!(of_common("B30", external), []);
}

#[test]
fn an_autoscaler_knows_no_guest() {
    let of = |scaled: &str| {
        let form = "url: null, rabbitmq: {host: mq, passwordSecretRef: {name: mq, key: password}}";
        of_rule(
            "B30",
            &format!("spec: {{common: {{broker: {{{form}}}}}, workerSpec: {{queues: [mail]}}{scaled}}}"),
        )
    };
    let path = "spec.common.broker.rabbitmq.usernameSecretRef";
    assert_eq!(of(""), warn(path));
    let metric = "{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}";
    let target = format!(", scaleTargetRef: [{{kind: worker, maxReplicas: 3, metrics: [{metric}]}}]");
    assert_eq!(of(&target), deny(path));
}

#[test]
fn parts_of_a_broker_are_judged_like_a_url() {
    let both = "url: null, redis: {host: cache, sentinel: {masterName: a, addresses: [a]}}";
    assert_eq!(broker("B44", both), deny("spec.common.broker.redis"));
    let sentinel = |sentinel: &str| broker("B46", &format!("url: null, redis: {{sentinel: {{{sentinel}}}}}"));
    let path = "spec.common.broker.redis.sentinel";
    assert_eq!(sentinel("masterName: '', addresses: [a]"), deny(&format!("{path}.masterName")));
    assert_eq!(sentinel("masterName: a, addresses: []"), deny(&format!("{path}.addresses")));
    for address in ["a b", "a:0", ":26379", "a/0", "u@a", ""] {
        let found = sentinel(&format!("masterName: a, addresses: [b, {address:?}]"));
        assert_eq!(found, deny(&format!("{path}.addresses[1]")), "{address}");
    }
    assert_eq!(sentinel("masterName: a, addresses: ['a:26379', '[fd00::1]:26379', b.c.svc]"), []);
    let mq = "spec.common.broker.rabbitmq";
    let rabbitmq = |id: &str, rest: &str| broker(id, &format!("url: null, rabbitmq: {{host: mq, {rest}}}"));
    assert_eq!(rabbitmq("B47", "tls: {certReqs: CERT_NONE}"), deny(&format!("{mq}.tls.certReqs")));
    let both = "managementUrl: 'http://mq', managementUrlSecretRef: {name: a, key: b}";
    assert_eq!(rabbitmq("B48", both), deny(&format!("{mq}.managementUrl")));
    assert_eq!(rabbitmq("B48", "managementUrl: 'https://mq:15671/api'"), []);
    for (password, fix) in [
        ("$REDIS_PASSWORD", "write $(REDIS_PASSWORD) of env"),
        ("%(redis_password)s", "write $(redis_password) of env"),
        ("$hush", "use urlSecretRef"),
        ("${hush", "use urlSecretRef"),
        ("p${hush}", "use urlSecretRef"),
        ("$", "use urlSecretRef"),
    ] {
        let told = lines(&format!("spec: {{common: {{broker: {{url: 'redis://:{password}@cache'}}}}}}"));
        assert!(told.len() == 1 && told[0].ends_with(&format!("{fix} [B26]")), "{password}: {told:?}");
    }
    assert_eq!(rabbitmq("B26", "managementUrl: 'http://u:p@mq'"), warn(&format!("{mq}.managementUrl")));
    assert_eq!(rabbitmq("B49", "vhost: /"), []);
    let steps = broker("B45", "url: null, redis: {host: cache, prioritySteps: [0, 3, 3]}");
    assert_eq!(steps, deny("spec.common.broker.redis.prioritySteps[2]"));
}

#[test]
fn values_and_names_of_transport_options() {
    let options = "spec.common.broker.transportOptions";
    let of = |id: &str, given: &str| broker(id, &format!("transportOptions: {{{given}}}"));
    for (given, at) in [
        ("visibility_timeout: '3600'", "visibility_timeout"),
        ("socket_timeout: {}", "socket_timeout"),
        ("max_connections: 1.5", "max_connections"),
        ("priority_steps: '0,3'", "priority_steps"),
        ("priority_steps: ['0', 3]", "priority_steps"),
        ("polling_interval: 1s", "polling_interval"),
        ("polling_interval: -1", "polling_interval"),
        ("socket_keepalive: true, socket_keepalive_options: {'1': 60}", "socket_keepalive_options"),
        ("visibility_timeout: 0", "visibility_timeout"),
        ("socket_timeout: 0", "socket_timeout"),
        ("priority_steps: []", "priority_steps"),
        ("global_keyprefix: 5", "global_keyprefix"),
        ("sep: 5", "sep"),
        ("client_name: a b", "client_name"),
        ("queue_order_strategy: first", "queue_order_strategy"),
    ] {
        assert_eq!(of("B50", given), deny(&format!("{options}.{at}")), "{given}");
    }
    for given in [
        "visibility_timeout: 3600.5",
        "visibility_timeout: $(SECONDS)",
        "priority_steps: [0, 5]",
        "socket_keepalive_options: {'1': 60}",
        "socket_keepalive: false, socket_keepalive_options: {'1': 60}",
        "socket_timeout: null, client_name: shop, sep: ':'",
        "queue_order_strategy: sorted",
        "queue_order_strategy: 'shop.orders:Cycle'",
    ] {
        assert_eq!(of("B50", given), [], "{given}");
    }
    let of_broker = |url: &str| {
        broker("B50", &format!("{url}, transportOptions: {{visibility_timeout: 1h, wait_time_seconds: x}}"))
    };
    assert_eq!(of_broker("url: 'amqp://app@mq'"), []);
    assert!(of_broker("url: 'sqs://'").contains(&deny(&format!("{options}.wait_time_seconds"))[0]));
    assert_eq!(of_broker("url: null, urlSecretRef: {name: elsewhere, key: url}").len(), 2);
    let setting = "config: {broker_transport_options: {visibility_timeout: '1'}}";
    assert_eq!(
        of_common("B50", setting),
        deny("spec.common.config.broker_transport_options.visibility_timeout")
    );
    for name in ["visibilityTimeout", "visibilty_timeout", "visibility-timeout"] {
        assert_eq!(of("B51", &format!("{name}: 1")), warn(&format!("{options}.{name}")), "{name}");
    }
    assert_eq!(of("B51", "sentinel_kwargs: {}, master_name: a, something_else: 1"), []);
}
