// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about the broker: other severities, other places, and what must pass.

use super::backend::backend;
use super::*;

const URL: &str = "spec.common.broker.url";

pub(super) fn broker(id: &str, broker: &str) -> Vec<(Severity, String)> {
    of_rule(id, &format!("spec: {{common: {{broker: {{{broker}}}}}}}"))
}

#[test]
fn a_transport_of_a_later_kombu_is_refused_where_no_such_kombu_can_be_installed() {
    let of = |version: &str| {
        let common = format!("celeryVersion: '{version}', broker: {{url: 'pgmq://app@db/tasks'}}");
        of_rule("B05", &format!("spec: {{common: {{{common}}}}}"))
    };
    assert_eq!(of("5.5"), deny(URL));
    assert_eq!(of("4.4"), warn(URL));
    assert_eq!((of("5.4"), of("5.7")), (vec![], vec![]));
}

#[test]
fn every_defect_of_a_broker_url_is_told_once() {
    for (url, id) in [
        ("redis://cache?foo=1", "B13"),
        ("amqp://app@mq?login_method=MAGIC", "B13"),
        ("amqp://app@mq?heartbeat=often", "B13"),
        ("sentinel://cache?master_name=main", "B13"),
        ("redis://[fd00::1", "B42"),
        ("redis://ca\u{ff1a}che", "B42"),
        ("redis+socket://", "B43"),
        ("mongodb://a;mongodb://b", "B28"),
        ("amqp://app@a;mongodb://b", "B28"),
        ("amqp://app@a;", "B28"),
        ("a;b", "B04"),
    ] {
        let object = shop(&format!("spec: {{common: {{broker: {{url: {url:?}}}}}}}"));
        let denials: BTreeSet<&str> = check(&object, None, &surroundings())
            .expect("a Celery")
            .iter()
            .filter(|finding| finding.severity == Severity::Deny)
            .map(|finding| finding.rule)
            .collect();
        assert_eq!(denials, BTreeSet::from([id]), "{url}");
    }
}

#[test]
fn a_password_that_seems_to_end_in_another_host_is_told_and_never_shown() {
    let all = |overlay: &str| -> Vec<String> {
        let findings = check(&shop(overlay), None, &surroundings()).expect("a Celery");
        findings.iter().map(ToString::to_string).collect()
    };
    for (url, letter) in [
        ("amqp://user:p@hush/hush@mq:5672/vh", Some("%2F")),
        ("amqp://user:p@hush?hush@mq:5672/vh", Some("%3F")),
        ("redis://:p@hush?hush@cache:6379/0", Some("%3F")),
        ("redis://:p@hush?hush@cache/0", Some("%3F")),
        ("amqp://app:x@mq/team@shop", None),
        ("amqp://app:x@a;amqp://app:x@b:5672//", None),
        ("redis://cache?ssl_ca_certs=/a@b/ca.crt", None),
        ("redis://:p@cache/0", None),
    ] {
        let expected = if letter.is_some() { warn(URL) } else { vec![] };
        assert_eq!(broker("B10", &format!("url: {url:?}")), expected, "{url}");
        let told = all(&format!("spec: {{common: {{broker: {{url: {url:?}}}}}}}"));
        assert!(!told.iter().any(|line| line.contains("hush")), "{told:?}");
        let fix =
            |letter: &str| told.iter().any(|line| line.ends_with(&format!("write it as {letter} [B10]")));
        assert!(letter.is_none_or(fix), "{told:?}");
    }
    for url in ["redis://:p@hush?hush@cache:6379/0", "sentinel://:p@hush?hush@cache:26379/0"] {
        assert_eq!(backend("R16", url), warn("spec.common.resultBackend.url"));
    }
    assert_eq!(backend("R16", "redis://:p@cache/0"), []);
    for url in ["redis://:p@hush?hush=1@cache:6379/0", "redis://:p@a?ssl_cert_reqs=hush@cache:6379/0"] {
        for field in ["broker", "resultBackend"] {
            let told = all(&format!("spec: {{common: {{{field}: {{url: {url:?}}}}}}}"));
            assert!(!told.is_empty() && !told.iter().any(|line| line.contains("hush")), "{told:?}");
        }
    }
}

#[test]
fn what_variables_will_complete_is_not_judged() {
    let env = "env: [{name: HOST, value: a}, {name: PORT, value: '1'}, {name: URL, value: 'redis://a'}]";
    for url in ["$(URL)", "redis://$(HOST):$(PORT)/0", "redis://cache/$(PORT)", "$(HOST)://a;$(URL)"] {
        let overlay = format!("spec: {{common: {{broker: {{url: {url:?}}}, {env}}}}}");
        assert_eq!(found(&shop(&overlay), None), [], "{url}");
    }
    assert_eq!(broker("B05", "url: 'rabbitmq://$(HOST):$(PORT)'"), deny(URL));
    assert_eq!(broker("B24", "url: 'redis://$(HOST)/0'"), warn(URL));
    assert_eq!(broker("B24", "url: '$(URL)'"), deny(URL));
    assert_eq!(broker("B24", "url: '$$(URL)'"), []);
    assert_eq!(of_common("B24", "broker: {url: $(URL)}, envFrom: [{secretRef: {name: shop}}]"), []);
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
fn a_port_of_another_service_is_told_once() {
    let at = |rest: &str| broker("B65", rest);
    for url in [
        "amqp://u@mq:15672//",
        "amqps://u@mq:15671//",
        "amqp://u@mq:6379//",
        "amqp://u@mq:26379//",
        "redis://mq:5672/0",
        "rediss://mq:26379/0?ssl_cert_reqs=none",
        "amqp://u@a:15672//;amqp://u@b:15672//",
    ] {
        assert_eq!(at(&format!("url: '{url}'")), warn(URL), "{url}");
    }
    for url in [
        "amqp://u@mq:5673//",
        "redis://mq:6380/0",
        "sentinel://mq:26379",
        "amqp://u@mq",
        "amqp://u@mq:5671//",
    ] {
        assert_eq!(at(&format!("url: '{url}'")), [], "{url}");
    }
    let parts = |rest: &str| at(&format!("url: null, {rest}"));
    assert_eq!(parts("redis: {host: cache, port: 26379}"), warn("spec.common.broker.redis.port"));
    assert_eq!(parts("rabbitmq: {host: mq, port: 15672}"), warn("spec.common.broker.rabbitmq.port"));
    assert_eq!(parts("rabbitmq: {host: mq, port: 5671, tls: {}}"), []);
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
    ] {
        let name = option.split(':').next().unwrap_or_default();
        assert_eq!(of("B84", url, &format!("{{{option}}}")), deny(&format!("{at}.{name}")), "{option}");
    }
    assert_eq!(of("B84", "redis://cache", "{ssl_cert_reqs: $(CHECK)}"), []);
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
fn a_url_without_a_host_means_the_pod() {
    for url in ["redis://", "redis://:6379", "amqp://", "pyamqp://", "rediss:///1?ssl_cert_reqs=none"] {
        assert_eq!(broker("B27", &format!("url: '{url}'")), warn(URL), "{url}");
    }
    for url in ["redis+socket:///run/redis.sock", "sqs://", "memory://", "filesystem://"] {
        assert_eq!(broker("B27", &format!("url: '{url}'")), [], "{url}");
    }
    for url in [
        "redis://",
        "redis:///1",
        "redis://127.0.0.1/1",
        "sentinel://localhost",
        "db+postgresql://localhost/x",
    ] {
        assert_eq!(backend("R40", url), warn("spec.common.resultBackend.url"), "{url}");
    }
    for url in
        ["redis://cache", "redis+socket:///run/redis.sock", "rpc://", "file:///results", "db+sqlite:///x"]
    {
        assert_eq!(backend("R40", url), [], "{url}");
    }
    let hosted = "resultBackend: {url: 'redis://'}, config: {redis_host: cache}";
    assert_eq!(of_common("R40", hosted), []);
}

#[test]
fn a_container_beside_the_worker_may_be_what_localhost_means() {
    let local = "broker: {url: 'redis://localhost'}, resultBackend: {url: 'redis://localhost/1'}";
    let template = |container: &str| {
        format!("spec: {{common: {{{local}, podTemplate: {{spec: {{containers: [{container}]}}}}}}}}")
    };
    let sidecar = "sidecars: [{name: cache, image: 'redis:7'}]";
    for id in ["B27", "R40"] {
        assert_eq!(of_rule(id, &template("{name: cache, image: 'redis:7'}")), [], "{id}");
        assert_eq!(of_rule(id, &template("{name: celery, tty: true}")).len(), 1, "{id}");
        let beside = format!("spec: {{common: {{{local}}}, workerSpec: {{{sidecar}}}}}");
        assert_eq!(of_rule(id, &beside), [], "{id}");
    }
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
    assert_eq!(broker("B21", "url: 'filesystem://'").len(), 2);
    assert_eq!(broker("B38", "transportOptions: [a]").len(), 1);
    for line in lines("spec: {common: {broker: {url: 'filesystem://'}}}")
        .into_iter()
        .chain(lines(&format!("spec: {{common: {{broker: {{{sentinel}}}}}}}")))
    {
        assert!(line.chars().count() <= 120, "{line}");
    }
    for url in ["kafka://a", "azurestoragequeues://a", "azureservicebus://a", "sqla+sqlite:///x", "etcd://a"]
    {
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
        ("${REDIS_PASSWORD}", "write $(REDIS_PASSWORD) of env"),
        ("$REDIS_PASSWORD", "write $(REDIS_PASSWORD) of env"),
        ("%(redis_password)s", "write $(redis_password) of env"),
        ("$hush", "use urlSecretRef"),
        ("${hush", "use urlSecretRef"),
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
        ("socket_keepalive_options: {'1': 60}", "socket_keepalive_options"),
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
    let flower = |options: &str, flower: &str| {
        let broker = format!("broker: {{transportOptions: {options}}}");
        of_rule("B57", &format!("spec: {{common: {{{broker}}}, flowerSpec: {flower}}}"))
    };
    assert_eq!(flower("{global_keyprefix: a}", "{}"), warn(&format!("{options}.global_keyprefix")));
    assert_eq!(flower("{sep: ':', global_keyprefix: null}", "{}"), warn(&format!("{options}.sep")));
    assert_eq!(flower("{fanout_prefix: false}", "{}"), warn(&format!("{options}.fanout_prefix")));
    assert_eq!(flower("{fanout_prefix: true, fanout_patterns: false}", "{}"), []);
    for (name, setting) in [("accept_content", "[yaml]"), ("task_serializer", "yaml")] {
        let overlay = format!("spec: {{common: {{config: {{{name}: {setting}}}}}, flowerSpec: {{}}}}");
        assert_eq!(of_rule("B57", &overlay), warn(&format!("spec.common.config.{name}")));
    }
    assert_eq!(flower("{global_keyprefix: a}", "null"), []);
    for name in ["visibilityTimeout", "visibilty_timeout", "visibility-timeout"] {
        assert_eq!(of("B51", &format!("{name}: 1")), warn(&format!("{options}.{name}")), "{name}");
    }
    assert_eq!(of("B51", "sentinel_kwargs: {}, master_name: a, something_else: 1"), []);
}

#[test]
fn a_url_of_another_kind_is_told_with_the_field_for_it() {
    for (url, told) in [
        ("rediss://cache?ssl_cert_reqs=none&ssl=true", "remove it: rediss:// is what switches TLS on [B13]"),
        (
            "redis://cache:6379/0?password=hush",
            "write redis://user:password@host, percent-encoded, or set broker.redis with passwordSecretRef [B13]",
        ),
        ("${REDIS_URL}", "write $(REDIS_URL), with REDIS_URL among spec.common.env [B04]"),
        ("$BROKER", "write $(BROKER), with BROKER among spec.common.env [B04]"),
        ("$5", "write it as redis://host:6379/0 or amqp://user@host:5672// [B04]"),
        ("sqs://AKIA:se/hush@", "set broker.sqs, and the keys as AWS variables from a Secret [B10]"),
        (
            "https://sqs.eu-west-1.amazonaws.com/123456789012/mail",
            "set broker.sqs with region, and this address in its queueUrls [B05]",
        ),
    ] {
        let findings =
            check(&shop(&format!("spec: {{common: {{broker: {{url: {url:?}}}}}}}")), None, &surroundings());
        let all: Vec<String> = findings.expect("a Celery").iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|line| line.ends_with(told)), "{url}: {all:#?}");
        assert!(!all.iter().any(|line| line.contains("hush")), "{all:#?}");
    }
}
