// SPDX-License-Identifier: Apache-2.0
//! What is in an argument list: options, settings, and everything a release would refuse.

use super::options::{Spec, is_named};
use super::settings::command_line::{self, Setting};
use super::value::{Refusal, Value, value};
use super::version::Release;

/// An argument list as one release reads it. Nothing is left out, and nothing stops at the first problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading<'a> {
    /// Who reads.
    pub release: Release,
    /// Every option, in order.
    pub occurrences: Vec<Occurrence<'a>>,
    /// Position of the `--` that ends the options.
    pub separator: Option<usize>,
    /// Every setting, in order.
    pub settings: Vec<Setting<'a>>,
    /// Positions of words that a variable makes into nobody knows what.
    pub opaque: Vec<usize>,
    /// What the release refuses, in order of position.
    pub faults: Vec<Fault>,
}

/// An option that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence<'a> {
    /// Which.
    pub option: &'static Spec,
    /// The name that was used.
    pub name: &'static str,
    /// Position of the word with the name.
    pub at: usize,
    /// Its value as written; `None` for flags, and where it is missing.
    pub value: Option<&'a str>,
    /// Position of the word with the value: that of the name, or the next one.
    pub value_at: usize,
}

impl Occurrence<'_> {
    /// Whether the value is not final: it contains `$(NAME)`.
    #[must_use]
    pub fn is_opaque(&self) -> bool {
        self.value.is_some_and(super::expansion::expands)
    }

    /// Whether the value of a short option begins with the sign that only a long one has before it: `-Q=a`.
    #[must_use]
    pub fn has_sign(&self) -> bool {
        let is_short = !self.name.starts_with("--") && self.at == self.value_at;
        is_short && self.value.is_some_and(|value| value.starts_with('='))
    }
}

/// One thing that a release refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Position of the word.
    pub at: usize,
    /// What is wrong with it.
    pub cause: Cause,
}

/// What a release refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An option that this release does not have.
    UnknownOption {
        /// The name as written, without its value.
        name: String,
        /// Who knows it instead.
        known: Elsewhere,
    },
    /// An option at the end of the list, without its value.
    MissingValue(&'static Spec),
    /// `--flag=value`
    UnexpectedValue(&'static Spec),
    /// A value that the option does not take.
    BadValue(&'static Spec, Refusal),
    /// A word that is neither an option nor a setting.
    BadSetting(command_line::Defect),
    /// Several options that begin like this; argparse alone.
    Ambiguous(Vec<&'static str>),
}

impl Cause {
    /// Whether the list cannot even be taken apart: such a fault comes before `--help`.
    fn is_grammar(&self) -> bool {
        !matches!(self, Self::BadValue(..) | Self::BadSetting(_))
    }
}

/// Where an unknown option would be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// Nowhere, but this name is near.
    Near(&'static str),
    /// Before the sub-command.
    Global(&'static Spec),
    /// In another release.
    OtherRelease(&'static Spec),
    /// Nowhere.
    Nowhere,
}

/// How a command ends up with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Accepted,
    /// It says how it is used and ends with success.
    Help,
    /// It ends with an error.
    Refused,
}

/// What an option amounts to once the last one has won.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effective<T> {
    /// It is not there.
    Absent,
    /// It is there, but its value is not final or not valid.
    Unclear,
    /// This is what takes effect.
    Is(T),
}

impl<T> Effective<T> {
    /// The value, where there is a clear one.
    pub fn is(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            _ => None,
        }
    }

    /// The same of a value that stays where it is.
    pub fn as_ref(&self) -> Effective<&T> {
        match self {
            Self::Absent => Effective::Absent,
            Self::Unclear => Effective::Unclear,
            Self::Is(value) => Effective::Is(value),
        }
    }

    /// The value read further; unclear where that fails.
    pub fn and_then<U>(self, read: impl FnOnce(T) -> Option<U>) -> Effective<U> {
        match self {
            Self::Absent => Effective::Absent,
            Self::Unclear => Effective::Unclear,
            Self::Is(value) => read(value).map_or(Effective::Unclear, Effective::Is),
        }
    }

    /// The value as something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Effective<U> {
        self.and_then(|value| Some(change(value)))
    }

    /// What takes effect of two sources, of which the other counts only where this one says nothing.
    #[must_use]
    pub fn or_else(self, weaker: impl FnOnce() -> Self) -> Self {
        if let Self::Absent = self { weaker() } else { self }
    }

    /// Whether the option is there at all.
    pub fn is_written(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

impl<'a> Reading<'a> {
    /// Every use of the option with this name, short or long.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &Occurrence<'a>> {
        self.occurrences.iter().filter(move |occurrence| is_named(occurrence.option, name))
    }

    /// The use of an option that takes effect: the last one.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&Occurrence<'a>> {
        self.all(name).last()
    }

    /// Whether an option is used.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.last(name).is_some()
    }

    /// The setting of this name that takes effect, as `worker_concurrency`.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&Setting<'a>> {
        self.settings.iter().rev().find(|setting| setting.name == name)
    }

    /// What takes effect of an option.
    #[must_use]
    pub fn effective(&self, name: &str) -> Effective<Value<'a>> {
        let Some(last) = self.last(name) else { return Effective::Absent };
        match last.value {
            None if last.option.kind.takes_value() => Effective::Unclear,
            None if last.name.starts_with("--no-") => Effective::Is(Value::Switch(false)),
            None if last.option.kind == super::options::ValueKind::Switch => {
                Effective::Is(Value::Switch(true))
            }
            None => Effective::Is(Value::Flag),
            Some(_) if last.is_opaque() => Effective::Unclear,
            Some(text) => {
                value(last.option.kind, text, self.release).map_or(Effective::Unclear, Effective::Is)
            }
        }
    }

    /// An integer that takes effect, cut to what fits.
    #[must_use]
    pub fn int(&self, name: &str) -> Effective<i64> {
        self.effective(name)
            .and_then(|value| if let Value::Int(number) = value { Some(number) } else { None })
    }

    /// A number that takes effect.
    #[must_use]
    pub fn float(&self, name: &str) -> Effective<f64> {
        self.effective(name)
            .and_then(|value| if let Value::Float(number) = value { Some(number) } else { None })
    }

    /// A text that takes effect.
    #[must_use]
    pub fn text(&self, name: &str) -> Effective<&'a str> {
        self.effective(name).and_then(|value| if let Value::Text(text) = value { Some(text) } else { None })
    }

    /// Names that take effect, as they were written between commas: with blanks, empty ones and doubles.
    #[must_use]
    pub fn list(&self, name: &str) -> Effective<Vec<&'a str>> {
        self.effective(name).and_then(|value| if let Value::List(names) = value { Some(names) } else { None })
    }

    /// How the command ends up.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.faults.iter().any(|fault| fault.cause.is_grammar()) {
            Outcome::Refused
        } else if self.has("--help") {
            Outcome::Help
        } else if self.faults.is_empty() {
            Outcome::Accepted
        } else {
            Outcome::Refused
        }
    }
}
