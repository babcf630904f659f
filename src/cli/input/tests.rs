// SPDX-License-Identifier: Apache-2.0
//! Files as people write them: which values and lines are read, and what is told of those that cannot be.

use std::fmt::Write as _;

use serde_json::json;

use super::*;

fn input(text: &str) -> Input {
    let mut input = Input::default();
    input.take(Arc::from("a.yaml"), Ok(text.as_bytes().to_vec()));
    input
}

/// The one object of a text.
fn object(text: &str) -> Object {
    let mut input = input(text);
    assert_eq!(input.unreadable, [], "{text}");
    assert_eq!(input.objects.len(), 1, "{text}");
    input.objects.remove(0)
}

/// Line and reason of the one thing that cannot be read.
fn trouble(text: &str) -> (usize, String) {
    let mut input = input(text);
    assert_eq!((input.objects.len(), input.unreadable.len()), (0, 1), "{text}");
    let Unreadable { line, why, .. } = input.unreadable.remove(0);
    (line.expect("has a line"), why)
}

#[test]
fn every_field_knows_its_line() {
    let text = "# head\n\na: 1\nb:\n  c: {d: 2,\n      e: 3}\n  list:\n  - x\n  - y: 1\n    z.w/q: 2\n";
    for (text, before) in [
        (text.to_owned(), 0),
        (text.replace('\n', "\r\n"), 0),
        (format!("\u{feff}{text}"), 0),
        (format!("---\n# nothing\n---\n{text}"), 3),
    ] {
        let Object { node, .. } = object(&text);
        for (path, line) in [
            ("a", 3),
            ("b", 4),
            ("b.c", 5),
            ("b.c.d", 5),
            ("b.c.e", 6),
            ("b.c.absent", 5),
            ("b.c.absent.further[3]", 5),
            ("b.list", 7),
            ("b.list[0]", 8),
            ("b.list[1].y", 9),
            ("b.list[1].z.w/q", 10),
            ("b.list[1][z.w/q]", 10),
            ("b.list[2]", 7),
            ("absent", 3),
        ] {
            assert_eq!(node.line_at(path), line + before, "{path} in {text:?}");
        }
    }
}

#[test]
fn values_are_those_that_kubectl_sends() {
    let text = "a: &x {b: 010, c: 'no', d: no, e: ~, f: !!str 5, g: !!int '6', h: \"5\"}\ni: *x\nj: {<<: *x, b: 1}\n1: k\ny: l\n";
    let inner = json!({"b": 8, "c": "no", "d": false, "e": null, "f": "5", "g": 6, "h": "5"});
    let mut merged = inner.clone();
    merged["b"] = json!(1);
    assert_eq!(object(text).value, json!({"a": inner, "i": inner, "j": merged, "1": "k", "true": "l"}));
}

#[test]
fn an_alias_leads_to_the_lines_of_its_anchor() {
    let Object { node, .. } = object("a: &x\n  b: 5.10\nc: *x\nd:\n  <<: *x\n  e: 1\n");
    assert_eq!((node.line_at("c"), node.line_at("c.b"), node.line_at("d.b")), (3, 2, 2));
    assert_eq!(node.text_at("c.b"), Some("5.10"));
}

#[test]
fn nothing_is_no_null_that_somebody_wrote() {
    let Object { node, value, .. } =
        object("a:\nb: ~\nc: null\nd: '~'\ne:\n- f:\n- {g: , h: ~}\ni: # nothing\n");
    for (path, text) in [
        ("a", ""),
        ("b", "~"),
        ("c", "null"),
        ("d", "~"),
        ("e[0].f", ""),
        ("e[1].g", ""),
        ("e[1].h", "~"),
        ("i", ""),
    ] {
        assert_eq!(node.text_at(path), Some(text), "{path}");
    }
    assert_eq!((&value["a"], &value["d"]), (&json!(null), &json!("~")));
}

#[test]
fn json_is_read_with_its_tabs() {
    let Object { node, value, .. } = object("{\n\t\"a\": {\n\t\t\"b\": [1, \"\\u00fc\\/\"]\n\t}\n}\n");
    assert_eq!(value, json!({"a": {"b": [1, "ü/"]}}));
    assert_eq!(node.line_at("a.b[1]"), 3);
}

#[test]
fn values_of_json_behind_one_another_are_documents() {
    let one = |name: &str| format!("{{\n\t\"kind\": \"{name}\"\n}}");
    for between in ["\n", "", "\r\n\r\n", " "] {
        let input = input(&[one("A"), one("B"), one("C")].join(between));
        let kinds: Vec<_> = input.objects.iter().filter_map(|object| object.node.text_at("kind")).collect();
        assert_eq!((kinds, input.unreadable), (vec!["A", "B", "C"], vec![]), "{between:?}");
    }
    let lines = input("a: 1\n---\n{\"b\": 1}\n\n{\"c\": 2}\n{\"d\": 3, \"d\": 4}\n{\"e\": 5}\n");
    let values: Vec<_> = lines.objects.iter().map(|object| object.value.clone()).collect();
    assert_eq!(values, [json!({"a": 1}), json!({"b": 1}), json!({"c": 2}), json!({"e": 5})]);
    assert_eq!(lines.objects[2].node.line_at("c"), 5);
    assert_eq!(lines.unreadable.len(), 1);
    assert_eq!(lines.unreadable[0].line, Some(6));
    // What is YAML is cut nowhere.
    assert_eq!(object("{a: '}{', # } {\n b: 1}\n").value, json!({"a": "}{", "b": 1}));
    let large = format!("{{\"a\": \"{}\"}}\n", "x".repeat(2 * 1024 * 1024));
    assert_eq!(input(&large.repeat(2)).objects.len(), 2);
}

#[test]
fn lists_are_opened() {
    let input =
        input("kind: List\nitems:\n- kind: A\n- kind: BList\n  items: [{kind: B}]\n- kind: AllowList\n");
    let kinds: Vec<&str> = input.objects.iter().filter_map(|object| object.value["kind"].as_str()).collect();
    assert_eq!(kinds, ["A", "B", "AllowList"]);
    assert_eq!(input.objects[1].node.line_at("kind"), 5);
}

#[test]
fn nothing_is_no_object() {
    for text in [
        "",
        "\n\n",
        "# only this\n",
        "---\n",
        "---\n---\n# a\n---\n",
        "\u{feff}",
        "null\n",
        "%YAML 1.1\n---\n",
    ] {
        let input = input(text);
        assert!(input.objects.is_empty() && input.unreadable.is_empty(), "{text:?}: {input:?}");
    }
}

#[test]
fn trouble_has_a_line_and_leaves_the_other_documents() {
    let (line, why) = trouble("a: 1\nb: [\nc: 2\n");
    assert!(line >= 2 && why.starts_with("is not YAML: "), "{line} {why}");
    assert_eq!(
        trouble("a: 1\nb:\n  c: 1\n  c: 2\n"),
        (4, "has the key \"c\" twice, first in line 3; remove one".to_owned())
    );
    assert_eq!(trouble("a: *b\n").0, 1);
    assert_eq!(trouble("? [a]\n: b\n"), (1, "has a key that is no text".to_owned()));
    assert_eq!(trouble("a: &a [*a]\n").0, 1);
    let input = input("a: 1\n---\nb: [\n---\nc: 1\n");
    assert_eq!(input.objects.len(), 2);
    assert_eq!(input.unreadable[0].line.map(|line| (3..=4).contains(&line)), Some(true));
}

#[test]
fn what_has_to_be_in_quotes_is_told() {
    for letter in ['@', '`', '%'] {
        let told = format!("is not YAML: no text begins with {letter}; put it in quotes");
        assert_eq!(trouble(&format!("a: 1\nurl: {letter}x\n")), (2, told.clone()));
        assert_eq!(trouble(&format!("a: [b, {letter}x]\n")), (1, told));
    }
}

#[test]
fn templates_are_told_to_be_rendered() {
    for text in ["a: {{ .Values.a }}\n", "{{- if .Values.a }}\na: 1\n{{- end }}\n", "a:\n  {{- toYaml . }}\n"]
    {
        assert!(trouble(text).1.contains("helm template"), "{text}");
    }
}

#[test]
fn hostile_sizes_have_an_end() {
    let mut laughs = "a0: &a0 [lol]\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        writeln!(laughs, "a{level}: &a{level} [*a{before}, *a{before}, *a{before}, *a{before}]")
            .expect("grows");
    }
    assert!(trouble(&laughs).1.contains("aliases"));
    let too_deep =
        "is nested more than 100 levels deep, as no object is; look for brackets that nothing closes";
    for deep in ["[".repeat(100_000), "- ".repeat(100_000), format!("a: {}", "{b: ".repeat(200))] {
        assert_eq!(trouble(&deep).1, too_deep);
    }
    trouble(&"a: ".repeat(100_000));
    let nested: String = (0..150).flat_map(|depth| [" ".repeat(depth), "a:\n".to_owned()]).collect();
    assert_eq!(trouble(&nested), (101, too_deep.to_owned()));
    let (line, why) = trouble(&format!("---\na: {}\n", "x".repeat(3 * 1024 * 1024)));
    assert_eq!((line, why.as_str()), (1, "the document is larger than 3 MiB, which no API server takes"));
}

#[test]
fn what_is_no_text_is_told() {
    let mut input = Input::default();
    input.take(Arc::from("a"), Ok(b"a: 1\nb: \xff\n".to_vec()));
    assert_eq!(input.unreadable[0].line, Some(2));
}
