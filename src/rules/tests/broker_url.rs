// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about the URL of the broker.

use super::backend::backend;
use super::broker::broker;
use super::*;

const URL: &str = "spec.common.broker.url";

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
fn what_to_write_follows_from_the_scheme() {
    let long = "x".repeat(21);
    for (url, fix) in [
        ("amqp+elsewhere://mq".to_owned(), "use the scheme without what follows \"+\""),
        ("db+postgresql://db/tasks".to_owned(), "write sqla+postgresql:// for a broker in a database"),
        ("db+PostgreSQL://db/tasks".to_owned(), "write sqla+…:// for a broker in a database"),
        (format!("db+{long}://db/tasks"), "write sqla+…:// for a broker in a database"),
    ] {
        let found = findings(&format!("spec: {{common: {{broker: {{url: '{url}'}}}}}}"));
        let fixes: Vec<&str> = found.iter().map(|finding| finding.fix.as_ref()).collect();
        assert!(fixes.contains(&fix), "{url}: {fixes:?}");
    }
}

#[test]
fn a_broker_among_the_settings_is_read_too() {
    let path = "spec.common.config.broker_url";
    let of = |id: &str, url: &str| of_common(id, &format!("broker: null, config: {{broker_url: '{url}'}}"));
    for (url, id) in [
        ("cache:6379", "B04"),
        ("rabbitmq://mq", "B05"),
        ("zzzz://mq", "B05"),
        ("redis+cluster://cache", "B06"),
        ("db+postgresql://db/tasks", "B08"),
        ("redis://cache:99999/0", "B09"),
        ("redis://cache?visibility_timeout=7200", "B13"),
        ("memory://", "B20"),
    ] {
        assert_eq!(of(id, url), deny(path), "{url}");
    }
    assert_eq!(of("B12", "redis://cache/99"), warn(path));
    assert_eq!(of("B27", "redis://localhost"), warn(path));
    let object = shop("spec: {common: {broker: null, config: {broker_url: 'redis://cache/1'}}}");
    assert_eq!(found(&object, None), []);
    // Beside the field it is C19 that tells.
    let both = "broker: {url: null, urlSecretRef: {name: a, key: b}}, config: {broker_url: 'cache:6379'}";
    assert_eq!(of_common("B04", both), []);
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
        let fix = |letter: &str| told.iter().any(|line| line.ends_with(&format!("write {letter} [B10]")));
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
    let entry = |name: &str| format!("{{name: {name}, valueFrom: {{secretKeyRef: {{name: a, key: b}}}}}}");
    let env = format!("env: [{}, {}, {}]", entry("HOST"), entry("PORT"), entry("URL"));
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
fn what_variables_hold_is_judged_where_it_is_written() {
    let of = |id: &str, common: &str| of_common(id, common);
    let url = "broker: {url: '$(BR)'}, env: [{name: BR, value: 'redis:6379/0'}]";
    assert_eq!(of("B04", url), deny(URL));
    let part = "broker: {url: 'redis://$(HOST):$(PORT)/0'}, env: [{name: HOST, value: cache}, {name: PORT, value: 'tcp'}]";
    assert_eq!(of("B09", part), deny(URL));
    // Where two components fill it in differently, nobody knows.
    let two = "spec: {common: {broker: {url: $(BR)}, env: [{name: BR, value: 'redis:6379/0'}]}, beatSpec: {env: [{name: BR, value: 'redis://a'}]}}";
    assert_eq!(of_rule("B04", two), []);
    let variable = |name: &str, text: &str| format!("broker: null, env: [{{name: {name}, value: '{text}'}}]");
    let at = "spec.common.env[0].value";
    for (id, name, text) in [
        ("B04", "CELERY_BROKER_URL", "redis:6379/0"),
        ("B05", "CELERY_BROKER_URL", "rabbitmq://r"),
        ("B05", "BROKER_URL", "rabbitmq://r"),
        ("R06", "CELERY_RESULT_BACKEND", "cache:6379"),
        ("R05", "CELERY_RESULT_BACKEND", "redis://cache/x"),
        ("B59", "CELERY_RESULT_BACKEND", "redis://${HOST}/0"),
    ] {
        assert_eq!(of(id, &variable(name, text)), deny(at), "{name} {text}");
    }
    assert_eq!(of("B27", &variable("CELERY_BROKER_URL", "redis://localhost:6379/0")), warn(at));
    assert_eq!(of("B04", &variable("CELERY_BROKER_READ_URL", "redis:6379/0")), []);
    // A password of a variable is shown by none of them.
    let object =
        shop(&format!("spec: {{common: {{{}}}}}", variable("CELERY_BROKER_URL", "rabbitmq://a:hush@r")));
    let told = check(&object, None, &surroundings()).expect("a Celery");
    assert!(told.len() > 1 && told.iter().all(|one| !one.to_string().contains("hush")), "{told:?}");
    let texts = [("CELERY_BROKER_URL".to_owned(), "redis:6379/0".to_owned())].into();
    let facts = Facts { config_texts: [("shop".to_owned(), texts)].into(), ..surroundings() };
    let object = shop("spec: {common: {broker: null, envFrom: [{configMapRef: {name: shop}}]}}");
    let told = located(check(&object, None, &facts).expect("a Celery"));
    assert_eq!(told, [("B04", "spec.common.envFrom[0]".to_owned())]);
}

#[test]
fn a_line_break_at_the_end_is_taken_away() {
    let text = "url: \"redis://cache:6379/0\\n\"";
    assert_eq!(broker("B25", text), warn(URL));
    assert_eq!(broker("B25", "url: \"sqs://\\n\""), deny(URL));
    assert_eq!(broker("B25", "url: ' redis://cache'"), deny(URL));
    let scaled = "spec: {common: {broker: {TEXT}}, workerSpec: {queues: [mail]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}";
    assert_eq!(of_rule("B25", &scaled.replace("TEXT", text)), deny(URL));
    let url = "spec.common.resultBackend.url";
    assert_eq!(backend("R19", "redis://cache/1\n"), warn(url));
    assert_eq!(backend("R19", "rpc://\n"), warn(url));
    assert_eq!(backend("R04", "rediss://cache/1\n"), warn(url));
    assert_eq!(backend("R19", "db+sqlite:////a\n"), deny(url));
}

#[test]
fn a_slash_too_many_belongs_to_the_virtual_host() {
    for url in ["amqp://a@mq:5672//shop", "amqp://a@mq:5672/shop/", "amqp://a@one/shop;amqp://a@two//shop"] {
        assert_eq!(broker("B49", &format!("url: '{url}'")), warn(URL), "{url}");
    }
    for url in ["amqp://a@mq", "amqp://a@mq/", "amqp://a@mq//", "amqp://a@mq/shop", "amqp://a@mq/%2Fshop"] {
        assert_eq!(broker("B49", &format!("url: '{url}'")), [], "{url}");
    }
}

#[test]
fn lists_and_addresses_are_told_how_to_be_written() {
    let fix = |url: &str| {
        let object = shop(&format!("spec: {{common: {{broker: {{url: {url:?}}}}}}}"));
        let told = check(&object, None, &surroundings()).expect("a Celery");
        told.into_iter().find(|one| one.severity == Severity::Deny).map(|one| (one.rule, one.fix))
    };
    for (url, rule, written) in [
        ("redis://a:6379,b:6379/0", "B09", "separate URLs by \";\", each with its scheme"),
        ("redis://:p@a:6379,redis://:p@b:6379/0", "B11", "separate failover URLs by \";\""),
        ("redis://cache/-1", "B11", "use 0 or more"),
        ("pyamqps://a@mq", "B05", "did you mean amqps://?"),
        ("sentinels://a", "B05", "did you mean sentinel://, with broker_use_ssl in config?"),
        ("rediss+sentinel://a", "B07", "use sentinel://, with broker_use_ssl in config"),
        ("redis-sentinel://a", "B05", "did you mean sentinel://?"),
    ] {
        assert_eq!(fix(url), Some((rule, written.to_owned())), "{url}");
    }
    let fixes =
        lines("spec: {common: {broker: {url: 'sqs://', transportOptions: {region_name: eu-west-1}}}}");
    assert!(fixes.iter().any(|line| line.contains("write region for region_name")), "{fixes:?}");
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
fn a_url_of_another_kind_is_told_with_the_field_for_it() {
    for (url, told) in [
        ("rediss://cache?ssl_cert_reqs=none&ssl=true", "remove it: rediss:// is what switches TLS on [B13]"),
        (
            "redis://cache:6379/0?password=hush",
            "write redis://user:password@host, percent-encoded, or set broker.redis with passwordSecretRef [B13]",
        ),
        ("${REDIS_URL}", "write $(REDIS_URL), with REDIS_URL among spec.common.env [B04]"),
        ("$BROKER", "write $(BROKER), with BROKER among spec.common.env [B04]"),
        ("$5", "write redis://host:6379/0 or amqp://user@host:5672// [B04]"),
        ("mq:5672", "write redis://mq:6379/0 or amqp://user@mq:5672// [B04]"),
        ("mq:x", "write redis://host:6379/0 or amqp://user@host:5672// [B04]"),
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
