// SPDX-License-Identifier: Apache-2.0
//! Goes through an object with the tables in hand, and notes what they do not allow.

use serde_json::{Map, Value};

use super::form::{Below, Field, Form, Item, Must, Pod, Text};
use crate::api::amount::number;
use crate::api::limits;
use crate::rules::breach::{Breach, Topic};
use crate::rules::finding::Kind;
use crate::rules::misnamed::written_for;
use crate::rules::path;

/// Most breaches that are noted: whoever has more of them sees the pattern.
const MAX: usize = 256;
/// Lists whose items are laid over those of the same key, and that key.
const LAID_OVER: &[(&str, &str)] = &[
    ("containers", "name"),
    ("initContainers", "name"),
    ("volumeMounts", "mountPath"),
    ("ports", "containerPort"),
    ("hostAliases", "ip"),
    ("topologySpreadConstraints", "topologyKey"),
];
/// What the operator itself may have given its container, so that a template needs to name a part only.
const PROBES: &[&str] = &["startupProbe", "readinessProbe", "livenessProbe"];

/// What was found so far.
#[derive(Debug)]
pub(super) struct Told {
    topic: Topic,
    breaches: Vec<Breach>,
}

impl Told {
    pub(super) fn new() -> Self {
        Self { topic: Topic::Names, breaches: Vec::new() }
    }

    pub(super) fn into_breaches(self) -> Vec<Breach> {
        self.breaches
    }

    /// Looks at something that is about another topic.
    pub(super) fn about(&mut self, topic: Topic, look: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.topic, topic);
        look(self);
        self.topic = before;
    }

    /// Notes a breach.
    pub(super) fn add(
        &mut self,
        kind: Kind,
        path: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        if self.breaches.len() < MAX {
            let (topic, path) = (self.topic, path.into());
            self.breaches.push(Breach { topic, kind, path, message: message.into(), fix: fix.into() });
        }
    }
}

/// A place in an object, and what stands beneath it.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    below: Below<'a>,
    unseen: bool,
    pod: Pod<'a>,
}

/// Goes through an object of a form, which is laid over what is `below`.
pub(super) fn walk<'a>(
    form: &Form,
    value: &Value,
    path: &str,
    below: Below<'a>,
    pod: Pod<'a>,
    told: &mut Told,
) {
    object(form, value, Place { path, below, unseen: false, pod }, told);
}

fn object(form: &Form, value: &Value, place: Place<'_>, told: &mut Told) {
    let Value::Object(fields) = value else { return };
    // What is taken away needs nothing.
    if fields.contains_key("$patch") {
        return;
    }
    let Place { path, below, unseen, pod } = place;
    let item = Item { fields, path, below, unseen, pod };
    complete(form, &item, told);
    for Field { name, must, topic } in form.fields {
        let Some(value) = item.get(name) else { continue };
        let path = item.at(name);
        let unseen =
            unseen || (PROBES.contains(name) && pod.own.is_some() && pod.own == Some(item.text("name")));
        let below = below.map(|layer| layer?.get(name));
        told.about(topic.unwrap_or(told.topic), |told| {
            field(*must, value, name, Place { path: &path, below, unseen, pod }, told);
        });
    }
    if let Some(check) = form.whole {
        check(&item, told);
    }
}

/// Whether what is needed is there, and one thing only of what excludes each other.
fn complete(form: &Form, item: &Item<'_>, told: &mut Told) {
    for (name, fix) in form.needs {
        let is_empty = match item.get(name) {
            None => item.lacks(name),
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            Some(_) => false,
        };
        if !is_empty {
            continue;
        }
        if let Some(written) = written_for(item.path, name, |name| item.get(name).is_some()) {
            let what = if *name == "mountPath" { "mount" } else { "volume" };
            let message = format!("is not a field of this {what}");
            told.add(Kind::Forbidden, item.at(written), message, format!("write {name}"));
        } else {
            told.add(Kind::Required, item.at(name), "is not set", *fix);
        }
    }
    let mut set = form.one_of.iter().copied().filter(|name| item.effective(name).is_some());
    let (first, second) = (set.next(), set.next());
    if let (Some(first), Some(second)) = (first, second) {
        let message = format!("{first} and {second} exclude each other");
        told.add(Kind::Forbidden, item.path, message, "keep one");
    } else if first.is_none() && form.some_of && !item.unseen {
        // A field that is not known here may be one of a later Kubernetes.
        let known = |name: &String| form.fields.iter().any(|field| field.name == name);
        if item.fields.iter().all(|(name, value)| value.is_null() || known(name)) {
            let shown: Vec<&str> = form.one_of.iter().copied().take(4).collect();
            told.add(Kind::Required, item.path, "is empty", format!("set {}", listed(&shown)));
        }
    }
}

fn field(must: Must, value: &Value, name: &str, place: Place<'_>, told: &mut Told) {
    let Place { path, .. } = place;
    match (must, value) {
        (Must::Be(form), _) => object(form, value, place, told),
        (Must::List(form), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate().take(limits::ITEMS) {
                let path = format!("{path}[{index}]");
                let (below, unseen) = beneath(name, item, &place);
                object(form, item, Place { path: &path, below, unseen, pod: place.pod }, told);
            }
        }
        (Must::Read(text), Value::String(written)) if !written.is_empty() => read(text, written, path, told),
        (Must::ReadEven(text), Value::String(written)) => read(text, written, path, told),
        (Must::Texts(text), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate().take(limits::ITEMS) {
                if let Value::String(written) = item {
                    read(text, written, &format!("{path}[{index}]"), told);
                }
            }
        }
        (Must::Word(words), Value::String(written))
            if !written.is_empty() && !words.contains(&written.as_str()) =>
        {
            let fix = format!("use {}", listed(words));
            told.add(Kind::Unsupported, path, "is not a valid value", fix);
        }
        (Must::Between(from, to), Value::Number(number))
            if number.as_i64().is_some_and(|number| !(from..=to).contains(&number)) =>
        {
            let is_low = number.as_i64().is_some_and(|number| number < from);
            let message =
                if is_low { format!("is lower than {from}") } else { format!("is greater than {to}") };
            told.add(Kind::Invalid, path, message, range(from, to));
        }
        (Must::Port, _) => port(value, path, told),
        (Must::Amount, _) => amount(value, path, told),
        (Must::Map(key, text), Value::Object(entries)) => map(key, text, entries, path, told),
        (Must::Gone(fix), _) => {
            told.add(Kind::Forbidden, path, "is not for pods of a Deployment", fix);
        }
        _ => {}
    }
}

/// What an item of a list is laid over, and whether something else may be there too.
fn beneath<'a>(list: &str, item: &Value, place: &Place<'a>) -> (Below<'a>, bool) {
    let Some((_, key)) = LAID_OVER.iter().find(|(name, _)| *name == list) else {
        return ([None; 3], false);
    };
    let key = (*key, &item[*key]);
    let namesake = |layer: &'a Value| layer.as_array()?.iter().find(|known| &known[key.0] == key.1);
    let below = place.below.map(|layer| layer.and_then(namesake));
    let Some(name) = key.1.as_str().filter(|_| list == "containers") else {
        return (below, place.unseen);
    };
    if place.pod.own == Some(name) {
        // The shared template's own container is the last layer of both.
        let [shared, own, _] = place.pod.container;
        return ([shared, own, below[2]], false);
    }
    (below, place.pod.beside.contains(&name))
}

fn read(text: &Text, written: &str, path: &str, told: &mut Told) {
    if !(text.reads)(written) {
        let kind = if text.hidden { Kind::Forbidden } else { Kind::Invalid };
        told.add(kind, path, text.not, text.fix);
    }
}

fn port(value: &Value, path: &str, told: &mut Told) {
    let fits = match value {
        Value::Number(number) => number.as_i64().is_some_and(|number| (1..=65535).contains(&number)),
        Value::String(name) => super::text::is_port_name(name),
        _ => true,
    };
    if !fits {
        told.add(
            Kind::Invalid,
            path,
            "is neither a port nor the name of one",
            "use 1 to 65535, or a name of ports",
        );
    }
}

fn amount(value: &Value, path: &str, told: &mut Told) {
    let Value::String(text) = value else {
        if value.as_f64().is_some_and(|number| number < 0.0) {
            told.add(Kind::Invalid, path, "is negative", "use one such as 512Mi");
        }
        return;
    };
    match number(text) {
        None => told.add(Kind::Invalid, path, "is not a quantity", "use one such as 512Mi"),
        Some(amount) if amount < 0.0 => told.add(Kind::Invalid, path, "is negative", "use one such as 512Mi"),
        Some(_) => {}
    }
}

fn map(key: &Text, text: &Text, entries: &Map<String, Value>, at: &str, told: &mut Told) {
    for (name, value) in entries.iter().filter(|(name, _)| !name.starts_with('$')).take(limits::ITEMS) {
        let at = path::entry(at, name);
        if !(key.reads)(name) {
            // The value at this path is another text.
            told.add(Kind::Forbidden, at, key.not, key.fix);
        } else if let Value::String(written) = value {
            read(text, written, &at, told);
        }
    }
}

/// Words for a message: `a, b or c`.
fn listed(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        words => words.concat(),
    }
}

fn range(least: i64, most: i64) -> String {
    if most == i64::MAX { format!("use {least} or more") } else { format!("use {least} to {most}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_breaches_the_first_are_noted() {
        let mut told = Told::new();
        for at in 0..2 * MAX {
            told.add(Kind::Invalid, format!("spec[{at}]"), "is wrong", "correct it");
        }
        assert_eq!(told.into_breaches().len(), MAX);
    }
}
