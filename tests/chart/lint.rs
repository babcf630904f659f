// SPDX-License-Identifier: Apache-2.0
//! What Helm's own linter says, and what belongs together.

use serde_json::Value;

use crate::helm::{beside, chart, helm, printed};
use crate::stack;

#[test]
fn helm_finds_nothing_to_say() {
    let full = beside("full.yaml");
    for (chart, arguments) in [
        (chart("celery-operator-crds"), vec![]),
        (chart("celery-operator"), vec![]),
        (chart("celery-operator"), vec!["--values", full.as_str()]),
    ] {
        let text = printed(helm().args(["lint", "--strict"]).arg(&chart).args(&arguments));
        assert!(text.contains("0 chart(s) failed"), "{text}");
        assert!(!text.contains("[WARNING]") && !text.contains("[ERROR]"), "{text}");
    }
    let stack = stack::packaged();
    let text = printed(helm().args(["lint", "--strict"]).arg(stack.path()));
    assert!(!text.contains("[WARNING]") && !text.contains("[ERROR]"), "{text}");
}

#[test]
fn charts_have_the_release_of_the_operator() {
    for name in ["celery-operator-crds", "celery-operator", "celery-stack"] {
        let text = std::fs::read_to_string(chart(name).join("Chart.yaml")).unwrap();
        let chart: Value = serde_saphyr::from_str(&text).unwrap();
        for key in ["version", "appVersion"] {
            assert_eq!(chart[key], env!("CARGO_PKG_VERSION"), "{name}: {key}");
        }
        let dependencies = chart["dependencies"].as_array().into_iter().flatten();
        for dependency in dependencies.filter(|it| it["name"] != "keda") {
            assert_eq!(dependency["version"], env!("CARGO_PKG_VERSION"), "{dependency}");
        }
    }
}
