// SPDX-License-Identifier: Apache-2.0
//! Findings lead to the line to mend.

use crate::call::linted;

/// A Celery with mistakes of every kind; the number at the end of a line is that of a finding in it.
const WRONG: &str = r#"# a comment before everything

apiVersion: celeryproject.org/v1alpha1
kind: Celery
metadata:
  name: shop
  labels: {tier: 1, team: a} # S02 metadata.labels[tier]
spec:
  image: shop:1 # S01 spec.image
  common:
    image: &image My/App # C04 spec.common.image
    celeryApp: >-
      shop.tasks
    celeryVersion: 5.10 # S02 spec.common.celeryVersion
    broker: {url: "cache:6379"} # B04 spec.common.broker.url
  workerSpec:
    numOfWorkers: "three" # S02 spec.workerSpec.numOfWorkers
    args:
      - -c
      - 4 # S02 spec.workerSpec.args[1]
  flowerSpec:
    auth: {allowUnauthenticated: true}
    servicePort: 70000 # F09 spec.flowerSpec.servicePort
    resources:
      limit: {cpu: 1} # S01 spec.flowerSpec.resources.limit
  scaleTargetRef:
    - kind: flower
      maxReplicas: 3
      metrics:
        - {name: cpu, target: {type: AverageValue}} # A07 spec.scaleTargetRef[0].metrics[0].target
        - name: memory
          target:
            type: AverageValue
            averageValue: 200Mi
            averageUtilisation: 80 # S01 spec.scaleTargetRef[0].metrics[1].target.averageUtilisation
"#;

/// What the comments of a text ask for.
fn expected(text: &str, before: u64) -> Vec<(String, String, u64)> {
    let told = |(line, text): (usize, &str)| {
        let (rule, path) = text.rsplit_once(" # ")?.1.split_once(' ')?;
        let known = rule.len() == 3 && rule[1..].bytes().all(|byte| byte.is_ascii_digit());
        known.then(|| (rule.to_owned(), path.to_owned(), before + line as u64 + 1))
    };
    text.lines().enumerate().filter_map(told).collect()
}

#[test]
fn every_finding_has_the_line_of_its_field() {
    assert_eq!(linted(WRONG, "json").findings(), expected(WRONG, 0));
    assert_eq!(expected(WRONG, 0).len(), 11);
}

#[test]
fn line_ends_and_marks_of_windows_change_nothing() {
    let windows = format!("\u{feff}{}", WRONG.replace('\n', "\r\n"));
    assert_eq!(linted(&windows, "json").findings(), expected(WRONG, 0));
}

#[test]
fn lines_are_those_of_the_file_and_not_of_the_document() {
    let several = format!("# first\n---\nkind: Secret\n---\n---\n{WRONG}");
    assert_eq!(linted(&several, "json").findings(), expected(WRONG, 5));
}

#[test]
fn an_absent_field_has_the_line_of_its_nearest_parent() {
    let text = "apiVersion: celeryproject.org/v1alpha1\nkind: Celery\nmetadata:\n  name: shop\n\
                spec:\n  workerSpec: {}\n  common:\n    image: shop:1\n    broker: {url: redis://c}\n  scaleTargetRef:\n  - kind: worker\n    metrics:\n    - \
                {name: cpu, target: {type: AverageValue, averageValue: 500m}}\n";
    let found = linted(text, "json").findings();
    let expected = [("C01", "spec.common.celeryApp", 7), ("A02", "spec.scaleTargetRef[0].maxReplicas", 11)];
    assert_eq!(found, expected.map(|(rule, path, line)| (rule.to_owned(), path.to_owned(), line)));
    let nothing = "\n\napiVersion: celeryproject.org/v1alpha1\nkind: Celery\nmetadata: {name: shop}\n";
    let lines: Vec<u64> = linted(nothing, "json").findings().into_iter().map(|(_, _, line)| line).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| *line == 3), "{lines:?}");
}

#[test]
fn an_alias_is_mended_at_its_anchor() {
    let text = "apiVersion: celeryproject.org/v1alpha1\nkind: Celery\nmetadata:\n  name: shop\n  annotations:\n    \
                a: &image My/App\nspec:\n  common:\n    image: *image\n    celeryApp: shop.tasks\n    broker: {url: redis://c}\n  workerSpec: &worker\n    \
                numOfWorkers: -1\n";
    let found = linted(text, "json").findings();
    assert_eq!(found[0], ("C04".to_owned(), "spec.common.image".to_owned(), 9));
    let list = format!(
        "kind: List\napiVersion: v1\nmetadata: {{}}\nitems:\n- &one\n{}\n- <<: *one\n  metadata: {{name: b}}\n",
        text.lines().flat_map(|line| ["  ", line, "\n"]).collect::<String>()
    );
    let lines: Vec<u64> = linted(&list, "json").findings().into_iter().map(|(_, _, line)| line).collect();
    assert_eq!(lines, [14, 18, 14, 18], "both objects come from the same lines");
}

#[test]
fn json_has_lines_too() {
    let text = "{\n\t\"apiVersion\": \"celeryproject.org/v1alpha1\",\n\t\"kind\": \"Celery\",\n\t\"metadata\": {\"name\": \"shop\"},\n\
                \t\"spec\": {\n\t\t\"common\": {\n\t\t\t\"image\": \"My/App\",\n\t\t\t\"celeryApp\": \"a\", \"broker\": {\"url\": \"redis://c\"}\n\t\t},\n\t\t\"workerSpec\": {}\n\t}\n}\n";
    assert_eq!(linted(text, "json").findings(), [("C04".to_owned(), "spec.common.image".to_owned(), 7)]);
}

#[test]
fn an_unquoted_version_keeps_the_text_that_was_written() {
    for written in ["5.10", "5.0", "5", "5_0"] {
        let text = crate::call::good("shop")
            .replace("celeryApp:", &format!("celeryVersion: {written}\n    celeryApp:"));
        let answer = linted(&text, "text");
        assert_eq!(answer.code, 1);
        assert!(answer.out.contains("a.yaml:8: spec.common.celeryVersion: "), "{}", answer.out);
        assert!(answer.out.ends_with(&format!("quote it: \"{written}\" [S02]\n")), "{}", answer.out);
    }
}
