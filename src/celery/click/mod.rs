// SPDX-License-Identifier: Apache-2.0
//! How click, which reads the command line since Celery 5.0, takes an argument list apart.
//!
//! - `--name value` and `--name=value`; no abbreviations; the next word is the value whatever it looks like.
//! - `-c4` and `-c 4`; `-c=4` has the value `=4`; flags may be joined: `-EB`, `-Ec4`.
//! - Options and other words may be mixed; behind `--` there are only other words. Celery reads those as settings.
//! - The last use of an option wins, and only its value is looked at.
//! - `--help` is obeyed after the words were taken apart and before any value is looked at.

use super::command::Command;
use super::expansion::expands;
use super::options::{Spec, Table, global};
use super::reading::{Cause, Elsewhere, Fault, Occurrence, Reading};
use super::settings::command_line;
use super::version::Release;
use super::{closest, value};

pub(super) fn reading(command: Command, args: &[String], release: Release) -> Reading<'_> {
    let mut parser = Parser::new(command.options(), args, release);
    parser.take_apart();
    parser.finished(command)
}

/// The reading so far, and how far it is.
pub(super) struct Parser<'a> {
    pub(super) table: Table,
    pub(super) args: &'a [String],
    /// Position of the next word.
    pub(super) next: usize,
    /// Positions of the words that are no options.
    pub(super) others: Vec<usize>,
    pub(super) reading: Reading<'a>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(table: Table, args: &'a [String], release: Release) -> Self {
        let reading = Reading {
            release,
            occurrences: Vec::new(),
            separator: None,
            settings: Vec::new(),
            opaque: Vec::new(),
            faults: Vec::new(),
        };
        Self { table, args, next: 0, others: Vec::new(), reading }
    }

    fn take_apart(&mut self) {
        while let Some(word) = self.args.get(self.next) {
            let at = self.next;
            self.next += 1;
            if word == "--" {
                self.reading.separator = Some(at);
                break;
            }
            if word.starts_with("--") {
                self.long(at, word);
            } else if word.len() > 1 && word.starts_with('-') {
                self.short(at, word);
            } else {
                self.others.push(at);
            }
        }
        self.others.extend(self.next..self.args.len());
    }

    fn long(&mut self, at: usize, word: &'a str) {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        match self.find(name) {
            Some((option, name)) if option.kind.takes_value() => {
                let (value, value_at) = value.map_or_else(|| self.following(at), |value| (Some(value), at));
                self.used(Occurrence { option, name, at, value, value_at });
            }
            Some((option, name)) => {
                if value.is_some() {
                    self.fault(at, Cause::UnexpectedValue(option));
                }
                self.used(Occurrence { option, name, at, value: None, value_at: at });
            }
            None => self.unknown(at, name, value.is_some()),
        }
    }

    /// A word with one dash: letter by letter, until one takes the rest as its value.
    fn short(&mut self, at: usize, word: &'a str) {
        for (offset, letter) in word.char_indices().skip(1) {
            let rest = &word[offset + letter.len_utf8()..];
            let Some((option, name)) = self.find(&format!("-{letter}")) else {
                let name = if letter == '$' { word[offset..].to_owned() } else { format!("-{letter}") };
                self.unknown(at, &name, !rest.is_empty());
                return;
            };
            if option.kind.takes_value() {
                let (value, value_at) = if rest.is_empty() { self.following(at) } else { (Some(rest), at) };
                self.used(Occurrence { option, name, at, value, value_at });
                return;
            }
            self.used(Occurrence { option, name, at, value: None, value_at: at });
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<(&'static Spec, &'static str)> {
        let help = || global::HELP.spelling(name, self.reading.release).map(|name| (&global::HELP, name));
        self.table.find(name, self.reading.release).or_else(help)
    }

    /// The next word as a value.
    fn following(&mut self, at: usize) -> (Option<&'a str>, usize) {
        match self.args.get(self.next) {
            Some(word) => {
                self.next += 1;
                (Some(word), self.next - 1)
            }
            None => (None, at),
        }
    }

    pub(super) fn used(&mut self, occurrence: Occurrence<'a>) {
        if occurrence.option.kind.takes_value() && occurrence.value.is_none() {
            self.fault(occurrence.at, Cause::MissingValue(occurrence.option));
        }
        self.reading.occurrences.push(occurrence);
    }

    /// A name that nobody knows. The word behind it was probably meant as its value: one fault is enough.
    pub(super) fn unknown(&mut self, at: usize, name: &str, has_value: bool) {
        if expands(name) {
            self.reading.opaque.push(at);
            return;
        }
        let known = elsewhere(self.table, name, self.reading.release);
        self.fault(at, Cause::UnknownOption { name: name.to_owned(), known });
        let next = self.args.get(self.next);
        if !has_value && next.is_some_and(|word| !word.starts_with('-')) {
            self.next += 1;
        }
    }

    /// Whether a word may be the value of an option that a variable in the word before it holds.
    pub(super) fn is_behind_opaque(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1).filter(|_| self.reading.separator.is_none_or(|end| at < end))
        else {
            return false;
        };
        let holds_a_name = expands(&self.args[before]) && !self.args[before].contains('=');
        holds_a_name && self.reading.opaque.contains(&before)
    }

    pub(super) fn fault(&mut self, at: usize, cause: Cause) {
        self.reading.faults.push(Fault { at, cause });
    }

    /// Looks at the values, and at the other words as settings.
    pub(super) fn finished(mut self, command: Command) -> Reading<'a> {
        let release = self.reading.release;
        let mut judged = Vec::new();
        for occurrence in self.reading.occurrences.clone().into_iter().rev() {
            let option = occurrence.option;
            if judged.contains(&option.names) {
                continue;
            }
            judged.push(option.names);
            let Some(text) = occurrence.value.filter(|_| !occurrence.is_opaque()) else { continue };
            if let Err(refusal) = value::value(option.kind, text, release) {
                self.fault(occurrence.value_at, Cause::BadValue(option, refusal));
            }
        }
        for at in self.others.clone() {
            let word = &self.args[at];
            match command_line::setting(at, word, command.namespace(), release) {
                Ok(setting) => self.reading.settings.push(setting),
                Err(_) if expands(word) || self.is_behind_opaque(at) => self.reading.opaque.push(at),
                Err(defect) => self.fault(at, Cause::BadSetting(defect)),
            }
        }
        self.reading.opaque.sort_unstable();
        self.reading.faults.sort_by_key(|fault| fault.at);
        self.reading
    }
}

/// Where a name that the release does not know at this place would be known.
fn elsewhere(table: Table, name: &str, release: Release) -> Elsewhere {
    if let Some(option) = table.rows().find(|option| option.names.contains(&name)) {
        return Elsewhere::OtherRelease(option);
    }
    if let Some(option) = global::OPTIONS.iter().find(|option| option.names.contains(&name)) {
        return Elsewhere::Global(option);
    }
    // `--name value` in one word: the name is what counts.
    let name = name.split_whitespace().next().unwrap_or_default();
    if !name.starts_with("--") {
        return Elsewhere::Nowhere;
    }
    let long = table.names(release).filter(|name| name.starts_with("--"));
    closest::of(name, long).map_or(Elsewhere::Nowhere, Elsewhere::Near)
}

#[cfg(test)]
mod tests;
