// SPDX-License-Identifier: Apache-2.0
//! Every rule of the catalogue.

use std::fmt::Write as _;

use celery_operator::rules::{Rule, catalogue, example};
use serde_json::Value;

use crate::markdown::{anchor, block, code, head, table};

/// The page.
pub(crate) fn page() -> String {
    let mut text = head("Rules");
    text.push_str(
        "\nEvery message ends with the id of its rule. A rule that denies refuses the object; one that warns lets it \
         pass with a warning.\nWhere both words stand, the first is for the main case, the second for one that is better \
         or worse: a release whose table is not certain,\na value that may be known elsewhere. What an object had before \
         a change is warned about, whatever the rule.\nThe examples are laid over this object, and a `null` takes a field away;\n\
         `celery-operator explain C04` prints them whole.\n\n",
    );
    text.push_str(&block("yaml", &yaml(&example::object("{}").unwrap_or_default())));
    let rows: Vec<Vec<String>> = catalogue::entries()
        .map(|rule| {
            let link = format!("[{}](#{})", rule.id, anchor(&heading(rule)));
            vec![link, rule.severities(), rule.title.to_owned()]
        })
        .collect();
    let _ = write!(text, "\n{}", table(&["Rule", "", "About"], &rows));
    catalogue::entries().for_each(|rule| section(rule, &mut text));
    text
}

fn heading(rule: &Rule) -> String {
    format!("{}: {}", rule.id, rule.title)
}

fn section(rule: &Rule, text: &mut String) {
    let verb = match rule.severities().as_str() {
        "deny" => "Denies",
        "deny/warn" => "Denies, or warns",
        "warn/deny" => "Warns, or denies",
        _ => "Warns",
    };
    let _ = writeln!(text, "\n## {}\n", heading(rule));
    let fields: Vec<String> = rule.fields().iter().map(|field| code(field)).collect();
    let fields = if fields.is_empty() { String::new() } else { format!(" Looks at {}.", fields.join(", ")) };
    let scaling = if rule.is_about_scaling() { " Asked when the object is scaled." } else { "" };
    let _ = writeln!(text, "{verb}, since {}.{fields}{scaling} Without it: {}", rule.since, rule.consequence);
    let example = &rule.example;
    if let Some(old) = example.old {
        let _ = write!(text, "\nStored before:\n\n{}", overlay(old));
    }
    let _ = write!(text, "\nFound at {}:\n\n{}", code(example.at), overlay(example.bad));
    if example.good != "{}" {
        let _ = write!(text, "\nFree of it:\n\n{}", overlay(example.good));
    }
}

/// What is laid over, line by line.
fn overlay(written: &str) -> String {
    let value: Value = serde_saphyr::from_str(written).unwrap_or_default();
    block("yaml", &yaml(&value))
}

fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).unwrap_or_default()
}
