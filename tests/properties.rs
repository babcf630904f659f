// SPDX-License-Identifier: Apache-2.0
//! What holds for every object, also for those that nobody thought of: rules never panic and never quote a secret,
//! defaults add and never change, and the same object gets the same answer.
//!
//! Objects are made of the catalogue's examples laid over each other, with nodes replaced by whatever JSON can hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "properties/planted.rs"]
mod planted;

use celery_operator::defaults::{self, Moment};
use celery_operator::rules::{self, Facts, Finding, catalogue, example, schema};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

/// Part of every secret that is planted.
const SECRET: &str = "hunter2";

/// Texts that have meant trouble somewhere.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a b",
    "-1",
    "0",
    "5.10",
    "100%",
    "12.5%",
    "1Gi",
    "512m",
    "1e400",
    "$(URL)",
    "$",
    "--",
    "-",
    "-Q",
    "-Qa,,b",
    "--concurrency=",
    "--broker=redis://:x@h",
    "redis://[",
    "redis://:p#w@h:99999999999999999999/x;",
    "amqp://%ff%00@h",
    "db+",
    "://",
    ";",
    "default",
    "None",
    "spec.workerPools[0]",
    "a]b[c.d",
    "\u{0}",
    "\u{7}\n",
    "ß\u{1F980}\u{202E}",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        select(vec![-1_i64, 0, 1, 2, 63, 65536, i64::from(i32::MAX), i64::MAX, i64::MIN])
            .prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(TEXTS).prop_map(Value::from),
        ".{0,80}".prop_map(Value::from),
    ]
}

fn anything() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 16, 4, |inner| {
        let key = prop_oneof![Just("name".to_owned()), Just("kind".to_owned()), "[a-z.\\[\\]]{0,6}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn overlays() -> Vec<Value> {
    let texts = catalogue::rules().flat_map(|rule| [rule.example.bad, rule.example.good]);
    texts.map(|text| serde_saphyr::from_str(text).unwrap()).collect()
}

/// Every node below a value, by its JSON pointer.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, child)| pointers(child, &format!("{at}/{}", escaped(key)), found));
        }
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(index, child)| pointers(child, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

/// Several examples at once, some nodes replaced by anything.
fn celery() -> impl Strategy<Value = Value> {
    let laid = prop::collection::vec(select(overlays()), 0..6);
    let edits = prop::collection::vec((any::<Index>(), anything()), 0..4);
    (laid, edits).prop_map(|(laid, edits)| {
        let mut object = example::object("{}").unwrap();
        for overlay in laid {
            json_patch::merge(&mut object, &overlay);
        }
        for (index, value) in edits {
            let mut nodes = Vec::new();
            pointers(&object["spec"], "/spec", &mut nodes);
            if let Some(node) = object.pointer_mut(index.get(nodes.as_slice()).as_str()) {
                *node = value;
            }
        }
        object
    })
}

/// Secrets in every place where people have put them.
fn with_secrets(mut object: Value) -> Value {
    let url = format!("amqp://shop:{SECRET}-1@mq:5672//");
    let planted = json!({"spec": {
        "common": {
            "broker": {"url": format!("redis://:{SECRET}#2@cache:6379/0;rabbitmq://u:{SECRET}@x"),
                       "transportOptions": {"password": format!("{SECRET}-3"), "sentinel_kwargs": {"password": format!("{SECRET}-4")}}},
            "resultBackend": {"url": format!("postgresql://u:{SECRET}-5@db/x")},
            "config": {"broker_url": url, "redis_password": format!("{SECRET}-6"), "nosuch": format!("{SECRET}-7")},
            "env": [{"name": "CELERY_BROKER_URL", "value": url}, {"name": "API_TOKEN", "value": format!("{SECRET}-8")},
                    {"name": "FLOWER_BASIC_AUTH", "value": format!("{SECRET}-9")},
                    {"name": "REMAP_SIGTERM", "value": format!("{SECRET}-10")}],
        },
        "workerSpec": {"args": [format!("--broker={url}"), "-b", url, format!("--pasword={SECRET}-11"), format!("--pasword {SECRET}-12"),
                                "--", format!("broker.url={url}"), format!("redis.password={SECRET}-13")]},
        "flowerSpec": {"args": [format!("--basic_auth={SECRET}-14"), format!("--basic_auht=u:{SECRET}-15"),
                                format!("--broker_api=http://u:{SECRET}-16@mq"), format!("--oauth2_secret={SECRET}-17"),
                                "--basic-auth", format!("u:{SECRET}-18")]},
    }});
    json_patch::merge(&mut object, &planted);
    object
}

/// Places that take something else, with a secret in each of them.
const MISPLACED: &[&str] = &[
    "/common/broker/redis/passwordSecretRef",
    "/common/broker/redis/sentinel/passwordSecretRef",
    "/common/broker/rabbitmq/usernameSecretRef",
    "/common/broker/rabbitmq/managementUrlSecretRef",
    "/common/broker/urlSecretRef",
    "/common/resultBackend/urlSecretRef",
    "/common/imagePullSecrets",
    "/common/env",
    "/common/env/0",
    "/common/env/0/value",
    "/common/env/0/valueFrom",
    "/common/env/0/valueFrom/secretKeyRef",
    "/common/envFrom",
    "/common/envFrom/0/secretRef",
    "/workerSpec/env",
    "/workerSpec/sidecars/0/env/0",
    "/beatSpec/env",
    "/flowerSpec/env/0",
    "/flowerSpec/auth",
    "/flowerSpec/auth/basic",
    "/flowerSpec/auth/basic/secretRef",
    "/flowerSpec/auth/oauth",
    "/flowerSpec/auth/oauth/secretSecretRef",
    "/flowerSpec/auth/allowUnauthenticated",
];

/// What people write there.
fn misplaced() -> impl Strategy<Value = (&'static str, Value)> {
    let texts = prop_oneof![
        Just(json!(SECRET)),
        Just(json!(format!("DB_PASSWORD={SECRET}"))),
        Just(json!(format!("{SECRET}=="))),
        Just(json!(format!("admin:{SECRET}"))),
        Just(json!([SECRET])),
        Just(json!([format!("DB_PASSWORD={SECRET}")])),
        Just(json!({"value": SECRET})),
        Just(json!({"name": "DB_PASSWORD", "value": [SECRET]})),
    ];
    (select(MISPLACED), texts)
}

/// Puts a value at a pointer below the spec, and whatever has to be above it.
fn put(object: &mut Value, pointer: &str, value: Value) {
    let mut place = &mut object["spec"];
    for step in pointer.split('/').skip(1) {
        place = if step == "0" {
            if !place.is_array() {
                *place = json!([null]);
            }
            place.as_array_mut().unwrap().resize(1, Value::Null);
            &mut place[0]
        } else {
            if !place.is_object() {
                *place = json!({});
            }
            &mut place[step]
        };
    }
    *place = value;
}

fn judged(new: &Value, old: Option<&Value>) -> Vec<Finding> {
    rules::check(new, old, &Facts::default()).unwrap_or_default()
}

/// Whether everything in `before` stands in `after` as it did.
fn kept(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => before
            .iter()
            .all(|(key, value)| value.is_null() || after.get(key).is_some_and(|now| kept(value, now))),
        (before, after) => before == after,
    }
}

/// The same objects in every run; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` ask for others and for more.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let free = std::env::var_os("PROPTEST_RNG_SEED").is_some();
    let more = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if more { asked.cases } else { 512 },
        rng_seed: if free { asked.rng_seed } else { RngSeed::Fixed(20_261) },
        failure_persistence: None,
        ..asked
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn defaults_add_and_never_change(object in celery()) {
        for moment in [Moment::Creation, Moment::Later] {
            let after = defaults::defaulted(object.clone(), &defaults::absent(&object, moment));
            prop_assert!(kept(&object, &after), "{object}\n{after}");
            prop_assert_eq!(defaults::absent(&after, moment), []);
        }
    }

    #[test]
    fn any_object_is_judged_without_a_panic_and_always_the_same(new in celery(), old in celery()) {
        let findings = judged(&new, Some(&old));
        prop_assert_eq!(&findings, &judged(&new, Some(&old)));
        let order: Vec<_> = findings.iter().map(|finding| (finding.severity, &finding.path, finding.rule)).collect();
        let mut sorted = order.clone();
        sorted.sort();
        prop_assert_eq!(order, sorted);
        let _ = rules::check_scale(&new);
    }

    #[test]
    fn json_of_any_form_is_survived(new in anything(), old in anything()) {
        let _ = rules::check(&new, Some(&old), &Facts::default());
        let _ = rules::check_scale(&new);
        let _ = defaults::absent(&new, Moment::Creation);
        let inside = json!({"metadata": {"name": "shop"}, "spec": new});
        let _ = rules::check(&inside, None, &Facts::default());
        let _ = defaults::absent(&inside, Moment::Creation);
    }

    #[test]
    fn what_an_object_had_already_is_never_denied(object in celery()) {
        let findings = judged(&object, Some(&object));
        prop_assert!(findings.iter().all(|finding| finding.severity == rules::Severity::Warn), "{findings:?}");
    }

    #[test]
    fn no_secret_is_quoted(object in celery()) {
        for finding in judged(&with_secrets(object), None) {
            prop_assert!(!format!("{finding} {finding:?}").contains(SECRET), "{}", finding);
        }
    }

    #[test]
    fn no_secret_in_a_wrong_place_is_quoted((place, value) in misplaced(), object in celery()) {
        let mut object = object;
        put(&mut object, place, value);
        let reading = schema::reading(&object, &|_| None);
        let rules = judged(&reading.object, None);
        for finding in reading.with(rules) {
            prop_assert!(!format!("{finding} {finding:?}").contains(SECRET), "{place} {}", finding);
        }
    }
}
