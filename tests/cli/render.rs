// SPDX-License-Identifier: Apache-2.0
//! `render`: the children, without anything out of a Secret.

use std::fs;

use serde_json::Value;

use crate::call::{bad, call, call_in, folder, good};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
/// Every password of every case contains this text.
const PASSWORD: &str = "hunter2";

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

/// What identifies a child.
fn key(child: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&child["kind"]), text(&child["metadata"]["name"]))
}

/// The child without what is made from a Secret or from the owner's identity.
fn comparable(mut child: Value) -> Value {
    let metadata = child["metadata"].as_object_mut().unwrap();
    metadata.remove("ownerReferences");
    metadata.remove("annotations");
    if child["kind"] == "Secret" {
        child["data"] = Value::Null;
        child["stringData"] = Value::Null;
    }
    child
}

#[test]
fn the_children_are_those_of_the_reconciler() {
    let mut compared = 0;
    for entry in fs::read_dir(GOLDEN).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(case) = name.strip_suffix(".yaml").filter(|case| !case.ends_with(".children")) else {
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        let without: &[&str] = match text.lines().next() {
            Some("# keda: false") => &["--without-keda"],
            Some("# monitors: false") => &["--without-monitors"],
            _ => &[],
        };
        let arguments = [&["render", path.to_str().unwrap()][..], without].concat();
        let answer = call(&arguments);
        assert_eq!(answer.code, 0, "{case}: {answer:?}");
        assert!(!answer.out.contains(PASSWORD) && !answer.err.contains(PASSWORD), "{case}");
        let golden = documents(&fs::read_to_string(format!("{GOLDEN}/{case}.children.yaml")).unwrap());
        let rendered = documents(&answer.out);
        // Where a password is missing the reconciler waits; here its place is held.
        if case == "typed-secret-missing" {
            assert!(rendered.len() > golden.len());
            continue;
        }
        let keys = |children: &[Value]| children.iter().map(key).collect::<Vec<_>>();
        assert_eq!(keys(&rendered), keys(&golden), "{case}");
        for (rendered, golden) in rendered.into_iter().zip(golden) {
            assert_eq!(comparable(rendered), comparable(golden), "{case}");
            compared += 1;
        }
    }
    assert!(compared > 30, "only {compared} children were compared");
}

#[test]
fn a_secret_is_rendered_with_placeholders() {
    let text = good("shop")
        .replace("{url: 'redis://cache'}", "{redis: {host: cache, passwordSecretRef: {name: s, key: p}}}");
    let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {p: aHVudGVyMg==}\n";
    for text in [text.clone(), text + secret] {
        let here = folder(&[("a.yaml", &text)]);
        let answer = call_in(here.path(), &["render", "-n", "web", "a.yaml"], b"");
        assert_eq!(answer.code, 0);
        assert!(answer.out.starts_with("# Credentials are not printed"), "{}", answer.out);
        assert!(!answer.out.contains("aHVudGVyMg") && !answer.out.contains(PASSWORD));
        let secret = &documents(&answer.out)[0];
        assert_eq!(secret["stringData"]["url"], "redis://:REDACTED@cache:6379/0");
        assert_eq!(secret["stringData"]["password"], "REDACTED");
        assert_eq!(secret["metadata"]["namespace"], "web");
        assert!(secret.get("data").is_none());
    }
}

#[test]
fn nothing_is_printed_of_what_is_denied() {
    let here = folder(&[("a.yaml", &format!("{}---\n{}", bad("one"), good("two")))]);
    let answer = call_in(here.path(), &["render", "a.yaml"], b"");
    assert_eq!(answer.code, 1);
    let names: Vec<String> = documents(&answer.out).iter().map(|child| key(child).1).collect();
    assert_eq!(names, ["two-worker"]);
    assert!(answer.err.contains("a.yaml:7: spec.common.image: "), "{}", answer.err);
    assert_eq!(answer, call_in(here.path(), &["render", "a.yaml"], b""));
}

#[test]
fn a_url_that_is_not_known_is_told() {
    let answer = call(&["render", "tests/golden/secret-missing.yaml"]);
    assert_eq!(answer.code, 0);
    let told =
        "Secret \"broker\" is not in the input: its URL is not known; pass the file with the Secret too";
    assert!(answer.err.contains(told), "{}", answer.err);
    assert!(answer.err.contains("not rendered: ScaledObject shop-worker"), "{}", answer.err);
}

/// Who says that something is not there is told what is left out for it, by `lint` too.
#[test]
fn what_the_cluster_lacks_is_told() {
    let spec = "  workerSpec: {queues: [mail]}\n  flowerSpec: {auth: {allowUnauthenticated: true}}\n  \
                scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, \
                target: {type: AverageValue, averageValue: 5}}]}]\n";
    let text = good("shop")
        .replace("  workerSpec: {}\n", spec)
        .replace("    celeryApp", "    metrics: {flowerServiceMonitor: true}\n    celeryApp");
    let here = folder(&[("a.yaml", &text)]);
    let lacking = ["--without-keda", "--without-monitors"];
    let lint = call_in(here.path(), &[&["lint", "a.yaml"][..], &lacking].concat(), b"");
    let render = call_in(here.path(), &[&["render", "a.yaml"][..], &lacking].concat(), b"");
    assert_eq!((lint.code, render.code), (0, 0), "{lint:?} {render:?}");
    for id in ["[A15]", "[F50]"] {
        assert!(lint.out.contains(id) && render.err.contains(id), "{lint:?} {render:?}");
    }
    for told in [
        "not rendered: ScaledObject shop-worker, the cluster has no KEDA",
        "not rendered: ServiceMonitor shop-flower, the cluster has no Prometheus operator",
    ] {
        assert_eq!(render.err.matches(told).count(), 1, "{}", render.err);
    }
    assert!(!render.err.contains("TriggerAuthentication") && !render.err.contains("not known"), "{render:?}");
    let all = call_in(here.path(), &["render", "a.yaml"], b"");
    assert!(all.err.is_empty() || !all.err.contains("not rendered"), "{all:?}");
    assert!(!call_in(here.path(), &["lint", "a.yaml"], b"").out.contains("[A15]"));
}

#[test]
fn the_address_of_a_management_api_keeps_its_host() {
    let answer = call(&["render", "tests/golden/typed-rabbitmq-tls.yaml"]);
    assert!(answer.out.contains("managementUrl: https://REDACTED:REDACTED@mq:15671/shop"), "{}", answer.out);
}

/// The objects are the real ones: who writes a password into the Celery finds it there, and is warned of it without it.
#[test]
fn what_is_written_into_the_celery_is_printed_and_told_of() {
    let text = good("shop").replace("redis://cache", "redis://:hunter2@cache").replace(
        "  workerSpec: {}",
        "    env: [{name: DB_PASSWORD, value: hunter2}]\n  workerSpec: {}\n  flowerSpec: {args: ['--basic_auth=ann:hunter2']}",
    );
    let here = folder(&[("a.yaml", &text)]);
    let answer = call_in(here.path(), &["render", "a.yaml"], b"");
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.out.contains("value: redis://:hunter2@cache") && answer.out.contains("value: hunter2"));
    assert!(
        answer.out.contains("--basic_auth=REDACTED") && !answer.out.contains("ann:hunter2"),
        "{}",
        answer.out
    );
    assert!(answer.err.contains("[B26]") && answer.err.contains("[B40]"), "{}", answer.err);
    assert!(!answer.err.contains(PASSWORD), "{}", answer.err);
    let help = call(&["render", "--help"]).out;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "is printed as the objects will hold it",
        "No credential out of a Secret is printed, and none is needed",
    ] {
        assert!(help.contains(told), "{help}");
    }
    assert!(call(&["render", "-h"]).out.contains("without a credential out of any Secret"));
}
