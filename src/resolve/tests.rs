// SPDX-License-Identifier: Apache-2.0
//! What is made of a spec: arguments that are completed, URLs from their parts, numbers that somebody else decides.

use k8s_openapi::api::apps::v1::DeploymentStrategy;
use serde_json::{Value, json};

use super::*;
use crate::api::ServiceType;
use crate::effective;

pub(super) fn resolve(spec: Value, secrets: &[(&str, &[(&str, &str)])]) -> Resolved {
    let celery: Celery = serde_json::from_value(json!({
        "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery",
        "metadata": {"name": "shop", "namespace": "default", "uid": "u-1"}, "spec": spec,
    }))
    .expect("a Celery");
    let data = |entries: &[(&str, &str)]| {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<SecretData>()
    };
    let secrets = secrets.iter().map(|(name, entries)| ((*name).to_owned(), Some(data(entries)))).collect();
    resolved(&celery, &Sources { secrets })
}

fn worker(args: &[&str], resources: Value) -> Pool {
    let spec = json!({"common": {"image": "shop:1", "celeryApp": "shop.tasks"},
                      "workerSpec": {"args": args, "resources": resources}});
    resolve(spec, &[]).pools.remove(0)
}

fn broker(broker: Value, secrets: &[(&str, &[(&str, &str)])]) -> BrokerAccess {
    let spec =
        json!({"common": {"image": "shop:1", "celeryApp": "shop.tasks", "broker": broker}, "workerSpec": {}});
    resolve(spec, secrets).broker.expect("a broker")
}

#[test]
fn arguments_are_completed_and_never_repeated() {
    let plain = worker(&[], json!({}));
    let quiet = ["-O", "fair", "--without-gossip", "--without-mingle"];
    let words = |words: &[&'static str], rest: &[&'static str]| [words, &quiet, rest].concat();
    assert_eq!(
        plain.args,
        words(&["-A", "shop.tasks", "worker", "-n", "default@%h", "-l", "INFO", "-c", "1"], &[])
    );
    let own = worker(&["--loglevel=DEBUG", "-c4", "-n", "w@%h"], json!({}));
    assert_eq!(own.args, words(&["-A", "shop.tasks", "worker"], &["--loglevel=DEBUG", "-c4", "-n", "w@%h"]));
    let scaled = worker(&["--autoscale=8,2"], json!({"limits": {"cpu": "2"}}));
    assert!(!scaled.args.contains(&"-c".to_owned()));
}

#[test]
fn lists_of_redis_are_called_as_the_transport_options_say() {
    let lists = |common: Value| {
        let mut spec =
            json!({"common": {"image": "a", "celeryApp": "a", "broker": {"url": "redis://cache"}}});
        json_patch::merge(&mut spec["common"], &common);
        match resolve(spec, &[]).broker.expect("a broker").queues {
            Ok(QueueSource::Redis { lists, .. }) => lists,
            _ => unreachable!("a Redis"),
        }
    };
    let options = json!({"global_keyprefix": "shop", "sep": ":", "priority_steps": [0, 5]});
    let own = RedisLists { prefix: "shop".to_owned(), separator: ":".to_owned(), steps: vec![0, 5] };
    assert_eq!(lists(json!({})), RedisLists::default());
    assert_eq!(lists(json!({"broker": {"transportOptions": options}})), own);
    assert_eq!(lists(json!({"config": {"broker_transport_options": options}})), own);
    let typed = json!({"url": null, "redis": {"host": "cache", "keyPrefix": "shop", "sep": ":", "prioritySteps": [0, 5]}});
    assert_eq!(lists(json!({ "broker": typed })), own);
    // The setting replaces what the broker's own fields say.
    let both = json!({"broker": typed, "config": {"broker_transport_options": {"sep": "/"}}});
    assert_eq!(lists(both), RedisLists { separator: "/".to_owned(), ..RedisLists::default() });
}

#[test]
fn concurrency_follows_the_cpus() {
    for (resources, expected) in [
        (json!({"limits": {"cpu": "1500m"}}), "2"),
        (json!({"limits": {"cpu": 4}, "requests": {"cpu": "1"}}), "4"),
        (json!({"requests": {"cpu": "200m"}}), "1"),
        (json!({"limits": {"memory": "1Gi"}}), "1"),
        (json!({"limits": {"cpu": "nonsense"}}), "1"),
        (json!({"limits": {"cpu": "2000"}}), "1024"),
    ] {
        let args = worker(&[], resources.clone()).args;
        assert!(args.windows(2).any(|pair| pair == ["-c", expected]), "{resources}: {args:?}");
    }
}

#[test]
fn the_number_of_pods_is_the_specs_or_its_autoscalers() {
    let spec = |targets: Value| {
        json!({"common": {"image": "shop:1", "celeryApp": "a"}, "workerSpec": {"numOfWorkers": 3}, "flowerSpec": {},
               "scaleTargetRef": targets})
    };
    let cpu = json!([{"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}]);
    let fixed = resolve(spec(json!([])), &[]);
    let counts = |resolved: &Resolved| ["shop-worker", "shop-flower"].map(|name| resolved.count(name));
    assert_eq!(counts(&fixed), [Some(Count::Written(3)), Some(Count::Open)]);
    let scaled = resolve(spec(json!([{"kind": "worker", "maxReplicas": 5, "metrics": cpu}])), &[]);
    assert_eq!(counts(&scaled), [Some(Count::Scaled { least: 1 }), Some(Count::Open)]);
    let absent = resolve(
        json!({"common": {"image": "shop:1"}, "workerPools": [{"name": "mail"}], "beatSpec": {}}),
        &[],
    );
    let counts = ["shop-worker", "shop-worker-mail", "shop-beat"].map(|name| absent.count(name));
    assert_eq!(counts, [None, Some(Count::Open), Some(Count::Always(1))]);
}

#[test]
fn a_rolling_update_always_has_both_numbers() {
    let with = |written: Value| {
        let written: DeploymentStrategy = serde_json::from_value(written).expect("a strategy");
        serde_json::to_value(worker::strategy(Some(&written))).expect("serialises")
    };
    assert_eq!(with(json!({"type": "Recreate"})), json!({"type": "Recreate"}));
    assert_eq!(
        with(json!({"rollingUpdate": {"maxSurge": 1}})),
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    );
    for none in [json!(0), json!("0%")] {
        assert_eq!(with(json!({"rollingUpdate": {"maxSurge": none}}))["rollingUpdate"]["maxUnavailable"], 1);
    }
}

#[test]
fn flower_answers_where_its_arguments_say() {
    let flower = |written: Value| {
        resolve(json!({"common": {"image": "shop:1"}, "flowerSpec": written}), &[]).flower.expect("Flower")
    };
    let bounds = ["--max_tasks=20000", "--max_workers=5000", "--purge_offline_workers=300"];
    let words = |rest: &[&'static str]| [&["flower"], &bounds[..], rest].concat();
    assert_eq!(flower(json!({})).args, words(&["--address=0.0.0.0", "--port=5555"]));
    let own = flower(json!({"args": ["--port=8080", "--url_prefix=/flower/"], "serviceType": "NodePort"}));
    assert_eq!((own.port, own.health_path().as_deref()), (8080, Some("/flower/healthcheck")));
    assert_eq!(own.exposure.type_, ServiceType::NodePort);
    assert_eq!(flower(json!({"servicePort": 80})).port, 80);
}

#[test]
fn flower_is_probed_below_the_prefix_that_it_has() {
    let path = |written: Value| {
        let flower = resolve(json!({"common": {"image": "shop:1"}, "flowerSpec": written}), &[]).flower;
        flower.expect("Flower").health_path()
    };
    let variable = |value: &str| json!({"env": [{"name": "FLOWER_URL_PREFIX", "value": value}]});
    assert_eq!(path(json!({"urlPrefix": "/a/"})).as_deref(), Some("/a/healthcheck"));
    assert_eq!(path(variable("a")).as_deref(), Some("/a/healthcheck"));
    assert_eq!(path(json!({"urlPrefix": "a", "args": ["--url_prefix=$(B)"]})), None);
    assert_eq!(path(variable("$(B)")), None);
}

#[test]
fn flower_is_scraped_below_the_prefix_that_is_known() {
    for (written, path) in [
        (json!({}), "/metrics"),
        (json!({"urlPrefix": "/a/"}), "/a/metrics"),
        (json!({"urlPrefix": "a", "args": ["--url_prefix=$(B)"]}), "/metrics"),
    ] {
        let spec = json!({"common": {"image": "shop:1"}, "flowerSpec": written});
        assert_eq!(resolve(spec, &[]).flower.expect("Flower").metrics_path(), path, "{written}");
    }
}

#[test]
fn the_spec_tells_the_scheme_of_the_url_that_is_made() {
    for parts in [
        json!({"redis": {"host": "cache"}}),
        json!({"redis": {"host": "cache", "tls": {}}}),
        json!({"redis": {"sentinel": {"masterName": "main", "addresses": ["a:26379"]}, "tls": {}}}),
        json!({"rabbitmq": {"host": "mq"}}),
        json!({"rabbitmq": {"host": "mq", "tls": {}}}),
        json!({"sqs": {"region": "eu-west-1"}}),
    ] {
        let common = serde_json::from_value(json!({ "broker": parts })).expect("a common part");
        let told = effective::broker::scheme(&common).is().expect("a scheme").name;
        let access = broker(parts, &[]);
        assert_eq!(access.shown.scheme, told);
        let url = access.secret.map(|secret| secret["url"].clone()).or(access.env.value).expect("a URL");
        assert!(url.starts_with(&format!("{told}://")), "{url}");
    }
}

#[test]
fn an_autoscaler_counts_the_queues_that_are_consumed() {
    let counted = |config: Value, worker: Value| {
        let metric =
            json!({"name": "task_queue_length", "target": {"type": "AverageValue", "averageValue": 5}});
        let spec = json!({"common": {"image": "shop:1", "config": config}, "workerSpec": worker,
            "scaleTargetRef": [{"kind": "worker", "maxReplicas": 3, "metrics": [metric]}]});
        let scaler = resolve(spec, &[]).pools.remove(0).scaler.expect("an autoscaler");
        scaler.queue.expect("a queue").queues
    };
    for (config, worker, expected) in [
        (json!({}), json!({"queues": ["a", "b"], "excludeQueues": ["b"]}), ["a"]),
        (json!({}), json!({"queues": ["a", "b"], "args": ["-X", "b"]}), ["a"]),
        (json!({}), json!({}), ["celery"]),
        (json!({"task_default_queue": "mail"}), json!({}), ["mail"]),
        // What a variable names is not known: no list has the name of the variable.
        (json!({}), json!({"args": ["-Q", "$(QUEUE)"]}), ["celery"]),
    ] {
        let written = format!("{config} {worker}");
        assert_eq!(counted(config, worker), expected, "{written}");
    }
}

#[test]
fn what_others_say_of_concurrency_is_not_said_over() {
    let options = |common: Value, worker: Value| {
        let mut spec = json!({"common": {"image": "shop:1"}, "workerSpec": worker});
        json_patch::merge(&mut spec["common"], &common);
        resolve(spec, &[]).pools.remove(0).args
    };
    let says = |args: Vec<String>| args.iter().any(|word| word == "-c");
    let variable = json!({"env": [{"name": "CELERY_WORKER_CONCURRENCY", "value": "8"}]});
    // A setting loses to the option, so that the choice would win over it.
    assert!(!says(options(json!({"config": {"worker_concurrency": 8}}), json!({}))));
    assert!(!says(options(json!({}), variable.clone())));
    // Celery 4 does not read it: it would take all cpus of the node.
    assert!(says(options(json!({"celeryVersion": "4.4"}), variable)));
}

#[test]
fn a_literal_url_keeps_its_dollars() {
    let env = broker(json!({"url": "redis://:a$b$(PASSWORD)@cache"}), &[]).env;
    assert_eq!(env.value.as_deref(), Some("redis://:a$$b$(PASSWORD)@cache"));
}

#[test]
fn typed_parts_become_an_encoded_url() {
    let parts =
        json!({"redis": {"host": "cache", "db": 2, "passwordSecretRef": {"name": "cache", "key": "pw"}}});
    let access = broker(parts, &[("cache", &[("pw", "p#s/s@1\n")])]);
    let secret = access.secret.expect("all parts are there");
    assert_eq!(secret["url"], "redis://:p%23s%2Fs%401@cache:6379/2");
    assert_eq!(secret["password"], "p#s/s@1");
    assert_eq!(
        access.env.value_from.and_then(|from| from.secret_key_ref).map(|key| key.name),
        Some("shop-celery-broker".to_owned())
    );

    let parts = json!({"rabbitmq": {"host": "mq", "vhost": "/a b", "usernameSecretRef": {"name": "mq", "key": "u"},
                       "passwordSecretRef": {"name": "mq", "key": "p"}}});
    let access = broker(parts, &[("mq", &[("u", "app"), ("p", "x:y")])]);
    assert_eq!(access.secret.expect("all parts are there")["url"], "amqp://app:x%3Ay@mq:5672/%2Fa%20b");
}

#[test]
fn the_made_url_reads_back_as_its_parts() {
    for password in ["simple", "p#s/s@1?&=%", "ü€", "$(HOME)$$"] {
        let parts = json!({"redis": {"host": "cache", "username": "a:b", "passwordSecretRef": {"name": "s", "key": "k"}}});
        let secret = broker(parts, &[("s", &[("k", password)])]).secret.expect("made");
        let read = crate::celery::broker_url::parse(&secret["url"]).remove(0).expect("valid");
        assert_eq!((read.username.as_deref(), read.password.as_deref()), (Some("a:b"), Some(password)));
    }
}

#[test]
fn an_autoscaler_gets_plain_parts_of_a_url() {
    let url = json!({"urlSecretRef": {"name": "broker", "key": "url"}});
    let access = broker(url.clone(), &[("broker", &[("url", "rediss://:p%23ss@cache:6380/3\n")])]);
    let Ok(QueueSource::Redis { address, database, password, tls, .. }) = access.queues else {
        panic!("a Redis")
    };
    assert_eq!(
        (address.as_str(), database, password.as_deref(), tls),
        ("cache:6380", 3, Some("p#ss"), Some(Tls::default()))
    );

    let access = broker(url, &[("broker", &[("url", "pyamqp://u:p@a//;pyamqp://b")])]);
    let Ok(QueueSource::RabbitMq { url, .. }) = access.queues else { panic!("a RabbitMQ") };
    assert_eq!(url, "amqp://u:p@a:5672/%2F");
    assert_eq!(access.shown.hosts, ["a", "b"]);
}

#[test]
fn what_is_missing_is_named_and_never_quoted() {
    let reference = json!({"urlSecretRef": {"name": "broker", "key": "url"}});
    let unresolved = |secrets: &[(&str, &[(&str, &str)])]| {
        broker(reference.clone(), secrets).queues.err().expect("missing")
    };
    assert_eq!(unresolved(&[]).reason, "SecretNotFound");
    assert_eq!(unresolved(&[("broker", &[])]).reason, "SecretKeyNotFound");
    let bad = unresolved(&[("broker", &[("url", "rabbitmq://u:hunter2@mq")])]);
    assert_eq!(bad.reason, "BrokerUrlInvalid");
    assert!(!bad.message.contains("hunter2") && bad.message.contains("scheme"), "{}", bad.message);
}

#[test]
fn sqs_settings_go_behind_the_dashes() {
    let sqs = json!({"sqs": {"region": "eu-west-1", "queueNamePrefix": "shop-"}});
    let spec = json!({"common": {"image": "shop:1", "celeryApp": "a", "broker": sqs}, "workerSpec": {"args": ["-E"]}});
    let args = resolve(spec, &[]).pools.remove(0).args;
    assert_eq!(
        args[args.len() - 3..],
        ["-E", "--", r#"broker.transport_options=(dict){"queue_name_prefix":"shop-","region":"eu-west-1"}"#]
    );
}
