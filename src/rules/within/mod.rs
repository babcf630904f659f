// SPDX-License-Identifier: Apache-2.0
//! Rules about what a pod says of itself: variables in its texts, names of its containers and of its claims.
//!
//! What a name means depends on the whole pod, which several fields and templates make together. Here they are put
//! together as far as these rules ask, each part with the place where it was written.

mod names;
mod variables;

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::path;
use super::rule::Rule;
use super::shell::is_shell;
use super::subject::{Component, Part, Subject};
use crate::api::limits;
use crate::celery::expansion::expands;

/// The rules of this area.
pub(super) const AREAS: &[&[Rule]] = &[variables::RULES, names::RULES];

/// Something that was written, and where.
type Written<'r> = (String, &'r Value);

/// The pod of a component.
#[derive(Debug)]
struct Pod<'r> {
    containers: Vec<Container<'r>>,
    volumes: Vec<Written<'r>>,
    /// The names of all of its containers.
    names: HashSet<&'r str>,
    /// The names of the claims that its containers may use.
    claims: HashSet<&'r str>,
}

/// A container of it.
#[derive(Debug, Default)]
struct Container<'r> {
    /// Its variables in the order in which kubelet reads them.
    env: Vec<Written<'r>>,
    /// Whether it may have others: from Secrets and `ConfigMap`s, from the operator, from what lies beneath it.
    has_more: bool,
    /// Its words, as far as no shell reads them.
    words: Vec<Written<'r>>,
    /// Its uses of claims.
    claims: Vec<Written<'r>>,
}

/// Whether a value holds a field of this name anywhere. Asked before pods are put together, which costs more than most
/// rules and is for nothing where no pod has what a rule is about.
fn has_field(value: &Value, field: &str) -> bool {
    match value {
        Value::Object(fields) => {
            fields.contains_key(field) || fields.values().any(|one| has_field(one, field))
        }
        Value::Array(items) => items.iter().any(|one| has_field(one, field)),
        _ => false,
    }
}

/// Whether a value holds a text with this in it anywhere; asked for the same reason as [`has_field`].
fn has_text(value: &Value, part: &str) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(|one| has_text(one, part)),
        Value::Array(items) => items.iter().any(|one| has_text(one, part)),
        Value::String(text) => text.contains(part),
        _ => false,
    }
}

/// The pods of all components.
fn pods<'r>(subject: &Subject<'_>, raw: &'r Value) -> Vec<Pod<'r>> {
    subject.components().iter().map(|component| pod(component, raw)).collect()
}

fn pod<'r>(component: &Component<'_>, raw: &'r Value) -> Pod<'r> {
    let own_name = component.part.own_container();
    let templates = ["spec.common", component.path.as_str()].map(|at| format!("{at}.podTemplate.spec"));
    let listed = |at: &str| items(raw, at);
    let laid =
        |list: &str| templates.iter().flat_map(|at| listed(&format!("{at}.{list}"))).collect::<Vec<_>>();
    let (over_own, others): (Vec<_>, Vec<_>) =
        laid("containers").into_iter().partition(|(_, one)| one["name"] == own_name);
    let others = others.into_iter().chain(laid("initContainers"));
    let beside = listed(&format!("{}.sidecars", component.path));
    let whole: Vec<Written<'r>> =
        listed("spec.common.initContainers").into_iter().chain(beside).chain(others).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for (_, one) in &whole {
        *times.entry(name(one)).or_default() += 1;
    }
    let mut containers = vec![own(component, &over_own, raw)];
    containers.extend(whole.iter().map(|(at, one)| {
        let mut container = Container::default();
        container.lay(at, one);
        // Of one that is laid over another a part is here only.
        container.has_more |= times.get(name(one)).is_some_and(|times| *times > 1);
        container
    }));
    let shared = if component.has_shared_volumes() { listed("spec.common.volumes") } else { Vec::new() };
    let own_volumes = listed(&format!("{}.volumes", component.path));
    let laid_volumes = templates.iter().flat_map(|at| listed(&format!("{at}.volumes")));
    let claims = templates.iter().flat_map(|at| listed(&format!("{at}.resourceClaims")));
    Pod {
        volumes: by_name(shared.into_iter().chain(own_volumes).chain(laid_volumes)),
        names: whole.iter().map(|(_, one)| name(one)).chain([own_name]).collect(),
        claims: claims.map(|(_, claim)| name(claim)).collect(),
        containers,
    }
}

/// The operator's own container, with what templates lay over it.
fn own<'r>(component: &Component<'_>, over: &[Written<'r>], raw: &'r Value) -> Container<'r> {
    let mut container = Container::default();
    let common = path::at(raw, "spec.common");
    let spec = path::at(raw, &component.path);
    let parts = [("spec.common", common), (component.path.as_str(), spec)];
    for (at, part) in parts.into_iter().filter_map(|(at, part)| Some((at, part?))) {
        container.lay_env(at, part);
    }
    container.claims = items(raw, &format!("{}.resources.claims", component.path));
    let command = items(raw, "spec.common.command");
    if !is_shell(&words(&command)) {
        container.words = command;
    }
    // The arguments of workers are another rule's.
    if !matches!(component.part, Part::Worker(_)) {
        container.words.extend(items(raw, &format!("{}.args", component.path)));
    }
    for (at, one) in over {
        container.lay(at, one);
    }
    container
}

impl<'r> Container<'r> {
    /// Lays a container over this one.
    fn lay(&mut self, at: &str, container: &'r Value) {
        self.lay_env(at, container);
        self.claims.extend(items_at(&format!("{at}.resources.claims"), &container["resources"]["claims"]));
        let command = items_at(&format!("{at}.command"), &container["command"]);
        // A shell has a meaning of its own for such words.
        if !is_shell(&words(&command)) {
            self.words.extend(command);
            self.words.extend(items_at(&format!("{at}.args"), &container["args"]));
        }
    }

    /// Lays variables over those that are there: one takes the place of its namesake, and stands behind all others when
    /// it names some of them.
    fn lay_env(&mut self, at: &str, part: &'r Value) {
        self.has_more |= part["envFrom"].as_array().is_some_and(|sources| !sources.is_empty());
        let env = std::mem::take(&mut self.env);
        let env = env.into_iter().chain(items_at(&format!("{at}.env"), &part["env"]));
        self.env = by_name(env);
    }
}

/// What was written, a later one in the place of an earlier one of its name; one that refers to others comes last.
fn by_name<'r>(written: impl Iterator<Item = Written<'r>>) -> Vec<Written<'r>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut merged: Vec<Option<Written<'r>>> = Vec::new();
    for (at, one) in written {
        let refers = one["value"].as_str().is_some_and(expands);
        match places.get(name(one)).copied() {
            Some(place) if !refers => merged[place] = Some((at, one)),
            before => {
                if let Some(place) = before {
                    merged[place] = None;
                }
                places.insert(name(one), merged.len());
                merged.push(Some((at, one)));
            }
        }
    }
    merged.into_iter().flatten().collect()
}

/// A command as the words of a program.
fn words(command: &[Written<'_>]) -> Vec<String> {
    command.iter().filter_map(|(_, word)| word.as_str().map(str::to_owned)).collect()
}

fn name(item: &Value) -> &str {
    item["name"].as_str().unwrap_or_default()
}

/// The items of a list with their places.
fn items<'r>(raw: &'r Value, at: &str) -> Vec<Written<'r>> {
    path::at(raw, at).map(|list| items_at(at, list)).unwrap_or_default()
}

fn items_at<'r>(at: &str, list: &'r Value) -> Vec<Written<'r>> {
    let items = list.as_array().into_iter().flatten().take(limits::ITEMS).enumerate();
    items
        .filter(|(_, item)| item.get("$patch").is_none())
        .map(|(index, item)| (format!("{at}[{index}]"), item))
        .collect()
}

#[cfg(test)]
mod tests;
