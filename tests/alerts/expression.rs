// SPDX-License-Identifier: Apache-2.0
//! What an expression asks for: metrics, and labels with values. Read by patterns: whether it is an expression at all,
//! promtool says.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

/// What the names of metrics begin with.
const PREFIXES: [&str; 3] = ["celery_operator_", "apiserver_", "process_"];

/// A metric, and what its labels must be like: name, operator, pattern.
#[derive(Debug)]
pub(crate) struct Selector {
    pub(crate) metric: String,
    pub(crate) labels: Vec<(String, String, String)>,
}

/// Every metric that an expression names.
pub(crate) fn selectors(expression: &str) -> Vec<Selector> {
    let metric = Regex::new(r#"([a-z_:][a-z0-9_:]*)(?:\{((?:[^}"]|"[^"]*")*)\})?"#).unwrap();
    let label = Regex::new(r#"([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)""#).unwrap();
    let labels = |inner: &str| {
        label.captures_iter(inner).map(|c| (c[1].to_owned(), c[2].to_owned(), c[3].to_owned())).collect()
    };
    metric
        .captures_iter(expression)
        .filter(|found| PREFIXES.iter().any(|prefix| found[1].starts_with(prefix)))
        .map(|found| Selector {
            metric: found[1].to_owned(),
            labels: found.get(2).map(|inner| labels(inner.as_str())).unwrap_or_default(),
        })
        .collect()
}

/// The labels that an expression groups or joins by.
pub(crate) fn grouping(expression: &str) -> BTreeSet<String> {
    let groups = Regex::new(r"\b(?:by|on|without|ignoring|group_left)\s*\(([^)]*)\)").unwrap();
    let labels = groups.captures_iter(expression).flat_map(|found| {
        let labels = found[1].split(',').map(|label| label.trim().to_owned());
        labels.collect::<Vec<_>>()
    });
    labels.filter(|label| !label.is_empty()).collect()
}

/// What an expression asks for in vain.
pub(crate) fn complaints(
    expression: &str,
    catalogue: &BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
) -> Vec<String> {
    let mut complaints = Vec::new();
    let selectors = selectors(expression);
    let mut labels_there = BTreeSet::new();
    for selector in &selectors {
        let Some(labels) = catalogue.get(&selector.metric) else {
            complaints.push(format!("nobody serves {}", selector.metric));
            continue;
        };
        labels_there.extend(labels.keys().cloned());
        for (label, operator, pattern) in &selector.labels {
            let Some(values) = labels.get(label) else {
                complaints.push(format!("{} has no label {label}", selector.metric));
                continue;
            };
            // Each word of a list of words has to be a value: one that is none would never be missed.
            let words: Vec<&str> =
                if operator.contains('~') { pattern.split('|').collect() } else { vec![pattern.as_str()] };
            for word in words {
                let is_value = Regex::new(&format!("^(?:{word})$")).unwrap();
                if !values.iter().any(|value| is_value.is_match(value)) {
                    complaints.push(format!("{}: {label} is never {word}", selector.metric));
                }
            }
        }
    }
    if selectors.is_empty() {
        complaints.push("asks for nothing".to_owned());
    }
    let strange = grouping(expression).into_iter().filter(|label| !labels_there.contains(label));
    complaints.extend(strange.map(|label| format!("nothing has the label {label}")));
    complaints
}

#[test]
fn what_nobody_serves_is_seen() {
    let catalogue = crate::exposed::catalogue();
    for good in [
        "absent(celery_operator_build_info)",
        "sum by (outcome) (rate(celery_operator_reconciles_total{outcome=~\"done|ApiError\"}[5m])) > 0",
    ] {
        assert_eq!(complaints(good, &catalogue), Vec::<String>::new());
    }
    for (bad, told) in [
        ("celery_operator_leaders", "nobody serves celery_operator_leaders"),
        ("up == 0", "asks for nothing"),
        ("celery_operator_leader{role=\"x\"}", "celery_operator_leader has no label role"),
        ("sum by (role) (celery_operator_leader)", "nothing has the label role"),
        (
            "celery_operator_reconciles_total{outcome=~\"done|ApiErrors\"}",
            "celery_operator_reconciles_total: outcome is never ApiErrors",
        ),
        ("celery_operator_celeries{state!=\"sleepy\"}", "celery_operator_celeries: state is never sleepy"),
    ] {
        assert_eq!(complaints(bad, &catalogue), [told]);
    }
}
