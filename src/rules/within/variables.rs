// SPDX-License-Identifier: Apache-2.0
//! Rules about variables: which of them kubelet finds where a text names them, and how often each stands in a list.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::{Container, has_text, items, name, pods};
use crate::celery::expansion;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::{Component, Subject};

/// Letters of a name that a warning has room for.
const SHOWN: usize = 16;
/// Variables of one text that are looked at.
const LOOKED_AT: usize = 64;
/// What the names of variables begin with that the operator or kubelet itself may set.
const GIVEN: &[&str] = &["CELERY_", "FLOWER_", "KUBERNETES_"];

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "C59", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a variable that a text names is defined before it",
        consequence: "Kubernetes knows env and envFrom of the same container only, and of env what stands before: anything else stays in the text as $(NAME).",
        check: Check::object(c59),
        example: Example {
            bad: "spec: {common: {env: [{name: CACHE_URL, value: 'http://$(CACHE_HOST)'}, {name: CACHE_HOST, value: cache}]}}",
            at: "spec.common.env[0].value",
            good: "spec: {common: {env: [{name: CACHE_HOST, value: cache}, {name: CACHE_URL, value: 'http://$(CACHE_HOST)'}, {name: HINT, value: write $$(NAME)}]}}",
            old: None,
        },
    },
    Rule {
        id: "C60", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a variable stands once in a list",
        consequence: "The last one wins, and the first one looks as if it counted. In a sidecar or an init container the API server refuses the Deployment.",
        check: Check::object(c60).or(Severity::Deny, "in a sidecar or an init container, where the API server refuses the Deployment"),
        example: Example {
            bad: "spec: {common: {env: [{name: LEVEL, value: info}, {name: LEVEL, value: debug}]}}",
            at: "spec.common.env[1].name",
            good: "spec: {common: {env: [{name: LEVEL, value: info}]}, workerSpec: {env: [{name: LEVEL, value: debug}]}}",
            old: None,
        },
    },
];

/// A variable that is not found, and whether it stands further below.
type Missing<'r> = (&'r str, bool);

/// What becomes of a text in the containers in which it stands.
#[derive(Debug, Default)]
struct Fate<'r> {
    /// Whether it is a whole text in one of them.
    is_fine: bool,
    /// The one that is not found in another of them.
    missing: Option<Missing<'r>>,
}

fn c59(subject: &Subject<'_>, report: &mut Report<'_>) {
    if !has_text(&report.raw()["spec"], "$(") || has_service_links(subject) {
        return;
    }
    let pods = pods(subject, report.raw());
    let mut fates: BTreeMap<String, Fate<'_>> = BTreeMap::new();
    for (at, missing) in pods.iter().flat_map(|pod| &pod.containers).flat_map(texts) {
        let fate = fates.entry(at).or_default();
        fate.is_fine |= missing.is_none();
        fate.missing = fate.missing.or(missing);
    }
    for (at, fate) in fates {
        let Some((name, is_below)) = fate.missing.filter(|_| !fate.is_fine) else { continue };
        let name: String = name.chars().take(SHOWN).collect();
        let fix = if is_below { "move it up" } else { "define it above, or write $$(…)" };
        // Without the text, which may hold a credential.
        report.add(Kind::Forbidden, at, format!("no variable {name} is defined before it"), fix);
    }
}

/// The texts of a container that name variables, and which one each of them misses.
fn texts<'r>(container: &Container<'r>) -> Vec<(String, Option<Missing<'r>>)> {
    let names = container.env.iter().enumerate().map(|(at, (_, variable))| (name(variable), at));
    let places: HashMap<&str, usize> = names.collect();
    let env = container.env.iter().enumerate();
    let env = env.map(|(index, (at, variable))| (format!("{at}.value"), &variable["value"], index));
    let words = container.words.iter().map(|(at, word)| (at.clone(), *word, usize::MAX));
    let texts = env.chain(words).filter_map(|(at, text, before)| Some((at, text.as_str()?, before)));
    texts
        .filter(|(_, text, _)| text.contains("$("))
        .map(|(at, text, before)| (at, missing(text, container, &places, before)))
        .collect()
}

/// The first variable that a text names and the container does not have before this place; whether it has it later.
fn missing<'r>(
    text: &'r str,
    container: &Container<'_>,
    places: &HashMap<&str, usize>,
    before: usize,
) -> Option<Missing<'r>> {
    let is_there = |name: &str| places.get(name).is_some_and(|place| *place < before);
    let is_behind = |name: &str| places.get(name).is_some_and(|place| *place > before);
    // Only within a list can it move up.
    let list = |index: usize| container.env.get(index).and_then(|(at, _)| at.rsplit_once('['));
    let is_below = |name: &str| {
        let place = places.get(name).filter(|place| **place > before);
        place.is_some_and(|place| list(*place).map(|(at, _)| at) == list(before).map(|(at, _)| at))
    };
    let missing = expansion::each(text)
        .take(LOOKED_AT)
        .filter(|name| is_name(name) && !GIVEN.iter().any(|start| name.starts_with(start)))
        .find(|name| !is_there(name) && (!container.has_more || is_behind(name)))?;
    Some((missing, is_below(missing)))
}

/// Whether a name is one as people give them to variables: `$(date)` may be meant for somebody else.
fn is_name(name: &str) -> bool {
    name.starts_with(|letter: char| letter == '_' || letter.is_ascii_uppercase())
        && name.chars().all(|letter| letter == '_' || letter.is_ascii_uppercase() || letter.is_ascii_digit())
}

/// Whether a template asks for the variables that kubelet makes of Services.
fn has_service_links(subject: &Subject<'_>) -> bool {
    let own = subject.components();
    let own = own.iter().filter_map(Component::pod_template);
    let mut templates = subject.common().pod_template.iter().chain(own);
    templates.any(|template| {
        template.0.pointer("/spec/enableServiceLinks").is_some_and(|links| *links != Value::Bool(false))
    })
}

fn c60(subject: &Subject<'_>, report: &mut Report<'_>) {
    let raw = report.raw();
    let mut lists = vec!["spec.common.env".to_owned()];
    lists.extend(subject.components().iter().map(|component| format!("{}.env", component.path)));
    for list in lists {
        for at in twice(&items(raw, &list)) {
            report.add(
                Kind::Duplicate,
                at,
                "is set above too, and the last one wins",
                "remove one of the two",
            );
        }
    }
    let whole = subject.containers().map(|(at, _)| (at, Severity::Deny));
    // In a template the later one is laid over the earlier one.
    let laid = subject.laid_over().map(|(at, _)| (at, Severity::Warn));
    let whole: Vec<_> = whole.chain(laid).collect();
    for (at, severity) in whole {
        for at in twice(&items(raw, &format!("{at}.env"))) {
            let message = match severity {
                Severity::Deny => "is set above too, which no API server takes here",
                Severity::Warn => "is set above too, and the last one wins",
            };
            report.graded(severity, Kind::Duplicate, at, message, "remove one of the two");
        }
    }
}

/// The places of names that stand in a list already.
fn twice(list: &[super::Written<'_>]) -> Vec<String> {
    let mut names = HashSet::new();
    let again =
        list.iter().filter(|(_, variable)| !name(variable).is_empty() && !names.insert(name(variable)));
    again.map(|(at, _)| format!("{at}.name")).collect()
}
