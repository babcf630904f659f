// SPDX-License-Identifier: Apache-2.0
//! The language of the tables: what the API server asks of a value beyond its type, as data.
//!
//! The schema knows names and types of fields; here stands the rest, which the API server only looks at when the
//! Deployment comes: words, bounds, grammars, and which fields go together.

use serde_json::{Map, Value};

use super::walk::Told;
use crate::rules::breach::Topic;

/// What is asked of an object.
#[derive(Debug)]
pub(super) struct Form {
    /// Its fields; others are not looked at.
    pub(super) fields: &'static [Field],
    /// The fields that must have a value, each with what to do when it has none.
    pub(super) needs: &'static [(&'static str, &'static str)],
    /// The fields of which at most one may be there.
    pub(super) one_of: &'static [&'static str],
    /// Whether one of those has to be there.
    pub(super) some_of: bool,
    /// What several fields say together.
    pub(super) whole: Option<fn(&Item<'_>, &mut Told)>,
}

/// A field, and what its value must be.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) must: Must,
    /// What it is about, where that differs from what it stands in.
    pub(super) topic: Option<Topic>,
}

/// What a value must be. Values of other types are none of the tables' business.
#[derive(Clone, Copy, Debug)]
pub(super) enum Must {
    /// An object of this form.
    Be(&'static Form),
    /// Objects of this form.
    List(&'static Form),
    /// A text of this grammar; an empty one counts as absent.
    Read(&'static Text),
    /// The same, and an empty one counts.
    ReadEven(&'static Text),
    /// Texts of this grammar.
    Texts(&'static Text),
    /// One of these words; an empty one counts as absent.
    Word(&'static [&'static str]),
    /// A whole number between these two.
    Between(i64, i64),
    /// A number of a port, or the name of one.
    Port,
    /// A quantity that is not negative.
    Amount,
    /// Keys of the first grammar, values of the second.
    Map(&'static Text, &'static Text),
    /// Absent.
    Gone(&'static str),
}

/// A grammar of a text.
#[derive(Debug)]
pub(super) struct Text {
    /// Whether a text is of the grammar.
    pub(super) reads: fn(&str) -> bool,
    /// What another text is not.
    pub(super) not: &'static str,
    /// What to write instead.
    pub(super) fix: &'static str,
    /// Whether the text may be a secret, which no message shows.
    pub(super) hidden: bool,
}

/// What stands beneath an object of a pod template at the same place, layer by layer.
pub(super) type Below<'a> = [Option<&'a Value>; 3];

/// An object that is looked at as a whole.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) fields: &'a Map<String, Value>,
    pub(super) path: &'a str,
    /// What it is laid over.
    pub(super) below: Below<'a>,
    /// Whether it is laid over something that nobody here knows.
    pub(super) unseen: bool,
    /// What surrounds it.
    pub(super) pod: Pod<'a>,
}

/// What is known of the pods that a value reaches.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pod<'a> {
    /// The name of the operator's container, where there is one only.
    pub(super) own: Option<&'a str>,
    /// What that container is rendered from.
    pub(super) container: Below<'a>,
    /// The names of the containers beside it, over which a template may be laid.
    pub(super) beside: &'a [&'a str],
    /// Seconds between the request to stop and the kill, where they are known.
    pub(super) grace: Option<i64>,
    /// Whether the operator lets the containers of the pod see each other's processes.
    pub(super) shares_processes: bool,
}

impl Form {
    pub(super) const fn of(fields: &'static [Field]) -> Self {
        Self { fields, needs: &[], one_of: &[], some_of: false, whole: None }
    }

    pub(super) const fn needs(mut self, needs: &'static [(&'static str, &'static str)]) -> Self {
        self.needs = needs;
        self
    }

    /// Exactly one of these is there.
    pub(super) const fn one_of(mut self, names: &'static [&'static str]) -> Self {
        self.one_of = names;
        self.some_of = true;
        self
    }

    /// Not more than one of these is there.
    pub(super) const fn at_most_one_of(mut self, names: &'static [&'static str]) -> Self {
        self.one_of = names;
        self
    }

    pub(super) const fn whole(mut self, check: fn(&Item<'_>, &mut Told)) -> Self {
        self.whole = Some(check);
        self
    }
}

/// A field about what it stands in.
pub(super) const fn field(name: &'static str, must: Must) -> Field {
    Field { name, must, topic: None }
}

impl Field {
    /// The same about something of its own.
    pub(super) const fn about(mut self, topic: Topic) -> Self {
        self.topic = Some(topic);
        self
    }
}

impl Text {
    pub(super) const fn new(reads: fn(&str) -> bool, not: &'static str, fix: &'static str) -> Self {
        Self { reads, not, fix, hidden: false }
    }

    pub(super) const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }
}

impl<'a> Item<'a> {
    /// A field that is there.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// The text of a field; empty when there is none.
    pub(super) fn text(&self, name: &str) -> &'a str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The items of a list; none when there is none.
    pub(super) fn list(&self, name: &str) -> &'a [Value] {
        self.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(true))
    }

    /// A field as the pod will have it: the one here, or else that of what the object is laid over.
    pub(super) fn effective(&self, name: &str) -> Option<&'a Value> {
        let value = match self.fields.get(name) {
            Some(value) => Some(value),
            None => self.below.iter().rev().flatten().find_map(|layer| layer.get(name)),
        };
        value.filter(|value| !value.is_null())
    }

    /// Whether a field is neither here nor in what the object is laid over.
    pub(super) fn lacks(&self, name: &str) -> bool {
        self.effective(name).is_none() && !self.unseen
    }

    /// Whether it is part of a pod template.
    pub(super) fn is_in_template(&self) -> bool {
        self.path.contains(".podTemplate.")
    }

    /// The path of a field.
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}
