// SPDX-License-Identifier: Apache-2.0
//! The argument list of `celery flower`.
//!
//! Three readers stand in a row. click takes out `--help`, drops the first `--` and hands on everything else. Flower
//! then drops every word whose name is no option, silently: a misspelt `--basic_auth` opens the interface to everybody.
//! tornado reads what is left: `--name=value`, any number of dashes, `-` and `_` alike, the last one wins; it stops at
//! the first word without a dash, which the second reader lets through when it is the name of an option.

mod tornado;

use super::expansion::expands;
use super::options::flower::{OPTIONS, Release, Spec};
use super::options::global;
use super::reading::{Effective, Outcome};
use super::{closest, number};
pub use tornado::{Cause, is_true, takes_variable};
use tornado::{LEVELS, RESERVED, UNITS, fault};

/// An argument list as one release of Flower reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading<'a> {
    /// Who reads.
    pub release: Release,
    /// Every option that is read, in order.
    pub occurrences: Vec<Occurrence<'a>>,
    /// Every word that is dropped, in order.
    pub dropped: Vec<Dropped>,
    /// Positions of words that a variable makes into nobody knows what.
    pub opaque: Vec<usize>,
    /// What ends in a crash, in order.
    pub faults: Vec<Fault>,
    outcome: Outcome,
}

/// An option that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence<'a> {
    /// Which.
    pub option: &'static Spec,
    /// Position of the word.
    pub at: usize,
    /// What stands behind `=`.
    pub value: Option<&'a str>,
}

/// A word that Flower does not look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Position of the word.
    pub at: usize,
    /// Why.
    pub why: Unread,
}

/// Why a word is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// An option of another release of Flower.
    OtherRelease(&'static Spec),
    /// Not an option, but near to this one.
    Near(&'static Spec),
    /// An option of `celery` itself: Flower only warns.
    Global(&'static super::options::Spec),
    /// Nobody's option.
    Unknown,
    /// It stands behind a word that ended the options.
    BehindTheEnd,
}

/// One thing that ends in a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Position of the word.
    pub at: usize,
    /// What is wrong with it.
    pub cause: Cause,
}

/// What one release makes of the words behind `flower`.
#[must_use]
pub fn reading(args: &[String], release: Release) -> Reading<'_> {
    let mut reading = Reading {
        release,
        occurrences: Vec::new(),
        dropped: Vec::new(),
        opaque: Vec::new(),
        faults: Vec::new(),
        outcome: Outcome::Accepted,
    };
    let (words, clicks) = clicked(args, &mut reading);
    let mut tornados = None;
    let mut ended = false;
    for (at, word) in words {
        let (name, value) = split(word);
        let bare = name.trim_start_matches('-').replace('-', "_");
        let option = OPTIONS.iter().find(|option| option.name == bare && option.is_in(release));
        let reserved = RESERVED.contains(&bare.as_str());
        if expands(name) {
            reading.opaque.push(at);
        } else if option.is_none() && !reserved {
            reading.dropped.push(Dropped { at, why: unread(name, &bare) });
        } else if ended || !word.starts_with('-') {
            ended = true;
            reading.dropped.push(Dropped { at, why: Unread::BehindTheEnd });
        } else {
            let fault = option.map_or(Some(Cause::Reserved), |option| fault(option, value));
            reading.faults.extend(fault.map(|cause| Fault { at, cause }));
            reading.occurrences.extend(option.map(|option| Occurrence { option, at, value }));
            let helps = bare == "help" && value.is_none_or(|value| !expands(value) && is_true(value));
            tornados = tornados.or(fault.map(|_| Outcome::Refused)).or(helps.then_some(Outcome::Help));
        }
    }
    let logging = reading.logging();
    let at_last = logging.as_ref().map_or(Outcome::Accepted, |_| Outcome::Refused);
    reading.faults.extend(logging);
    reading.faults.sort_by_key(|fault| fault.at);
    reading.outcome = clicks.or(tornados).unwrap_or(at_last);
    reading
}

/// The words that click hands on, and how it ends the command itself.
fn clicked<'a>(args: &'a [String], reading: &mut Reading<'a>) -> (Vec<(usize, &'a str)>, Option<Outcome>) {
    let mut words = Vec::new();
    let mut outcome = None;
    let end = args.iter().position(|word| word == "--");
    for (at, word) in args.iter().enumerate().filter(|(at, _)| Some(*at) != end) {
        let (name, value) = split(word);
        let help = OPTIONS.iter().find(|option| option.name == "help");
        match help.filter(|_| name == "--help" && end.is_none_or(|end| at < end)) {
            None => words.push((at, word.as_str())),
            Some(option) => {
                let refused = value.map(|_| Fault { at, cause: Cause::UnexpectedValue(option) });
                // A refusal of click's comes before its help, wherever they stand.
                outcome = outcome.filter(|outcome| *outcome == Outcome::Refused);
                outcome = outcome.or(Some(if refused.is_some() { Outcome::Refused } else { Outcome::Help }));
                reading.faults.extend(refused);
                reading.occurrences.push(Occurrence { option, at, value });
            }
        }
    }
    (words, outcome)
}

/// A path under which Flower is, as it takes it: without slashes at its ends, empty for the root.
#[must_use]
pub fn prefix(written: &str) -> &str {
    written.trim_matches('/')
}

fn split(word: &str) -> (&str, Option<&str>) {
    word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)))
}

fn unread(name: &str, bare: &str) -> Unread {
    if let Some(option) = OPTIONS.iter().find(|option| option.name == bare) {
        return Unread::OtherRelease(option);
    }
    if let Some(option) = global::OPTIONS.iter().find(|option| option.names.contains(&name)) {
        return Unread::Global(option);
    }
    let near = closest::of(bare, OPTIONS.iter().map(|option| option.name));
    let near = near.and_then(|name| OPTIONS.iter().find(|option| option.name == name));
    near.map_or(Unread::Unknown, Unread::Near)
}

impl<'a> Reading<'a> {
    /// tornado sets up its logging once everything is read, with what won.
    fn logging(&self) -> Option<Fault> {
        let level = self.text("logging").is().unwrap_or("info").to_uppercase();
        if !LEVELS.contains(&level.as_str()) {
            return self.bad("logging");
        }
        let to_file = self.text("log_file_prefix").is().is_some_and(|path| !path.is_empty());
        if level == "NONE" || !to_file {
            return None;
        }
        match self.text("log_rotate_mode").is().unwrap_or("size") {
            "size" => None,
            "time" => {
                let unit = self.text("log_rotate_when").is().unwrap_or("midnight").to_uppercase();
                if UNITS.contains(&unit.as_str()) { None } else { self.bad("log_rotate_when") }
            }
            _ => self.bad("log_rotate_mode"),
        }
    }

    fn bad(&self, name: &str) -> Option<Fault> {
        self.last(name).map(|last| Fault { at: last.at, cause: Cause::BadValue(last.option) })
    }

    /// Every use of an option, by its name with `_`.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &Occurrence<'a>> {
        self.occurrences.iter().filter(move |occurrence| occurrence.option.name == name)
    }

    /// The use of an option that takes effect: the last one.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&Occurrence<'a>> {
        self.all(name).last()
    }

    /// The text of an option that takes effect.
    #[must_use]
    pub fn text(&self, name: &str) -> Effective<&'a str> {
        match self.last(name) {
            None => Effective::Absent,
            Some(last) => {
                last.value.filter(|value| !expands(value)).map_or(Effective::Unclear, Effective::Is)
            }
        }
    }

    /// The integer of an option that takes effect, cut to what fits.
    #[must_use]
    pub fn int(&self, name: &str) -> Effective<i64> {
        self.text(name).and_then(number::int)
    }

    /// The number of an option that takes effect.
    #[must_use]
    pub fn float(&self, name: &str) -> Effective<f64> {
        self.text(name).and_then(number::float)
    }

    /// The yes or no of an option that takes effect.
    #[must_use]
    pub fn bool(&self, name: &str) -> Effective<bool> {
        match self.last(name) {
            Some(Occurrence { value: None, .. }) => Effective::Is(true),
            _ => self.text(name).and_then(|text| Some(is_true(text))),
        }
    }

    /// How the command ends up, as far as its arguments decide.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }
}
