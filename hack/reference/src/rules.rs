// SPDX-License-Identifier: Apache-2.0
//! Every rule of the catalogue.

use std::fmt::Write as _;

use celery_operator::rules::{Rule, Severity, catalogue, example};
use serde_json::Value;

use crate::markdown::{anchor, block, code, head, table};

/// What the letters of the ids stand for.
const GROUPS: &[(char, &str, &str)] = &[
    (
        'A',
        "autoscaling",
        "About `scaleTargetRef`: what is scaled, the metrics, and what KEDA measures in the broker.",
    ),
    (
        'B',
        "the broker",
        "About `common.broker`: URLs, parts, Secrets and transport options, and whatever else would choose a broker.",
    ),
    (
        'C',
        "what all share",
        "About `common` and the pods made from it: the application, images, settings, names, volumes, variables and pod templates.",
    ),
    ('F', "Flower", "About `flowerSpec`: arguments, who may look, how it is reached, and what it remembers."),
    (
        'G',
        "stopping and probing",
        "About graceful shutdown, probes and disruption budgets: how long a worker may take to stop, and who asks it whether it is alive.",
    ),
    ('K', "Kubernetes' numbers", "About replicas, resources and rollouts."),
    (
        'R',
        "the result backend",
        "About `common.resultBackend` and whatever else would choose a place for results.",
    ),
    (
        'S',
        "the schema and the input",
        "About unknown fields, wrong types and missing values, which the API server refuses by itself, and about the documents that `lint` and `render` read side by side.",
    ),
    ('T', "pools, queues and beat", "About how pools share queues, and about `beatSpec`."),
    ('W', "workers", "About the fields and arguments of a worker."),
];

/// The page.
pub(crate) fn page() -> String {
    let mut text = head("Rules");
    text.push_str(
        "\nEvery message ends with the id of its rule in brackets, `[C04]`. A rule with the word **deny** refuses the object: \
         nothing is stored until it is mended.\nOne with **warn** lets the object pass, and prints a warning. With both words \
         the first is what the rule mostly does, and the second what it does\nin cases that are worse, or that cannot be \
         known for certain: the rule says which.\nWhen an object is changed, \
         what was wrong with it before is only warned about: a new release of the operator, or of its rules, keeps nobody\n\
         from mending something else.\n\nA warning that you have read and that does not hold for you, since a setting of the broker \
         or of the application cannot be seen from here,\nis silenced by an annotation of the Celery: \
         `celeryproject.org/ignore-rules: \"G11, B30\"`. It counts for `kubectl apply`, `lint` and the status alike; a denial is \
         never silent.\n\nEach example is a part of this object: what it says is added to it or replaces what \
         is there, and `null` removes a field.\n`celery-operator explain C04` prints the whole object.\n\n",
    );
    text.push_str(&block("yaml", &yaml(&example::object("{}").unwrap_or_default())));
    let rules = catalogue::sorted();
    let rows: Vec<Vec<String>> = rules
        .iter()
        .map(|rule| {
            let link = format!("[{}](#{})", rule.id, anchor(&heading(rule)));
            vec![link, rule.severities(), rule.title.to_owned()]
        })
        .collect();
    let _ = write!(text, "\n{}", table(&["Rule", "Does", "Demands"], &rows));
    let mut letter = None;
    for rule in rules {
        let own = rule.id.chars().next();
        if own != letter {
            letter = own;
            group(own.unwrap_or_default(), &mut text);
        }
        section(rule, &mut text);
    }
    text
}

/// The heading of a letter.
fn group(letter: char, text: &mut String) {
    if let Some((_, name, about)) = GROUPS.iter().find(|(known, ..)| *known == letter) {
        let _ = writeln!(text, "\n## {letter}: {name}\n\n{about}");
    }
}

fn heading(rule: &Rule) -> String {
    format!("{}: {}", rule.id, rule.title)
}

fn section(rule: &Rule, text: &mut String) {
    let verb = match rule.severity {
        Severity::Deny => "Denies",
        Severity::Warn => "Warns",
    };
    let exception = rule.exception().map(|exception| format!(" {exception}")).unwrap_or_default();
    let _ = writeln!(text, "\n### {}\n", heading(rule));
    let fields: Vec<String> = rule.fields().iter().map(|field| code(field)).collect();
    let fields = match rule.place() {
        Some(place) => format!(" For example at {}.", code(&place)),
        None if fields.is_empty() => String::new(),
        None => format!(" Looks at {}.", fields.join(", ")),
    };
    let scaling = if rule.is_about_scaling() { " Asked when the object is scaled." } else { "" };
    let _ = writeln!(
        text,
        "{verb}, since {}.{exception}{fields}{scaling} If it is broken: {}",
        rule.since, rule.consequence
    );
    let example = &rule.example;
    if let Some(old) = example.old {
        let _ = write!(text, "\nStored before:\n\n{}", overlay(old));
    }
    let beside = example::beside(rule).map(|beside| format!(", {beside}")).unwrap_or_default();
    let _ = write!(text, "\nWrong, at {}{beside}:\n\n{}", code(example.at), overlay(example.bad));
    if example.good != "{}" {
        let _ = write!(text, "\nRight:\n\n{}", overlay(example.good));
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
