// SPDX-License-Identifier: Apache-2.0
//! What an option of Flower gets, and from where: its arguments win over its configuration file, and that over its
//! environment. Much of it cannot be seen from here, and a rule must know what it does not know.

use k8s_openapi::api::core::v1::EnvVar;
use serde_json::Value;

use crate::api::{AnyObject, Celery, FlowerSpec};
use crate::celery::environment::flower_variable;
use crate::celery::expansion::expands;
use crate::celery::flower::{Occurrence, Reading, is_true};
use crate::celery::options::flower::TornadoType;
use crate::celery::value::click_truth;
use crate::effective::{self, Effective};
use crate::names;
use crate::rules::facts::Facts;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::subject::{Component, Part, Subject};

/// Where Flower stands in the object.
pub(super) const PATH: &str = "spec.flowerSpec";

/// Flower as it is written, with what surrounds it.
#[derive(Clone, Debug)]
pub(super) struct Flower<'a> {
    /// Its fields.
    pub(super) spec: &'a FlowerSpec,
    /// Its arguments, as the release reads them that was named, else the newest.
    pub(super) reading: Reading<'a>,
    pub(super) object: &'a Celery,
    pub(super) facts: &'a Facts,
}

/// What an option or a variable gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given<'a> {
    /// Nothing.
    Absent,
    /// Perhaps something: a file or a list of variables may set it that nobody can look into from here.
    Unknown,
    /// Something that cannot be read from here.
    Hidden(Place),
    /// This text; it may be a secret.
    Text(&'a str, Place),
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the argument at this path.
    Argument(String),
    /// In the environment variable at this path.
    Variable(String),
}

impl Place {
    /// The path of the value.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Argument(path) | Self::Variable(path) => path,
        }
    }

    /// Reports what is wrong with the value there. What a variable holds is not shown: it may be meant as a secret.
    pub(super) fn blame(
        &self,
        severity: Severity,
        message: impl Into<String>,
        fix: impl Into<String>,
        report: &mut Report<'_>,
    ) {
        match self {
            Self::Argument(path) => report.graded(severity, Kind::Invalid, path, message, fix),
            Self::Variable(path) => report.add_hidden(severity, path, message, fix),
        }
    }
}

impl<'a> Given<'a> {
    /// The text and its place, where both are known.
    pub(super) fn text(&self) -> Option<(&'a str, &Place)> {
        match self {
            Self::Text(text, place) => Some((text, place)),
            _ => None,
        }
    }

    /// Whether nothing is given, for sure.
    pub(super) fn is_absent(&self) -> bool {
        *self == Self::Absent
    }

    /// A switch: on, off, or not known. Arguments and variables are read differently.
    pub(super) fn switch(&self) -> Option<bool> {
        let (text, place) = self.text()?;
        match place {
            Place::Argument(_) => Some(is_true(text)),
            Place::Variable(_) => click_truth(text),
        }
    }
}

impl<'a> Flower<'a> {
    /// The Flower of an object, when it has one.
    pub(super) fn of(subject: &Subject<'a>) -> Option<Self> {
        let (object, facts) = (subject.object, subject.facts);
        object.spec.flower_spec.as_ref().map(|spec| Self {
            spec,
            reading: effective::flower::reading(spec),
            object,
            facts,
        })
    }

    /// What an option gets, `url_prefix`, wherever it is written but in the typed fields.
    pub(super) fn option(&self, name: &str) -> Given<'a> {
        let argument = self.argument(name);
        if !argument.is_absent() {
            argument
        } else if self.argument("conf").is_absent() {
            self.variable(&format!("FLOWER_{}", name.to_ascii_uppercase()))
        } else {
            Given::Unknown
        }
    }

    /// What an option gets from the arguments.
    pub(super) fn argument(&self, name: &str) -> Given<'a> {
        self.reading.last(name).map_or(Given::Absent, said)
    }

    /// What an environment variable of Flower's container gets.
    pub(super) fn variable(&self, name: &str) -> Given<'a> {
        for (template, path) in self.templates() {
            let mut names = env_of(template).filter_map(|entry| entry.get("name")?.as_str());
            if names.any(|written| self.is_variable(written, name)) {
                return Given::Hidden(Place::Variable(format!("{path}.spec.containers")));
            }
        }
        for (list, path) in
            [(&self.spec.env, "spec.flowerSpec.env"), (&self.object.spec.common.env, "spec.common.env")]
        {
            // Of two entries of a name the last one counts.
            if let Some(at) = list.iter().rposition(|entry| self.is_variable(&entry.name, name)) {
                return self.entry(&list[at], &format!("{path}[{at}]"));
            }
        }
        self.listed(name)
    }

    /// Whether a variable of this name is the one that is asked for: Flower takes an option in several spellings.
    fn is_variable(&self, written: &str, name: &str) -> bool {
        let option = |name| flower_variable(name, self.reading.release);
        written == name || option(written).is_some_and(|written| option(name) == Some(written))
    }

    fn entry(&self, entry: &'a EnvVar, path: &str) -> Given<'a> {
        let Some(source) = &entry.value_from else {
            let text = entry.value.as_deref().unwrap_or_default();
            return readable(text, Place::Variable(format!("{path}.value")));
        };
        let place = Place::Variable(format!("{path}.valueFrom"));
        let key = source.secret_key_ref.as_ref();
        let text =
            key.and_then(|key| self.facts.secrets.get(&key.name).and_then(|texts| texts.0.get(&key.key)));
        match text {
            Some(text) => Given::Text(text, place),
            None => Given::Hidden(place),
        }
    }

    /// The templates laid over Flower's pods, the one that wins first.
    pub(super) fn templates(&self) -> impl Iterator<Item = (&'a AnyObject, &'static str)> {
        let own = component(self.spec).pod_template().map(|own| (own, "spec.flowerSpec.podTemplate"));
        let shared = self.object.spec.common.pod_template.as_ref();
        own.into_iter().chain(shared.map(|shared| (shared, "spec.common.podTemplate")))
    }

    /// The folders of Flower's container on which a volume lies.
    pub(super) fn mounts(&self) -> Vec<&'a str> {
        let shared = if self.spec.inherit_volumes == Some(false) {
            &[][..]
        } else {
            self.object.spec.common.volume_mounts.as_slice()
        };
        let laid_over =
            self.templates().flat_map(|(template, _)| containers(template)).flat_map(|container| {
                let mounts = container.get("volumeMounts").and_then(Value::as_array);
                mounts.into_iter().flatten().filter_map(|mount| mount.get("mountPath")?.as_str())
            });
        shared.iter().map(|mount| mount.mount_path.as_str()).chain(laid_over).collect()
    }

    /// Major and minor version, when they are written.
    pub(super) fn version(&self) -> Option<(u32, u32)> {
        effective::flower::version(self.spec).map(|version| (version.major, version.minor))
    }

    /// The path below which its probes look for it; where that is unclear, they look for its port alone.
    pub(super) fn prefix_of_probes(&self) -> Effective<String> {
        effective::flower::url_prefix(self.spec, &self.object.spec.common)
    }

    /// The path below which Flower answers, without slashes at its ends; empty for the root, `None` when nobody knows.
    pub(super) fn url_prefix(&self) -> Option<String> {
        match self.prefix_of_probes() {
            Effective::Is(prefix) => Some(prefix),
            Effective::Unclear => None,
            // What a template or a list of variables brings may still be one.
            Effective::Absent => match self.variable("FLOWER_URL_PREFIX") {
                Given::Absent | Given::Text(..) => Some(String::new()),
                Given::Unknown | Given::Hidden(_) => None,
            },
        }
    }

    /// The shared and the own variables, each with its path.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a EnvVar, String)> {
        let lists = [("spec.common", &self.object.spec.common.env), (PATH, &self.spec.env)];
        lists.into_iter().flat_map(|(path, list)| {
            list.iter().enumerate().map(move |(at, entry)| (entry, format!("{path}.env[{at}]")))
        })
    }
}

/// Flower as one of the components.
pub(super) fn component(spec: &FlowerSpec) -> Component<'_> {
    Component { path: PATH.to_owned(), part: Part::Flower(spec) }
}

/// What an argument gives.
fn said<'a>(occurrence: &Occurrence<'a>) -> Given<'a> {
    let place = Place::Argument(argument_path(occurrence.at));
    match occurrence.value {
        Some(text) => readable(text, place),
        None if occurrence.option.kind == TornadoType::Bool => Given::Text("true", place),
        // Flower ends there.
        None => Given::Hidden(place),
    }
}

/// The path of an argument.
pub(super) fn argument_path(at: usize) -> String {
    format!("{PATH}.args[{at}]")
}

/// A text that kubelet does not change.
fn readable(text: &str, place: Place) -> Given<'_> {
    if expands(text) { Given::Hidden(place) } else { Given::Text(text, place) }
}

/// What a template says about Flower's own container.
fn containers(template: &AnyObject) -> impl Iterator<Item = &Value> {
    let list = template.0.pointer("/spec/containers").and_then(Value::as_array);
    let is_flower = |it: &&Value| it.get("name").and_then(Value::as_str) == Some(names::FLOWER_CONTAINER);
    list.into_iter().flatten().filter(is_flower)
}

fn env_of(template: &AnyObject) -> impl Iterator<Item = &Value> {
    containers(template).flat_map(|it| it.get("env").and_then(Value::as_array).into_iter().flatten())
}
