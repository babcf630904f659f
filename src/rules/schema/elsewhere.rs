// SPDX-License-Identifier: Apache-2.0
//! Where an object has a field of the very name that somebody wrote in a wrong place: mostly a matter of indentation.
//! What a mapping holds in parts of its own is looked at first, then what stands above it and what all components share,
//! then the components. Nothing of one component is offered to another.

use serde_json::Value;

use super::compiled::{Fields, Form};
use super::meant::Place;
use super::sentences::below;
use crate::rules::path;

/// Most places that are told; a name that more of them have says too little.
const MOST: usize = 2;
/// What is meant first where several parts have a field of the name.
const FIRST: &str = "broker";
/// Names that every reference has: whoever writes one has hardly a certain reference in mind.
const OF_REFERENCES: [&str; 3] = ["name", "key", "kind"];
/// Mappings in which a reference is what was meant.
const REFERRING: [&str; 3] = [".envFrom[]", ".broker", ".resultBackend"];
/// The components, the one that is meant first in front.
const COMPONENTS: [&str; 3] = ["workerSpec", "beatSpec", "flowerSpec"];

/// The paths that may be meant by a name: those below the mapping `at` as they are seen from there, others from the root.
pub(super) fn paths(at: &str, fields: &Fields, above: &[Place<'_>], name: &str) -> Vec<String> {
    if name == "status" {
        return Vec::new();
    }
    let is_above = at.is_empty() || at == "spec";
    let refers = || REFERRING.iter().any(|end| path::pattern(at).ends_with(end));
    let is_vague = OF_REFERENCES.contains(&name) && !refers();
    let parts = if is_above || is_vague { Vec::new() } else { parts(fields, name) };
    if !parts.is_empty() && parts.len() <= MOST {
        return parts;
    }
    let has = |fields: &Fields| fields.known.contains_key(name);
    // The root's own fields are in nearly every object: below `spec` they are hardly meant.
    let ancestor = above.iter().skip(usize::from(!is_above)).rev().find(|(_, fields)| has(fields));
    if let Some((at, _)) = ancestor {
        return vec![below(at, name, true)];
    }
    let root = above.first().map_or(fields, |(_, root)| root);
    let is_ours = ["", "metadata"].contains(&at) || at.starts_with("spec");
    let Some(spec) = child(root, "spec").filter(|_| is_ours) else { return Vec::new() };
    if !at.starts_with("spec") && has(spec) {
        return vec![format!("spec.{name}")];
    }
    if is_above && child(root, "metadata").is_some_and(has) {
        return vec![format!("metadata.{name}")];
    }
    shared(spec, at, name).unwrap_or_else(|| of_a_component(spec, at, name))
}

/// The names that [`paths`] looks for, for one that is misspelt.
pub(super) fn names<'f>(at: &str, fields: &'f Fields, above: &[Place<'f>]) -> Vec<&'f str> {
    let of = |fields: &'f Fields| fields.known.keys().map(String::as_str);
    let mut names: Vec<&str> = Vec::new();
    if !(at.is_empty() || at == "spec") {
        names.extend(fields.known.keys().filter_map(|part| child(fields, part)).flat_map(of));
    }
    let root = above.first().map_or(fields, |(_, root)| root);
    if let Some(spec) = child(root, "spec").filter(|_| at.starts_with("spec")) {
        let outside = ["spec", "spec.common"].contains(&at);
        let components = COMPONENTS.iter().filter(|_| outside);
        names.extend(components.chain(&["common"]).filter_map(|part| child(spec, part)).flat_map(of));
    }
    names
}

/// Where the parts of a mapping have a field of a name.
fn parts(fields: &Fields, name: &str) -> Vec<String> {
    let holding: Vec<&String> = fields
        .known
        .keys()
        .filter(|part| child(fields, part).is_some_and(|part| part.known.contains_key(name)))
        .collect();
    let first = holding.iter().find(|part| part.as_str() == FIRST);
    let holding = first.map_or_else(|| holding.clone(), |first| vec![*first]);
    holding.into_iter().map(|part| format!("{part}.{name}")).collect()
}

/// Where what all components share has a field of a name; in a part of it only for what stands beside it.
fn shared(spec: &Fields, at: &str, name: &str) -> Option<Vec<String>> {
    let common = child(spec, "common")?;
    if common.known.contains_key(name) {
        return Some(vec![format!("spec.common.{name}")]);
    }
    // A component has a field of this name itself.
    if at != "spec" || !of_a_component(spec, at, name).is_empty() {
        return None;
    }
    let parts = parts(common, name);
    let told = (1..=MOST).contains(&parts.len());
    told.then(|| parts.into_iter().map(|part| format!("spec.common.{part}")).collect())
}

/// The components that have a field of a name, for what stands outside of all of them.
fn of_a_component(spec: &Fields, at: &str, name: &str) -> Vec<String> {
    if !["spec", "spec.common"].contains(&at) {
        return Vec::new();
    }
    let has = |component: &&str| child(spec, component).is_some_and(|fields| fields.known.contains_key(name));
    let mut having: Vec<&str> = COMPONENTS.into_iter().filter(has).collect();
    // A worker is meant more often than the others.
    if having.first() == COMPONENTS.first() {
        having.truncate(1);
    }
    having.iter().map(|component| format!("spec.{component}.{name}")).collect()
}

/// An advice that names the worker, for an object that has pools in its place.
pub(super) fn in_pools(object: &Value, fix: String) -> String {
    let has = |field: &str| object.pointer(field).is_some_and(|value| !value.is_null());
    if has("/spec/workerPools") && !has("/spec/workerSpec") {
        fix.replace("spec.workerSpec.", "spec.workerPools[].")
    } else {
        fix
    }
}

fn child<'f>(fields: &'f Fields, name: &str) -> Option<&'f Fields> {
    match &fields.known.get(name)?.form {
        Form::Object(fields) => Some(fields),
        _ => None,
    }
}
