// SPDX-License-Identifier: Apache-2.0
//! What is read, and what cannot be.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::call::{bad, call_in, folder, good};

fn lint(folder: &Path, paths: &[&str]) -> crate::call::Answer {
    call_in(folder, &[&["lint"], paths].concat(), b"")
}

#[test]
fn nothing_denied_is_0_something_denied_is_1_unreadable_is_2() {
    let here = folder(&[("good.yaml", &good("a")), ("bad.yaml", &bad("b")), ("broken.yaml", "a: [\n")]);
    let warned = good("a").replace("redis://cache", "redis://cache/99");
    std::fs::write(here.path().join("warned.yaml"), warned).unwrap();
    for (paths, code, counts) in [
        (&["good.yaml"][..], 0, "1 Celery object in 1 file: 0 denials, 0 warnings"),
        (&["warned.yaml"], 0, "1 Celery object in 1 file: 0 denials, 1 warning"),
        (&["good.yaml", "bad.yaml"], 1, "2 Celery objects in 2 files: 1 denial, 0 warnings"),
        (&["broken.yaml"], 2, "0 Celery objects in 1 file: 0 denials, 0 warnings, 1 unreadable"),
        (
            &["missing", "broken.yaml", "bad.yaml"],
            2,
            "1 Celery object in 2 files: 1 denial, 0 warnings, 2 unreadable",
        ),
    ] {
        let answer = lint(here.path(), paths);
        assert_eq!((answer.code, answer.counts()), (code, counts), "{answer:?}");
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_place_and_the_rest_is_judged() {
    let here = folder(&[("a.yaml", &format!("x: 1\nx: 2\n---\n{}", bad("shop")))]);
    let answer = lint(here.path(), &["nowhere.yaml", "a.yaml"]);
    assert_eq!(answer.code, 2);
    assert!(answer.out.contains("a.yaml:10: spec.common.image: "), "{}", answer.out);
    let told: Vec<&str> = answer.err.lines().collect();
    assert!(told[0].starts_with("nowhere.yaml: "), "{told:?}");
    assert_eq!(told[1], "a.yaml:2: has the key \"x\" twice, first in line 1; remove one");
}

#[test]
fn folders_are_searched_and_hidden_files_are_not() {
    let one = bad("shop");
    let here = folder(&[
        ("a/b/c.yaml", &one),
        ("a/d.yml", &bad("mail")),
        ("a/e.json", "{}"),
        ("a/f.txt", "a: ["),
        ("a/.git/g.yaml", "a: ["),
        (".h.yaml", "a: ["),
    ]);
    std::os::unix::fs::symlink(here.path(), here.path().join("a/round")).unwrap();
    let answer = lint(here.path(), &["."]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let files: Vec<&str> =
        answer.out.lines().filter_map(|line| line.split_once(':').map(|(file, _)| file)).collect();
    assert_eq!(files, ["./a/b/c.yaml", "./a/d.yml"]);
    assert!(answer.counts().starts_with("2 Celery objects in 3 files"), "{answer:?}");
    // A file that is named itself is read whatever it is called.
    assert_eq!(lint(here.path(), &["a/f.txt"]).code, 2);
}

#[test]
fn standard_input_is_read() {
    let here = folder(&[]);
    let answer = call_in(here.path(), &["lint", "-"], bad("shop").as_bytes());
    assert_eq!(answer.code, 1);
    assert!(answer.out.contains("stdin:7: spec.common.image: "), "{}", answer.out);
}

#[test]
fn what_is_no_celery_is_left_alone() {
    let here =
        folder(&[("a.yaml", "kind: Deployment\nspec: {x: y}\n---\n# only this\n---\njust text\n---\n- 1\n")]);
    let answer = lint(here.path(), &["a.yaml"]);
    assert_eq!((answer.code, answer.out.as_str()), (0, ""), "{answer:?}");
    assert!(answer.counts().starts_with("0 Celery objects in 1 file"));
}

#[test]
fn nothing_judged_is_told() {
    let here =
        folder(&[("empty/a.txt", ""), ("other/a.yaml", "kind: Deployment\n"), ("one/a.yaml", &good("a"))]);
    for (path, told) in [
        ("empty", "nothing was judged: there is no .yaml, .yml or .json file"),
        (
            "other",
            "nothing was judged: there is no object with apiVersion celeryproject.org/v1alpha1 and kind Celery",
        ),
        ("one", "1 Celery object in 1 file: 0 denials, 0 warnings"),
    ] {
        let answer = lint(here.path(), &[path]);
        assert_eq!((answer.code, answer.err.lines().next()), (0, Some(told)), "{answer:?}");
    }
}

#[test]
fn a_celery_of_another_name_is_told() {
    for (from, to, at) in [
        ("v1alpha1", "v1", "a.yaml:1: apiVersion: Unsupported value: \"celeryproject.org/v1\""),
        ("kind: Celery", "kind: celery", "a.yaml:2: kind: Unsupported value: \"celery\""),
        (
            "celeryproject.org",
            "celeryprojekt.org",
            "a.yaml:1: apiVersion: Unsupported value: \"celeryprojekt.org/v1alpha1\"",
        ),
    ] {
        let here = folder(&[("a.yaml", &good("shop").replace(from, to))]);
        let answer = lint(here.path(), &["a.yaml"]);
        assert!(answer.code == 1 && answer.out.contains(at), "{answer:?}");
    }
}

/// Where nothing says that it is somebody else's, a Celery with another version is one that nobody would ever apply.
#[test]
fn a_celery_without_a_group_is_ours() {
    const OURS: &str = "apiVersion: celeryproject.org/v1alpha1\n";
    let unsupported = |value: &str| {
        format!(
            "apiVersion: Unsupported value: \"{value}\": is not the apiVersion of a Celery; use celeryproject.org/v1alpha1 [S03]"
        )
    };
    let missing = "apiVersion: Required value: is missing; use celeryproject.org/v1alpha1 [S03]".to_owned();
    let versions = [
        ("apiVersion: v1alpha1\n", unsupported("v1alpha1")),
        ("apiVersion: v1\n", unsupported("v1")),
        ("apiVersion: celeryproject.org\n", unsupported("celeryproject.org")),
        ("apiVersion: /v1alpha1\n", unsupported("/v1alpha1")),
        ("apiVersion: 1\n", unsupported("1")),
        ("apiVersion: [a]\n", unsupported("a")),
        ("apiVersion: ''\n", unsupported("")),
        ("apiVersion:\n", missing.clone()),
        ("", missing.clone()),
    ];
    let item = |text: &str| text.replace('\n', "\n  ").trim_end().to_owned();
    let listed = |version: &str, text: &str| format!("{version}kind: CeleryList\nitems:\n- {}\n", item(text));
    for (version, told) in &versions {
        let text = good("shop").replace(OURS, version);
        for text in [text.clone(), listed("apiVersion: v1\n", &text), listed(OURS, &text)] {
            let here = folder(&[("a.yaml", &text)]);
            let answer = lint(here.path(), &["a.yaml"]);
            assert!(answer.code == 1 && answer.out.contains(told.as_str()), "{text}: {answer:?}");
            let rendered = call_in(here.path(), &["render", "a.yaml"], b"");
            assert_eq!((rendered.code, rendered.out.as_str()), (1, ""), "{text}");
        }
    }
    let bare = good("shop").replace(OURS, "").replace("kind: Celery\n", "");
    for (text, code, told) in [
        (listed(OURS, &bare), 1, missing.as_str()),
        (
            listed(OURS, &good("shop").replace("kind: Celery\n", "")),
            1,
            "kind: Required value: is missing; use Celery [S03]",
        ),
        (listed(OURS, &good("shop")), 0, ""),
        (
            listed("apiVersion: celery.io/v1\n", &good("shop").replace(OURS, "")),
            0,
            "\"celery.io/v1\" is of another group",
        ),
        (listed(OURS, "apiVersion: v1\nkind: Secret\n"), 0, ""),
        (bare, 0, ""),
    ] {
        let here = folder(&[("a.yaml", &text)]);
        let answer = lint(here.path(), &["a.yaml"]);
        assert!(answer.code == code && answer.out.contains(told), "{text}: {answer:?}");
        assert_eq!(answer.out.is_empty(), told.is_empty(), "{text}: {answer:?}");
    }
}

#[test]
fn helm_templates_are_told_to_be_rendered() {
    let text = good("shop").replace("registry.example.com/shop:1.0", "{{ .Values.image }}");
    let here = folder(&[("templates/shop.yaml", &text)]);
    let answer = lint(here.path(), &["."]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.starts_with("./templates/shop.yaml:7: is a Helm template"), "{}", answer.err);
}

#[test]
fn a_celery_of_another_group_is_somebody_elses() {
    for group in ["celery.example.com", "batch.example.org", "celeryworkers.io"] {
        let text = bad("shop").replace("celeryproject.org", group);
        let here = folder(&[("a.yaml", &format!("{text}---\n{text}"))]);
        let answer = lint(here.path(), &["a.yaml"]);
        let told = format!(
            "warning: apiVersion: \"{group}/v1alpha1\" is of another group, and nothing of the object is judged; \
             write celeryproject.org/v1alpha1 if it is meant for this operator [S07]"
        );
        assert_eq!((answer.code, answer.out.matches(&told).count()), (0, 2), "{}", answer.out);
        let rendered = call_in(here.path(), &["render", "a.yaml"], b"");
        assert_eq!((rendered.code, rendered.out.as_str()), (0, ""), "{group}");
    }
}

#[test]
fn two_objects_of_one_name_are_told_apart_by_place() {
    let (web, other) = (good("shop"), good("shop").replace("  name: shop", "  namespace: b\n  name: shop"));
    let nameless = |app: &str| {
        let text = good("shop").replace("  name: shop", "  generateName: shop-");
        text.replace("    image:", &format!("    appName: {app}\n    image:"))
    };
    let here = folder(&[
        ("a.yaml", &format!("{web}---\n{other}---\n{}---\n{}", nameless("one"), nameless("two"))),
        ("b.yaml", &web),
    ]);
    let answer = lint(here.path(), &["."]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(
        answer.out,
        "Celery default/shop\n./b.yaml:4: warning: metadata.name: \"shop\" is the name of the Celery at ./a.yaml:4 too, \
         and only the last one applied stays; rename or remove one of them [S04]\n"
    );
}

#[test]
fn a_quoted_helm_template_is_told_to_be_rendered() {
    let text = good("shop").replace("registry.example.com/shop:1.0", "\"{{ .Values.image }}\"");
    let here = folder(&[("shop.yaml", &text)]);
    let answer = lint(here.path(), &["shop.yaml"]);
    assert_eq!(answer.code, 1);
    assert!(answer.out.contains("render the chart first: helm template CHART"), "{}", answer.out);
}

#[test]
fn hostile_input_is_refused_in_time() {
    let mut laughs = "a0: &a0 [lol]\n".to_owned();
    for level in 1..60 {
        let below = format!("*a{}", level - 1);
        writeln!(laughs, "a{level}: &a{level} [{}]", [below.as_str(); 9].join(", ")).unwrap();
    }
    let here = folder(&[
        ("laughs.yaml", &laughs),
        ("deep.yaml", &"[".repeat(1_000_000)),
        ("long.yaml", &format!("a: {}\n", "x".repeat(4_000_000))),
        ("bytes.yaml", "a: \u{0}\u{1}\n"),
    ]);
    std::fs::write(here.path().join("latin.yaml"), b"a: \xe9\n").unwrap();
    let (done, answer) = mpsc::channel();
    let path = here.path().to_owned();
    thread::spawn(move || done.send(lint(&path, &["."])));
    let answer = answer.recv_timeout(Duration::from_mins(1)).expect("an answer in time");
    assert_eq!(answer.code, 2);
    assert!(answer.counts().ends_with("5 unreadable"), "{answer:?}");
}

#[test]
fn keys_that_a_secret_beside_an_object_lacks_are_told() {
    let object = good("shop")
        .replace("{url: 'redis://cache'}", "{urlSecretRef: {name: keys, key: url}, scheme: redis}");
    assert!(object.contains("urlSecretRef"), "{object}");
    for (data, expected) in [
        ("data: {uri: cmVkaXM6Ly9jYWNoZQ==}", Some("[S05]")),
        ("data: {url: hunter2!}", Some("[S06]")),
        ("data: {url: cmVkaXM6Ly9jYWNoZQ==}", None),
        ("stringData: {url: 'redis://cache'}", None),
    ] {
        let secret =
            format!("apiVersion: v1\nkind: Secret\nmetadata: {name}\n{data}\n", name = "{name: keys}");
        let here = folder(&[("a.yaml", &object), ("b.yaml", &secret)]);
        let answer = lint(here.path(), &["."]);
        assert_eq!(answer.code, i32::from(expected.is_some()), "{answer:?}");
        assert!(expected.is_none_or(|id| answer.out.trim_end().ends_with(id)), "{answer:?}");
        assert!(!answer.out.contains("hunter2"), "{answer:?}");
    }
}
