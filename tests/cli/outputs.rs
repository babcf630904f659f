// SPDX-License-Identifier: Apache-2.0
//! The forms in which findings are printed.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::call::{Answer, bad, call_in, folder, good, linted};

fn several(output: &str) -> Answer {
    let warned = good("b").replace("redis://cache", "redis://cache/99");
    let here = folder(&[
        ("one.yaml", &format!("{}---\n{warned}", bad("a"))),
        ("two, %: x.yaml", &bad("c")),
        ("broken.yaml", "a: [\n"),
    ]);
    call_in(
        here.path(),
        &["lint", "-n", "web", "-o", output, "one.yaml", "two, %: x.yaml", "broken.yaml"],
        b"",
    )
}

#[test]
fn text_is_grouped_by_object() {
    let out = several("text").out;
    let lines: Vec<&str> = out.lines().collect();
    let image = "spec.common.image: Invalid value: \"My/App\": has capital letters in the repository name; use registry/name:tag in lower-case letters [C04]";
    assert_eq!(lines[..4], ["Celery web/a", &format!("one.yaml:7: {image}"), "", "Celery web/b"]);
    assert!(
        lines[4].starts_with("one.yaml:20: warning: spec.common.broker.url: \"99\" is above 15, "),
        "{out}"
    );
    assert!(lines[4].ends_with(" [B12]"), "{out}");
    assert_eq!(lines[5..], ["", "Celery web/c", &format!("two, %: x.yaml:7: {image}")]);
}

#[test]
fn json_is_one_array() {
    let rows: Vec<Value> = serde_json::from_str(&several("json").out).unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[0],
        serde_json::json!({"file": "one.yaml", "line": 7, "namespace": "web", "name": "a", "rule": "C04",
            "severity": "deny", "path": "spec.common.image", "message": "has capital letters in the repository name",
            "fix": "use registry/name:tag in lower-case letters"})
    );
    assert_eq!((&rows[1]["severity"], &rows[1]["line"]), (&"warn".into(), &20.into()));
    let names: BTreeSet<&str> = rows[2].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names.len(), 9);
}

#[test]
fn github_commands_are_escaped() {
    let out = several("github").out;
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines[0].starts_with("::error file=one.yaml,line=7,title=C04::spec.common.image: Invalid value: ")
    );
    assert!(lines[1].starts_with("::warning file=one.yaml,line=20,title=B12::spec.common.broker.url: "));
    assert!(lines[2].starts_with("::error file=two%2C %25%3A x.yaml,line=7,title=C04::"));
    assert!(
        lines[3].starts_with("::error file=broken.yaml,line=")
            && lines[3].contains(",title=unreadable::is not YAML")
    );
    assert_eq!(lines.len(), 4);
}

#[test]
fn sarif_holds_what_a_scanner_needs() {
    let log: Value = serde_json::from_str(&several("sarif").out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: BTreeSet<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rules.len());
    for rule in rules {
        assert!(rule["shortDescription"]["text"].is_string() && rule["fullDescription"]["text"].is_string());
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        assert!(!place["artifactLocation"]["uri"].as_str().unwrap().contains([' ', '\\']));
    }
    assert_eq!(
        results[2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "two,%20%25%3A%20x.yaml"
    );
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"].as_array().unwrap().len(), 1);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for output in ["text", "json", "sarif", "github"] {
        assert_eq!(several(output), several(output));
    }
}

#[test]
fn nothing_secret_is_printed() {
    let text = good("shop").replace("'redis://cache'", "'redis://:hunter2@cache/x'")
        + "  hunter: {url: 'redis://:hunter2@cache'}\n---\nkind: Secret\napiVersion: v1\nmetadata: {name: s}\nstringData: {p: hunter2}\n";
    let here = folder(&[("a.yaml", &text)]);
    for output in ["text", "json", "sarif", "github"] {
        let answer = call_in(here.path(), &["lint", "-o", output, "a.yaml"], b"");
        assert_eq!(answer.code, 1);
        assert!(!answer.out.contains("hunter2") && !answer.err.contains("hunter2"), "{answer:?}");
    }
}

/// What the README shows is what is printed.
#[test]
fn the_readme_shows_what_lint_prints() {
    let text = good("shop").replace("    celeryApp", "    celeryVersion: 5.10\n    celeryApp");
    let text = text.replace("  workerSpec: {}", "  workerSpec:\n    numOfWorker: 3");
    let here = folder(&[("deploy/shop.yaml", &text)]);
    let answer = call_in(here.path(), &["lint", "deploy"], b"");
    let shown = format!("$ celery-operator lint deploy\n{}{}", answer.out, answer.err);
    let page = include_str!("../../README.md");
    assert!(page.contains(&shown), "{shown}");
}

#[test]
fn no_form_repeats_a_secret_from_a_wrong_place() {
    let text = good("a").replace(
        "  workerSpec: {}",
        "  workerSpec: {env: ['DB_PASSWORD=hunter2'], args: '--db-password=hunter2'}\n  \
         flowerSpec: {auth: {basic: 'ann:hunter2'}, env: [{name: FLOWER_BASIC_AUTH, value: 'ann:hunter2'}]}",
    );
    let text = text.replace("{url: 'redis://cache'}", "{redis: {host: cache, passwordSecretRef: hunter2}}");
    let here = folder(&[("a.yaml", &text)]);
    for output in ["text", "json", "github", "sarif"] {
        let answer = call_in(here.path(), &["lint", "-o", output, "a.yaml"], b"");
        assert_eq!(
            (answer.code, answer.out.matches("[S02]").count() > 3),
            (1, output != "json"),
            "{answer:?}"
        );
        assert!(
            !answer.out.contains("hunter2") && !answer.err.contains("hunter2"),
            "{output}: {}",
            answer.out
        );
    }
}

#[test]
fn no_form_shows_a_password_whatever_field_it_stands_in() {
    let places = [
        r#"common: {broker: {url: null, redis: {host: "PASSWORD"}}}"#,
        r#"common: {broker: {url: null, rabbitmq: {host: "PASSWORD"}}}"#,
        r#"common: {broker: {url: null, sqs: {region: "PASSWORD"}}}"#,
        r#"common: {broker: {url: null, redis: {host: cache, sentinel: {masterName: "PASSWORD"}}}}"#,
        r#"common: {image: "PASSWORD", command: "PASSWORD"}"#,
        r#"workerSpec: {args: "worker --broker PASSWORD -E", queues: ["PASSWORD"]}"#,
        r#"flowerSpec: {args: ["PASSWORD"], urlPrefix: "PASSWORD", ingress: {host: "PASSWORD"}}"#,
        r#"flowerSpec: {auth: {oauth: {provider: github, emails: [a@b.c], redirectUri: "PASSWORD"}}}"#,
    ];
    let forms = ["user:hunter2@host", "redis://:hunter2@h", "a:hunter2@b"];
    let specs = places.iter().flat_map(|place| forms.map(|form| place.replace("PASSWORD", form)));
    let objects = specs.map(|spec| {
        let mut object: Value = serde_saphyr::from_str(&good("shop")).unwrap();
        json_patch::merge(
            &mut object,
            &serde_saphyr::from_str::<Value>(&format!("spec: {{{spec}}}")).unwrap(),
        );
        serde_saphyr::to_string(&object).unwrap()
    });
    let text = objects.collect::<Vec<String>>().join("---\n");
    for output in ["text", "json", "sarif", "github"] {
        let answer = linted(&text, output);
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(answer.out.contains("B41"), "{output}: {}", answer.out);
        assert!(!answer.out.contains("hunter2") && !answer.err.contains("hunter2"), "{output}: {answer:?}");
    }
}

#[test]
fn no_form_shows_a_password_that_stands_in_the_place_of_a_name() {
    for overlay in [
        "spec: {common: {broker: {'redis://:hunter2@x/0': 1}}}",
        "spec: {common: {env: [{PASSWORD=hunter2: x}]}}",
        "spec: {common: {config: {'redis://:hunter2@x/0': 1}}}",
        "spec: {common: {broker: {url: 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2=='}}}",
        "{metadata: {name: 'u:hunter2@h'}, spec: {common: {image: My/App}}}",
        "spec: {common: {celeryApp: 'app --password hunter2'}}",
    ] {
        let mut object: Value = serde_saphyr::from_str(&good("shop")).unwrap();
        json_patch::merge(&mut object, &serde_saphyr::from_str::<Value>(overlay).unwrap());
        let text = serde_saphyr::to_string(&object).unwrap();
        for output in ["text", "json", "sarif", "github"] {
            let answer = linted(&text, output);
            assert_eq!(answer.code, 1, "{overlay} {output}: {answer:?}");
            assert!(
                !answer.out.contains("hunter2") && !answer.err.contains("hunter2"),
                "{output}: {answer:?}"
            );
        }
    }
}

/// A file, a name, a namespace, a key and what YAML itself complains about can be anybody's, a pull request's above all.
#[test]
fn no_form_lets_through_what_acts_on_a_terminal_or_on_who_reads_a_log() {
    const FORGED: &str = "\n::error title=forged::\u{1b}[2J\u{202e}\u{200b}\u{9b}";
    let escaped = r"\n::error title=forged::\e[2J\u202e\u200b\x9b";
    let overlay = good("shop")
        .replace("name: shop", &format!("name: \"a{escaped}\"\n  namespace: \"b{escaped}\""))
        .replace("broker:", &format!("config: {{\"c{escaped}\": 1}}\n    \"d{escaped}\": 2\n    broker:"))
        .replace("shop.tasks", &format!("\"e{escaped}\""));
    let twice = format!("\"f{escaped}\": 1\n\"f{escaped}\": 2\n");
    let name = format!("x{FORGED}.yaml");
    let here = folder(&[
        (&name, &format!("{overlay}---\n{overlay}---\n{twice}")),
        ("::error title=forged::", &twice),
    ]);
    let acts =
        |letter: char| letter.is_control() && letter != '\n' || ['\u{202e}', '\u{200b}'].contains(&letter);
    for output in ["text", "json", "sarif", "github"] {
        let paths = [name.as_str(), "::error title=forged::"];
        let answer = call_in(here.path(), &[&["lint", "-o", output][..], &paths].concat(), b"");
        assert_eq!(answer.code, 2, "{answer:?}");
        for text in [&answer.out, &answer.err] {
            assert!(!text.contains(acts), "{output}: {text:?}");
            let forged = |line: &&str| line.starts_with("::") && line.contains("title=forged::");
            let own = |line: &&str| line.contains(",title=") && !line.starts_with("::error title=");
            assert_eq!(text.lines().filter(forged).find(|line| !own(line)), None, "{output}: {text}");
        }
        assert!(answer.err.contains("has the key \"f"), "{answer:?}");
        if output == "json" {
            let rows: Vec<Value> = serde_json::from_str(&answer.out).unwrap();
            assert!(rows.iter().all(|row| row["file"] == name.as_str()), "{rows:?}");
        }
    }
    let rendered = call_in(here.path(), &["render", &name, "::error title=forged::"], b"");
    assert!(!rendered.err.contains(acts) && !rendered.err.contains("\n::"), "{rendered:?}");
}

#[test]
fn a_key_that_stands_twice_is_shown_as_every_name() {
    for (key, shown) in [
        ("'redis://:hunter2@cache'", "redis://***@cache"),
        ("'PASSWORD=hunter2'", "***"),
        (&*"x".repeat(70), &*format!("{}…", "x".repeat(64))),
    ] {
        let text = format!("kind: Secret\nstringData:\n  {key}: 1\n  {key}: 2\n");
        for output in ["text", "json", "sarif", "github"] {
            let answer = linted(&text, output);
            assert_eq!(answer.code, 2);
            let told = format!("a.yaml:4: has the key \"{shown}\" twice, first in line 3; remove one");
            assert!(answer.err.contains(&told) && !answer.out.contains("hunter2"), "{output}: {answer:?}");
        }
    }
}
