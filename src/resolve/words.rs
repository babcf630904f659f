// SPDX-License-Identifier: Apache-2.0
//! The options between a sub-command and the user's arguments: each of them once, with who says it.

use std::collections::BTreeMap;

use super::said::Said;

/// Who says an option on a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The arguments.
    Arguments,
    /// A field.
    Field,
    /// The operator, where the object leaves it open.
    Chosen,
}

/// Every option on a command line by its long name. Of any other Celery takes the variable.
pub type Origins = BTreeMap<&'static str, Origin>;

/// Something to say, and who says it.
pub(super) type Text = Option<(Origin, String)>;

/// What a field says, else what was chosen.
pub(super) fn text(field: Option<String>, chosen: Option<String>) -> Text {
    let field = field.map(|text| (Origin::Field, text));
    field.or_else(|| chosen.map(|text| (Origin::Chosen, text)))
}

/// A switch that a field sets, else one that was chosen.
pub(super) fn switch(field: Option<bool>, chosen: bool) -> Option<Origin> {
    let origin = if field.is_some() { Origin::Field } else { Origin::Chosen };
    field.unwrap_or(chosen).then_some(origin)
}

/// A growing list of options. What the arguments say is left to them.
pub(super) struct Words<'a> {
    said: &'a Said<'a>,
    options: Vec<(&'static str, Origin, Vec<String>)>,
}

impl<'a> Words<'a> {
    pub(super) fn new(said: &'a Said<'a>) -> Self {
        Self { said, options: Vec::new() }
    }

    /// `-c 4`
    pub(super) fn pair(&mut self, short: &str, long: &'static str, text: Text) {
        if let Some((origin, text)) = text {
            self.add(long, origin, vec![short.to_owned(), text]);
        }
    }

    /// `--time-limit=30`
    pub(super) fn value(&mut self, long: &'static str, text: Text) {
        if let Some((origin, text)) = text {
            self.add(long, origin, vec![format!("{long}={text}")]);
        }
    }

    /// `--without-gossip`
    pub(super) fn flag(&mut self, long: &'static str, origin: Option<Origin>) {
        self.short_flag(long, long, origin);
    }

    /// `-E`
    pub(super) fn short_flag(&mut self, short: &str, long: &'static str, origin: Option<Origin>) {
        if let Some(origin) = origin {
            self.add(long, origin, vec![short.to_owned()]);
        }
    }

    fn add(&mut self, long: &'static str, origin: Origin, words: Vec<String>) {
        if !self.said.option(long) {
            self.options.push((long, origin, words));
        }
    }

    /// Who says what, arguments included.
    pub(super) fn origins(&self) -> Origins {
        let said = self.said.options().map(|long| (long, Origin::Arguments));
        self.options.iter().map(|(long, origin, _)| (*long, *origin)).chain(said).collect()
    }

    /// All words in their order.
    pub(super) fn all(self) -> impl Iterator<Item = String> {
        self.options.into_iter().flat_map(|(.., words)| words)
    }
}
