// SPDX-License-Identifier: Apache-2.0
//! The environment variables of an object: which there are, where they stand, and which of them are settings of Celery.

use std::collections::{HashMap, HashSet};

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar};

use super::subject::{Component, LaidOver, Part, Pool, Subject};
use crate::api::limits;
use crate::celery::environment::{Variable, variable};
use crate::celery::expansion::{self, expanded};
use crate::celery::version::Target;
use crate::names;

/// A variable and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    /// `spec.common.env[0]`
    pub(super) path: String,
    /// The variable.
    pub(super) variable: &'a EnvVar,
    /// Whether containers of workers have it.
    pub(super) reaches_workers: bool,
}

/// Every variable of the shared environment and of each component.
pub(super) fn all<'a>(subject: &Subject<'a>) -> Vec<Place<'a>> {
    let shared = subject.common().env.iter().enumerate().map(|(index, variable)| Place {
        path: format!("spec.common.env[{index}]"),
        variable,
        reaches_workers: !subject.pools.is_empty(),
    });
    let own = subject.components().into_iter().flat_map(|component| {
        let reaches_workers = matches!(component.part, Part::Worker(_));
        let (path, env) = (component.path.clone(), component.env());
        env.iter().enumerate().map(move |(index, variable)| Place {
            path: format!("{path}.env[{index}]"),
            variable,
            reaches_workers,
        })
    });
    shared.chain(own).collect()
}

/// The variables that pod templates lay over those of the operator's own containers.
pub(super) fn laid_over<'s>(subject: &'s Subject<'_>) -> Vec<Place<'s>> {
    let own = [names::WORKER_CONTAINER, names::BEAT_CONTAINER, names::FLOWER_CONTAINER];
    let containers = subject.laid_over.iter();
    let containers = containers.filter(|laid| own.contains(&laid.container.name.as_str()) && !laid.is_init);
    let variables = containers.flat_map(|LaidOver { path, container, .. }| {
        let reaches_workers = container.name == names::WORKER_CONTAINER;
        let env = container.env.iter().flatten().enumerate().take(limits::ITEMS);
        env.map(move |(index, variable)| Place {
            path: format!("{path}.env[{index}]"),
            variable,
            reaches_workers,
        })
    });
    variables.collect()
}

/// A variable of one component's own container: the one that wins over its namesakes.
#[derive(Clone, Debug)]
pub(super) struct Reaching {
    /// Its name, with the prefix of its source.
    pub(super) name: String,
    /// What it holds, where that is written and every variable in it is known.
    pub(super) text: Option<String>,
    /// The entry of a list of variables, or the source that brings it.
    pub(super) path: String,
    /// Who says it.
    pub(super) origin: Origin,
}

/// Who says a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A list of the object, which the operator reads too.
    List,
    /// A template laid over the pods.
    Template,
    /// A `ConfigMap` of the input.
    Map,
}

impl Reaching {
    /// Where its value stands.
    pub(super) fn value_path(&self) -> String {
        if self.origin == Origin::Map { self.path.clone() } else { format!("{}.value", self.path) }
    }

    /// A sentence about its value: of a source it names the variable.
    pub(super) fn told(&self, sentence: &str) -> String {
        if self.origin == Origin::Map {
            format!("has {}: {sentence}", self.name)
        } else {
            sentence.to_owned()
        }
    }
}

/// How deep variables may stand within one another.
const DEPTH: usize = 4;

/// The variables that reach a component's own container, each name once.
pub(super) fn reaching(subject: &Subject<'_>, component: &Component<'_>) -> Vec<Reaching> {
    let mut found: Vec<Reaching> = Vec::new();
    let mut names = HashSet::new();
    let mut add = |one: Reaching| {
        if names.insert(one.name.clone()) {
            found.push(one);
        }
    };
    let own = component.part.own_container();
    for owner in [Some(&component.path), None] {
        let laid =
            subject.laid_over.iter().rev().filter(|laid| {
                laid.component.as_ref() == owner && laid.container.name == own && !laid.is_init
            });
        for laid in laid {
            listed(laid.container.env.as_deref().unwrap_or_default(), &laid.path, Origin::Template, &mut add);
        }
    }
    let shared = "spec.common";
    listed(component.env(), &component.path, Origin::List, &mut add);
    listed(&subject.common().env, shared, Origin::List, &mut add);
    mapped(subject, component.env_from(), &component.path, &mut add);
    mapped(subject, &subject.common().env_from, shared, &mut add);
    let mut texts = texts(&found);
    found.into_iter().map(|one| Reaching { text: texts.remove(&one.name), ..one }).collect()
}

/// A text with its variables, where what they hold is known.
pub(super) fn filled(text: &str, known: &[Reaching]) -> Option<String> {
    expanded(text, |name| known.iter().find(|one| one.name == name)?.text.clone())
}

/// What the variables hold, as far as it is known, each put together once; a `ConfigMap`'s text is taken as it is.
fn texts(all: &[Reaching]) -> HashMap<String, String> {
    let of_maps = all.iter().filter(|one| one.origin == Origin::Map);
    let mut known: HashMap<String, String> =
        of_maps.filter_map(|one| Some((one.name.clone(), one.text.clone()?))).collect();
    for _ in 0..DEPTH {
        let unknown = all.iter().filter(|one| !known.contains_key(&one.name));
        let whole = |one: &Reaching| expanded(one.text.as_deref()?, |name| known.get(name).cloned());
        let next: Vec<_> = unknown.filter_map(|one| Some((one.name.clone(), whole(one)?))).collect();
        known.extend(next);
    }
    known
}

/// The entries of a list; of two of a name the last one counts.
fn listed(env: &[EnvVar], at: &str, origin: Origin, add: &mut impl FnMut(Reaching)) {
    for (index, variable) in env.iter().enumerate().take(limits::ITEMS).rev() {
        let text = variable.value_from.is_none().then(|| variable.value.clone().unwrap_or_default());
        add(Reaching { name: variable.name.clone(), text, path: format!("{at}.env[{index}]"), origin });
    }
}

/// What the `ConfigMap`s of the input bring; the last source of a name wins.
fn mapped(subject: &Subject<'_>, sources: &[EnvFromSource], at: &str, add: &mut impl FnMut(Reaching)) {
    for (index, source) in sources.iter().enumerate().rev() {
        let map = source.config_map_ref.as_ref().and_then(|map| subject.facts.config_texts.get(&map.name));
        let prefix = source.prefix.as_deref().unwrap_or_default();
        for (key, text) in map.into_iter().flatten() {
            let (name, path) = (format!("{prefix}{key}"), format!("{at}.envFrom[{index}]"));
            add(Reaching { name, text: Some(text.clone()), path, origin: Origin::Map });
        }
    }
}

/// The first variable that a text names and that nobody defines; none where a `ConfigMap` or a Secret may define it.
pub(super) fn missing<'t>(subject: &Subject<'_>, text: &'t str) -> Option<&'t str> {
    let names = expansion::names(text);
    if names.is_empty() || !sources(subject).is_empty() {
        return None;
    }
    let places = all(subject);
    names.into_iter().find(|name| !places.iter().any(|place| place.variable.name == *name))
}

/// Every source of variables, of the shared environment and of each component, with its path.
pub(super) fn sources<'a>(subject: &Subject<'a>) -> Vec<(String, &'a EnvFromSource)> {
    let shared = (String::from("spec.common"), subject.common().env_from.as_slice());
    let own = subject.components().into_iter().map(|component| {
        let sources = component.env_from();
        (component.path, sources)
    });
    let numbered = |(path, sources): (String, &'a [EnvFromSource])| {
        let one = move |(index, source)| (format!("{path}.envFrom[{index}]"), source);
        sources.iter().enumerate().map(one).collect::<Vec<_>>()
    };
    std::iter::once(shared).chain(own).flat_map(numbered).collect()
}

/// Whether the variable names the broker for every release in question. What Celery reads itself has no prefix of
/// click's, and is read by 4.x too.
pub(super) fn names_broker(name: &str, celery: Target) -> bool {
    ["CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"].contains(&name)
        || sets(name, "--broker", celery)
}

/// Whether the variable names the result backend for every release in question.
pub(super) fn names_backend(name: &str, celery: Target) -> bool {
    name == "CELERY_RESULT_BACKEND" || sets(name, "--result-backend", celery)
}

/// Whether every release in question takes the variable for this option of `celery` itself.
pub(super) fn sets(name: &str, option: &str, celery: Target) -> bool {
    celery.releases().iter().all(
        |release| matches!(variable(name, *release), Some(Variable::Global(spec)) if spec.name() == option),
    )
}

/// Whether two variables get their values from the same place: then there is one truth, written twice.
pub(super) fn same_key(variable: &EnvVar, reference: Option<&crate::api::SecretKeyRef>) -> bool {
    let key = variable.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref());
    key.zip(reference).is_some_and(|(key, reference)| key.name == reference.name && key.key == reference.key)
}

/// Whether a pool's container may have a variable: it is written, or comes from where nobody looks.
pub(super) fn may_define(subject: &Subject<'_>, pool: &Pool<'_>, name: &str) -> bool {
    let common = subject.common();
    let mut templates = [&common.pod_template, &pool.spec.pod_template].into_iter().flatten();
    subject.env_of(pool).any(|(_, variable)| variable.name == name)
        || !common.env_from.is_empty()
        || !pool.spec.env_from.is_empty()
        || templates.any(|template| template.0.pointer("/spec/containers").is_some())
}
