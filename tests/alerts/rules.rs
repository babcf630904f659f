// SPDX-License-Identifier: Apache-2.0
//! The alerts: what they ask for is served, each is explained, and each was seen to fire and to hold back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{exposed, expression, items, promtool, text, value, word};

const RULES: &str = "config/prometheus/rules.yaml";
const TESTS: &str = "config/prometheus/rules_test.yaml";
const PAGE: &str = "docs/alerts.md";

fn alerts() -> Vec<Value> {
    let rules = value(RULES);
    let alerts: Vec<Value> =
        items(&rules["spec"]["groups"]).flat_map(|group| items(&group["rules"])).cloned().collect();
    assert!(alerts.len() > 10, "{rules}");
    alerts
}

#[test]
fn what_alerts_ask_for_is_served() {
    let catalogue = exposed::catalogue();
    for alert in alerts() {
        let told = expression::complaints(word(&alert["expr"]), &catalogue);
        assert_eq!(told, Vec::<String>::new(), "{}", alert["alert"]);
    }
}

#[test]
fn every_alert_says_what_to_do() {
    let page = text(PAGE);
    let sections: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    for alert in alerts() {
        let name = word(&alert["alert"]);
        let told = &alert["annotations"];
        for text in ["summary", "description"] {
            assert!(word(&told[text]).ends_with('.'), "{name}: {text}");
        }
        assert_eq!(word(&told["runbook_url"]), format!("{PAGE}#{}", name.to_lowercase()));
        assert!(sections.contains(name), "{PAGE} has no section {name}");
        let severity = word(&alert["labels"]["severity"]);
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity}");
        let section = page.split(&format!("## {name}\n")).nth(1).unwrap().trim_start();
        assert!(section.to_lowercase().starts_with(severity), "{PAGE} does not begin {name} with {severity}");
        // What a description quotes is there once the expression has grouped.
        let expression = word(&alert["expr"]);
        let grouped = expression::grouping(expression);
        for quoted in word(&told["description"]).split("$labels.").skip(1) {
            let label: String =
                quoted.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let is_kept = grouped.is_empty() || grouped.contains(&label);
            assert!(is_kept, "{name} quotes {label}, which its expression drops");
        }
    }
    let names: BTreeSet<String> = alerts().iter().map(|alert| word(&alert["alert"]).to_owned()).collect();
    let extra: Vec<&&str> =
        sections.iter().filter(|section| **section != "Tests" && !names.contains(**section)).collect();
    assert!(extra.is_empty(), "{PAGE} explains what is no alert: {extra:?}");
}

#[test]
fn every_alert_is_tried_on_both_sides() {
    let mut seen: BTreeMap<String, (bool, bool)> = BTreeMap::new();
    let tests = value(TESTS);
    for case in items(&tests["tests"]).flat_map(|test| items(&test["alert_rule_test"])) {
        let (fires, holds) = seen.entry(word(&case["alertname"]).to_owned()).or_default();
        match items(&case["exp_alerts"]).count() {
            0 => *holds = true,
            _ => *fires = true,
        }
    }
    let wanted = alerts().iter().map(|alert| (word(&alert["alert"]).to_owned(), (true, true))).collect();
    assert_eq!(seen, wanted);
}

#[test]
fn promtool_sees_each_alert_fire_and_hold_back() {
    let Some(folder) = promtool::folder() else { return };
    let mut rules = value(RULES)["spec"].take();
    promtool::put(&folder, "rules.yaml", &rules);
    promtool::put(&folder, "rules_test.yaml", &value(TESTS));
    let (is_content, words) = promtool::ask(&folder, &["check", "rules", "rules.yaml"]);
    assert!(is_content, "{words}");
    let (is_content, words) = promtool::ask(&folder, &["test", "rules", "rules_test.yaml"]);
    assert!(is_content, "{words}");
    // A judge that is content with everything judges nothing: no alert may be late unnoticed.
    for group in rules["groups"].as_array_mut().unwrap() {
        for rule in group["rules"].as_array_mut().unwrap() {
            rule["for"] = "10h".into();
        }
    }
    promtool::put(&folder, "rules.yaml", &rules);
    let (is_content, words) = promtool::ask(&folder, &["test", "rules", "rules_test.yaml"]);
    assert!(!is_content);
    for alert in alerts() {
        let name = word(&alert["alert"]);
        assert!(words.contains(&format!("alertname: {name}")), "{name} is late, and nobody notices\n{words}");
    }
}
