// SPDX-License-Identifier: Apache-2.0
//! The dashboard: Grafana's own models read all of it, and every panel shows something once it runs on what the operator
//! serves.
//!
//! Grafana itself is not started: that a panel looks well is not shown here.

use std::collections::BTreeSet;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::venv::{self, Pins};
use crate::{exposed, expression, file, items, promtool, value, word};

const DASHBOARD: &str = "config/grafana/celery-operator.json";

/// Grafana's models, as its makers generate them for those who write dashboards in Python.
const MODELS: Pins = Pins {
    project: "grafana-foundation-sdk",
    version: "11.6.0",
    python: 11,
    packages: &["grafana-foundation-sdk==1769699379!11.6.0"],
    beside: &[],
};

/// Panels that show something.
fn panels() -> Vec<Value> {
    let dashboard = value(DASHBOARD);
    items(&dashboard["panels"]).filter(|panel| panel["type"] != "row").cloned().collect()
}

/// Each expression as Grafana sends it, and the panel it is of.
fn expressions() -> Vec<(String, String)> {
    let of_panel = |panel: Value| {
        let title = word(&panel["title"]).to_owned();
        let sent = |target: &Value| {
            word(&target["expr"]).replace("$__rate_interval", "5m").replace("$namespace", ".*")
        };
        items(&panel["targets"]).map(|target| (title.clone(), sent(target))).collect::<Vec<_>>()
    };
    panels().into_iter().flat_map(of_panel).collect()
}

#[test]
fn what_panels_ask_for_is_served_and_all_that_is_served_is_shown() {
    let catalogue = exposed::catalogue();
    let mut shown = BTreeSet::new();
    for (title, expression) in expressions() {
        assert!(!expression.contains('$'), "{title}: {expression}");
        assert_eq!(expression::complaints(&expression, &catalogue), Vec::<String>::new(), "{title}");
        shown.extend(expression::selectors(&expression).into_iter().map(|selector| selector.metric));
    }
    for name in catalogue.keys().filter(|name| name.starts_with("celery_operator_")) {
        let of_histogram = |suffix: &str| name.strip_suffix(suffix).map(|base| format!("{base}_bucket"));
        let bucket = of_histogram("_sum").or_else(|| of_histogram("_count"));
        let is_shown = shown.contains(name) || bucket.is_some_and(|bucket| shown.contains(&bucket));
        assert!(is_shown, "no panel shows {name}");
    }
}

#[test]
fn panels_say_what_they_are_and_lie_beside_each_other() {
    let dashboard = value(DASHBOARD);
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in items(&dashboard["panels"]) {
        let title = word(&panel["title"]);
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: the id is taken");
        let number = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(number("x") + number("w") <= 24, "{title} is wider than the page");
        for (x, y) in (0..number("w")).flat_map(|x| (0..number("h")).map(move |y| (x, y))) {
            assert!(taken.insert((number("x") + x, number("y") + y)), "{title} lies on another panel");
        }
        if panel["type"] == "row" {
            continue;
        }
        assert!(word(&panel["description"]).ends_with('.'), "{title}");
        let targets: Vec<&Value> = items(&panel["targets"]).collect();
        for target in &targets {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            let grouped = expression::grouping(word(&target["expr"]));
            for quoted in word(&target["legendFormat"]).split("{{").skip(1) {
                let label = quoted.split("}}").next().unwrap();
                assert!(grouped.contains(label), "{title}: the legend quotes {label}, which is not there");
            }
        }
        let names: BTreeSet<&str> = targets.iter().map(|target| word(&target["refId"])).collect();
        assert_eq!(names.len(), targets.len(), "{title}: two targets of one name");
    }
}

#[test]
fn every_panel_shows_something_of_what_the_operator_serves() {
    let Some(folder) = promtool::folder() else { return };
    let shows = |(title, expression): (String, String)| {
        // Whatever it shows, some of it is there.
        json!({"expr": format!("count({expression}) > bool 0 # {title}"), "eval_time": "30m",
               "exp_samples": [{"labels": "{}", "value": 1}]})
    };
    let test = |expressions: Vec<(String, String)>| {
        json!({"rule_files": [], "evaluation_interval": "1m", "tests": [{
            "interval": "1m", "input_series": exposed::series(),
            "promql_expr_test": expressions.into_iter().map(shows).collect::<Vec<_>>(),
        }]})
    };
    let expressions = expressions();
    assert!(expressions.len() > 25, "{expressions:?}");
    promtool::put(&folder, "panels.yaml", &test(expressions));
    let (is_content, words) = promtool::ask(&folder, &["test", "rules", "panels.yaml"]);
    assert!(is_content, "{words}");
    for bad in ["celery_operator_celeries{state=\"sleepy\"}", "rate(celery_operator_leader)"] {
        promtool::put(&folder, "panels.yaml", &test(vec![("Nothing".to_owned(), bad.to_owned())]));
        let (is_content, words) = promtool::ask(&folder, &["test", "rules", "panels.yaml"]);
        assert!(!is_content, "{bad}: {words}");
    }
}

/// What Grafana's models say about a dashboard, or about this one where none is given.
fn read_by_grafana(dashboard: Option<&Value>) -> Option<Vec<String>> {
    let site = venv::site(&MODELS)?;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dashboard.json");
    let text = dashboard.map_or_else(|| crate::text(DASHBOARD), Value::to_string);
    std::fs::write(&path, text).unwrap();
    let mut python = site.python();
    let output =
        python.arg(file("tests/alerts/dashboard.py")).arg(&path).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn grafana_knows_every_field_and_every_value() {
    let Some(complaints) = read_by_grafana(None) else { return };
    assert_eq!(complaints, Vec::<String>::new());
    let with = |place: &str, new: Value| {
        let mut dashboard = value(DASHBOARD);
        *dashboard.pointer_mut(place).unwrap() = new;
        read_by_grafana(Some(&dashboard)).unwrap()
    };
    for (place, new, path) in [
        (
            "/panels/1/fieldConfig/defaults/color",
            json!({"modes": "thresholds"}),
            "panels[1].fieldConfig.defaults.color.modes",
        ),
        ("/panels/1/options/graphMode", json!("nothing"), "panels[1].options.graph_mode"),
        (
            "/panels/7/fieldConfig/defaults/custom",
            json!({"lineWith": 1}),
            "panels[7].fieldConfig.defaults.custom.lineWith",
        ),
        ("/panels/1/targets/0", json!({"refId": "A", "expression": "1"}), "panels[1].targets[0].expression"),
        ("/templating/list/0/type", json!("data source"), "templating.list_val[0].type_val"),
        ("/schemaVersion", json!("39"), "schema_version"),
    ] {
        let complaints = with(place, new);
        assert!(complaints.iter().any(|told| told.starts_with(path)), "{path}: {complaints:?}");
    }
}
